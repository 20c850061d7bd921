"""What a customer was: its history, any former version, the way back, and the feed of the team."""

import asyncio
from uuid import UUID, uuid4

import pytest

from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.model.answer import Answer
from tests.support.augno import to_command
from tests.support.hub import CUSTOMERS, JSON_PATCH, Desk, Json, address_body, make_desk, make_key

CHANGES = "/hub/v1/changes"


def path_of(customer: Json, beneath: str = "") -> str:
    """Where a customer is."""
    return f"{CUSTOMERS}/{customer['id']}{beneath}"


async def history(desk: Desk, customer: Json, **query: str) -> list[Json]:
    """A page of a customer's versions."""
    answer = await desk.api.get(path_of(customer, "/history"), params=query)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    assert list(page) == ["data", "next"]
    data: list[Json] = page["data"]
    return data


async def delete(desk: Desk, customer: Json) -> Json:
    """The customer as it was last."""
    gone: Json = (await desk.api.delete(path_of(customer))).json()["customer"]
    return gone


async def test_every_version_has_its_entry(desk: Desk, customer: Json) -> None:
    """Newest first, with who, when, through which door and what, in terms of the canonical form."""
    hq = customer["addresses"][0]
    patch = {"note": None, "credit_limit": {"value": "5"}, "attributes": {"Region": "West"}}
    patched = await desk.patch(customer, patch)
    stepped = await desk.patch(customer, [{"op": "replace", "path": "/addresses/0/city", "value": "Voss"}], JSON_PATCH)
    gone = await delete(desk, customer)
    deleted, moved, changed, created = await history(desk, customer)
    actor = {"id": str((await desk.caller()).actor), "name": "test key"}
    assert created == {
        "version": 1,
        "at": customer["created_at"],
        "action": "created",
        "actor": actor,
        "dialect": "hub",
        "request_id": created["request_id"],
        "changes": [{"path": "", "old": None, "new": customer}],
        "ignored": [],
    }
    assert changed == {
        "version": 2,
        "at": patched.json()["customer"]["updated_at"],
        "action": "updated",
        "actor": actor,
        "dialect": "hub",
        "request_id": patched.headers["request-id"],
        "changes": [
            {"path": "/note", "old": "Ships on Tuesdays.", "new": None},
            {"path": "/credit_limit/value", "old": "25000.00", "new": "5"},
            {"path": "/attributes/Region", "old": "Nordics", "new": "West"},
        ],
        "ignored": [],
    }
    assert [change["path"] for change in changed["changes"]] == patched.json()["changed"]
    assert (moved["version"], moved["request_id"]) == (3, stepped.headers["request-id"])
    assert moved["changes"] == [{"path": f"/addresses/{hq['id']}/city", "old": "Oslo", "new": "Voss"}]
    assert (deleted["version"], deleted["action"]) == (4, "deleted")
    assert deleted["changes"] == [{"path": "/deleted_at", "old": None, "new": gone["deleted_at"]}]


async def test_entries_of_lists_in_the_history(desk: Desk, customer: Json) -> None:
    """A new or removed one is whole, as the canonical form has it."""
    hq, dc = customer["addresses"]
    envelope = await desk.patched(customer, {"addresses": [dc, address_body(city="Voss", attributes={"a": "b"})]})
    new = envelope["customer"]["addresses"][1]
    told = {change["path"]: change for change in (await history(desk, customer))[0]["changes"]}
    assert told[f"/addresses/{hq['id']}"] == {"path": f"/addresses/{hq['id']}", "old": hq, "new": None}
    assert told[f"/addresses/{new['id']}"] == {"path": f"/addresses/{new['id']}", "old": None, "new": new}
    assert told["/bill_to"]["new"] == new["id"]


async def test_pages_and_filters(desk: Desk, customer: Json) -> None:
    """Page by page each version once; by actor, door, place and time."""
    other = await make_key(desk.hub, desk.team, name="other key")
    headers = {"authorization": f"Bearer {other['api_key']}"}
    await desk.patch(customer, {"note": "A"})
    await desk.patch(customer, {"credit_limit": {"value": "5"}}, **headers)
    view = f"{CUSTOMERS}/{customer['id']}/views/count"
    await desk.api.patch(view, json={"notes": "B"})
    place = f"/addresses/{customer['addresses'][0]['id']}"
    await desk.patch(customer, [{"op": "replace", "path": f"{place}/city", "value": "Voss"}], JSON_PATCH)
    everything = await history(desk, customer)
    assert [entry["version"] for entry in everything] == [5, 4, 3, 2, 1]
    pages: list[Json] = []
    query = {"limit": "2"}
    while True:
        page = (await desk.api.get(path_of(customer, "/history"), params=query)).json()
        pages += page["data"]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert pages == everything

    async def versions(**chosen: str) -> list[int]:
        return [entry["version"] for entry in await history(desk, customer, **chosen)]

    assert await versions(actor=everything[2]["actor"]["id"]) == [3]
    assert await versions(path="/note") == [4, 2, 1]
    assert await versions(path="/credit_limit") == [3, 1]
    assert await versions(path="/credit_limit/value") == [3, 1]
    assert await versions(path=place) == [5, 1]
    assert await versions(path=f"/note,{place}/city") == [5, 4, 2, 1]
    assert await versions(since=everything[3]["at"], until=everything[2]["at"]) == [3, 2]
    assert await versions(dialect="hub") == [5, 4, 3, 2, 1]
    assert await versions(dialect="count", actor=str(uuid4())) == []


@pytest.mark.parametrize(
    ("query", "name"), [("actor=x", "actor"), ("since=2025", "since"), ("limit=0", "limit"), ("version=1", "version")]
)
async def test_queries_of_the_history(desk: Desk, customer: Json, query: str, name: str) -> None:
    """400 with the parameter."""
    status, kind, errors = refusal(await desk.api.get(path_of(customer, f"/history?{query}")))
    assert (status, kind, [place for place, _ in errors]) == (400, "query", [name])


async def test_a_former_version(desk: Desk, customer: Json) -> None:
    """As it was, with that version's tag; of a deleted customer too, and by a time."""
    second = (await desk.patched(customer, {"note": "Second", "addresses": []}))["customer"]
    gone = await delete(desk, customer)
    for at, expected in (
        ("1", customer), ("2", second), ("3", gone), (customer["created_at"], customer), (second["updated_at"], second),
    ):  # fmt: skip
        answer = await desk.api.get(path_of(customer), params={"as_of": at})
        assert (answer.status_code, answer.json()) == (200, expected)
        assert answer.headers["etag"] == f'"{expected["version"]}"'
    unchanged = await desk.api.get(path_of(customer), params={"as_of": "2"}, headers={"If-None-Match": '"2"'})
    assert unchanged.status_code == 304


@pytest.mark.parametrize(
    ("at", "status"), [("4", 404), ("2020-01-01T00:00:00Z", 404), ("0", 400), ("x", 400), ("", 400)]
)
async def test_versions_that_never_were(desk: Desk, customer: Json, at: str, status: int) -> None:
    """404 for what was not, 400 for what says nothing."""
    answer = await desk.api.get(path_of(customer), params={"as_of": at})
    assert refusal(answer)[0] == status


async def test_reverting(desk: Desk, customer: Json) -> None:
    """All that a version held comes back as a new one, with entries by their ids; twice changes nothing."""
    await desk.patched(customer, {"note": None, "addresses": [], "attributes": {"Region": None}, "status": "active"})
    answer = await desk.api.post(path_of(customer, "/revert"), json={"version": 1}, headers={"If-Match": '"2"'})
    envelope = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert set(envelope["changed"]) >= {"/note", "/status", "/attributes/Region", "/bill_to", "/ship_to"}
    marks = ("version", "updated_at", "addresses", "attributes")
    assert {**envelope["customer"], **{name: customer[name] for name in marks}} == customer
    assert [entry["id"] for entry in envelope["customer"]["addresses"]] == [a["id"] for a in customer["addresses"]]
    assert sorted(envelope["customer"]["attributes"]) == sorted(customer["attributes"])
    again = (await desk.api.post(path_of(customer, "/revert"), json={"version": 1})).json()
    assert (again["changed"], again["customer"]) == ([], envelope["customer"])


async def test_reverting_some_places(desk: Desk, customer: Json) -> None:
    """Only these; what stood already is told as equal."""
    patch = {"note": None, "credit_limit": None, "attributes": {"Region": "West"}, "phone": "5"}
    await desk.patched(customer, patch)
    body = {"version": 1, "paths": ["/attributes/Region", "/credit_limit/value", "/name"]}
    envelope = (await desk.api.post(path_of(customer, "/revert"), json=body)).json()
    assert envelope["customer"]["credit_limit"] == customer["credit_limit"]
    assert envelope["customer"]["attributes"]["Region"] == "Nordics"
    assert (envelope["customer"]["phone"], envelope["customer"]["note"]) == ("5", None)
    assert set(envelope["changed"]) == {"/attributes/Region", "/credit_limit/value", "/credit_limit/unit"}
    assert envelope["equal"] == ["/name"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/version", "required")]),
        ({"version": "1"}, [("/version", "type")]),
        ({"version": 0}, None),
        ({"version": 9}, [("/version", "unknown_version")]),
        ({"version": 1, "path": "/note"}, [("/path", "unknown")]),
        ({"version": 1, "paths": []}, None),
        ({"version": 1, "paths": ["note"]}, [("/paths/0", "pointer")]),
        ({"version": 1, "paths": ["/note", "/nick"]}, [("/paths/1", "unknown_path")]),
    ],
)
async def test_reversions_that_are_refused(
    desk: Desk, customer: Json, body: Json, errors: list[tuple[str, str]] | None
) -> None:
    """422 by the place in the body, and nothing happens."""
    await desk.patched(customer, {"note": "Second"})
    before = await desk.fingerprint()
    found = refusal(await desk.api.post(path_of(customer, "/revert"), json=body))
    assert found[:2] == (422, "invalid")
    assert errors is None or found[2] == errors
    assert await desk.fingerprint() == before


async def test_restoring(desk: Desk, customer: Json) -> None:
    """As it was, as a new version; of a live one, and of an unknown one, 404."""
    gone = await delete(desk, customer)
    stale = await desk.api.post(path_of(customer, "/restore"), headers={"If-Match": '"1"'})
    assert refusal(stale) == (412, "stale", [])
    answer = await desk.api.post(path_of(customer, "/restore"), headers={"If-Match": f'"{gone["version"]}"'})
    envelope = answer.json()
    assert (answer.status_code, envelope["changed"], answer.headers["etag"]) == (200, ["/deleted_at"], '"3"')
    marks = ("version", "updated_at")
    assert {**envelope["customer"], **{name: customer[name] for name in marks}} == customer
    for strange in (customer, {"id": str(uuid4())}, {"id": "x"}):
        assert refusal(await desk.api.post(path_of(strange, "/restore"))) == (404, "not-found", [])


async def test_restoring_what_was_taken(desk: Desk, customer: Json) -> None:
    """409 with what is another's by now."""
    await delete(desk, customer)
    await desk.create(email=customer["email"], number=customer["number"])
    found = refusal(await desk.api.post(path_of(customer, "/restore")))
    assert (found[:2], sorted(found[2])) == ((409, "taken"), [("/email", "email_taken"), ("/number", "number_taken")])


async def test_the_deleted_are_listed(desk: Desk) -> None:
    """The last deleted first, page by page."""
    made = [await desk.create() for _ in range(3)]
    gone = [await delete(desk, customer) for customer in made]
    first = (await desk.api.get(CUSTOMERS, params={"deleted": "true", "limit": "2"})).json()
    rest = (await desk.api.get(CUSTOMERS, params={"deleted": "true", "after": first["next"]})).json()
    assert first["data"] + rest["data"] == gone[::-1]
    assert rest["next"] is None


async def test_a_merged_customer_keeps_its_history(desk: Desk, customer: Json) -> None:
    """It can be read, and not be restored nor reverted."""
    target = await desk.create()
    command = to_command(await desk.caller())
    asked = MergeRequest((UUID(customer["id"]),))
    await merge_customers(desk.hub, command, UUID(target["id"]), lambda: asked, lambda _: Answer(200))
    newest = (await history(desk, customer))[0]
    assert newest["action"] == "merged"
    assert {"path": "/merged_into", "old": None, "new": target["id"]} in newest["changes"]
    assert (await desk.api.get(path_of(customer), params={"as_of": "1"})).json() == customer
    assert refusal(await desk.api.post(path_of(customer, "/restore"))) == (409, "conflict", [])
    answer = await desk.api.post(path_of(customer, "/revert"), json={"version": 1})
    assert (answer.status_code, answer.headers["location"]) == (301, path_of(target, "/revert"))


async def test_nobody_else_sees_it(desk: Desk, other_desk: Desk, customer: Json) -> None:
    """404 for everything of another team's customer."""
    await delete(desk, customer)
    for method, beneath in (("GET", "/history"), ("GET", "?as_of=1"), ("POST", "/restore"), ("POST", "/revert")):
        body = {"version": 1} if beneath == "/revert" else None
        answer = await other_desk.api.request(method, path_of(customer, beneath), json=body)
        assert refusal(answer) == (404, "not-found", [])
    assert (await other_desk.api.get(CHANGES)).json() == {"data": [], "next": 0}


async def test_the_feed(desk: Desk) -> None:
    """Every change once, the oldest first; a piece goes on where the one before ended."""
    one, two = await desk.create(), await desk.create()
    await desk.patched(one, {"note": "x"})
    first = (await desk.api.get(CHANGES, params={"limit": "2"})).json()
    rest = (await desk.api.get(CHANGES, params={"after": str(first["next"])})).json()
    rows = first["data"] + rest["data"]
    assert [(row["customer"], row["version"], row["action"]) for row in rows] == [
        (one["id"], 1, "created"), (two["id"], 1, "created"), (one["id"], 2, "updated"),
    ]  # fmt: skip
    assert [row["position"] for row in rows] == [1, 2, 3]
    assert (first["next"], rest["next"]) == (2, 3)
    entry = (await history(desk, one))[0]
    assert rows[2] == {"position": 3, "customer": one["id"], **entry}
    assert (await desk.api.get(CHANGES, params={"after": "3"})).json() == {"data": [], "next": 3}


async def test_the_feed_waits(desk: Desk, customer: Json) -> None:
    """For the next change, as long as it is told to."""
    after = (await desk.api.get(CHANGES)).json()["next"]
    waiting = asyncio.create_task(desk.api.get(CHANGES, params={"after": str(after), "wait": "30"}))
    await desk.patched(customer, {"note": "x"})
    piece = (await waiting).json()
    assert [(row["customer"], row["version"]) for row in piece["data"]] == [(customer["id"], 2)]
    empty = (await desk.api.get(CHANGES, params={"after": str(piece["next"]), "wait": "0.05"})).json()
    assert empty == {"data": [], "next": piece["next"]}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=99", "after"),
        ("wait=61", "wait"),
        ("wait=x", "wait"),
        ("x=1", "x"),
    ],
)
async def test_queries_of_the_feed(desk: Desk, query: str, name: str) -> None:
    """400 with the parameter, a position that was never given too."""
    status, kind, errors = refusal(await desk.api.get(f"{CHANGES}?{query}"))
    assert (status, kind, [place for place, _ in errors]) == (400, "query", [name])


async def test_a_team_has_its_own_feed(desk: Desk, other_desk: Desk, customer: Json) -> None:
    """Positions are counted team by team."""
    strange = await other_desk.create()
    async with make_desk(desk.hub, desk.api._transport.app, desk.team, scopes=("read",)) as reader:  # type: ignore[attr-defined]
        mine = (await reader.api.get(CHANGES)).json()["data"]
    theirs = (await other_desk.api.get(CHANGES)).json()["data"]
    assert [(row["position"], row["customer"]) for row in mine] == [(1, customer["id"])]
    assert [(row["position"], row["customer"]) for row in theirs] == [(1, strange["id"])]
