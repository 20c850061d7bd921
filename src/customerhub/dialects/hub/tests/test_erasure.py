"""`POST /hub/v1/customers/{id}/erase`: what it takes, what it answers, and how the customer is seen afterwards."""

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.hub import CUSTOMERS, Desk, Json, make_desk

Pair = tuple[int, str]


async def erase(desk: Desk, customer: Json, body: Json | None = None, **headers: str) -> httpx.Response:
    """An erasure and its answer; `if_match` and the like are headers of these names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"{CUSTOMERS}/{customer['id']}/erase"
    return await desk.api.post(path, json=body or {"confirm": customer["number"]}, headers=named)


def told(answer: httpx.Response) -> Pair:
    """Status and kind of a problem."""
    return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]


async def test_what_is_left_is_answered(desk: Desk) -> None:
    """The envelope of a write, blank and at its last version, and who was erased."""
    customer, other = await desk.create(desk.full_body()), await desk.create()
    blank = {name: value for name, value in other.items() if not name.endswith(("_at", "_by"))}
    answer = await erase(desk, customer, if_match='"1"')
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    envelope = answer.json()
    assert list(envelope) == ["customer", "changed", "equal", "ignored", "erased"]
    assert (envelope["changed"], envelope["equal"], envelope["ignored"]) == ([""], [], [])
    assert envelope["erased"] == [customer["id"]]
    left = envelope["customer"]
    kept = {"id": customer["id"], "version": 2, "name": "", "number": "", "price_list": None}
    assert {name: left[name] for name in blank} == blank | kept
    assert left["created_at"] == customer["created_at"]
    assert left["deleted_at"] == left["updated_at"] > customer["updated_at"]


async def test_how_it_is_seen_afterwards(desk: Desk) -> None:
    """404, in no list; its history lists each place without its values; former versions are 410."""
    customer = await desk.create(desk.full_body())
    await desk.patched(customer, {"note": "Rings twice.", "credit_limit": {"value": "1.00"}})
    await erase(desk, customer)
    path = f"{CUSTOMERS}/{customer['id']}"
    assert told(await desk.api.get(path)) == (404, "not-found")
    assert (await desk.api.get(CUSTOMERS)).json()["data"] == []
    assert (await desk.api.get(CUSTOMERS, params={"deleted": "true"})).json()["data"] == []
    for when in ("1", "2", customer["created_at"]):
        assert told(await desk.api.get(path, params={"as_of": when})) == (410, "history-gone")
    assert told(await desk.api.post(f"{path}/restore")) == (409, "conflict")
    assert told(await desk.api.post(f"{path}/revert", json={"version": 1})) == (404, "not-found")
    last, second, first = (await desk.api.get(f"{path}/history")).json()["data"]
    assert (last["action"], last["changes"][0]["new"]["name"]) == ("erased", "")
    assert first["changes"] == [{"path": "", "old": None, "new": None, "erased": True}]
    assert second["changes"] == [
        {"path": place, "old": None, "new": None, "erased": True} for place in ("/note", "/credit_limit/value")
    ]


async def test_a_merged_customer_is_erased_where_it_went(desk: Desk) -> None:
    """301 leads there; erasing that one erases both, and says so."""
    target, source = await desk.create(), await desk.create()
    merged = await desk.api.post(f"{CUSTOMERS}/{target['id']}/merge", json={"sources": [source["id"]]})
    assert merged.status_code == 200
    answer = await erase(desk, source)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{CUSTOMERS}/{target['id']}/erase")
    answer = await erase(desk, target)
    assert set(answer.json()["erased"]) == {target["id"], source["id"]}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"confirm": "somebody"}, "/confirm", "mismatch"),
        ({"confirm": ""}, "/confirm", "mismatch"),
        ({"reason": "ticket 1"}, "/confirm", "required"),
        ({"confirm": 7}, "/confirm", "type"),
        ({"confirm": "x", "reason": "y" * 501}, "/reason", "too_long"),
        ({"confirm": "x", "surprise": 1}, "/surprise", "unknown"),
    ],
)
async def test_what_is_refused(desk: Desk, body: Json, pointer: str, code: str) -> None:
    """422 with a pointer, and nothing has changed."""
    customer = await desk.create()
    before = await desk.fingerprint()
    answer = await erase(desk, customer, body)
    assert told(answer) == (422, "invalid")
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert await desk.fingerprint() == before


async def test_it_needs_the_scope_admin(hub: Hub, site: Site, desk: Desk) -> None:
    """Writing is not enough."""
    customer = await desk.create()
    async with make_desk(hub, site, desk.team, scopes=("write",)) as clerk:
        assert told(await erase(clerk, customer)) == (403, "forbidden")


async def test_live_customers_below_it_stand_in_the_way(desk: Desk) -> None:
    """409, as for deleting."""
    customer = await desk.create()
    await desk.create(parent=customer["id"])
    assert told(await erase(desk, customer)) == (409, "conflict")
