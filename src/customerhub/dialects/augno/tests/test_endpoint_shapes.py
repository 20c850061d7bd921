"""Every answer of every endpoint, member by member: all that the contract names is there, of its type, and no more."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.augno import dialect
from customerhub.dialects.augno.tests import shapes_catalogue as catalogue
from customerhub.dialects.augno.tests import shapes_customers as customers
from customerhub.dialects.augno.tests.helpers import put_below
from customerhub.dialects.augno.tests.shapes import (
    Check,
    Includes,
    Shape,
    listing,
    record,
    text,
)
from customerhub.web.serve import Site
from tests.end_to_end.answers import code_of, fields_of
from tests.end_to_end.recipes import Route
from tests.end_to_end.recipes_augno import (
    ADDRESSES,
    CARRIERS,
    GROUPS,
    KEYS,
    LEVELS,
    PAYMENT_TERMS,
    SHIPPING_TERMS,
    UNITS,
    USERS,
    AugnoDoor,
)
from tests.support.augno import CUSTOMERS, EXPANDABLE, INCLUDES, Json

PRIORITIES, STATUSES = "/v1/sales/priorities", "/v1/sales/account-statuses"
ROLES, LOGS, EVENTS = "/v1/identity/roles", "/v1/core/request-logs", "/v1/core/audit-events"
OWNER = ("owner", "owner.account")
TERM = (*OWNER, "flat_rate.unit", "minimum_order_value.unit", "free_shipping_service_levels")
CARRIER = (*OWNER, "service_levels")
USER = ("role", "department")
ROLE = (*OWNER, "permissions")
KEY = ("role", "role.permissions")
LOG = ("account", "actor", "actor.role")
WHOLE_LOG = (*LOG, "actor.role.permissions", "query_json", "request_body_json", "response_body_json")
EVENT = ("actor", "changes", "metadata")


def empty(_: Includes) -> Check:
    """An object without members."""
    return record()


def names(_: Includes) -> Check:
    """A list of words."""
    return listing(text)


def many(one: Shape) -> Shape:
    """A list of such."""
    return lambda includes: listing(one(includes))


# Path, shape, and what `include` takes in a list and of one.
READ: tuple[tuple[str, Shape, tuple[str, ...], tuple[str, ...]], ...] = (
    (CUSTOMERS, customers.customer, INCLUDES, INCLUDES),
    (GROUPS, catalogue.account_group, (), ()),
    (ADDRESSES, catalogue.placed_address, (), ()),
    (PAYMENT_TERMS, catalogue.payment_term, OWNER, OWNER),
    (SHIPPING_TERMS, catalogue.shipping_term, TERM, TERM),
    (CARRIERS, catalogue.carrier, CARRIER, CARRIER),
    (LEVELS, catalogue.service_level, OWNER, OWNER),
    (UNITS, catalogue.unit, OWNER, OWNER),
    (PRIORITIES, catalogue.priority, OWNER, OWNER),
    (STATUSES, catalogue.account_status, OWNER, OWNER),
    (USERS, customers.account_user, USER, USER),
    (ROLES, customers.role, ROLE, ROLE),
    (KEYS, customers.api_key, KEY, KEY),
    (LOGS, customers.request_log, LOG, WHOLE_LOG),
    (EVENTS, customers.audit_event, EVENT, EVENT),
)
WRITTEN = (CUSTOMERS, GROUPS, ADDRESSES, PAYMENT_TERMS, SHIPPING_TERMS, CARRIERS, LEVELS, UNITS)
# By method and path: the status of a success, its shape, and what its `include` takes.
Endpoint = tuple[int, Shape, tuple[str, ...]]
ENDPOINTS: dict[str, Endpoint] = {
    f"PATCH {CUSTOMERS}/{{id}}": (200, customers.customer, INCLUDES),
    f"POST {CUSTOMERS}/{{id}}/actions/merge": (200, customers.customer, INCLUDES),
    f"GET {EVENTS}/resource-types": (200, names, ()),
    f"POST {KEYS}": (201, customers.new_api_key, ()),
    f"POST {KEYS}/{{id}}/actions/rotate": (201, customers.new_api_key, ()),
    f"DELETE {KEYS}/{{id}}": (200, empty, ()),
}
for _place, _shape, _listed, _got in READ:
    ENDPOINTS[f"GET {_place}"] = (200, many(_shape), _listed)
    ENDPOINTS[f"GET {_place}/{{id}}"] = (200, _shape, _got)
for _place in WRITTEN:
    _, _shape, _got = ENDPOINTS[f"GET {_place}/{{id}}"]
    ENDPOINTS[f"POST {_place}"] = (201, _shape, _got)
    ENDPOINTS[f"PATCH {_place}/{{id}}"] = (200, _shape, _got)
    ENDPOINTS[f"DELETE {_place}/{{id}}"] = (200, empty, ())
ENDPOINTS[f"POST {USERS}"] = (201, customers.account_user, USER)

ROUTES = {str(route): route for route in (Route(dialect, operation) for operation in dialect.operations)}
each_endpoint = pytest.mark.parametrize("name", sorted(ENDPOINTS))
with_includes = pytest.mark.parametrize("name", [name for name, (_, _, includes) in ENDPOINTS.items() if includes])
with_query = pytest.mark.parametrize("name", [name for name in ENDPOINTS if not name.startswith("DELETE ")])


@pytest.fixture
async def door(hub: Hub, site: Site) -> AsyncIterator[AugnoDoor]:
    """A furnished team."""
    async with AugnoDoor.open(hub, site) as opened:
        yield opened


def test_the_table_is_the_route_table() -> None:
    """Every endpoint that is served is in the table, and answers with the contract's status."""
    served = {str(route): route.operation.status for route in ROUTES.values()}
    assert served == {name: status for name, (status, _, _) in ENDPOINTS.items()}


async def ask(door: AugnoDoor, name: str, query: str = "") -> httpx.Response:
    """A request to the endpoint for something that is there, or that is then done."""
    route = ROUTES[name]
    if route.operation.writes:
        recipe = await door.cook(route)
        return await door.send(route, f"{recipe.path}{query}", recipe.body)
    template = route.operation.path
    furniture = await door.furnish(template if template.endswith("}") else f"{template}/{{id}}")
    path = furniture.fill(template)
    return await door.send(route, f"{path}{query}", None)


def check(name: str, answer: httpx.Response, *asked: str) -> Any:
    """Whether an answer is what the table says; its body."""
    status, shape, _ = ENDPOINTS[name]
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(shape(frozenset(asked))(body, "answer")) == []
    return body


@each_endpoint
async def test_every_member_is_there_and_what_is_not_asked_for_is_null(name: str, door: AugnoDoor) -> None:
    """Without `include`: every key, of its type, in the contract's order, and no other; no list is without rows."""
    body = check(name, await ask(door, name))
    assert body.get("data") != []


@with_includes
async def test_each_part_that_is_asked_for_is_there(name: str, door: AugnoDoor) -> None:
    """One by one in either style of `include`, and all in one, in every answer that has them."""
    _, _, includes = ENDPOINTS[name]
    for include in includes:
        check(name, await ask(door, name, f"?include[]={include}"), include)
    check(name, await ask(door, name, f"?include={','.join(includes)}"), *includes)


@with_query
async def test_a_part_that_nobody_knows_is_refused(name: str, door: AugnoDoor) -> None:
    """Naming the parameter, and before anything is written."""
    route = ROUTES[name]
    recipe = await door.cook(route) if route.operation.writes else None
    template = route.operation.path
    path = recipe.path if recipe else (await door.furnish(template)).fill(template)
    before = await door.fingerprint()
    for query in ("?include[]=colour", "?include=,colour", "?include%5B%5D=owner.colour"):
        answer = await door.send(route, f"{path}{query}", recipe.body if recipe else None)
        assert code_of(answer) == (400, "parameter_invalid")
        assert fields_of(answer) == ["include[]"]
    assert await door.fingerprint() == before


async def test_all_that_a_customer_has_is_shown(door: AugnoDoor) -> None:
    """A customer with everything, a parent and a child: no part that is asked for is null."""
    account = door.account
    parent, customer, child = [await account.create(account.full_body()) for _ in range(3)]
    await put_below(account, customer, parent)
    await put_below(account, child, customer)
    shown = await account.get(customer["id"])
    assert [name for name in INCLUDES if find(shown, name) is None] == []
    assert (shown["parent_account"]["id"], shown["is_parent_account"]) == (parent["id"], True)
    assert shown["parent_account"]["is_parent_account"]
    assert [row["id"] for row in shown["child_accounts"]["data"]] == [child["id"]]
    bare = await account.get(customer["id"], include="")
    assert {name for name in bare if bare[name] is None} == set(EXPANDABLE)


def find(shown: Json, name: str) -> object:
    """What stands at a dotted path."""
    found: Any = shown
    for step in name.split("."):
        found = found[step]
    return found
