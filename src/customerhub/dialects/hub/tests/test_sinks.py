"""Sinks through this API: made, tried, changed, shown without their secrets, ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from customerhub.core.outgoing import Verdict
from customerhub.core.sinks import MOST_SINKS
from customerhub.dialects.hub.sinks.records import SINKS
from customerhub.dialects.hub.tests.helpers import invalid, problem, refusal
from customerhub.dialects.hub.tests.sinks import GOOD, URL, add, add_sink, get_sink, try_by
from tests.support.administration import audits
from tests.support.hub import Desk, Json

NO_KEY = Verdict(is_good=False, reason="Invalid API Key provided: sk_test_***nope")
REMOTE = {"client_id": "c", "client_secret": "s", "access_token": "a", "refresh_token": "r"}
ACCOUNT = {"kind": "account", "form": "count", "url": "https://count.kestrel.invalid", "credentials": REMOTE}

WRONG: list[tuple[Json, list[tuple[str, str]]]] = [
    ({}, [("/kind", "required"), ("/url", "required")]),
    ({"kind": "mail", "url": URL}, [("/kind", "enum")]),
    ({"kind": "webhook"}, [("/url", "required")]),
    ({"kind": "webhook", "url": "http://kestrel.example/"}, [("/url", "invalid_url")]),
    ({"kind": "webhook", "url": "https://127.0.0.1/"}, [("/url", "invalid_url")]),
    ({"kind": "webhook", "url": URL, "form": "telex"}, [("/form", "enum")]),
    ({"kind": "webhook", "url": URL, "events": ["customer.seen"]}, [("/events/0", "enum")]),
    ({"kind": "webhook", "url": URL, "fields": ["/email", "/colour"]}, [("/fields/1", "unknown")]),
    ({"kind": "webhook", "url": URL, "fields": ["email"]}, [("/fields/0", "pointer")]),
    ({"kind": "webhook", "url": URL, "secret": "short"}, [("/secret", "secret")]),
    ({"kind": "webhook", "url": URL, "config": {"header": "X"}}, [("/config", "config")]),
    ({"kind": "webhook", "url": URL, "api_key": "sk_1"}, [("/api_key", "unknown")]),
    ({"kind": "webhook", "url": URL, "colour": "red"}, [("/colour", "unknown")]),
    ({"kind": "stripe", "url": URL}, [("/url", "unknown"), ("/api_key", "required")]),
    ({"kind": "stripe", "api_key": "sk 1"}, [("/api_key", "characters")]),
    ({"kind": "stripe", "api_key": "sk_1", "api_base": "https://10.0.0.1"}, [("/api_base", "invalid_url")]),
    (
        {"kind": "stripe", "api_key": "sk_1", "ownership": {"name": "me", "colour": "hub"}},
        [("/ownership/name", "enum"), ("/ownership/colour", "unknown")],
    ),
    ({"kind": "account"}, [("/form", "required"), ("/url", "required"), ("/credentials", "required")]),
    (ACCOUNT | {"form": "hub"}, [("/form", "enum")]),
    (ACCOUNT | {"credentials": {}}, [("/credentials", "credentials")]),
    (ACCOUNT | {"fields": ["/priority"]}, [("/fields/0", "enum")]),
    (ACCOUNT | {"ownership": {"name": "stripe"}}, [("/ownership/name", "enum")]),
    (ACCOUNT | {"creates": "no"}, [("/creates", "type")]),
]
WRONG_CHANGES: list[tuple[Json, list[tuple[str, str]]]] = [
    ({"kind": "stripe"}, [("/kind", "unknown")]),
    ({"form": "count"}, [("/form", "unknown")]),
    ({"secret": "whsec_x"}, [("/secret", "unknown")]),
    ({"id": str(uuid4())}, [("/id", "unknown")]),
    ({"api_key": "sk_1"}, [("/api_key", "unknown")]),
    ({"status": "asleep"}, [("/status", "enum")]),
    ({"name": " "}, [("/name", "blank")]),
    ({"url": "https://localhost/"}, [("/url", "invalid_url")]),
    ({"url": None}, [("/url", "not_nullable")]),
    ({"events": ["x", "customer.created"]}, [("/events/0", "enum")]),
]


async def refused(desk: Desk, body: Json, sink: Json | None = None) -> tuple[int, str, list[tuple[str, str]]]:
    """How a request for a sink, or for a change of one, is refused, which has changed nothing then."""
    before = await desk.fingerprint()
    send, path = (desk.api.post, SINKS) if sink is None else (desk.api.patch, f"{SINKS}/{sink['id']}")
    answer = await send(path, json=body)
    assert await desk.fingerprint() == before, answer.text
    return refusal(answer)


async def stored(desk: Desk, sink: Json) -> list[str | None]:
    """A sink's secrets in clear: the newest and the one before it."""
    async with desk.hub.database.lease() as connection:
        row = await connection.fetchrow(
            "select secret, former_secret from sink where team = $1 and id = $2", desk.team.id, UUID(sink["id"])
        )
    assert row is not None
    return [desk.hub.vault.decrypt(one) if one is not None else None for one in row]


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(desk: Desk) -> None:
    """Everything that was not asked for is as a receiver of the standard expects it; nothing is sent yet."""
    carrier = try_by(desk, "webhook")
    answer = await add(desk, name="Warehouse", events=["customer.created"], fields=["/email", "/addresses"])
    sink, secrets = answer.json()["sink"], answer.json()["secrets"]
    assert (answer.headers["etag"], answer.json()["changed"]) == ('"1"', [""])
    assert list(secrets) == ["secret"]
    assert secrets["secret"].startswith("whsec_")
    assert await stored(desk, sink) == [secrets["secret"], None]
    assert sink == {
        "id": sink["id"],
        "version": 1,
        "created_at": sink["created_at"],
        "updated_at": sink["created_at"],
        "kind": "webhook",
        "dialect": "hub",
        "name": "Warehouse",
        "url": URL,
        "form": "hub",
        "events": ["customer.created"],
        "fields": ["/email", "/addresses"],
        "config": {},
        "has_secret": True,
        "former_until": None,
        "status": "active",
        "reason": None,
        "webhook_path": None,
    }
    health = {
        "failures": 0,
        "failing_since": None,
        "resume_at": None,
        "succeeded_at": None,
        "waiting": 0,
        "behind": 0,
        "oldest": None,
        **dict.fromkeys(("delivered", "superseded", "skipped", "retried", "dead"), 0),
    }
    assert await get_sink(desk, sink) == sink | {"health": health}
    assert carrier.tried == []
    listed = (await desk.api.get(SINKS)).json()
    assert listed == {"data": [sink | {"health": health}], "next": None}
    (event,) = await audits(desk, kind="sink")
    assert (event["action"], event["subject"]) == ("created", sink["id"])
    assert secrets["secret"] not in str(event)


async def test_a_secret_that_is_sent_is_not_shown(desk: Desk) -> None:
    """Neither in the answer nor later, and the key keeps the answer."""
    secret = "whsec_" + "c2VjcmV0" * 4
    answers = [
        await desk.api.post(
            SINKS, json={"kind": "webhook", "url": URL, "secret": secret}, headers={"Idempotency-Key": "one"}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["secrets"] == {}
    assert await stored(desk, answers[0].json()["sink"]) == [secret, None]


async def test_what_makes_no_sink_is_refused_by_its_place(desk: Desk) -> None:
    """All wrong values at once, in the order of the request; nothing is tried."""
    carriers = [try_by(desk, kind) for kind in ("webhook", "stripe", "account")]
    for body, errors in WRONG:
        assert await refused(desk, body) == invalid(*errors), body
    assert [carrier.tried for carrier in carriers] == [[], [], []]


async def test_an_address_may_be_private_where_the_hub_says_so(desk: Desk) -> None:
    """And then also without TLS."""
    desk.hub.settings = desk.hub.settings.model_copy(update={"private_callbacks": True})
    sink = await add_sink(desk, url="http://127.0.0.1:9000/hook")
    assert sink["url"] == "http://127.0.0.1:9000/hook"


async def test_stripe_is_tried_before_it_is_stored(desk: Desk) -> None:
    """With the very keys, which nothing shows; a dry run tries too, and a team has one."""
    carrier = try_by(desk, "stripe", is_mirror=True)
    body = {"kind": "stripe", "api_key": "sk_test_1", "webhook_secret": "whsec_1", "ownership": {"phone": "stripe"}}
    before = await desk.fingerprint()
    dry = await desk.api.post(SINKS, json=body, headers={"Customerhub-Dry-Run": "true"})
    assert (dry.status_code, len(carrier.tried)) == (201, 1)
    assert await desk.fingerprint() == before
    sink = (await desk.api.post(SINKS, json=body)).json()["sink"]
    keys = {"api_key": "sk_test_1", "webhook_secret": "whsec_1"}
    assert [msgspec.json.decode(secret or "") for _, secret in carrier.tried] == [keys, keys]
    (clear, former) = await stored(desk, sink)
    assert (msgspec.json.decode(clear or ""), former) == (keys, None)
    assert (sink["form"], sink["url"], sink["config"]) == ("", "", {"ownership": {"phone": "stripe"}})
    assert sink["webhook_path"] == f"/stripe/webhook/{sink['id']}"
    assert "_test_1" not in str(await get_sink(desk, sink))
    assert await refused(desk, body) == (409, "conflict", [])
    assert len(carrier.tried) == 2


async def test_a_key_that_stripe_refuses_makes_nothing(desk: Desk) -> None:
    """Told in Stripe's words; what was refused today may do tomorrow, so that no idempotency key keeps it."""
    carrier = try_by(desk, "stripe", is_mirror=True)
    carrier.verdict = NO_KEY
    body = {"kind": "stripe", "api_key": "sk_test_nope"}
    before = await desk.fingerprint()
    for headers in ({}, {"Idempotency-Key": "one"}, {"Customerhub-Dry-Run": "true"}):
        answer = await desk.api.post(SINKS, json=body, headers=headers)
        assert refusal(answer) == invalid(("/api_key", "refused"))
        assert problem(answer)["errors"][0]["detail"] == NO_KEY.reason
    assert await desk.fingerprint() == before
    carrier.verdict = GOOD
    answer = await desk.api.post(SINKS, json=body, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, len(carrier.tried)) == (201, 4)


async def test_an_account_is_tried_too(desk: Desk) -> None:
    """With what its API asks for; what only the mirror knows stands in the configuration."""
    carrier = try_by(desk, "account", is_mirror=True)
    body = ACCOUNT | {"fields": ["/name", "/email"], "ownership": {"email": "other"}, "creates": False, "name": "Books"}
    sink = (await desk.api.post(SINKS, json=body)).json()["sink"]
    ((tried, secret),) = carrier.tried
    assert (tried.url, tried.form, msgspec.json.decode(secret or "")) == (ACCOUNT["url"], "count", REMOTE)
    assert sink["config"] == {"ownership": {"email": "other"}, "creates": False}
    assert sink["fields"] == ["/name", "/email"]
    carrier.verdict = Verdict(is_good=False, reason="401")
    assert await refused(desk, {"credentials": REMOTE | {"access_token": "b"}}, sink) == invalid(
        ("/credentials", "refused")
    )
    carrier.verdict = GOOD
    patched = await desk.api.patch(f"{SINKS}/{sink['id']}", json={"creates": True, "defaults": {"currency": "NOK"}})
    assert patched.json()["sink"]["config"] == {
        "ownership": {"email": "other"},
        "creates": True,
        "defaults": {"currency": "NOK"},
    }
    assert patched.json()["changed"] == ["/config"]
    assert len(carrier.tried) == 2


async def test_a_change_names_what_it_changed(desk: Desk) -> None:
    """What was sent as it stands is no change, and without one there is no version; the history tells the others."""
    sink = await add_sink(desk, name="Warehouse")
    path = f"{SINKS}/{sink['id']}"
    answer = await desk.api.patch(path, json={"name": "Depot", "url": URL, "events": ["customer.deleted"]})
    assert (answer.json()["changed"], answer.json()["equal"]) == (["/name", "/events"], ["/url"])
    assert answer.json()["sink"] == sink | {
        "name": "Depot",
        "events": ["customer.deleted"],
        "version": 2,
        "updated_at": answer.json()["sink"]["updated_at"],
    }
    again = await desk.api.patch(path, json={"name": "Depot"})
    assert (again.json()["changed"], again.json()["equal"], again.headers["etag"]) == ([], ["/name"], '"2"')
    trail = await audits(desk, kind="sink", subject=sink["id"])
    assert [event["action"] for event in trail] == ["updated", "created"]
    assert [change["path"] for change in trail[0]["changes"]] == ["/name", "/events"]


async def test_a_wrong_change_is_refused_by_its_place(desk: Desk) -> None:
    """What a sink is once and for all is no member of a change."""
    sink = await add_sink(desk)
    for body, errors in WRONG_CHANGES:
        assert await refused(desk, body, sink) == invalid(*errors), body


async def test_new_keys_for_stripe_are_tried_and_the_other_one_stays(desk: Desk) -> None:
    """Its own members are all that can be changed of it, and null takes an address away."""
    carrier = try_by(desk, "stripe", is_mirror=True)
    body = {"kind": "stripe", "api_key": "sk_1", "webhook_secret": "whsec_1", "api_base": "https://stripe.invalid"}
    made = await desk.api.post(SINKS, json=body)
    sink = made.json()["sink"]
    path = f"{SINKS}/{sink['id']}"
    carrier.verdict = NO_KEY
    assert await refused(desk, {"api_key": "sk_2"}, sink) == invalid(("/api_key", "refused"))
    assert await refused(desk, {"url": URL}, sink) == invalid(("/url", "unknown"))
    carrier.verdict = GOOD
    # Whoever only names another address does not get the stored key sent there.
    tries = len(carrier.tried)
    assert await refused(desk, {"api_base": None}, sink) == invalid(("/api_key", "required"))
    assert len(carrier.tried) == tries
    changed = await desk.api.patch(path, json={"api_key": "sk_2", "api_base": None})
    # Of a secret nothing tells whether it is the one that stood.
    assert (changed.json()["changed"], changed.json()["equal"]) == (["/config"], [])
    assert msgspec.json.decode((await stored(desk, sink))[0] or "") == {"api_key": "sk_2", "webhook_secret": "whsec_1"}
    tries = len(carrier.tried)
    assert (await desk.api.patch(path, json={"status": "paused", "ownership": {"name": "stripe"}})).status_code == 200
    assert len(carrier.tried) == tries


async def test_a_rotation_lets_both_secrets_sign_for_a_while(desk: Desk) -> None:
    """The new one is shown once; without an overlap the one before it is gone at once."""
    answer = await add(desk)
    sink, first = answer.json()["sink"], answer.json()["secrets"]["secret"]
    path = f"{SINKS}/{sink['id']}/rotate"
    rotated = await desk.api.post(path, json={"overlap_seconds": 3600}, headers={"If-Match": '"1"'})
    second = rotated.json()["secrets"]["secret"]
    assert rotated.json()["changed"] == ["/former_until"]
    assert await stored(desk, sink) == [second, first]
    assert second != first
    now = desk.hub.now
    desk.hub.now = lambda: now() + timedelta(hours=2)
    assert (await get_sink(desk, sink))["former_until"] is None
    own = "whsec_" + "c2VjcmV0" * 4
    assert (await desk.api.post(path, json={"secret": own})).json()["secrets"] == {"secret": own}
    assert await stored(desk, sink) == [own, None]
    wrong = await desk.api.post(path, json={"secret": "short", "overlap_seconds": 604_801})
    assert refusal(wrong)[2] == [("/secret", "secret"), ("/overlap_seconds", "less_than_equal")]
    assert [event["action"] for event in await audits(desk, kind="sink")] == ["updated", "updated", "created"]


async def test_only_a_webhook_s_secret_rotates_by_itself(desk: Desk) -> None:
    """Keys of Stripe are Stripe's to make."""
    try_by(desk, "stripe", is_mirror=True)
    made = await desk.api.post(SINKS, json={"kind": "stripe", "api_key": "sk_1"})
    before = await desk.fingerprint()
    answer = await desk.api.post(f"{SINKS}/{made.json()['sink']['id']}/rotate", json={})
    assert refusal(answer) == (409, "conflict", [])
    assert await desk.fingerprint() == before


async def test_trying_a_sink_stores_nothing(desk: Desk) -> None:
    """It says what was sent and answered, good or not; under a key a retry sends nothing more."""
    carrier = try_by(desk, "webhook")
    sink = await add_sink(desk)
    path = f"{SINKS}/{sink['id']}/verify"
    before = await desk.fingerprint()
    answer = await desk.api.post(path, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert answer.json() == {
        "is_good": True,
        "reason": "",
        "exchange": {
            "method": "POST",
            "url": URL,
            "headers": {"webhook-id": "1"},
            "body": "{}",
            "status": 200,
            "answer": "thanks",
            "fault": "",
            "seconds": 0.25,
        },
    }
    carrier.verdict = Verdict(is_good=False, reason="no answer in time")
    failed = await desk.api.post(path)
    assert failed.json() == {"is_good": False, "reason": "no answer in time", "exchange": None}
    assert (await desk.api.post(path, headers={"If-Match": '"7"'})).status_code == 412
    assert len(carrier.tried) == 2
    assert await desk.fingerprint() == before
    kept = [await desk.api.post(path, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert (kept[0].content, len(carrier.tried)) == (kept[1].content, 3)
    desk.hub.carriers = {}
    assert (await desk.api.post(path)).json()["is_good"] is False


async def test_a_deleted_sink_is_gone_with_its_secrets(desk: Desk) -> None:
    """It is shown once more, and its name and address may be another's."""
    sink = await add_sink(desk)
    answer = await desk.api.delete(f"{SINKS}/{sink['id']}")
    assert (answer.status_code, answer.json()["sink"]["version"], answer.headers["etag"]) == (200, 2, '"2"')
    assert await stored(desk, sink) == [None, None]
    for method in ("GET", "DELETE"):
        assert refusal(await desk.api.request(method, f"{SINKS}/{sink['id']}")) == (404, "not-found", [])
    assert (await desk.api.get(SINKS)).json() == {"data": [], "next": None}


async def test_a_team_has_so_many_sinks_at_most(desk: Desk) -> None:
    """One more is refused until one is gone."""
    sink = await add_sink(desk)
    async with desk.hub.database.lease() as connection:
        copied = "team, dialect, url, status, created_at, updated_at, created_by, updated_by"
        await connection.execute(
            f"insert into sink (id, {copied}) select gen_random_uuid(), {copied} from sink, generate_series(2, $2) "  # noqa: S608 - fixed names
            "where team = $1",
            desk.team.id,
            MOST_SINKS,
        )
    assert await refused(desk, {"kind": "webhook", "url": URL}) == (409, "conflict", [])
    assert (await desk.api.delete(f"{SINKS}/{sink['id']}")).status_code == 200
    await add_sink(desk)
    pages: list[Any] = [(await desk.api.get(SINKS, params={"limit": 60})).json()]
    pages.append((await desk.api.get(SINKS, params={"limit": 60, "after": pages[0]["next"]})).json())
    assert [len(page["data"]) for page in pages] == [60, 40]
    assert pages[1]["next"] is None


async def test_what_the_operator_set_is_not_a_team_s_to_change(desk: Desk) -> None:
    """The address of a sink that may lead anywhere stays the one that was named; all else can be changed."""
    sink = await add_sink(desk)
    async with desk.hub.database.lease() as connection:
        await connection.execute(
            "update sink set is_trusted = true where team = $1 and id = $2", desk.team.id, UUID(sink["id"])
        )
    assert await refused(desk, {"url": "https://elsewhere.invalid/"}, sink) == invalid(("/url", "not_yours"))
    same = await desk.api.patch(f"{SINKS}/{sink['id']}", json={"url": URL, "name": "Depot"})
    assert (same.status_code, same.json()["changed"]) == (200, ["/name"])


async def test_a_sink_of_another_api_is_seen_and_paused_here(desk: Desk) -> None:
    """What it asked for in that API's words is changed through that one."""
    sink = await add_sink(desk, form="count", events=["customer.updated"])
    async with desk.hub.database.lease() as connection:
        await connection.execute(
            "update sink set dialect = 'count' where team = $1 and id = $2", desk.team.id, UUID(sink["id"])
        )
    assert await refused(desk, {"events": ["customer.created"]}, sink) == invalid(("/events", "not_yours"))
    paused = await desk.api.patch(f"{SINKS}/{sink['id']}", json={"status": "paused"})
    assert (paused.json()["sink"]["dialect"], paused.json()["sink"]["status"]) == ("count", "paused")
