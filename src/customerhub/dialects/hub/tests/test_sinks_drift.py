"""Where a mirror differs from the hub through this API: told customer by customer, and sent once more."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Drift, Sink
from customerhub.dialects.hub.sinks.records import SINKS
from customerhub.dialects.hub.tests.helpers import invalid, refusal
from customerhub.dialects.hub.tests.sinks import add_sink, deliveries
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from tests.support.administration import audits
from tests.support.carriers import BlankMirror
from tests.support.hub import Desk, Json


@dataclass
class Odd(BlankMirror):
    """The other side has some of the customers, as is said here, and lacks the others."""

    known: dict[UUID, Comparison] = field(default_factory=dict)

    @override
    async def compare(self, hub: Hub, sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """By what is known."""
        return self.known.get(customer.id) or Comparison()


async def mirror(desk: Desk, known: dict[UUID, Comparison]) -> Json:
    """A paused sink whose other side is known so."""
    desk.hub.carriers = {"stripe": Odd(known=known)}
    made = await desk.api.post(SINKS, json={"kind": "stripe", "api_key": "sk_1", "status": "paused"})
    assert made.status_code == 201, made.text
    sink: Json = made.json()["sink"]
    return sink


async def repair(desk: Desk, sink: Json, body: Json, **headers: str) -> httpx.Response:
    """What a request to send what differs is answered."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.api.post(f"{SINKS}/{sink['id']}/repair", json=body, headers=named)


async def test_what_differs_is_told_and_sent_once_more(desk: Desk) -> None:
    """Customers that are the same are only counted, and of what could not be compared nothing is sent."""
    made = [await desk.create(name=name) for name in ("Aster", "Birch", "Cedar", "Dogwood")]
    same, other, unknown, _ = ids = [UUID(one["id"]) for one in made]
    sink = await mirror(
        desk,
        {
            same: Comparison((), "cus_1"),
            other: Comparison((Drift("name", "Birch", "Beech"),), "cus_2"),
            unknown: Comparison((), "cus_3", "no answer in time"),
        },
    )
    found = (await desk.api.get(f"{SINKS}/{sink['id']}/drift")).json()
    rows = {row["customer"]: row for row in found["data"]}
    assert (found["compared"], found["next"]) == (4, None)
    assert rows == {
        str(other): {
            "customer": str(other),
            "number": made[1]["number"],
            "name": "Birch",
            "external_id": "cus_2",
            "differences": [{"field": "name", "ours": "Birch", "theirs": "Beech"}],
            "fault": "",
        },
        str(unknown): rows[str(unknown)] | {"differences": [], "fault": "no answer in time"},
        str(ids[3]): rows[str(ids[3])] | {"external_id": None, "differences": [], "fault": ""},
    }
    before = await desk.fingerprint()
    tried = await repair(desk, sink, {}, customerhub_dry_run="true")
    assert (tried.json()["repaired"], await desk.fingerprint()) == (2, before)
    done = await repair(desk, sink, {}, if_match='"1"')
    assert done.json() == {"repaired": 2} | found
    assert done.headers["etag"] == '"2"'
    assert {row["customer"] for row in await deliveries(desk, sink)} == {str(other), str(ids[3])}
    assert [event["action"] for event in await audits(desk, kind="sink")] == ["repaired", "created"]


async def test_customers_are_compared_page_by_page_or_as_they_are_named(desk: Desk) -> None:
    """In the order of their ids; each page says where the next one begins."""
    ids = sorted([(await desk.create())["id"] for _ in range(3)])
    sink = await mirror(desk, {})
    path = f"{SINKS}/{sink['id']}/drift"
    first = (await desk.api.get(path, params={"limit": 2})).json()
    rest = (await desk.api.get(path, params={"limit": 2, "after": first["next"]})).json()
    assert [row["customer"] for row in first["data"] + rest["data"]] == ids
    assert (first["next"], rest["next"]) == (ids[1], None)
    piece = (await repair(desk, sink, {"after": ids[0], "limit": 1})).json()
    assert ([row["customer"] for row in piece["data"]], piece["repaired"]) == ([ids[1]], 1)
    named = (await repair(desk, sink, {"customers": [ids[2], ids[0]]})).json()
    assert (named["compared"], named["repaired"], named["next"]) == (2, 2, None)
    wrong = await desk.api.get(path, params={"limit": 101, "after": "x"})
    assert refusal(wrong) == (400, "query", [("limit", "query"), ("after", "query")])


async def test_what_cannot_be_compared_is_refused(desk: Desk, other_desk: Desk) -> None:
    """A sink that keeps no copy; customers of nobody, or of another team, by their places."""
    theirs = (await other_desk.create())["id"]
    own = (await desk.create())["id"]
    sink, webhook = await mirror(desk, {}), await add_sink(desk)
    before = await desk.fingerprint()
    assert refusal(await desk.api.get(f"{SINKS}/{webhook['id']}/drift")) == (409, "conflict", [])
    assert refusal(await repair(desk, webhook, {})) == (409, "conflict", [])
    for stranger in (theirs, str(uuid4())):
        refused = refusal(await repair(desk, sink, {"customers": [own, stranger]}))
        assert refused == invalid(("/customers/1", "unknown_id"))
    both = await repair(desk, sink, {"customers": [own], "after": own, "every": 1})
    assert refusal(both) == invalid(("/every", "unknown"), ("/after", "ambiguous"))
    assert await desk.fingerprint() == before
