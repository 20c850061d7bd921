"""Two doors on the same customers: whatever passes through either, both show the one record, and neither harms it.

Random writes go through both APIs in any order. After each of them both views are what the record says, at the same
version, and what the write did not name is as it was, also where only the other door can see it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import ClassVar
from uuid import UUID, uuid4

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from customerhub.core.customers import get_customer
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import Caller
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.count import Partner, make_partner
from tests.support.fixtures import SECRET_KEY
from tests.support.world import Json, World, address_body, contact_body, make_world

IS_SOAK = bool(os.environ.get("CUSTOMERHUB_SOAK"))
DIALECTS = {dialect.name: dialect for dialect in find_dialects()}
PARTNER, SHOP = "count", "wizcommerce"
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not {PARTNER, SHOP} <= set(DIALECTS), reason="one of the two dialects is not installed"),
]

TEXTS = st.sampled_from(["Aster & Co", "Zoë", "x" * 50, "Ünï cödé 漢字", "0"])
CLEARED = st.sampled_from(["", None]) | TEXTS
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

# What a member of one door's request may move in the other door's view.
IN_SHOP = {
    "customer": {"name", "display_name"},
    "mainPhone": {"phone"},
    "status": {"status"},
    "paymentTerm": {"payment_term"},
    "billingAddress": {"addresses"},
    "shippingAddress": {"addresses"},
}
IN_PARTNER = {
    "company_name": {"customer"},
    "phone": {"mainPhone"},
    "payment_term": {"paymentTerm"},
    "addresses": {"billingAddress", "shippingAddress"},
    "contacts": {"contacts"},
}
# What a partner's address can change of one that the shop sees.
SEEN_BY_PARTNER = {
    *("address_line_1", "address_line_2", "city", "state", "zip_code", "country"),
    *("is_default", "updated_at"),
}


def differing(before: Json, after: Json) -> set[str]:
    """The members in which two views differ."""
    return {name for name in before if before[name] != after[name]}


class Doors(RuleBasedStateMachine):
    """A few customers of one team and two clients who do not know of each other."""

    portal: ClassVar[BlockingPortal]
    world: ClassVar[World]
    partner: ClassVar[Partner]

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def call(self, method: str, path: str, body: Json | None, status: int) -> Json:
        """One request through the door that has the path."""
        api = self.partner.api if path.startswith("/partners") else self.world.api

        async def ask() -> httpx.Response:
            return await api.request(method, path, json=body)

        answer = self.portal.call(ask)
        assert answer.status_code == status, f"{method} {path} {body}: {answer.text}"
        told: Json = answer.json()["data"] if answer.content else {}
        return told

    def views(self, customer_id: str) -> tuple[Json, Json]:
        """The customer as both doors show it, which is what the record says."""

        async def read() -> tuple[Json, Json]:
            team = self.world.team.id
            async with self.world.hub.database.lease() as connection:
                credential = await connection.fetchval("select id from credential where team = $1 limit 1", team)
            caller = Caller(team, credential, credential, "test", "test")
            written = await get_customer(self.world.hub, caller, UUID(customer_id))
            partner = await self.partner.api.get(f"/partners/customers/{customer_id}")
            shop = await self.world.api.get(f"/v1/customers/{customer_id}")
            for dialect, answer in ((PARTNER, partner), (SHOP, shop)):
                assert answer.json()["data"] == DIALECTS[dialect].show(written.customer, written.catalogue)
                assert answer.headers["etag"] == f'"{written.customer.version}"'
            return partner.json()["data"], shop.json()["data"]

        return self.portal.call(read)

    def step(self, data: st.DataObject, write: Callable[[str, Json], tuple[set[str], set[str]]]) -> tuple[Json, Json]:
        """One write on one customer; `write` says what it may move in the partner's and in the shop's view."""
        customer_id = data.draw(st.sampled_from(self.ids))
        others = {other: self.views(other) for other in self.ids if other != customer_id}
        partner, shop = self.views(customer_id)
        in_partner, in_shop = write(customer_id, shop)
        partner_now, shop_now = self.views(customer_id)
        assert differing(partner, partner_now) <= in_partner | {"updatedAt"}
        assert differing(shop, shop_now) <= in_shop | {"updated_at"}
        assert {other: self.views(other) for other in others} == others
        return partner_now, shop_now

    @initialize()
    def begin(self) -> None:
        """Two customers, one through each door."""
        created = self.call("POST", "/partners/customers", self.partner.full_body(), 201)
        self.ids.append(created["uuid"])
        self.ids.append(self.call("POST", "/v1/customers", self.world.full_body(), 201)["id"])

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), body=PARTNER_BODY)
    def partner_updates(self, data: st.DataObject, body: Json) -> None:
        """What the shop alone sees stays: ids, references, names, types and custom values of addresses."""

        def write(customer_id: str, shop: Json) -> tuple[set[str], set[str]]:
            before.extend(shop["addresses"])
            shown = self.call("PUT", f"/partners/customers/{customer_id}", body, 200)
            for name in ("customer", "status", "taxExcluded"):
                assert name not in body or shown[name] == body[name]
            return set(body), set().union(*(IN_SHOP.get(name, set()) for name in body))

        before: list[Json] = []
        _, shop = self.step(data, write)
        after = {address["id"]: address for address in shop["addresses"]}
        assert [address["id"] for address in shop["addresses"]][: len(before)] == [a["id"] for a in before]
        for address in before:
            assert differing(address, after[address["id"]]) <= SEEN_BY_PARTNER

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def partner_sends_back(self, data: st.DataObject) -> None:
        """What was read changes nothing, the time of the last change neither."""

        def write(customer_id: str, _: Json) -> tuple[set[str], set[str]]:
            shown = self.call("GET", f"/partners/customers/{customer_id}", None, 200)
            again = self.call("PUT", f"/partners/customers/{customer_id}", shown, 200)
            assert again["updatedAt"] == shown["updatedAt"]
            return set(), set()

        self.step(data, write)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), body=SHOP_BODY)
    def shop_updates(self, data: st.DataObject, body: Json) -> None:
        """A new name is the customer's there; what the partner alone sees stays."""

        def write(customer_id: str, _: Json) -> tuple[set[str], set[str]]:
            self.call("PATCH", f"/v1/customers/{customer_id}", body, 201)
            names = {"company_name": "name"}
            moved = {names.get(name, name) for name in body} | ({"display_name"} if "company_name" in body else set())
            return set().union(*(IN_PARTNER.get(name, set()) for name in body)), moved

        partner, _ = self.step(data, write)
        if "company_name" in body:
            assert partner["customer"] == body["company_name"]

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), body=SHOP_ADDRESS)
    def shop_edits_an_address(self, data: st.DataObject, body: Json) -> None:
        """By its id, inside the customer."""

        def write(customer_id: str, shop: Json) -> tuple[set[str], set[str]]:
            if shop["addresses"]:
                chosen = data.draw(st.sampled_from([address["id"] for address in shop["addresses"]]))
                edit = {"addresses": [{"id": chosen, **body}]}
                self.call("PATCH", f"/v1/customers/{customer_id}", edit, 201)
            return IN_PARTNER["addresses"], {"addresses"}

        self.step(data, write)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), body=SHOP_ADDRESS)
    def shop_adds_an_address(self, data: st.DataObject, body: Json) -> None:
        """Default or not."""

        def write(customer_id: str, _: Json) -> tuple[set[str], set[str]]:
            self.call("POST", f"/v1/customers/{customer_id}/addresses", address_body(**body), 201)
            return IN_PARTNER["addresses"], {"addresses"}

        self.step(data, write)

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def shop_removes_an_address(self, data: st.DataObject) -> None:
        """Where it was named, the next of its kind is, or none."""

        def write(customer_id: str, shop: Json) -> tuple[set[str], set[str]]:
            if shop["addresses"]:
                chosen = data.draw(st.sampled_from([address["id"] for address in shop["addresses"]]))
                self.call("DELETE", f"/v1/customers/{customer_id}/addresses/{chosen}", None, 204)
            return IN_PARTNER["addresses"], {"addresses"}

        self.step(data, write)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), is_default=st.booleans())
    def shop_adds_a_contact(self, data: st.DataObject, *, is_default: bool) -> None:
        """Who is the primary one there."""

        def write(customer_id: str, _: Json) -> tuple[set[str], set[str]]:
            body = contact_body(is_default=is_default)
            self.call("POST", f"/v1/customers/{customer_id}/contacts", body, 201)
            return {"contacts"}, {"contacts"}

        self.step(data, write)

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def shop_deactivates(self, data: st.DataObject) -> None:
        """The customer is inactive through both doors."""

        def write(customer_id: str, _: Json) -> tuple[set[str], set[str]]:
            self.call("DELETE", f"/v1/customers/{customer_id}", None, 204)
            return {"status"}, {"status"}

        partner, shop = self.step(data, write)
        assert (partner["status"], shop["status"]) == ("inactive", "inactive")

    @precondition(lambda self: len(self.ids) > 1)
    @rule(data=st.data())
    def partner_deletes(self, data: st.DataObject) -> None:
        """It is gone through both doors, and another customer may have its address."""
        customer_id = data.draw(st.sampled_from(self.ids))
        email = self.views(customer_id)[0]["email"]
        self.call("DELETE", f"/partners/customers/{customer_id}", None, 200)
        self.ids.remove(customer_id)
        for api, path in ((self.partner.api, "/partners/customers"), (self.world.api, "/v1/customers")):
            assert self.portal.call(api.get, f"{path}/{customer_id}").status_code == 404
        body = {"customer": f"Heir {uuid4()}", "email": email}
        self.ids.append(self.call("POST", "/partners/customers", body, 201)["uuid"])


@pytest.fixture(scope="module")
def doors(database_url: str) -> Iterator[type[Doors]]:
    """The machine with a team of its own, served on a loop of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(AsyncExitStack()) as stack:

        async def open_doors() -> None:
            hub = Hub(Database(database_url), Settings(secret_key=SECRET_KEY))
            stack.push_async_callback(hub.close)
            site = Site(hub, tuple(DIALECTS.values()), limits=Limits())
            Doors.world = await stack.enter_async_context(make_world(hub, site))
            Doors.partner = await stack.enter_async_context(make_partner(hub, site, Doors.world.team))

        Doors.portal = portal
        portal.call(open_doors)
        yield Doors


def test_both_doors_agree(doors: type[Doors]) -> None:
    """Random writes through both, checked after each of them."""
    run_state_machine_as_test(
        doors,
        settings=settings(
            max_examples=100 if IS_SOAK else 15,
            stateful_step_count=30 if IS_SOAK else 12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
