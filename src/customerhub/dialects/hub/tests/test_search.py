"""Search on the wire: who is found and where, and what is refused; what finds whom is told by the tests of core."""

import httpx
import pytest

from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.model.search import to_search_text
from tests.support.hub import CUSTOMERS, Desk, Json, make_desk
from tests.support.replay import read_stored

SEARCH = "/hub/v1/search"


async def find(desk: Desk, **query: str) -> list[Json]:
    """What is found; one page is all there is."""
    answer = await desk.api.get(SEARCH, params=query)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    assert list(page) == ["data", "next"]
    assert page["next"] is None
    found: list[Json] = page["data"]
    return found


async def test_a_customer_is_found_with_the_places_that_match(desk: Desk, customer: Json) -> None:
    """Who it is, how to reach it, and pointers to what was found, entries of lists by their id."""
    await desk.create(name="Midnattsol")
    shown = {name: customer[name] for name in ("id", "name", "number", "reference_id", "email", "phone", "status")}
    oslo, bergen = customer["addresses"]
    ingrid, _ = customer["contacts"]
    assert await find(desk, q="kestrel") == [{**shown, "matched": ["/name", "/email"]}]
    assert await find(desk, q=" BERGE") == [{**shown, "matched": [f"/addresses/{bergen['id']}/city"]}]
    assert await find(desk, q="ingrid b") == [{**shown, "matched": [f"/contacts/{ingrid['id']}"]}]
    assert await find(desk, q="o") == [{**shown, "matched": [f"/addresses/{oslo['id']}/city"]}]
    assert await find(desk, q="nobody") == []
    assert await find(desk, q="") == []


async def test_so_many_are_told_as_are_asked_for(desk: Desk) -> None:
    """The best of them, in the order of their names where they are equally good."""
    for name in ("Kestrel C", "Kestrel A", "Kestrel B"):
        await desk.create(name=name)
    assert [found["name"] for found in await find(desk, q="kestrel", limit="2")] == ["Kestrel A", "Kestrel B"]
    assert len(await find(desk, q="kestrel", limit="1000")) == 3


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("", [("q", "required")]),
        ("q=a&limit=0", [("limit", "query")]),
        ("q=a&limit=1001", [("limit", "query")]),
        ("q=a&after=x", [("after", "unknown")]),
    ],
)
async def test_wrong_parameters_are_refused(desk: Desk, query: str, errors: list[tuple[str, str]]) -> None:
    """400, naming each."""
    assert refusal(await desk.api.get(f"{SEARCH}?{query}")) == (400, "query", errors)


async def test_reading_is_enough(desk: Desk, other_desk: Desk, customer: Json) -> None:
    """A key that may only read finds its own team's customers, and no other's."""
    transport = desk.api._transport
    assert isinstance(transport, httpx.ASGITransport)
    async with make_desk(desk.hub, transport.app, desk.team, scopes=("read",)) as reader:  # type: ignore[arg-type]
        assert [found["id"] for found in await find(reader, q="kestrel")] == [customer["id"]]
    assert await find(other_desk, q="kestrel") == []


async def check_texts(desk: Desk, action: str) -> None:
    """Assert that what a search looks at is what all live customers of the team are, and nothing else."""
    async with desk.hub.database.lease() as connection:
        stored = await read_stored(connection, desk.team.id)
    live = [customer for customer in stored.customers.values() if customer.deleted_at is None]
    assert stored.texts == {customer.id: to_search_text(customer) for customer in live}, action


async def test_whatever_is_done_a_search_looks_at_the_records_as_they_stand(desk: Desk) -> None:
    """After each action that there is, of this API and of another one's view, the texts are those of the records."""
    one, two, three = [await desk.create(desk.full_body()) for _ in range(3)]
    at, beside = f"{CUSTOMERS}/{one['id']}", f"{CUSTOMERS}/{two['id']}"
    operations = [
        {"op": "update", "id": three["id"], "patch": {"name": "Batched", "contacts": []}},
        {"op": "delete", "id": three["id"]},
        {"op": "restore", "id": three["id"]},
        {"op": "create", "patch": {"name": "Made in a batch"}},
        {"op": "update", "id": one["id"], "patch": {"email": "nobody"}},
    ]
    cities = {"mode": "merge", "by": "reference_id", "items": [{"reference_id": "HQ", "city": "Narvik"}]}
    steps: list[tuple[str, str, Json | None]] = [
        ("PATCH", at, {"name": "Midnattsol", "number": "M-1", "reference_id": "SAP-1"}),
        ("PATCH", at, {"addresses": cities, "phone": None}),
        ("PATCH", f"{at}/views/count", {"customer": "By its view"}),
        ("POST", f"{at}/revert", {"version": 1}),
        ("POST", f"{at}/revert", {"version": 3, "paths": ["/name", "/addresses"]}),
        ("DELETE", at, None),
        ("POST", f"{at}/restore", None),
        ("POST", f"{at}/merge", {"sources": [two["id"]], "survivorship": {"name": two["id"]}}),
        ("POST", f"{at}/unmerge", None),
        ("POST", f"{CUSTOMERS}:batch", {"operations": operations}),
        ("POST", f"{CUSTOMERS}:batch", {"operations": operations, "atomic": True}),
        ("POST", f"{beside}/merge", {"sources": [one["id"], three["id"]]}),
        ("POST", f"{beside}/erase", {"confirm": two["number"], "reason": "Asked for"}),
    ]
    await check_texts(desk, "creation")
    merged = 0
    for method, path, sent in steps:
        body = {"version": merged} if path.endswith("/unmerge") else sent
        answer = await desk.api.request(method, path, json=body)
        refused = body is not None and body.get("atomic") is True
        assert answer.status_code == (422 if refused else 200), (path, answer.text)
        merged = answer.json().get("customer", {}).get("version")
        await check_texts(desk, f"{method} {path}")
