"""A furnished team and a client of the hub's own API on it: what customers refer to is there, by its id."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.catalogue import EntryValues
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import Caller
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
)
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder
from customerhub.web.serve import Site
from tests.support.augno import add_entry, find_unit, to_command
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.furniture import Furniture, bring_furniture

Json = dict[str, Any]  # Any: decoded JSON
DIALECT = "hub"
CUSTOMERS = "/hub/v1/customers"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
LIST_AWARE = "application/vnd.customerhub.patch+json"


@dataclass
class Desk:
    """One team through this dialect; every reference is an id as text.

    `api` is a client that shows a key with every scope. The second service level is the second carrier's.
    """

    hub: Hub
    team: Team
    api: httpx.AsyncClient
    credential: Json
    payment_terms: list[str] = field(default_factory=list)
    shipping_terms: list[str] = field(default_factory=list)
    carriers: list[str] = field(default_factory=list)
    service_levels: list[str] = field(default_factory=list)
    price_lists: list[str] = field(default_factory=list)
    pricing_groups: list[str] = field(default_factory=list)
    type_groups: list[str] = field(default_factory=list)
    reps: list[str] = field(default_factory=list)
    unit: str = ""

    @property
    def api_key(self) -> str:
        """The secret that `api` shows."""
        return str(self.credential["api_key"])

    async def caller(self) -> Caller:
        """Who `api` is."""
        return await find_caller(self.hub, DIALECT, self.api_key)

    def full_body(self) -> Json:
        """A body with every member that a creation takes."""
        mark = uuid4().hex[:10]
        return {
            "name": f"Kestrel {mark}",
            "number": f"K-{mark}",
            "display_name": "Kestrel",
            "reference_id": f"ERP-{mark}",
            "first_name": "Ingrid",
            "last_name": "Berg",
            "email": f"{mark}@kestrel.example",
            "phone": "+1-503-555-0142",
            "website": "https://kestrel.example/",
            "note": "Ships on Tuesdays.",
            "status": "inactive",
            "standing": "preferred",
            "payment_term": self.payment_terms[0],
            "shipping_term": self.shipping_terms[0],
            "carrier": self.carriers[0],
            "service_level": self.service_levels[0],
            "payment_mode": "AMEX",
            "sales_reps": list(self.reps),
            "default_sales_rep": self.reps[1],
            "price_list": self.price_lists[0],
            "price_groups": list(self.pricing_groups),
            "type_group": self.type_groups[0],
            "priority": "high",
            "commission_policy": "commission_applied",
            "freight_policy": "free_freight",
            "is_edi_enabled": True,
            "carrier_billing_type": "third_party",
            "carrier_billing_account": "W77-20931",
            "credit_limit": {"value": "25000.00", "unit": self.unit},
            "accepts_invoice_emails": False,
            "tax_number": "NO 123 456",
            "tax_excluded": True,
            "tax_auto_calculate": True,
            "addresses": [
                address_body(reference_id="HQ", attributes={"Dock": "3"}),
                address_body(reference_id="DC", type="shipping", city="Bergen", is_drop_ship=True),
            ],
            "contacts": [
                contact_body(reference_id="A", attributes={"Language": "nb"}),
                contact_body(reference_id="B", first_name="Lars"),
            ],
            "attributes": {"Region": "Nordics", "Route": "7"},
            "bill_to": "/addresses/0",
            "ship_to": "/addresses/1",
            "primary_contact": "/contacts/1",
        }

    async def create(self, body: Json | None = None, **members: object) -> Json:
        """A new customer, as answered."""
        body = body or {"name": f"Company {uuid4().hex[:10]}", **members}
        answer = await self.api.post(CUSTOMERS, json=body)
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()["customer"]
        return created

    async def get(self, customer_id: str) -> Json:
        """A customer, as answered."""
        answer = await self.api.get(f"{CUSTOMERS}/{customer_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def patch(self, customer: Json, body: object, form: str = MERGE_PATCH, **headers: str) -> httpx.Response:
        """A patch of a customer and its answer; `if_match` and the like are headers of these names."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"{CUSTOMERS}/{customer['id']}"
        return await self.api.patch(path, json=body, headers={"content-type": form, **named})

    async def patched(self, customer: Json, body: object, form: str = MERGE_PATCH) -> Json:
        """The envelope that a patch is answered with."""
        answer = await self.patch(customer, body, form)
        assert answer.status_code == 200, answer.text
        envelope: Json = answer.json()
        assert list(envelope) == ["customer", "changed", "equal", "ignored"]
        return envelope

    async def fingerprint(self) -> Fingerprint:
        """Row count and checksum of every table: what a refusal or a dry run must leave as it was."""
        return await take_fingerprint(self.hub)


def address_body(**members: object) -> Json:
    """An address with most members."""
    return {
        "type": "billing",
        "name": "Accounts payable",
        "first_name": "Ingrid",
        "last_name": "Berg",
        "phone": "+4722334455",
        "email": "ap@kestrel.example",
        "line1": "Storgata 8",
        "line2": "Door 2",
        "city": "Oslo",
        "state": "Oslo",
        "postal_code": "0155",
        "country": "NO",
        **members,
    }


def contact_body(**members: object) -> Json:
    """A contact with most members."""
    return {
        "first_name": "Ingrid",
        "last_name": "Berg",
        "email": "ingrid@kestrel.example",
        "phone": "+4722334455",
        "designation": "Buyer",
        **members,
    }


async def make_key(hub: Hub, team: Team, **order: Any) -> Json:  # Any: members of CredentialOrder
    """A new key of the team, with every scope unless others are asked for."""
    dialect = next(found for found in find_dialects() if found.name == DIALECT)
    return dict(await dialect.create_credential(hub, team, CredentialOrder(**{"name": "test key", **order})))


@asynccontextmanager
async def make_desk(hub: Hub, site: Site, team: Team | None = None, **order: Any) -> AsyncIterator[Desk]:
    """Furnish a team, a new one if none is given, and open a client on it, in process."""
    is_new = team is None
    team = team or await admin.create_team(hub, f"Team {uuid4()}")
    credential = await make_key(hub, team, **order)
    headers = {"Authorization": f"Bearer {credential['api_key']}"}
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as api:
        desk = Desk(hub, team, api, credential)
        if is_new:
            await furnish(desk)
        yield desk


async def furnish(desk: Desk) -> None:
    """Two of each that a customer refers to."""
    hub, team, caller = desk.hub, desk.team, await desk.caller()
    made = await bring_furniture(hub, caller, DIALECT, partial(make_furniture, hub, team, to_command(caller)))
    for name, ids in made.items():
        getattr(desk, name).extend(map(str, ids))
    dollar = await find_unit(hub, team, "US Dollar")
    add_unit = partial(add_entry, hub, to_command(caller), "unit")
    desk.unit = str(dollar or await add_unit(EntryValues("US Dollar", details=UnitDetails("currency", "$"))))


async def make_furniture(hub: Hub, team: Team, command: Command) -> Furniture:
    """The same by the use cases, by its place at a desk."""
    made: dict[str, list[UUID]] = {"carriers": [], "service_levels": [], "reps": []}

    async def add(kind: Kind, name: str, details: Details) -> UUID:
        return await add_entry(hub, command, kind, EntryValues(name, details=details))

    for carrier in ("Northbound UPS", "Northbound FedEx"):
        made["carriers"].append(await add("carrier", carrier, CarrierDetails()))
        level = ServiceLevelDetails(made["carriers"][-1], f"{carrier} ground")
        made["service_levels"].append(await add("service_level", f"{carrier} Ground", level))
    kinds: tuple[tuple[str, Kind, Details], ...] = (
        ("payment_terms", "payment_term", NoDetails()),
        ("shipping_terms", "shipping_term", ShippingTermDetails()),
        ("price_lists", "price_list", PriceListDetails()),
        ("pricing_groups", "account_group", AccountGroupDetails("pricing_group")),
        ("type_groups", "account_group", AccountGroupDetails("type_group")),
    )
    for place, kind, details in kinds:
        names = (f"{kind} {getattr(details, 'type', '')} {number}" for number in (1, 2))
        made[place] = [await add(kind, name, details) for name in names]
    for first_name in ("Mira", "Ravi"):
        new = admin.NewUser(f"{first_name.lower()}@{uuid4().hex}.example", first_name, "Okafor")
        made["reps"].append((await admin.create_user(hub, team, new)).id)
    return made
