"""What is on its way to a sink through this API: listed, looked at, sent once more; mirrors, metrics."""

from uuid import UUID, uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

from customerhub.core.access import OPERATOR
from customerhub.dialects.hub.sinks.records import SINKS
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.dialects.hub.tests.sinks import URL, add_sink, deliveries, get_sink, publish, settle, try_by
from customerhub.store.syncs import Sync, put_sync
from tests.support.administration import audits
from tests.support.hub import CUSTOMERS, Desk, Json, make_desk

METRICS = "/hub/v1/metrics"


async def replay(desk: Desk, sink: Json, body: Json, **headers: str) -> httpx.Response:
    """What a request to send something once more is answered."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.api.post(f"{SINKS}/{sink['id']}/replay", json=body, headers=named)


async def statuses(desk: Desk, sink: Json) -> list[str]:
    """Of all of a sink's deliveries, the oldest first."""
    return [one["status"] for one in await deliveries(desk, sink)][::-1]


async def test_what_waits_is_listed_the_newest_first(desk: Desk) -> None:
    """Page by page, by status and by customer; the sink tells how much it is and since when."""
    sink = await add_sink(desk, status="paused")
    one, two = await desk.create(name="Aster"), await desk.create(name="Birch")
    await desk.patched(one, {"note": "x"})
    await publish(desk)
    listed = await deliveries(desk, sink)
    assert [(row["customer"], row["version"], row["type"], row["position"]) for row in listed] == [
        (one["id"], 2, "customer.updated", 3),
        (two["id"], 1, "customer.created", 2),
        (one["id"], 1, "customer.created", 1),
    ]
    assert listed[2] == {
        "id": listed[2]["id"],
        "type": "customer.created",
        "customer": one["id"],
        "version": 1,
        "position": 1,
        "at": one["created_at"],
        "status": "waiting",
        "reason": None,
        "tries": 0,
        "settled_at": None,
    }
    path = f"{SINKS}/{sink['id']}/deliveries"
    first = (await desk.api.get(path, params={"limit": 2})).json()
    rest = (await desk.api.get(path, params={"limit": 2, "after": first["next"]})).json()
    assert (first["data"] + rest["data"], rest["next"]) == (listed, None)
    assert await deliveries(desk, sink, customer=two["id"], status="waiting") == [listed[1]]
    assert await deliveries(desk, sink, status="dead") == []
    health = (await get_sink(desk, sink))["health"]
    assert (health["waiting"], health["behind"], health["oldest"]) == (3, 0, one["created_at"])
    wrong = await desk.api.get(path, params={"after": "x", "status": "late", "customer": "y", "limit": 0, "colour": 1})
    assert refusal(wrong)[0] == 400
    assert sorted(name for name, _ in refusal(wrong)[2]) == ["after", "colour", "customer", "limit", "status"]


async def test_a_delivery_shows_its_attempts_and_its_change(desk: Desk) -> None:
    """What was sent and answered, and by which request of whom it came to that."""
    sink = await add_sink(desk, status="paused")
    answer = await desk.api.post(CUSTOMERS, json={"name": "Aster"})
    await publish(desk)
    await settle(desk, sink, "dead", "the receiver answered 400")
    (listed,) = await deliveries(desk, sink, status="dead")
    shown = (await desk.api.get(f"{SINKS}/{sink['id']}/deliveries/{listed['id']}")).json()
    (attempt,) = shown["attempts"]
    assert {name: shown[name] for name in listed} == listed
    assert (listed["reason"], listed["tries"]) == ("the receiver answered 400", 1)
    assert shown["change"] == {
        "customer": answer.json()["customer"]["id"],
        "version": 1,
        "position": 1,
        "actor": {"id": desk.credential["id"], "name": "test key"},
        "dialect": "hub",
        "request_id": answer.headers["request-id"],
    }
    assert attempt == {
        "number": 1,
        "at": attempt["at"],
        "seconds": 0.5,
        "outcome": "retry",
        "reason": "the receiver answered 400",
        "exchanges": [
            {
                "method": "POST",
                "url": URL,
                "headers": {"webhook-id": "1"},
                "body": "{}",
                "status": 200,
                "answer": "thanks",
                "fault": "",
                "seconds": 0.25,
            }
        ],
    }
    for unknown in (str(uuid4()), "x"):
        assert refusal(await desk.api.get(f"{SINKS}/{sink['id']}/deliveries/{unknown}")) == (404, "not-found", [])


async def test_dead_letters_and_single_deliveries_go_out_once_more(desk: Desk) -> None:
    """Under their ids; what waits does not count, and what is replayed stands in the history of the sink."""
    sink = await add_sink(desk, status="paused")
    for _ in range(3):
        await desk.create()
    await publish(desk)
    await settle(desk, sink, "dead", "too long")
    listed = await deliveries(desk, sink)
    answer = await replay(desk, sink, {"deliveries": [listed[0]["id"]]}, if_match='"1"')
    assert answer.json() == {"replayed": 1, "is_complete": True, "next": None}
    assert answer.headers["etag"] == '"2"'
    assert await statuses(desk, sink) == ["dead", "dead", "waiting"]
    assert (await replay(desk, sink, {"dead": True})).json()["replayed"] == 2
    after = await deliveries(desk, sink)
    assert [(row["id"], row["status"], row["reason"]) for row in after] == [
        (row["id"], "waiting", None) for row in listed
    ]
    before = await desk.fingerprint()
    nothing = await replay(desk, sink, {"deliveries": [row["id"] for row in listed]})
    assert (nothing.json()["replayed"], nothing.headers["etag"]) == (0, '"3"')
    assert await desk.fingerprint() == before
    trail = await audits(desk, kind="sink", subject=sink["id"])
    assert [event["action"] for event in trail] == ["replayed", "replayed", "created"]
    assert [change["new"] for event in trail[:2] for change in event["changes"]] == [2, 1]


async def test_a_piece_of_the_feed_goes_to_a_new_sink(desk: Desk) -> None:
    """Also what happened before there was one, where anybody listened then; a dry run only counts."""
    await add_sink(desk, name="Older", status="paused")
    customer = await desk.create()
    for note in "abc":
        await desk.patched(customer, {"note": note})
    await publish(desk)
    sink = await add_sink(desk, status="paused", events=["customer.updated"])
    before = await desk.fingerprint()
    counted = await replay(desk, sink, {"all": True}, customerhub_dry_run="true")
    assert counted.json() == {"replayed": 3, "is_complete": True, "next": None}
    assert await desk.fingerprint() == before
    assert (await replay(desk, sink, {"from": 2, "until": 3})).json()["replayed"] == 2
    assert [row["position"] for row in await deliveries(desk, sink)] == [3, 2]
    assert (await replay(desk, sink, {"from": 3})).json()["replayed"] == 1
    assert await statuses(desk, sink) == ["waiting"] * 3


async def test_a_replay_says_one_thing(desk: Desk, other_desk: Desk) -> None:
    """Nothing, two things, a range that is none and what is no delivery to this sink are refused by their places."""
    sink, another = await add_sink(desk, status="paused"), await add_sink(desk, status="paused")
    theirs = await add_sink(other_desk, status="paused")
    for one in (desk, other_desk):
        await one.create()
        await publish(one)
    foreign = (await deliveries(other_desk, theirs))[0]["id"]
    wrong: dict[str, tuple[Json, list[tuple[str, str]]]] = {
        "nothing": ({}, [("", "required")]),
        "two": ({"all": True, "dead": True}, [("/dead", "ambiguous")]),
        "no": ({"all": False}, [("/all", "enum")]),
        "backwards": ({"from": 9, "until": 8}, [("/until", "range")]),
        "no start": ({"all": True, "until": 8}, [("/until", "ambiguous")]),
        "zero": ({"from": 0}, [("/from", "greater_than_equal")]),
        "no ids": ({"deliveries": []}, [("/deliveries", "too_short")]),
        "foreign": ({"deliveries": [foreign]}, [("/deliveries/0", "unknown_id")]),
        "another's": (
            {"deliveries": [(await deliveries(desk, another))[0]["id"]]},
            [("/deliveries/0", "unknown_id")],
        ),
        "unknown": ({"every": True}, [("/every", "unknown"), ("", "required")]),
    }
    before = await desk.fingerprint()
    for name, (body, errors) in wrong.items():
        assert refusal(await replay(desk, sink, body)) == (422, "invalid", errors), name
    assert await desk.fingerprint() == before


async def test_what_a_mirror_knows_is_listed(desk: Desk) -> None:
    """Page by page; the troubled ones alone where that is asked for."""
    try_by(desk, "stripe", is_mirror=True)
    sink = (await desk.api.post(SINKS, json={"kind": "stripe", "api_key": "sk_1"})).json()["sink"]
    now = desk.hub.now()
    ids = sorted([UUID((await desk.create())["id"]) for _ in range(3)])
    known = [
        Sync(ids[0], "cus_1", 1, {"name": "Aster"}),
        Sync(ids[1], "cus_2", 2, {}, {"phone": "too long"}),
        Sync(ids[2], None, 0, {}, {}, {"body": {}}, "No such customer"),
    ]
    async with desk.hub.database.lease() as connection:
        for sync in known:
            await put_sync(connection, desk.team.id, UUID(sink["id"]), sync, now)
    path = f"{SINKS}/{sink['id']}/customers"
    rows = (await desk.api.get(path)).json()["data"]
    assert rows[0] == {
        "customer": str(ids[0]),
        "external_id": "cus_1",
        "version": 1,
        "left_out": {},
        "error": None,
        "at": rows[0]["at"],
    }
    assert [(row["left_out"], row["error"]) for row in rows[1:]] == [
        ({"phone": "too long"}, None),
        ({}, "No such customer"),
    ]
    assert (await desk.api.get(path, params={"troubled": "true"})).json() == {"data": rows[1:], "next": None}
    first = (await desk.api.get(path, params={"limit": 2})).json()
    assert (first["data"], first["next"]) == (rows[:2], str(ids[1]))
    assert (await desk.api.get(path, params={"after": first["next"]})).json() == {"data": rows[2:], "next": None}
    webhook = await add_sink(desk)
    assert (await desk.api.get(f"{SINKS}/{webhook['id']}/customers")).json() == {"data": [], "next": None}


async def test_metrics_are_for_those_who_run_the_hub(desk: Desk) -> None:
    """As Prometheus reads them, whatever a sink is called; a team's administrator does not see other teams' sinks."""
    sink = await add_sink(desk, status="paused", name='Ware"house\\')
    await desk.create()
    await publish(desk)
    assert refusal(await desk.api.get(METRICS)) == (403, "forbidden", [])
    site = desk.api._transport.app  # type: ignore[attr-defined]
    async with make_desk(desk.hub, site, desk.team, scopes=(OPERATOR,)) as operator:
        answer = await operator.api.get(METRICS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    (waiting,) = [
        sample
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "customerhub_sink_waiting" and sample.labels["sink"] == sink["id"]
    ]
    assert waiting.value == 1
    assert waiting.labels == {
        "team": str(desk.team.id),
        "sink": sink["id"],
        "kind": "webhook",
        "name": 'Ware"house\\',
    }
