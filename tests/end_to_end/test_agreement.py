"""Whatever passes through any of four doors, all of them show the one record, and none harms what others see.

Random writes go through four APIs in any order, on customers and on what they refer to. After each of them every view
is what the record says, at the same version, and what the write did not name is as it was, also where only another door
can see it.
"""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from customerhub.core.hub import Hub
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.end_to_end.agreement import (
    DIALECTS,
    ERP,
    HUB,
    PARTNER,
    PARTNER_BODY,
    POINTED,
    SHOP,
    SHOP_ADDRESS,
    SHOP_BODY,
    Fields,
    Views,
    differing,
    moved_by,
    paths_of,
    to_erp,
    with_customers,
    with_several,
)
from tests.end_to_end.agreement_erp import NAMED
from tests.end_to_end.agreement_hub import HubDoors
from tests.support.augno import CUSTOMERS, uuid_of
from tests.support.fixtures import SECRET_KEY
from tests.support.world import Json, address_body, contact_body

IS_SOAK = bool(os.environ.get("CUSTOMERHUB_SOAK"))
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not {PARTNER, SHOP, ERP, HUB} <= set(DIALECTS), reason="one of the dialects is not installed"),
]
# What a partner's address can change of one that the shop sees.
SEEN_BY_PARTNER = {
    *("address_line_1", "address_line_2", "city", "state", "zip_code", "country"),
    *("is_default", "updated_at"),
    # Of an address that no door gave a type: it is for bills where bills go to it.
    "type",
}
MOST = 5
with_room = precondition(lambda self: 0 < len(self.ids) < MOST)


class Doors(HubDoors):
    """What four clients do who do not know of each other."""

    @initialize()
    def begin(self) -> None:
        """Three customers, through three of the doors."""
        created = self.call("POST", "/partners/customers", self.partner.full_body(), 201)
        self.ids.append(created["uuid"])
        self.ids.append(self.call("POST", "/v1/customers", self.world.full_body(), 201)["id"])
        self.ids.append(str(uuid_of(self.call("POST", CUSTOMERS, self.account.full_body(), 201)["id"])))

    @with_customers
    @rule(data=st.data(), body=PARTNER_BODY)
    def partner_updates(self, data: st.DataObject, body: Json) -> None:
        """What the shop alone sees stays: ids, references, names, types and custom values of addresses."""
        before: list[Json] = []

        def write(customer_id: str, views: Views) -> Fields:
            before.extend(views[SHOP]["addresses"])
            shown = self.call("PUT", f"/partners/customers/{customer_id}", body, 200)
            for name in ("customer", "status", "taxExcluded"):
                assert name not in body or shown[name] == body[name]
            return moved_by(body)

        shop = self.step(data, write)[SHOP]
        after = {address["id"]: address for address in shop["addresses"]}
        assert [address["id"] for address in shop["addresses"]][: len(before)] == [a["id"] for a in before]
        for address in before:
            assert differing(address, after[address["id"]]) <= SEEN_BY_PARTNER

    @with_customers
    @rule(data=st.data())
    def partner_sends_back(self, data: st.DataObject) -> None:
        """What was read changes nothing, the time of the last change neither."""

        def write(customer_id: str, _: Views) -> Fields:
            shown = self.call("GET", f"/partners/customers/{customer_id}", None, 200)
            again = self.call("PUT", f"/partners/customers/{customer_id}", shown, 200)
            assert again["updatedAt"] == shown["updatedAt"]
            return ()

        self.step(data, write)

    @with_customers
    @rule(data=st.data(), body=SHOP_BODY)
    def shop_updates(self, data: st.DataObject, body: Json) -> None:
        """A new name is the customer's everywhere; what the others alone see stays."""

        def write(customer_id: str, _: Views) -> Fields:
            self.call("PATCH", f"/v1/customers/{customer_id}", body, 201)
            return moved_by(body)

        views = self.step(data, write)
        if "company_name" in body:
            assert (views[PARTNER]["customer"], views[ERP]["name"]) == (body["company_name"],) * 2

    @with_customers
    @rule(data=st.data())
    def shop_assigns_reps(self, data: st.DataObject) -> None:
        """The first of them is the ERP's default, unless its own is among them."""
        reps = data.draw(st.lists(st.sampled_from(self.world.reps), min_size=1, unique=True))

        def write(customer_id: str, _: Views) -> Fields:
            self.call("PATCH", f"/v1/customers/{customer_id}", {"assigned_sales_rep_ids": reps}, 201)
            return ("sales_reps", "default_sales_rep")

        shown = self.step(data, write)[ERP]["defaults"]["sales_rep"]
        assert shown is None or str(uuid_of(shown["id"])) in reps

    @with_customers
    @rule(data=st.data(), body=SHOP_ADDRESS)
    def shop_edits_an_address(self, data: st.DataObject, body: Json) -> None:
        """By its id, inside the customer."""

        def write(customer_id: str, views: Views) -> Fields:
            if views[SHOP]["addresses"]:
                chosen = data.draw(st.sampled_from([address["id"] for address in views[SHOP]["addresses"]]))
                edit = {"addresses": [{"id": chosen, **body}]}
                self.call("PATCH", f"/v1/customers/{customer_id}", edit, 201)
            return POINTED

        self.step(data, write)

    @with_customers
    @rule(data=st.data(), body=SHOP_ADDRESS)
    def shop_adds_an_address(self, data: st.DataObject, body: Json) -> None:
        """Default or not."""

        def write(customer_id: str, _: Views) -> Fields:
            self.call("POST", f"/v1/customers/{customer_id}/addresses", address_body(**body), 201)
            return POINTED

        self.step(data, write)

    @with_customers
    @rule(data=st.data())
    def shop_removes_an_address(self, data: st.DataObject) -> None:
        """Where it was named, the next of its kind is, or none."""

        def write(customer_id: str, views: Views) -> Fields:
            if views[SHOP]["addresses"]:
                chosen = data.draw(st.sampled_from([address["id"] for address in views[SHOP]["addresses"]]))
                self.call("DELETE", f"/v1/customers/{customer_id}/addresses/{chosen}", None, 204)
            return POINTED

        self.step(data, write)

    @with_customers
    @rule(data=st.data(), is_default=st.booleans())
    def shop_adds_a_contact(self, data: st.DataObject, *, is_default: bool) -> None:
        """Who is the primary one there."""

        def write(customer_id: str, _: Views) -> Fields:
            body = contact_body(is_default=is_default)
            self.call("POST", f"/v1/customers/{customer_id}/contacts", body, 201)
            return ("contacts",)

        self.step(data, write)

    @with_customers
    @rule(data=st.data())
    def shop_deactivates(self, data: st.DataObject) -> None:
        """The customer is inactive for those who know the word; the ERP's own status is another thing."""

        def write(customer_id: str, _: Views) -> Fields:
            self.call("DELETE", f"/v1/customers/{customer_id}", None, 204)
            return ("status",)

        views = self.step(data, write)
        assert (views[PARTNER]["status"], views[SHOP]["status"]) == ("inactive", "inactive")

    @with_room
    @rule(door=st.sampled_from([PARTNER, SHOP, ERP]))
    def somebody_creates(self, door: str) -> None:
        """A customer that every door shows."""
        path, body = {
            PARTNER: ("/partners/customers", self.partner.full_body()),
            SHOP: ("/v1/customers", self.world.full_body()),
            ERP: (CUSTOMERS, self.account.customer_body()),
        }[door]
        if door == ERP:
            payment, shipping, carriers = (self.rows(one)[0]["id"] for one in NAMED)
            ids = {"default_payment_term_id": payment, "default_shipping_term_id": shipping}
            body |= ids | {"default_carrier_id": carriers}
        made = self.call("POST", path, body, 201)
        self.ids.append(str(uuid_of(made["id"])) if door == ERP else made["id"])
        self.views(self.ids[-1])

    @with_several
    @rule(data=st.data(), door=st.sampled_from([PARTNER, ERP]))
    def somebody_deletes(self, data: st.DataObject, door: str) -> None:
        """It is gone through every door, and another customer may have its address."""
        customer_id = data.draw(st.sampled_from(self.ids))
        email = self.views(customer_id)[PARTNER]["email"]
        path = to_erp(customer_id) if door == ERP else paths_of(customer_id)[door]
        self.call("DELETE", path, None, 200)
        self.check_gone(customer_id)
        body = {"customer": f"Heir {uuid4()}", "email": email or f"{uuid4().hex}@customers.example"}
        self.ids.append(self.call("POST", "/partners/customers", body, 201)["uuid"])


@pytest.fixture(scope="module")
def doors(database_url: str) -> Iterator[type[Doors]]:
    """The machine on a loop of its own."""
    with start_blocking_portal() as portal:

        async def open_hub() -> Hub:
            return Hub(Database(database_url), Settings(secret_key=SECRET_KEY))

        Doors.portal, Doors.hub = portal, portal.call(open_hub)
        yield Doors
        portal.call(Doors.hub.close)


def test_all_doors_agree(doors: type[Doors]) -> None:
    """Random writes through each, checked after each of them."""
    run_state_machine_as_test(
        doors,
        settings=settings(
            max_examples=100 if IS_SOAK else 15,
            stateful_step_count=30 if IS_SOAK else 12,
            deadline=None,
            # Without the explanation, which takes minutes for steps of this size.
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
