"""Augno: another team's ids in bodies, filters, cursors and headers are those of nobody."""

import copy
from typing import Any
from uuid import uuid4

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.end_to_end.answers import code_of, fields_of, headers_of
from tests.end_to_end.door import Door
from tests.end_to_end.doors import DIALECTS, routes_of
from tests.end_to_end.recipes import ID, Route, nobodys
from tests.end_to_end.recipes_augno import ADDRESSES, LEVELS, AugnoDoor
from tests.end_to_end.references import references_in
from tests.end_to_end.test_isolation import same
from tests.support.augno import CUSTOMERS, Account, Json, to_id

CASES = [
    (route, reference)
    for route in routes_of("augno")
    if route.operation.writes and route.operation.body is not None
    for reference in sorted(references_in(route))
]
LISTS = [route for route in routes_of("augno") if route.operation.method == "GET" and "{id}" not in str(route)]
augno = pytest.mark.skipif("augno" not in DIALECTS, reason="the dialect is not installed")
# What a filter of the customers' list may name.
FILTERS = {
    "customer_group_ids": "type_groups",
    "pricing_group_ids": "pricing_groups",
    "sales_rep_ids": "reps",
    "shipping_term_ids": "shipping_terms",
    "payment_term_ids": "payment_terms",
    "carrier_ids": "carriers",
    "service_level_ids": "service_levels",
}


async def owned_by(door: AugnoDoor) -> dict[str, str]:
    """What a body can refer to, by the reference's name; all of it this team's."""
    account = door.account
    customer = await account.create(account.full_body(), include="bill_to_address")
    role = await door.role("Viewer")
    level = account.service_levels[0]
    return {
        "default_carrier_id": account.carriers[0],
        "default_service_level_id": level,
        "default_payment_term_id": account.payment_terms[0],
        "default_shipping_term_id": account.shipping_terms[0],
        "default_sales_rep_user_id": account.reps[0],
        "bill_to_address_id": customer["bill_to_address"]["id"],
        "ship_to_address_id": (await door.make(ADDRESSES))[0],
        "customer_price_group_ids": account.pricing_groups[0],
        "customer_type_group_id": account.type_groups[0],
        "credit_limit.unit_id": account.unit,
        "flat_rate.unit_id": account.unit,
        "minimum_order_value.unit_id": account.unit,
        "free_shipping_service_level_ids": level,
        "source_customer_ids": customer["id"],
        "role_id": role,
        "department_id": to_id("dp", uuid4()),
    }


@augno
async def test_every_reference_in_a_body_is_tried(hub: Hub, site: Site) -> None:
    """The cases below are found in the wire models: a new reference that nobody wrote a case for fails here."""
    async with AugnoDoor.open(hub, site) as door:
        assert {reference for _, reference in CASES} == set(await owned_by(door))


def with_reference(body: Json, reference: str, value: str) -> Json:
    """The body, with one more reference or with another one."""
    changed = copy.deepcopy(body)
    *steps, last = reference.split(".")
    place: Any = changed
    for step in steps:
        place[step] = place.get(step) or {"value": "1.00"}
        place = place[step]
    place[last] = [*place.get(last, []), value] if last.endswith("_ids") else value
    return changed


@pytest.mark.parametrize(("route", "reference"), CASES, ids=str)
async def test_foreign_ids_in_a_body_name_nothing(route: Route, reference: str, door: Door, other_door: Door) -> None:
    """A reference to another team's is refused as one to nothing, and by its name."""
    assert isinstance(door, AugnoDoor)
    assert isinstance(other_door, AugnoDoor)
    foreign = (await owned_by(other_door))[reference]
    recipe = await door.cook(route)
    assert recipe.body is not None
    before = await door.fingerprint()
    for guards in ({}, {"customerhub_dry_run": "true"}):
        bodies = [with_reference(recipe.body, reference, value) for value in (foreign, nobodys(foreign))]
        answer, unknown = [await door.send(route, recipe.path, body, **guards) for body in bodies]
        assert code_of(answer) == (400, "validation_failed"), answer.text
        assert fields_of(answer) == [reference]
        assert same(answer, unknown)
    assert await door.fingerprint() == before


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_lists_hold_nothing_foreign(route: Route, door: Door, other_door: Door) -> None:
    """Whole lists have no id of another team, and its cursors lead nowhere in them."""
    template = route.operation.path
    assert isinstance(door, AugnoDoor)
    assert isinstance(other_door, AugnoDoor)
    found, foreign = await door.furnish(), await other_door.furnish()
    ids = set(foreign.records.values()) | set(ID.findall(str(vars(other_door.account))))
    listed = await door.account.api.get(door.place(template))
    assert listed.status_code == 200, listed.text
    assert ids & set(ID.findall(listed.text)) == set()
    assert set(found.records.values()) & ids == set()
    theirs = (await other_door.account.api.get(other_door.place(template), params={"limit": 1})).json()
    if cursor := theirs["page_info"]["next_cursor"]:
        answer = await door.account.api.get(door.place(template), params={"cursor": cursor})
        assert (code_of(answer), fields_of(answer)) == ((400, "parameter_invalid"), ["cursor"])
    elif template != LEVELS:
        assert len(theirs["data"]) == 1 or template.endswith("resource-types")


@augno
@pytest.mark.parametrize("name", FILTERS)
async def test_filters_find_nothing_by_foreign_ids(name: str, account: Account, other_account: Account) -> None:
    """The list of customers, asked for another team's, is as empty as for nobody's; asked for its own, it is not."""
    await account.create(account.full_body())
    await other_account.create(other_account.full_body())
    own, foreign = (str(getattr(team, FILTERS[name])[0]) for team in (account, other_account))
    answers = [
        await account.api.get(CUSTOMERS, params={f"{name}[]": asked}) for asked in (own, foreign, nobodys(foreign))
    ]
    assert [len(answer.json()["data"]) for answer in answers] == [1, 0, 0]
    assert (answers[1].content, headers_of(answers[1])) == (answers[2].content, headers_of(answers[2]))


@augno
async def test_a_key_acts_for_its_own_account_only(account: Account, other_account: Account) -> None:
    """Named in the header another team's account is refused as one that nobody has; the own one is not."""
    names = [to_id("ac", account.team.id), to_id("ac", other_account.team.id), to_id("ac", uuid4())]
    own, foreign, unknown = [await account.api.get(CUSTOMERS, headers={"Augno-Account": name}) for name in names]
    assert own.status_code == 200
    assert code_of(foreign) == (403, "insufficient_permissions")
    assert same(foreign, unknown)
