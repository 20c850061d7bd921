"""For every write route a valid request that changes something, another valid one, and one that is refused."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from typing_extensions import override

from customerhub.core import admin
from customerhub.dialects.base import find_dialects
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Operation
from tests.support.world import Json, World, address_body, contact_body

PASSWORD = "correct horse battery"
SURPRISE: Json = {"surprise": "nobody knows this member"}


@dataclass(frozen=True)
class Route:
    """One row of a dialect's route table; as text, and in the names of tests, `POST /v1/customers`."""

    dialect: Dialect
    operation: Operation

    @override
    def __str__(self) -> str:
        return f"{self.operation.method} {self.operation.path}"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to ask a write route for something that it does.

    `body` changes something, `other` would change something else, `wrong` is refused with 400, naming `wrong_field`;
    all of them are None where the route takes no body. `tag` is the ETag of the record that is written, None where
    there is no record yet.
    """

    path: str
    tag: str | None = None
    body: Json | None = None
    other: Json | None = None
    wrong: Json | None = None
    wrong_field: str = ""


@dataclass(frozen=True)
class Furniture:
    """The ids in a team that paths can name, and the tags of the two records that writes can name."""

    customer: str
    address: str
    contact: str
    price_list: str
    customer_tag: str
    price_list_tag: str

    def ids(self, template: str) -> dict[str, str]:
        """What the parameters of a route's path stand for."""
        return {
            "id": self.price_list if "/price-lists/" in template else self.customer,
            "customer_id": self.customer,
            "address_id": self.address,
            "contact_id": self.contact,
        }

    def fill(self, template: str) -> str:
        """A route's path with this team's ids."""
        return template.format_map(self.ids(template))


Cook = Callable[[World], Awaitable[Recipe]]


def to_routes() -> tuple[Route, ...]:
    """The route tables of all dialects."""
    return tuple(Route(dialect, operation) for dialect in find_dialects() for operation in dialect.operations)


ROUTES = to_routes()
WRITES = tuple(route for route in ROUTES if route.operation.writes)
WITH_BODY = tuple(route for route in WRITES if route.operation.body is not None)

every_write = pytest.mark.parametrize("route", WRITES, ids=str)
every_body = pytest.mark.parametrize("route", WITH_BODY, ids=str)


async def furnish(world: World) -> Furniture:
    """A customer with everything in it, at version 1, and a price list."""
    created = await world.api.post("/v1/customers", json=world.full_body())
    customer = created.json()["data"]
    price_list = await world.api.get(f"/v1/price-lists/{world.price_lists[0]}")
    return Furniture(
        customer=customer["id"],
        address=customer["addresses"][0]["id"],
        contact=customer["contacts"][0]["id"],
        price_list=world.price_lists[0],
        customer_tag=created.headers["etag"],
        price_list_tag=price_list.headers["etag"],
    )


async def send(api: httpx.AsyncClient, route: Route, path: str, body: Json | None, **headers: str) -> httpx.Response:
    """One request; `if_match`, `idempotency_key`, `customerhub_dry_run` are headers of these names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.request(route.operation.method, path, json=body, headers=named)


async def _create_customer(world: World) -> Recipe:
    body = world.full_body()
    return Recipe(
        path="/v1/customers",
        body=body | SURPRISE,
        other=body | {"company_name": "Another"},
        wrong=body | SURPRISE | {"email": "nobody"},
        wrong_field="email",
    )


async def _update_customer(world: World) -> Recipe:
    found = await furnish(world)
    body = {
        "payment_term": f"NET {uuid4().hex[:6]}",
        "phone": "+4755010203",
        "addresses": [{"id": found.address, "city": "Narvik"}],
        "contacts": [{"id": found.contact, "designation": "Buyer"}],
        "attributes": [{"name": "Tier", "value": "Gold"}],
    }
    return Recipe(
        path=found.fill("/v1/customers/{id}"),
        tag=found.customer_tag,
        body=body | SURPRISE,
        other=body | {"phone": "+4755010204"},
        wrong=body | SURPRISE | {"phone": "55010204"},
        wrong_field="phone",
    )


def _part(template: str, fresh: Callable[[], Json], wrong_field: str) -> Cook:
    """A body that makes an address or a contact, or is the whole of one."""

    async def cook(world: World) -> Recipe:
        found = await furnish(world)
        body = fresh()
        return Recipe(
            path=found.fill(template),
            tag=found.customer_tag,
            body=body | {"is_default": True} | SURPRISE,
            other=fresh(),
            wrong=body | SURPRISE | {wrong_field: "nobody"},
            wrong_field=wrong_field,
        )

    return cook


def _removal(template: str) -> Cook:
    async def cook(world: World) -> Recipe:
        found = await furnish(world)
        tag = found.price_list_tag if "/price-lists/" in template else found.customer_tag
        return Recipe(path=found.fill(template), tag=tag)

    return cook


async def _create_price_list(world: World) -> Recipe:
    body = {"reference_id": uuid4().hex, "name": "Retail", "is_default": True}
    return Recipe(
        path="/v1/price-lists",
        body=body | SURPRISE,
        other=body | {"name": "Outlet"},
        wrong=body | SURPRISE | {"status": "asleep"},
        wrong_field="status",
    )


async def _update_price_list(world: World) -> Recipe:
    found = await furnish(world)
    body = {"description": "For shops", "is_default": True, "priority": 3}
    return Recipe(
        path=found.fill("/v1/price-lists/{id}"),
        tag=found.price_list_tag,
        body=body | SURPRISE,
        other=body | {"description": "For restaurants"},
        wrong=body | SURPRISE | {"priority": "first"},
        wrong_field="priority",
    )


async def _create_attribute(world: World) -> Recipe:
    body = {
        "entity": "customer",
        "name": "Region",
        "data_type": "select",
        "configuration": {"options": [{"label": "The North", "value": "Nordics"}]},
    }
    return Recipe(
        path="/v1/attributes",
        body=body | SURPRISE,
        other=body | {"name": "Area"},
        wrong=body | SURPRISE | {"data_type": "colour"},
        wrong_field="data_type",
    )


async def _create_token(world: World) -> Recipe:
    email = f"{uuid4().hex}@supplier.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(email, "Ola", "Nordmann", PASSWORD))
    body = {"email": email, "password": PASSWORD}
    return Recipe(
        path="/auth/token",
        body=body | SURPRISE,
        other=body | {"email": email.upper()},
        wrong=body | SURPRISE | {"email": 5},
        wrong_field="email",
    )


RECIPES: dict[str, Cook] = {
    "POST /v1/customers": _create_customer,
    "PATCH /v1/customers/{id}": _update_customer,
    "DELETE /v1/customers/{id}": _removal("/v1/customers/{id}"),
    "POST /v1/price-lists": _create_price_list,
    "PATCH /v1/price-lists/{id}": _update_price_list,
    "DELETE /v1/price-lists/{id}": _removal("/v1/price-lists/{id}"),
    "POST /v1/attributes": _create_attribute,
    "POST /auth/token": _create_token,
}
for _version, _method, _end, _fresh, _wrong in (
    ("v1", "POST", "addresses", address_body, "country"),
    ("v2", "POST", "addresses", address_body, "country"),
    ("v1", "PUT", "addresses/{address_id}", address_body, "country"),
    ("v1", "POST", "contacts", contact_body, "email"),
    ("v1", "PUT", "contacts/{contact_id}", contact_body, "email"),
):
    _path = f"/{_version}/customers/{{customer_id}}/{_end}"
    RECIPES[f"{_method} {_path}"] = _part(_path, _fresh, _wrong)
for _path in ("addresses/{address_id}", "contacts/{contact_id}"):
    _path = f"/v1/customers/{{customer_id}}/{_path}"
    RECIPES[f"DELETE {_path}"] = _removal(_path)


UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GENERATED = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"WC_\d{10,}"), "<number>"),
    (re.compile(r"tok_[0-9a-f]{32}"), "<id>"),
    (re.compile(r"api_prod_[\w-]{43}"), "<secret>"),
)


def without_generated(first: str, second: str) -> tuple[str, str]:
    """Two bodies with a mark where each has a time, a number, a secret, or an id that only one of them has."""
    common = set(UUID.findall(first)) & set(UUID.findall(second))

    def mark(text: str) -> str:
        text = UUID.sub(lambda found: found[0] if found[0] in common else "<id>", text)
        for pattern, name in _GENERATED:
            text = pattern.sub(name, text)
        return text

    return mark(first), mark(second)
