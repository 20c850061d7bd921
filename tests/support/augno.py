"""A furnished team and a client of the Augno API on it: what customers refer to is there, by its id on the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
)
from customerhub.model.error import HubError
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder
from customerhub.web.serve import Site
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.furniture import Furniture, bring_furniture

Json = dict[str, Any]  # Any: decoded JSON
DIALECT = "augno"
CUSTOMERS = "/v1/sales/customers"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
EXPANDABLE = (
    *("credit_limit", "contact_info", "freight_preferences", "defaults", "notification_preferences"),
    *("bill_to_address", "ship_to_address", "type", "price_groups", "parent_account", "child_accounts"),
)
INCLUDES = (
    *("bill_to_address", "ship_to_address", "type", "parent_account", "child_accounts", "contact_info"),
    *("freight_preferences", "freight_preferences.carrier", "freight_preferences.service_level"),
    *("defaults", "defaults.payment_term", "defaults.shipping_term", "defaults.priority", "defaults.sales_rep"),
    *("notification_preferences", "price_groups", "credit_limit"),
)
ALL = ",".join(INCLUDES)
# What a team is furnished with: where an account has it, and how ids of that kind begin.
PREFIXES = {
    "carriers": "cr",
    "service_levels": "crop",
    "payment_terms": "pytm",
    "shipping_terms": "shtm",
    "pricing_groups": "acgp",
    "type_groups": "acgp",
    "reps": "us",
}


def to_id(prefix: str, uuid: UUID) -> str:
    """A record's id on the wire: 26 characters of five bits each, the highest first."""
    return f"{prefix}_" + "".join(ALPHABET[uuid.int >> shift & 31] for shift in range(125, -5, -5))


def uuid_of(wire_id: str) -> UUID:
    """The record that an id on the wire names."""
    number = 0
    for character in wire_id.rpartition("_")[2]:
        number = number << 5 | ALPHABET.index(character)
    return UUID(int=number)


@dataclass
class Account:
    """One team through this dialect; every reference is an id on the wire, the first of several is the one in use.

    `api` is a client that shows the team's key, `reps` are members of the team, `unit` is the dollar.
    """

    hub: Hub
    team: Team
    api: httpx.AsyncClient
    credential: Json
    carriers: list[str] = field(default_factory=list)
    service_levels: list[str] = field(default_factory=list)
    payment_terms: list[str] = field(default_factory=list)
    shipping_terms: list[str] = field(default_factory=list)
    pricing_groups: list[str] = field(default_factory=list)
    type_groups: list[str] = field(default_factory=list)
    reps: list[str] = field(default_factory=list)
    unit: str = ""

    @property
    def api_key(self) -> str:
        """The secret that `api` shows."""
        return key_of(self.credential)

    def customer_body(self, **members: object) -> Json:
        """A body that creates a customer, with no member more than needed; each call names another one."""
        mark = uuid4().hex[:10]
        return {
            "name": f"Company {mark}",
            "default_carrier_id": self.carriers[0],
            "default_payment_term_id": self.payment_terms[0],
            "default_shipping_term_id": self.shipping_terms[0],
            "customer_price_group_ids": [],
            "customer_type_group_id": self.type_groups[0],
            "bill_to_address": address_body(),
            "ship_to_address": address_body(name="Dock 3"),
            **members,
        }

    def full_body(self) -> Json:
        """A body with every member that a creation takes."""
        mark = uuid4().hex[:10]
        return self.customer_body(
            number=f"K-{mark}",
            note="Ships on Tuesdays.",
            status="preferred",
            email=f"{mark}@kestrel.example",
            phone="+1-503-555-0142",
            url="https://kestrel.example/",
            is_edi_enabled=True,
            commission_policy="commission_applied",
            freight_policy="free_freight",
            default_service_level_id=self.service_levels[0],
            default_priority="high",
            default_sales_rep_user_id=self.reps[0],
            carrier_billing_type="third_party",
            carrier_billing_account="W77-20931",
            customer_price_group_ids=list(self.pricing_groups),
            credit_limit={"value": "25000.00", "unit_id": self.unit},
            bill_to_address=full_address_body(name="Accounts payable"),
            ship_to_address=full_address_body(name="Dock 3", street_line_1="9 Wharf Road", is_drop_ship=True),
        )

    async def create(self, body: Json | None = None, include: str = "", **members: object) -> Json:
        """A new customer, as answered."""
        body = body or self.customer_body(**members)
        answer = await self.api.post(CUSTOMERS, json=body, params=to_query(include))
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    async def get(self, customer_id: str, include: str = ALL) -> Json:
        """A customer, as answered; all of it, if nothing else is asked for."""
        answer = await self.api.get(f"{CUSTOMERS}/{customer_id}", params=to_query(include))
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def patch(self, customer_id: str, /, **members: object) -> Json:
        """A customer after an update, as answered; all of it."""
        answer = await self.api.patch(f"{CUSTOMERS}/{customer_id}", json=members, params=to_query(ALL))
        assert answer.status_code == 200, answer.text
        changed: Json = answer.json()
        return changed

    async def fingerprint(self) -> Fingerprint:
        """Row count and checksum of every table: what a refusal or a dry run must leave as it was."""
        return await take_fingerprint(self.hub)


def to_query(include: str) -> dict[str, str]:
    """The query that asks for these parts, with commas between them."""
    return {"include": include} if include else {}


def address_body(**members: object) -> Json:
    """An address with no member more than needed."""
    return {"name": "Accounts payable", "is_drop_ship": False, "country": "US", **members}


def full_address_body(**members: object) -> Json:
    """An address with every member."""
    return address_body(
        **{
            "phone": "+1-503-555-0142",
            "email": "ap@kestrel.example",
            "street_line_1": "1180 NW Hoyt St",
            "street_line_2": "Suite 4",
            "locality": "Portland",
            "state": "OR",
            "postal_code": "97209",
            **members,
        }
    )


def key_of(credential: Json) -> str:
    """The secret in what the operator was given."""
    return str(credential["api_key"])


def bearer(secret: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {secret}"}


async def make_key(hub: Hub, team: Team, **order: Any) -> Json:  # Any: members of CredentialOrder
    """A new key of the team, which may do everything."""
    dialect = next(found for found in find_dialects() if found.name == DIALECT)
    return dict(await dialect.create_credential(hub, team, CredentialOrder(**{"name": "test key", **order})))


@asynccontextmanager
async def make_account(hub: Hub, site: Site, team: Team | None = None, **order: Any) -> AsyncIterator[Account]:
    """Furnish a team, a new one if none is given, and open a client on it, in process."""
    team = team or await admin.create_team(hub, f"Team {uuid4()}")
    credential = await make_key(hub, team, **order)
    transport, headers = httpx.ASGITransport(site), bearer(key_of(credential))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as api:
        account = Account(hub, team, api, credential)
        await furnish(account)
        yield account


async def furnish(account: Account) -> None:
    """Two of each that a customer refers to, of which the second service level is another carrier's."""
    hub, team = account.hub, account.team
    caller = await find_caller(hub, DIALECT, account.api_key)
    made = await bring_furniture(hub, caller, DIALECT, partial(make_furniture, hub, team, to_command(caller)))
    for name, prefix in PREFIXES.items():
        getattr(account, name).extend(to_id(prefix, one) for one in made[name])
    dollar = await find_unit(hub, team, "US Dollar")
    add_unit = partial(add_entry, hub, to_command(caller), "unit")
    account.unit = to_id("un", dollar or await add_unit(EntryValues("US Dollar", details=UnitDetails("currency", "$"))))


async def make_furniture(hub: Hub, team: Team, command: Command) -> Furniture:
    """The same by the use cases, by its place in an account."""
    made: dict[str, list[UUID]] = {name: [] for name in PREFIXES}

    async def add(place: str, kind: Kind, name: str, details: Details, description: str | None = None) -> UUID:
        values = EntryValues(name, description=description, details=details)
        made[place].append(await add_entry(hub, command, kind, values))
        return made[place][-1]

    for carrier, code, level in (("Northbound UPS", "ups", "2nd Day Air"), ("Northbound FedEx", "fedex", "Ground")):
        carrier_id = await add("carriers", "carrier", carrier, CarrierDetails(code, "8X41V2"))
        details = ServiceLevelDetails(carrier_id, f"{code}_{level.lower().replace(' ', '_')}", is_default=code == "ups")
        await add("service_levels", "service_level", f"{carrier} {level}", details)
    for name in ("Net 45 EOM", "Net 10 EOM"):
        await add("payment_terms", "payment_term", name, NoDetails())
    for name in ("Shipper account", "Collect"):
        await add("shipping_terms", "shipping_term", name, ShippingTermDetails())
    for name in ("Tier 1 wholesale", "Tier 2 wholesale"):
        await add("pricing_groups", "account_group", name, AccountGroupDetails("pricing_group"), "Ten percent off")
    for name in ("Cafe and roaster", "Grocer"):
        group = AccountGroupDetails("type_group", "commission_applied")
        await add("type_groups", "account_group", name, group)
    for first_name in ("Mira", "Ravi"):
        new = admin.NewUser(f"{first_name.lower()}@{uuid4().hex}.example", first_name, "Okafor")
        made["reps"].append((await admin.create_user(hub, team, new)).id)
    return made


def to_command(caller: Caller) -> Command:
    """A write of the caller's, under no guards, that must not fail."""

    def fail(error: HubError) -> Answer:
        raise error

    return Command(caller, "test", fail)


async def add_entry(hub: Hub, command: Command, kind: Kind, values: EntryValues) -> UUID:
    """A new entry of the team's catalogue."""
    made: list[CatalogueEntry] = []

    def render(entry: CatalogueEntry) -> Answer:
        made[:] = [entry]
        return Answer(201)

    await create_entry(hub, command, kind, lambda _: EntryProposal(values), render)
    return made[0].id


async def find_unit(hub: Hub, team: Team, name: str) -> UUID | None:
    """The unit of this name that the team has, if it has one."""
    async with hub.database.lease() as connection:
        found: UUID | None = await connection.fetchval(
            "select id from catalogue_entry where team = $1 and kind = 'unit' and name = $2", team.id, name
        )
        return found
