"""Four doors on the same customers: what goes in through each, which fields of the record that moves, and where each
door shows them.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import ClassVar
from uuid import UUID

import httpx
from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition
from typing_extensions import override

from customerhub.core.customers import get_customer
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import Caller
from customerhub.model.customer import Customer
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.augno import ALL, CUSTOMERS, Account, make_account, to_id
from tests.support.count import Partner, make_partner
from tests.support.hub import CUSTOMERS as HUB_CUSTOMERS
from tests.support.hub import Desk, make_desk
from tests.support.world import Json, World, make_world

PARTNER, SHOP, ERP, HUB = "count", "wizcommerce", "augno", "hub"
DIALECTS = {dialect.name: dialect for dialect in find_dialects()}
Views = dict[str, Json]
Fields = Iterable[str]

TEXTS = st.sampled_from(["Aster & Co", "Zoë", "x" * 50, "Ünï cödé 漢字", "0"])
CLEARED = st.sampled_from(["", None]) | TEXTS
NULLED = st.none() | TEXTS
PHONES = st.sampled_from(["+4722334455", "+12"])
STREETS = CLEARED | st.sampled_from(["3 Quay Street\nGate B", "a\nb\nc"])
TERMS = st.sampled_from(["NET30", "net30", "NET45"])
PARTNER_ADDRESS = st.none() | st.fixed_dictionaries(
    {}, optional={"street": STREETS, "city": CLEARED, "state": CLEARED, "zipCode": CLEARED, "country": CLEARED}
)
PARTNER_BODY = st.fixed_dictionaries(
    {},
    optional={
        "customer": TEXTS,
        "mainPhone": CLEARED,
        "website": CLEARED,
        "notes": CLEARED,
        "status": st.sampled_from(["active", "inactive"]),
        "paymentTerm": TERMS | st.none(),
        "taxNumber": CLEARED,
        "taxExcluded": st.booleans(),
        "billingAddress": PARTNER_ADDRESS,
        "shippingAddress": PARTNER_ADDRESS,
    },
)
SHOP_BODY = st.fixed_dictionaries(
    {},
    optional={
        "company_name": TEXTS,
        "display_name": TEXTS,
        "phone": PHONES | st.just(""),
        "payment_term": TERMS | st.just(""),
        "freight_term": TERMS | st.just(""),
        "shipping_method": st.sampled_from(["DHL", "northbound ups", ""]),
        "first_name": TEXTS,
        "attributes": st.just([{"name": "Region", "value": "Nordics"}]),
    },
)
SHOP_ADDRESS = st.fixed_dictionaries(
    {},
    optional={
        "address_line_1": TEXTS,
        "address_line_2": TEXTS | st.just(""),
        "city": TEXTS,
        "first_name": TEXTS,
        "type": st.sampled_from(["billing", "shipping"]),
        "is_default": st.booleans(),
        "attributes": st.just([{"name": "Dock", "value": "3"}]),
    },
)
ERP_BODY = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "note": NULLED,
        "phone": NULLED,
        "url": st.sampled_from(["https://aster.example/", None]),
        "status": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
        "is_edi_enabled": st.booleans(),
        "commission_policy": st.sampled_from(["commission_applied", "commission_exempt"]),
        "freight_policy": st.sampled_from(["free_freight", "billed_freight"]),
        "default_priority": st.sampled_from(["low", "normal", "high"]),
        "carrier_billing_type": st.sampled_from(["sender", "third_party"]),
        "carrier_billing_account": NULLED,
    },
)
ERP_ADDRESS = st.fixed_dictionaries(
    {},
    optional={"name": TEXTS, "phone": NULLED, "street_line_1": TEXTS, "street_line_2": NULLED, "locality": TEXTS},
)

HUB_BODY = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "display_name": NULLED,
        "phone": NULLED,
        "note": NULLED,
        "website": NULLED,
        "status": st.sampled_from(["active", "inactive"]),
        "standing": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
        "payment_term": st.none() | TERMS.map(lambda name: {"name": name}),
        "tax_number": NULLED,
        "is_edi_enabled": st.booleans(),
        "attributes": st.dictionaries(st.sampled_from(["Region", "Route"]), NULLED),
    },
)
HUB_ENTRY = st.fixed_dictionaries({}, optional={"city": NULLED, "line1": NULLED, "name": NULLED, "line2": NULLED})

# Every field that a customer has.
CANONICAL = tuple(Customer.__struct_fields__)
# The fields of the record that a member of a request may move, its consequences with it.
POINTED = ("addresses", "bill_to", "ship_to")
MOVES: Mapping[str, Fields] = {
    "customer": ("name",),
    "company_name": ("name",),
    "mainPhone": ("phone",),
    "url": ("website",),
    "notes": ("note",),
    "taxNumber": ("tax_number",),
    "taxExcluded": ("tax_excluded",),
    "paymentTerm": ("payment_term",),
    "freight_term": ("shipping_term",),
    "shipping_method": ("carrier", "service_level"),
    "billingAddress": POINTED,
    "shippingAddress": POINTED,
    "bill_to_address_id": POINTED,
    "ship_to_address_id": POINTED,
    "assigned_sales_rep_ids": ("sales_reps", "default_sales_rep"),
    "default_sales_rep_user_id": ("sales_reps", "default_sales_rep"),
    "default_priority": ("priority",),
    "default_carrier_id": ("carrier", "service_level"),
    "default_service_level_id": ("service_level",),
    "default_payment_term_id": ("payment_term",),
    "default_shipping_term_id": ("shipping_term",),
    "customer_price_group_ids": ("price_groups",),
    "customer_type_group_id": ("type_group",),
}
# A word that means something else through the ERP.
ERP_MOVES: Mapping[str, Fields] = {**MOVES, "status": ("standing",)}
# Where each door shows a field; one that is not here has the same name there, or is not shown.
SHOWN: Mapping[str, Mapping[str, Fields]] = {
    PARTNER: {
        "name": ("customer",),
        "phone": ("mainPhone",),
        "note": ("notes",),
        "payment_term": ("paymentTerm",),
        "tax_number": ("taxNumber",),
        "tax_excluded": ("taxExcluded",),
        "addresses": ("billingAddress", "shippingAddress"),
        "bill_to": ("billingAddress",),
        "ship_to": ("shippingAddress",),
    },
    SHOP: {
        "name": ("name", "display_name"),
        "shipping_term": ("freight_term",),
        "carrier": ("shipping_method",),
        "sales_reps": ("assigned_sales_reps",),
        "bill_to": ("addresses",),
        "ship_to": ("addresses",),
    },
    ERP: {
        "standing": ("status",),
        "phone": ("contact_info",),
        "website": ("contact_info",),
        "carrier": ("freight_preferences",),
        "service_level": ("freight_preferences",),
        "freight_policy": ("freight_preferences",),
        "carrier_billing_type": ("freight_preferences",),
        "carrier_billing_account": ("freight_preferences",),
        "payment_term": ("defaults",),
        "shipping_term": ("defaults",),
        "priority": ("defaults",),
        "default_sales_rep": ("defaults",),
        "addresses": ("bill_to_address", "ship_to_address"),
        "bill_to": ("bill_to_address",),
        "ship_to": ("ship_to_address",),
        "type_group": ("type",),
        # The account's standing there, and not whether the record is in use.
        "status": (),
    },
    HUB: {"contacts": ("contacts", "primary_contact")},
}
ALWAYS = {"updated_at", "updatedAt", "updated_by", "version"}


def moved_by(body: Json, moves: Mapping[str, Fields] = MOVES) -> set[str]:
    """The fields of the record that a body may move."""
    return {field for name in body for field in moves.get(name, (name,))}


def members_of(door: str, fields: Fields) -> set[str]:
    """The members in which a door shows fields of the record."""
    return {member for field in fields for member in SHOWN[door].get(field, (field,))}


def differing(before: Json, after: Json) -> set[str]:
    """The members in which two views differ."""
    return {name for name in before if before[name] != after[name]}


class Doors(RuleBasedStateMachine):
    """A few customers of one new team and four clients who do not know of each other."""

    portal: ClassVar[BlockingPortal]
    hub: ClassVar[Hub]
    world: World
    partner: Partner
    account: Account
    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.stack = AsyncExitStack()
        self.portal.call(self.open)

    async def open(self) -> None:
        """Furnish the team for each door."""
        site = Site(self.hub, tuple(DIALECTS.values()), limits=Limits())
        self.world = await self.stack.enter_async_context(make_world(self.hub, site))
        self.partner = await self.stack.enter_async_context(make_partner(self.hub, site, self.world.team))
        self.account = await self.stack.enter_async_context(make_account(self.hub, site, self.world.team))
        self.desk = await self.stack.enter_async_context(make_desk(self.hub, site, self.world.team))

    @override
    def teardown(self) -> None:
        self.portal.call(self.stack.aclose)

    def ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """One request through the door that has the path."""

        async def ask() -> httpx.Response:
            return await self.api_of(path).request(method, path, json=body)

        return self.portal.call(ask)

    def api_of(self, path: str) -> httpx.AsyncClient:
        """The client of the door that has the path."""
        if path.startswith("/partners"):
            return self.partner.api
        if path.startswith("/hub/"):
            return self.desk.api
        return self.account.api if path.startswith(ERP_PATHS) else self.world.api

    def call(self, method: str, path: str, body: Json | None, status: int) -> Json:
        """One request that must be answered so, without the envelope."""
        answer = self.ask(method, path, body)
        assert answer.status_code == status, f"{method} {path} {body}: {answer.text}"
        told: Json = answer.json() if answer.content else {}
        return told if path.startswith(ERP_PATHS) else told.get("data", told)

    def views(self, customer_id: str) -> Views:
        """The customer as each door shows it, which is what the record says."""

        async def read() -> Views:
            team = self.world.team.id
            async with self.world.hub.database.lease() as connection:
                credential = await connection.fetchval("select id from credential where team = $1 limit 1", team)
            caller = Caller(team, credential, credential, "test", "test")
            written = await get_customer(self.world.hub, caller, UUID(customer_id))
            found: Views = {}
            for door, path in paths_of(customer_id).items():
                answer = await self.api_of(path).get(path)
                shown = answer.json()
                found[door] = shown if door in (ERP, HUB) else shown["data"]
                assert found[door] == DIALECTS[door].show(written.customer, written.catalogue)
                assert answer.headers["etag"] == f'"{written.customer.version}"'
            return found

        return self.portal.call(read)

    def step(self, data: st.DataObject, write: Callable[[str, Views], Fields]) -> Views:
        """One write on one customer, which says the fields of the record that it may move; nobody else's move."""
        customer_id = data.draw(st.sampled_from(self.ids))
        others = {other: self.views(other) for other in self.ids if other != customer_id}
        before = self.views(customer_id)
        fields = write(customer_id, before)
        after = self.views(customer_id)
        for door in after:
            assert differing(before[door], after[door]) <= members_of(door, fields) | ALWAYS, door
        assert {other: self.views(other) for other in others} == others
        return after

    def check_gone(self, customer_id: str, *, is_merged: bool = False) -> None:
        """Nobody finds it any more; the hub's own API says where a merged one went."""
        self.ids.remove(customer_id)
        assert {door: self.ask("GET", path).status_code for door, path in paths_of(customer_id).items()} == {
            PARTNER: 404,
            SHOP: 404,
            ERP: 404,
            HUB: 301 if is_merged else 404,
        }


with_customers = precondition(lambda self: self.ids)
with_several = precondition(lambda self: len(self.ids) > 1)
ERP_PATHS = ("/v1/sales/", "/v1/finance/", "/v1/operations/", "/v1/catalog/", "/v1/identity/", "/v1/core/")


def paths_of(customer_id: str) -> dict[str, str]:
    """Where each door has a customer."""
    return {
        PARTNER: f"/partners/customers/{customer_id}",
        SHOP: f"/v1/customers/{customer_id}",
        ERP: f"{to_erp(customer_id)}?include={ALL}",
        HUB: f"{HUB_CUSTOMERS}/{customer_id}",
    }


def to_erp(customer_id: str) -> str:
    """Where the ERP's door has a customer."""
    return f"{CUSTOMERS}/{to_id('ac', UUID(customer_id))}"
