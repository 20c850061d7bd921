"""A customer as every other API shows it, and changed as that would change it."""

import msgspec
import pytest

from customerhub.core.customers import get_customer
from customerhub.dialects.base import find_dialects
from customerhub.dialects.hub.tests.helpers import refusal
from tests.support.hub import CUSTOMERS, JSON_PATCH, LIST_AWARE, MERGE_PATCH, Desk, Json

DIALECTS = {dialect.name: dialect for dialect in find_dialects()}


def path_of(customer: Json, view: str) -> str:
    """Where a view is."""
    return f"{CUSTOMERS}/{customer['id']}/views/{view}"


@pytest.mark.parametrize("name", sorted(DIALECTS))
async def test_a_view_is_what_that_api_shows(desk: Desk, customer: Json, name: str) -> None:
    """Byte for byte, with the version as tag."""
    written = await get_customer(
        desk.hub, await desk.caller(), msgspec.convert(customer["id"], type=type(desk.team.id))
    )
    answer = await desk.api.get(path_of(customer, name))
    shown = DIALECTS[name].show(written.customer, written.catalogue)
    assert (answer.status_code, answer.content) == (200, msgspec.json.encode(shown))
    assert answer.headers["etag"] == '"1"'


async def test_there_are_other_views(desk: Desk, customer: Json) -> None:
    """The canonical form is one of them; a name that no API has is 404, also for a write."""
    assert (await desk.api.get(path_of(customer, "hub"))).json() == customer
    assert set(DIALECTS) > {"hub"}
    before = await desk.fingerprint()
    for method in ("GET", "PATCH"):
        answer = await desk.api.request(method, path_of(customer, "ledger"), json={} if method == "PATCH" else None)
        assert refusal(answer) == (404, "not-found", [])
    assert await desk.fingerprint() == before


# Of each API: an update, and what it changes in the record; a member that stands already; one that is wrong.
UPDATES: dict[str, tuple[Json, list[str], Json, Json, list[str]]] = {
    "count": (
        {"mainPhone": "5", "notes": None},
        ["/phone", "/note"],
        {"taxExcluded": True},
        {"customer": ""},
        ["/customer"],
    ),
    "wizcommerce": (
        {"phone": "+4722334455", "payment_mode": ""},
        ["/phone", "/payment_mode"],
        {"first_name": "Ingrid"},
        {"phone": "5", "contacts": [{"id": "x"}]},
        ["/phone", "/contacts/0/id"],
    ),
    "augno": (
        {"phone": "5", "status": "hold_all"},
        ["/phone", "/standing"],
        {"default_priority": "high"},
        {"name": "", "credit_limit": {"value": "5"}},
        ["/name", "/credit_limit/unit_id"],
    ),
    "hub": (
        {"phone": "5", "contacts": {"mode": "merge", "items": []}},
        ["/phone"],
        {"priority": "high"},
        {"name": None},
        ["/name"],
    ),
}


@pytest.mark.parametrize("name", sorted(DIALECTS))
async def test_a_view_is_changed_as_that_api_would(desk: Desk, customer: Json, name: str) -> None:
    """Its update means what it means there; what changed is told in terms of the record, the rest by its members."""
    body, changed, equal, _, _ = UPDATES[name]
    answer = await desk.api.patch(path_of(customer, name), json={**body, **equal})
    envelope = answer.json()
    assert answer.status_code == 200, answer.text
    assert list(envelope) == ["customer", "changed", "equal", "ignored", "view"]
    assert sorted(envelope["changed"]) == sorted(changed)
    assert set(envelope["equal"]) >= {f"/{member}" for member in equal}
    assert not set(envelope["equal"]) & {f"/{member}" for member in body if member in ("phone", "mainPhone")}
    assert envelope["ignored"] == []
    assert envelope["customer"] == await desk.get(customer["id"])
    assert envelope["view"] == (await desk.api.get(path_of(customer, name))).json()
    again = await desk.api.patch(path_of(customer, name), json={**body, **equal})
    assert (again.json()["changed"], again.json()["customer"]) == ([], envelope["customer"])


@pytest.mark.parametrize("name", sorted(DIALECTS))
async def test_wrong_values_of_a_view(desk: Desk, customer: Json, name: str) -> None:
    """Refused as there, by their places in that body, in this API's shape; a dry run stores nothing either."""
    *_, wrong, places = UPDATES[name]
    before = await desk.fingerprint()
    status, kind, errors = refusal(await desk.api.patch(path_of(customer, name), json=wrong))
    assert (status, kind, [place for place, _ in errors]) == (422, "invalid", places)
    headers = {"Customerhub-Dry-Run": "true"}
    tried = await desk.api.patch(path_of(customer, name), json=UPDATES[name][0], headers=headers)
    assert tried.status_code == 200
    assert await desk.fingerprint() == before


async def test_ignored_members_of_a_view(desk: Desk, customer: Json) -> None:
    """What that API ignores is told as ignored, and not as equal."""
    answer = await desk.api.patch(path_of(customer, "count"), json={"nick": 1, "uuid": "x", "taxExcluded": True})
    envelope = answer.json()
    assert (envelope["changed"], envelope["equal"], envelope["ignored"]) == ([], ["/taxExcluded"], ["nick", "uuid"])


async def test_guards_of_a_view(desk: Desk, customer: Json) -> None:
    """As on every write."""
    headers = {"If-Match": '"9"'}
    answer = await desk.api.patch(path_of(customer, "count"), json={"notes": "x"}, headers=headers)
    assert refusal(answer) == (412, "stale", [])
    answer = await desk.api.patch(path_of(customer, "count"), content=b"[]")
    assert refusal(answer) == (400, "malformed", [])


@pytest.mark.parametrize("form", [MERGE_PATCH, JSON_PATCH, LIST_AWARE, "text/plain"])
async def test_a_view_has_one_form(desk: Desk, customer: Json, form: str) -> None:
    """That API's own: what is declared as a patch of the record is 415, and not taken for something else."""
    before = await desk.fingerprint()
    for name in sorted(DIALECTS):
        headers = {"content-type": form}
        answer = await desk.api.patch(path_of(customer, name), json={"note": None}, headers=headers)
        assert refusal(answer) == (415, "media-type", [])
        assert answer.headers["accept"] == "application/json"
    assert await desk.fingerprint() == before


async def test_a_view_sent_back_is_no_change(desk: Desk, customer: Json) -> None:
    """The canonical one, as it was read, whatever is in it."""
    shown = (await desk.api.get(path_of(customer, "hub"))).json()
    before = await desk.fingerprint()
    answer = await desk.api.patch(path_of(customer, "hub"), json=shown)
    assert (answer.status_code, answer.json()["changed"], answer.json()["view"]) == (200, [], shown)
    assert await desk.fingerprint() == before
