"""For every write route of the WizCommerce dialect a request that changes something, and others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID, uuid4

import httpx
from typing_extensions import override

from customerhub.core import admin
from customerhub.core.access import store_credential
from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.end_to_end.door import Door, Failure, Failures, Furniture, Sent, stranger_to
from tests.end_to_end.recipes import PASSWORD, SURPRISE, Recipe
from tests.support.world import DIALECT, Json, World, address_body, contact_body, make_world

LIFE = timedelta(days=1)
PARTS = {"addresses": "address", "contacts": "contact"}
UNAUTHORIZED = (401, "UNAUTHORIZED")
NAMED = b"X-API-Key"


def to_auth(key: str) -> httpx.Auth:
    """Shows an API key."""
    return Sent((NAMED, key.encode()))


@dataclass
class WizCommerceDoor(Door):
    """A furnished team; records are made with the world's own key, whatever the door's is."""

    world: World
    key: str
    credential: UUID | None = None

    failures = Failures(
        malformed=(400, "VALIDATION_ERROR"),
        invalid=(400, "VALIDATION_ERROR"),
        header=(400, "VALIDATION_ERROR"),
        media_type=(400, "VALIDATION_ERROR"),
        too_large=(413, "PAYLOAD_TOO_LARGE"),
        nowhere=((404, "NOT_FOUND"),),
        gone=(410, "GONE"),
        stale=(412, "PRECONDITION_FAILED"),
        mismatch=(422, "UNPROCESSABLE"),
        needs_tag=(428, "PRECONDITION_REQUIRED"),
    )
    ends: ClassVar[dict[str, Failure]] = {"credential": UNAUTHORIZED}
    expired = UNAUTHORIZED

    @classmethod
    @override
    @asynccontextmanager
    async def open(cls, hub: Hub, site: Site) -> AsyncIterator[Self]:
        async with make_world(hub, site) as world, stranger_to(site) as api:
            yield cls(hub, world.team, api, to_auth(world.api_key), world, world.api_key)

    @override
    async def furnish(self, template: str = "") -> Furniture:
        """A customer with everything in it, at version 1, and a price list."""
        world = self.world
        created = await world.api.post("/v1/customers", json=world.full_body())
        customer = created.json()["data"]
        price_list = await world.api.get(f"/v1/price-lists/{world.price_lists[0]}")
        return Furniture(
            records={"/price-lists/": world.price_lists[0], "": customer["id"]},
            tags={"/price-lists/": price_list.headers["etag"], "": created.headers["etag"]},
            shared={
                "customer_id": customer["id"],
                **{f"{one}_id": customer[many][0]["id"] for many, one in PARTS.items()},
            },
        )

    @override
    async def another(self, *, requires_precondition: bool = False) -> Self:
        async with self.hub.database.transaction() as connection:
            credential, key = await store_credential(
                self.hub,
                connection,
                admin.operator(self.team.id),
                name="short-lived",
                prefix="api_prod_",
                dialect=DIALECT,
                requires_precondition=requires_precondition,
                expires_at=self.hub.now() + LIFE,
                request_id="test",
            )
        return replace(self, auth=to_auth(key), key=key, credential=credential.id)

    @override
    async def end(self, how: str) -> None:
        assert self.credential is not None
        await admin.revoke_credential(self.hub, self.credential)

    @override
    async def expire(self) -> None:
        now = self.hub.now
        self.hub.now = lambda: now() + LIFE

    @override
    def strangers(self, *, is_public: bool) -> list[tuple[httpx.Auth, Failure]]:
        """No key, an empty, an unknown, a doubled one and one of the wrong header."""
        key = self.key.encode()
        sent: list[list[tuple[bytes, bytes]]] = [
            [],
            [(NAMED, b"")],
            [(NAMED, b"api_prod_unknown")],
            [(NAMED, key[:-1])],
            [(NAMED, key + b"\xe9")],
            [(NAMED, key), (NAMED, key)],
            [(b"Authorization", b"Bearer " + key)],
        ]
        return [] if is_public else [(Sent(*lines), UNAUTHORIZED) for lines in sent]


Cook = Callable[[WizCommerceDoor], Awaitable[Recipe]]


async def _create_customer(door: WizCommerceDoor) -> Recipe:
    body = door.world.full_body()
    return Recipe(
        path="/v1/customers",
        body=body | SURPRISE,
        other=body | {"company_name": "Another"},
        wrong=body | SURPRISE | {"email": "nobody"},
        wrong_field="email",
    )


async def _update_customer(door: WizCommerceDoor) -> Recipe:
    found = await door.furnish()
    body = {
        "payment_term": f"NET {uuid4().hex[:6]}",
        "phone": "+4755010203",
        "addresses": [{"id": found.shared["address_id"], "city": "Narvik"}],
        "contacts": [{"id": found.shared["contact_id"], "designation": "Buyer"}],
        "attributes": [{"name": "Tier", "value": "Gold"}],
    }
    return Recipe(
        path=found.fill("/v1/customers/{id}"),
        tag=found.tag("/v1/customers/{id}"),
        body=body | SURPRISE,
        other=body | {"phone": "+4755010204"},
        wrong=body | SURPRISE | {"phone": "55010204"},
        wrong_field="phone",
        starts={name: {"id": found.shared[f"{one}_id"]} for name, one in PARTS.items()},
    )


def _part(template: str, fresh: Callable[[], Json], wrong_field: str) -> Cook:
    """A body that makes an address or a contact, or is the whole of one."""

    async def cook(door: WizCommerceDoor) -> Recipe:
        found = await door.furnish()
        body = fresh()
        return Recipe(
            path=found.fill(template),
            tag=found.tag(template),
            body=body | {"is_default": True} | SURPRISE,
            other=fresh(),
            wrong=body | SURPRISE | {wrong_field: "nobody"},
            wrong_field=wrong_field,
        )

    return cook


def _removal(template: str) -> Cook:
    async def cook(door: WizCommerceDoor) -> Recipe:
        found = await door.furnish()
        return Recipe(path=found.fill(template), tag=found.tag(template))

    return cook


async def _create_price_list(door: WizCommerceDoor) -> Recipe:
    body = {"reference_id": uuid4().hex, "name": "Retail", "is_default": True}
    return Recipe(
        path="/v1/price-lists",
        body=body | SURPRISE,
        other=body | {"name": "Outlet"},
        wrong=body | SURPRISE | {"status": "asleep"},
        wrong_field="status",
    )


async def _update_price_list(door: WizCommerceDoor) -> Recipe:
    found = await door.furnish()
    body = {"description": "For shops", "is_default": True, "priority": 3}
    return Recipe(
        path=found.fill("/v1/price-lists/{id}"),
        tag=found.tag("/v1/price-lists/{id}"),
        body=body | SURPRISE,
        other=body | {"description": "For restaurants"},
        wrong=body | SURPRISE | {"priority": "first"},
        wrong_field="priority",
    )


async def _create_attribute(door: WizCommerceDoor) -> Recipe:
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


async def _create_token(door: WizCommerceDoor) -> Recipe:
    email = f"{uuid4().hex}@supplier.example"
    await admin.create_user(door.hub, door.team, admin.NewUser(email, "Ola", "Nordmann", PASSWORD))
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

WizCommerceDoor.recipes = RECIPES
