"""A furnished team and a client of the WizCommerce API on it, in process or over a socket."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder
from customerhub.web.serve import Site
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.furniture import Furniture, bring_furniture

Json = dict[str, Any]  # Any: decoded JSON
DIALECT = "wizcommerce"


@dataclass
class World:
    """One team: `reps` and `price_lists` are ids as text, `api` a client that has the team's key."""

    hub: Hub
    team: Team
    api: httpx.AsyncClient
    api_key: str
    reps: list[str] = field(default_factory=list)
    price_lists: list[str] = field(default_factory=list)

    def customer_body(self, **members: object) -> Json:
        """A body that creates a customer; each call names another one."""
        mark = uuid4().hex[:10]
        return {
            "reference_id": f"ERP-{mark}",
            "assigned_sales_rep_ids": [self.reps[0]],
            "assigned_price_list_id": self.price_lists[0],
            "company_name": f"Company {mark}",
            **members,
        }

    def full_body(self) -> Json:
        """A body with every member that a creation takes."""
        mark = uuid4().hex[:10]
        return self.customer_body(
            display_name="Nordlys Oslo",
            display_id=f"N-{mark}",
            freight_term="Cust. Pickup",
            shipping_method="DHL",
            payment_mode="AMEX",
            payment_term="NET45",
            first_name="Ingrid",
            last_name="Berg",
            phone="+4722334455",
            email=f"{mark}@nordlys.example",
            addresses=[
                address_body(is_default=True, attributes=[{"name": "Dock", "value": "3"}]),
                address_body(type="shipping", city="Bergen", is_default=True),
                address_body(city="Tromsø"),
            ],
            contacts=[
                contact_body(is_default=True, attributes=[{"name": "Language", "value": "nb"}]),
                contact_body(first_name="Lars"),
            ],
            attributes=[{"name": "Region", "value": "Nordics"}],
        )

    async def create(self, body: Json | None = None, **members: object) -> Json:
        """A new customer, as answered."""
        answer = await self.api.post("/v1/customers", json=body or self.customer_body(**members))
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()["data"]
        return created

    async def get(self, customer_id: str) -> Json:
        """A customer, as answered."""
        answer = await self.api.get(f"/v1/customers/{customer_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()["data"]
        return found

    async def fingerprint(self) -> Fingerprint:
        """Row count and checksum of every table: what a refusal or a dry run must leave as it was."""
        return await take_fingerprint(self.hub)

    async def versions(self, customer_id: str) -> list[int]:
        """The versions in a customer's history, in order."""
        async with self.hub.database.lease() as connection:
            rows = await connection.fetch(
                "select version from change where team = $1 and customer = $2 order by version",
                self.team.id,
                UUID(customer_id),
            )
            return [row[0] for row in rows]


def address_body(**members: object) -> Json:
    """A body that creates an address; each call names another one."""
    return {
        "reference_id": f"A-{uuid4().hex[:10]}",
        "address_line_1": "Storgata 8",
        "city": "Oslo",
        "country": "NO",
        "zip_code": "0155",
        "type": "billing",
        **members,
    }


def contact_body(**members: object) -> Json:
    """A body that creates a contact; each call names another one."""
    return {
        "reference_id": f"C-{uuid4().hex[:10]}",
        "first_name": "Ingrid",
        "last_name": "Berg",
        "email": "ingrid@nordlys.example",
        **members,
    }


def edited(shown: Json, **members: object) -> Json:
    """A copy of what was shown, with other members."""
    return {**copy.deepcopy(shown), **members}


@asynccontextmanager
async def make_world(hub: Hub, site: Site) -> AsyncIterator[World]:
    """Furnish a new team and open a client on it, in process."""
    team = await admin.create_team(hub, f"Team {uuid4()}")
    key = await make_key(hub, team)
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers={"X-API-Key": key}) as api:
        caller = await find_caller(hub, DIALECT, key)
        made = await bring_furniture(hub, caller, DIALECT, partial(make_furniture, hub, team, api))
        yield World(hub, team, api, key, *(list(map(str, made[name])) for name in ("reps", "price_lists")))


async def make_furniture(hub: Hub, team: Team, api: httpx.AsyncClient) -> Furniture:
    """Two reps and two price lists."""
    reps = [
        await admin.create_user(hub, team, admin.NewUser(f"{name}@{uuid4().hex}.example", name.title(), "Nair"))
        for name in ("priya", "ravi")
    ]
    price_lists: list[UUID] = []
    for name in ("Wholesale EU", "Wholesale US"):
        answer = await api.post("/v1/price-lists", json={"reference_id": uuid4().hex, "name": name})
        assert answer.status_code == 201, answer.text
        price_lists.append(UUID(answer.json()["data"]["id"]))
    return {"reps": [rep.id for rep in reps], "price_lists": price_lists}


async def make_key(hub: Hub, team: Team, *, requires_precondition: bool = False) -> str:
    """A new API key of the team."""
    dialect = next(found for found in find_dialects() if found.name == DIALECT)
    order = CredentialOrder(name="test key", requires_precondition=requires_precondition)
    credential = await dialect.create_credential(hub, team, order)
    return str(credential["api_key"])
