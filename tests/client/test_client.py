"""What each method sends and what it makes of the answer."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from inspect import signature
from uuid import UUID

import httpx
import pytest

from customerhub.client import AsyncClient, Client, CreditLimit, ListEdit, NotFound, Operation, Problem
from tests.client.stub import AT, Stub, to_change
from tests.client.talker import Bridge, Talker

FIRST, SECOND = UUID(int=1), UUID(int=2)
PLACE = f"/hub/v1/customers/{FIRST}"


async def test_a_customer_is_typed(stub: Stub, talk: Talker) -> None:
    """Ids, times and amounts are what they are, and what this client does not know yet is passed over."""
    body = {"name": "Acme", "credit_limit": {"value": "2500.00", "unit": str(SECOND)}, "sales_reps": [str(SECOND)]}
    await talk("create", {**body, "attributes": {"Region": "Nordics"}, "invented_later": {"a": 1}})
    customer = await talk("get", FIRST)
    assert (customer.id, customer.version, customer.number) == (FIRST, 1, "C00001")
    assert customer.created_at == datetime(2026, 3, 4, 5, 6, 7, 250, UTC)
    assert customer.credit_limit == CreditLimit(value=Decimal("2500.00"), unit=SECOND)
    assert str(customer.credit_limit.value) == "2500.00"
    assert (customer.sales_reps, customer.attributes, customer.phone) == ((SECOND,), {"Region": "Nordics"}, None)


async def test_values_travel_as_the_wire_has_them(stub: Stub, talk: Talker) -> None:
    """Decimals are texts, ids and times are texts, None is null, and a write says what it is."""
    edit = ListEdit(mode="merge", by="id", items=[{"id": SECOND, "city": "Bergen"}], max_removals=1)
    values = {"credit_limit": {"value": Decimal("1.10"), "unit": SECOND}, "phone": None, "addresses": edit}
    await talk("create", {"name": "Acme"})
    await talk("patch", FIRST, values, if_match=1, dry_run=True)
    asked = stub.asked[-1]
    assert (asked.method, asked.path) == ("PATCH", PLACE)
    assert asked.body == {
        "credit_limit": {"value": "1.10", "unit": str(SECOND)},
        "phone": None,
        "addresses": {
            "mode": "merge",
            "by": "id",
            "items": [{"id": str(SECOND), "city": "Bergen"}],
            "max_removals": 1,
        },
    }
    assert asked.headers["content-type"] == "application/json"
    assert (asked.headers["if-match"], asked.headers["customerhub-dry-run"]) == ('"1"', "true")
    assert stub.customers[str(FIRST)]["version"] == 1


async def test_every_form_of_patch_is_declared(stub: Stub, talk: Talker) -> None:
    """A merge patch and a JSON Patch go out as what they are."""
    await talk("create", {"name": "Acme"})
    operations = [{"op": "test", "path": "/name", "value": "Acme"}]
    await talk("merge_patch", FIRST, {"phone": "+4722334455"})
    await talk("json_patch", FIRST, operations)
    types = [asked.headers["content-type"] for asked in stub.asked[1:]]
    assert types == ["application/merge-patch+json", "application/json-patch+json"]
    assert stub.asked[-1].body == operations


async def test_a_write_tells_what_came_of_it(talk: Talker) -> None:
    """What changed and what was there already, by pointers."""
    await talk("create", {"name": "Acme"})
    written = await talk("patch", FIRST, {"name": "Acme", "phone": "+4722334455"})
    assert (written.changed, written.equal, written.ignored) == (("/phone",), ("/name",), ())
    assert (written.customer.version, written.customer.phone) == (2, "+4722334455")


async def test_lists_are_walked_to_their_end(stub: Stub, talk: Talker) -> None:
    """Page by page, each filter on every page."""
    for number in range(5):
        await talk("create", {"name": f"Company {number}"})
    since = datetime(2026, 3, 4, tzinfo=UTC)
    found = await talk("list", updated_since=since, ids=[FIRST, SECOND], deleted=False, email="a@b.example", limit=2)
    assert [customer.name for customer in found] == [f"Company {number}" for number in range(5)]
    filters = {
        "updated_since": "2026-03-04T00:00:00Z",
        "ids": f"{FIRST},{SECOND}",
        "deleted": "false",
        "email": "a@b.example",
        "limit": "2",
    }
    assert [asked.query for asked in stub.asked[5:]] == [filters, {**filters, "after": "2"}, {**filters, "after": "4"}]


async def test_deleted_customers_come_back(stub: Stub, talk: Talker) -> None:
    """A deletion answers what was deleted, and a restoration what is there again."""
    await talk("create", {"name": "Acme"})
    deleted = await talk("delete", FIRST, if_match=1)
    assert deleted.customer.deleted_at is not None
    assert stub.customers == {}
    restored = await talk("restore", FIRST, if_match=1)
    assert restored.customer.id == FIRST
    assert [(asked.method, asked.path) for asked in stub.asked[1:]] == [
        ("DELETE", PLACE),
        ("POST", f"{PLACE}/restore"),
    ]
    assert [asked.headers["if-match"] for asked in stub.asked[1:]] == ['"1"', '"1"']
    assert all(asked.key for asked in stub.asked)


async def test_history_is_walked_and_undone(stub: Stub, talk: Talker) -> None:
    """Every version, the newest first; one of them, or a part of it, is put back."""
    await talk("create", {"name": "Acme"})
    for number in range(4):
        await talk("patch", FIRST, {"note": str(number)})
    entries = await talk("history", FIRST, path="/phone", since="2026-01-01T00:00:00Z", limit=2)
    assert [entry.version for entry in entries] == [5, 4, 3, 2, 1]
    assert (entries[0].actor.name, entries[0].changes[0].path) == ("ERP sync", "/phone")
    assert stub.asked[-1].query["path"] == "/phone"
    await talk("revert", FIRST, 2, ["/phone"], if_match=5)
    assert (stub.asked[-1].path, stub.asked[-1].body) == (f"{PLACE}/revert", {"version": 2, "paths": ["/phone"]})
    await talk("revert", FIRST, 2)
    assert stub.asked[-1].body == {"version": 2}
    await talk("get", FIRST, as_of=2)
    assert stub.asked[-1].query == {"as_of": "2"}


async def test_the_feed_goes_on_where_it_was_left(stub: Stub, talk: Talker) -> None:
    """Every change once and in order, from the beginning or behind a position, and an end where there is no more."""
    stub.feed.extend(map(to_change, range(1, 8)))
    changes = await talk("changes", limit=3)
    assert [change.position for change in changes] == [1, 2, 3, 4, 5, 6, 7]
    assert changes[0].customer == FIRST
    assert [asked.query.get("after") for asked in stub.asked] == [None, "3", "6", "7"]
    assert all("wait" not in asked.query for asked in stub.asked)
    assert [change.position for change in await talk("changes", 5)] == [6, 7]


async def test_a_feed_is_followed_with_patience(stub: Stub) -> None:
    """Who follows waits at the hub as long as was said, and goes on behind what came; without a wait nobody follows."""
    stub.feed.extend(map(to_change, range(1, 3)))
    stub.on_feed = lambda: stub.feed.append(to_change(len(stub.feed) + 1))
    with Client("http://hub", "hub_key", transport=Bridge(stub)) as client, pytest.raises(ValueError, match=r"0\.05"):
        next(iter(client.changes(follow=True, wait=0.05)))
    seen = []
    async with AsyncClient("http://hub", "hub_key", transport=httpx.ASGITransport(stub)) as client:
        async for change in client.changes(1, follow=True, wait=2.5):
            seen.append(change.position)
            if change.position == 4:
                break
    assert seen == [2, 3, 4]
    assert [(asked.query["after"], asked.query["wait"]) for asked in stub.asked] == [
        ("1", "2.500"),
        ("2", "2.500"),
        ("3", "2.500"),
    ]


async def test_views_search_merge_and_batch(stub: Stub, talk: Talker) -> None:
    """Each on its own path, with its own answer."""
    for name in ("Acme", "Acorn"):
        await talk("create", {"name": name})
    assert await talk("view", FIRST, "a dialect") == {"spoken": "a dialect", "name": "Acme"}
    assert stub.asked[-1].path == f"{PLACE}/views/a dialect"
    assert (await talk("patch_view", FIRST, "other", {"name": "Acme Ltd"})).view == {"name": "Acme Ltd"}
    found = await talk("search", "Aco", limit=5)
    assert [(one.name, one.matched) for one in found] == [("Acorn", ("name",))]
    assert stub.asked[-1].query == {"q": "Aco", "limit": "5"}
    await talk("merge", FIRST, [SECOND], {"phone": SECOND}, dry_run=True)
    assert stub.asked[-1].body == {"sources": [str(SECOND)], "survivorship": {"phone": str(SECOND)}}
    operations = [Operation(op="update", id=FIRST, if_match=2, patch={"note": None})]
    outcomes = await talk("batch", operations, atomic=True)
    missing = Problem(title="There is no such record", status=404)
    assert [(one.status, one.id, one.version, one.error) for one in outcomes] == [
        (200, FIRST, 2, None),
        (404, None, None, missing),
    ]
    assert stub.asked[-1].body == {
        "atomic": True,
        "operations": [{"op": "update", "id": str(FIRST), "if_match": 2, "patch": {"note": None}}],
    }


async def test_duplicates_are_told_with_their_reasons(stub: Stub, talk: Talker) -> None:
    """Groups of the team over all pages, also behind an empty one, and the candidates of one customer."""
    for name in ("Acme", "ACME Ltd"):
        await talk("create", {"name": name})
    (group,) = await talk("duplicates", limit=5)
    assert [one.name for one in group.customers] == ["Acme", "ACME Ltd"]
    assert (group.reason, group.value, group.count) == ("email", "hello@acme.example", 2)
    assert [asked.query for asked in stub.asked[2:]] == [{"limit": "5"}, {"limit": "5", "after": "later"}]
    found = await talk("duplicates_of", FIRST)
    assert [(one.customer.id, one.reasons[0].reason) for one in found.data] == [(SECOND, "email")]
    assert (found.common, stub.asked[-1].path) == ((), f"{PLACE}/duplicates")


async def test_a_merge_is_taken_back_and_a_customer_erased(stub: Stub, talk: Talker) -> None:
    """Each says which customers it was about; what is sent is what was asked and no more."""
    await talk("create", {"name": "Acme"})
    unmerged = await talk("unmerge", FIRST, 4, if_match=1)
    assert (unmerged.restored, unmerged.customer.id) == ((UUID(int=7),), FIRST)
    assert (stub.asked[-1].path, stub.asked[-1].body) == (f"{PLACE}/unmerge", {"version": 4})
    await talk("unmerge", FIRST, 4, prefer="former")
    assert stub.asked[-1].body == {"version": 4, "prefer": "former"}
    erased = await talk("erase", FIRST, confirm="C00001", reason="Ticket 1841")
    assert erased.erased == (FIRST,)
    assert (stub.asked[-1].path, stub.asked[-1].body) == (
        f"{PLACE}/erase",
        {"confirm": "C00001", "reason": "Ticket 1841"},
    )
    await talk("erase", FIRST, confirm=FIRST)
    assert stub.asked[-1].body == {"confirm": str(FIRST)}
    assert all(asked.key for asked in stub.asked)


async def test_an_id_stays_in_its_place(stub: Stub, talk: Talker) -> None:
    """An id is one step of a path, whatever somebody put into it."""
    for wrong in ("../changes", "a/b", "?x=1", "%2e"):
        with pytest.raises(NotFound):
            await talk("get", wrong)
    for wrong in ("", ".", ".."):
        with pytest.raises(ValueError, match="names nothing"):
            await talk("delete", wrong)
    assert [asked.path for asked in stub.asked] == [
        f"/hub/v1/customers/{wrong}" for wrong in ("../changes", "a/b", "?x=1", "%2e")
    ]


def test_both_clients_are_one() -> None:
    """Each has every method of the other, with the same parameters."""
    names = {"close": "aclose", "__enter__": "__aenter__", "__exit__": "__aexit__"}
    ours = {name: member for name, member in vars(Client).items() if callable(member)}
    theirs = {name: member for name, member in vars(AsyncClient).items() if callable(member)}
    assert {names.get(name, name) for name in ours} == theirs.keys()
    different = {"change", "transport", "sleep"}
    for name, member in ours.items():
        assert _shape(member, different) == _shape(theirs[names.get(name, name)], different), name


def _shape(member: object, different: set[str]) -> list[tuple[str, object, object, str]]:
    assert callable(member)
    parameters = signature(member).parameters.values()
    return [
        (one.name, one.kind, *((None, "") if one.name in different else (one.default, str(one.annotation))))
        for one in parameters
    ]


def test_it_stands_alone() -> None:
    """Whoever imports the client gets nothing else of customerhub, and no database driver or server."""
    code = "import sys, customerhub.client; print(*sorted(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.split(".")[0] == "customerhub"}
    assert {name for name in ours if not name.startswith("customerhub.client")} == {"customerhub"}
    assert not {"asyncpg", "starlette", "pydantic", "uvicorn", "typer", "structlog"} & loaded
    assert AT.endswith("Z")
