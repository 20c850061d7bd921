"""What one door writes in its words the others show in theirs: case by case what the machine tries at random."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.end_to_end.doors import DIALECTS
from tests.support.augno import ALL, CUSTOMERS, Account, full_address_body, make_account, to_id, uuid_of
from tests.support.count import Partner, make_partner
from tests.support.hub import Desk, make_desk
from tests.support.world import Json, World, address_body, contact_body

pytestmark = pytest.mark.skipif(
    not {"augno", "count", "hub", "wizcommerce"} <= DIALECTS, reason="one of the dialects is not installed"
)


@dataclass
class Trio:
    """One team through three doors, and through the hub's own."""

    shop: World
    partner: Partner
    erp: Account
    desk: Desk

    async def views(self, customer_id: str) -> tuple[Json, Json, Json]:
        """A customer as the shop, the partner and the ERP show it."""
        erp = await self.erp.get(to_id("ac", UUID(customer_id)))
        return await self.shop.get(customer_id), await self.partner.get(customer_id), erp

    async def create(self, **members: object) -> str:
        """A customer that the shop has made with everything in it; its id there."""
        created = await self.shop.create(self.shop.full_body() | members)
        return str(created["id"])

    async def shop_patch(self, customer_id: str, **members: object) -> Json:
        """The customer after the shop's update."""
        answer = await self.shop.api.patch(f"/v1/customers/{customer_id}", json=members)
        assert answer.status_code == 201, answer.text
        changed: Json = answer.json()["data"]
        return changed

    async def erp_patch(self, customer_id: str, **members: object) -> Json:
        """The customer after the ERP's update."""
        return await self.erp.patch(to_id("ac", UUID(customer_id)), **members)


@pytest.fixture
async def trio(hub: Hub, site: Site, world: World) -> AsyncIterator[Trio]:
    """The world's team with a partner's client and an ERP's."""
    async with (
        make_partner(hub, site, world.team) as partner,
        make_account(hub, site, world.team) as account,
        make_desk(hub, site, world.team) as desk,
    ):
        yield Trio(world, partner, account, desk)


async def test_a_payment_term_has_one_name_in_three_words(trio: Trio) -> None:
    """What the shop calls NET45 is a real term, which the ERP can rename for everybody."""
    customer = await trio.create(payment_term="NET45")
    shop, partner, erp = await trio.views(customer)
    term = erp["defaults"]["payment_term"]
    assert (shop["payment_term"], partner["paymentTerm"], term["name"]) == ("NET45", "NET45", "NET45")
    assert term["status"] == "active"
    renamed = await trio.erp.api.patch(f"/v1/finance/payment-terms/{term['id']}", json={"name": "Net 45 days"})
    assert renamed.status_code == 200
    later_shop, later_partner, later_erp = await trio.views(customer)
    assert (later_shop["payment_term"], later_partner["paymentTerm"]) == ("Net 45 days", "Net 45 days")
    assert later_erp["defaults"]["payment_term"] == renamed.json()
    assert (later_shop["updated_at"], later_erp["updated_at"]) == (shop["updated_at"], erp["updated_at"])


async def test_a_payment_term_of_the_erp_is_named_by_the_others(trio: Trio) -> None:
    """Chosen by its id there; written back by its name, in any case, it is the same one."""
    customer = await trio.create(payment_term="")
    await trio.erp_patch(customer, default_payment_term_id=trio.erp.payment_terms[0])
    shop, partner, erp = await trio.views(customer)
    assert (shop["payment_term"], partner["paymentTerm"]) == ("Net 45 EOM", "Net 45 EOM")
    await trio.partner.put(customer, paymentTerm="net 45 eom")
    assert (await trio.views(customer))[2] == erp
    await trio.partner.put(customer, paymentTerm=None)
    shop, _, erp = await trio.views(customer)
    assert (shop["payment_term"], erp["defaults"]["payment_term"]) == ("", None)


async def test_free_text_of_the_shop_makes_terms_of_the_erp(trio: Trio) -> None:
    """A freight term is one that charges the carrier's rate, a shipping method a carrier without a code."""
    customer = await trio.create(freight_term="Cust. Pickup", shipping_method="Harbour Lines")
    erp = (await trio.views(customer))[2]
    term, carrier = erp["defaults"]["shipping_term"], erp["freight_preferences"]["carrier"]
    assert (term["name"], term["type"]) == ("Cust. Pickup", "carrier_rate_freight")
    assert (carrier["name"], carrier["code"], carrier["account_number"]) == ("Harbour Lines", None, None)
    for path in (f"/v1/operations/shipping-terms/{term['id']}", f"/v1/operations/carriers/{carrier['id']}"):
        assert (await trio.erp.api.get(path)).status_code == 200


async def test_an_erp_carrier_is_the_shop_s_shipping_method(trio: Trio) -> None:
    """Another carrier takes the old one's service level away; so does another shipping method."""
    customer = await trio.create()
    carriers, levels = trio.erp.carriers, trio.erp.service_levels
    erp = await trio.erp_patch(customer, default_carrier_id=carriers[0], default_service_level_id=levels[0])
    assert erp["freight_preferences"]["service_level"]["id"] == levels[0]
    assert (await trio.shop.get(customer))["shipping_method"] == "Northbound UPS"
    erp = await trio.erp_patch(customer, default_carrier_id=carriers[1])
    assert erp["freight_preferences"]["service_level"] is None
    assert (await trio.shop.get(customer))["shipping_method"] == "Northbound FedEx"
    await trio.erp_patch(customer, default_service_level_id=levels[1])
    await trio.shop_patch(customer, shipping_method="northbound ups")
    freight = (await trio.views(customer))[2]["freight_preferences"]
    assert (freight["carrier"]["id"], freight["service_level"]) == (carriers[0], None)


async def test_no_default_rep_keeps_the_shop_s_reps(trio: Trio) -> None:
    """The list stays as it is; a default that is not in it joins it at its end."""
    reps = trio.shop.reps
    customer = await trio.create(assigned_sales_rep_ids=reps)
    shop, _, erp = await trio.views(customer)
    assert erp["defaults"]["sales_rep"]["id"] == to_id("us", UUID(reps[0]))
    cleared = await trio.erp_patch(customer, default_sales_rep_user_id=None)
    assert cleared["defaults"]["sales_rep"] is None
    assert (await trio.shop.get(customer))["assigned_sales_reps"] == shop["assigned_sales_reps"]
    await trio.erp_patch(customer, default_sales_rep_user_id=trio.erp.reps[0])
    assigned = [rep["id"] for rep in (await trio.shop.get(customer))["assigned_sales_reps"]]
    assert assigned == [*reps, str(uuid_of(trio.erp.reps[0]))]


async def test_without_a_bill_to_there_is_no_billing_address(trio: Trio) -> None:
    """The partner has none, the shop has no default one, and the address itself is where it was."""
    customer = await trio.create()
    shop, partner, erp = await trio.views(customer)
    assert partner["billingAddress"] is not None
    assert str(uuid_of(erp["bill_to_address"]["id"])) in [a["id"] for a in shop["addresses"] if a["is_default"]]
    await trio.erp_patch(customer, bill_to_address_id=None)
    later_shop, later_partner, later_erp = await trio.views(customer)
    assert (later_partner["billingAddress"], later_erp["bill_to_address"]) == (None, None)
    assert later_partner["shippingAddress"] == partner["shippingAddress"]
    assert [(a["id"], a["type"]) for a in later_shop["addresses"]] == [(a["id"], a["type"]) for a in shop["addresses"]]
    assert [a["type"] for a in later_shop["addresses"] if a["is_default"]] == ["shipping"]


async def test_an_address_of_the_erp_is_everybody_s(trio: Trio) -> None:
    """Made without a customer and then linked, it keeps its id, and an edit through any door is seen through all."""
    customer = await trio.create()
    made = await trio.erp.api.post("/v1/sales/addresses", json=full_address_body(name="Warehouse"))
    address = made.json()
    await trio.erp_patch(customer, ship_to_address_id=address["id"])
    shop, partner, erp = await trio.views(customer)
    assert erp["ship_to_address"] | {"geolocation": address["geolocation"]} == address
    assert partner["shippingAddress"] == {
        "street": "1180 NW Hoyt St\nSuite 4",
        "city": "Portland",
        "state": "OR",
        "zipCode": "97209",
        "country": "US",
    }
    found = next(entry for entry in shop["addresses"] if entry["id"] == str(uuid_of(address["id"])))
    assert (found["address_line_1"], found["zip_code"]) == ("1180 NW Hoyt St", "97209")
    await trio.partner.put(customer, shippingAddress={**partner["shippingAddress"], "city": "Salem"})
    shown = (await trio.erp.api.get(f"/v1/sales/addresses/{address['id']}")).json()
    assert (shown["geolocation"]["locality"], shown["name"]) == ("Salem", "Warehouse")
    edited = await trio.erp.api.patch(f"/v1/sales/addresses/{address['id']}", json={"postal_code": "97301"})
    assert edited.status_code == 200
    assert (await trio.partner.get(customer))["shippingAddress"]["zipCode"] == "97301"


async def test_a_merge_brings_to_every_door_what_the_sources_had(trio: Trio) -> None:
    """Addresses, contacts and custom values come with their ids; the sources are nowhere any more."""
    target = await trio.create(first_name="Ingrid")
    source = await trio.create(
        addresses=[address_body(city="Hammerfest")],
        contacts=[contact_body(first_name="Nils")],
        attributes=[{"name": "Season", "value": "Winter"}],
    )
    brought = await trio.shop.get(source)
    before = await trio.shop.get(target)
    path = f"{CUSTOMERS}/{to_id('ac', UUID(target))}/actions/merge"
    answer = await trio.erp.api.post(f"{path}?include={ALL}", json={"source_customer_ids": [to_id("ac", UUID(source))]})
    assert answer.status_code == 200, answer.text
    shop, partner, erp = await trio.views(target)
    assert erp == answer.json()
    for member in ("addresses", "contacts"):
        ids = {entry["id"] for entry in shop[member]}
        assert ids == {entry["id"] for entry in (*before[member], *brought[member])}
    assert {a["name"]: a["value"] for a in shop["attributes"]} == {"Region": "Nordics", "Season": "Winter"}
    assert "Nils" in [contact["firstName"] for contact in partner["contacts"]]
    assert (shop["name"], shop["display_id"]) == (before["name"], before["display_id"])
    gone = (
        await trio.shop.api.get(f"/v1/customers/{source}"),
        await trio.partner.api.get(f"/partners/customers/{source}"),
        await trio.erp.api.get(f"{CUSTOMERS}/{to_id('ac', UUID(source))}"),
    )
    assert [answer.status_code for answer in gone] == [404, 404, 404]


async def test_a_deleted_term_is_shown_where_it_is_set_and_made_anew_by_name(trio: Trio) -> None:
    """The customer that has it keeps it; another that names it gets a new one of that name."""
    customer, other = await trio.create(payment_term="NET45"), await trio.create(payment_term="")
    old = (await trio.views(customer))[2]["defaults"]["payment_term"]
    assert (await trio.erp.api.delete(f"/v1/finance/payment-terms/{old['id']}")).status_code == 200
    shop, partner, erp = await trio.views(customer)
    assert (shop["payment_term"], partner["paymentTerm"]) == ("NET45", "NET45")
    assert (erp["defaults"]["payment_term"]["id"], erp["defaults"]["payment_term"]["status"]) == (old["id"], "inactive")
    again = await trio.shop_patch(customer, payment_term="NET45", first_name="Ola")
    assert (again["payment_term"], (await trio.views(customer))[2]["defaults"]) == ("NET45", erp["defaults"])
    await trio.shop_patch(other, payment_term="net45")
    made = (await trio.views(other))[2]["defaults"]["payment_term"]
    assert (made["name"], made["id"] == old["id"], made["status"]) == ("net45", False, "active")


async def test_an_amount_keeps_its_digits_whatever_the_others_write(trio: Trio) -> None:
    """Trailing zeros and all, and its id, while the shop and the partner go on."""
    customer = await trio.create()
    erp = await trio.erp_patch(customer, credit_limit={"value": "0025000.500", "unit_id": trio.erp.unit})
    limit = erp["credit_limit"]
    assert (limit["value"], limit["display_value"]) == ("25000.500", "$25,000.500")
    await trio.shop_patch(customer, phone="+4755010203")
    await trio.partner.put(customer, notes="Rings twice.")
    assert (await trio.views(customer))[2]["credit_limit"] == limit
    more = await trio.erp_patch(customer, credit_limit={"value": "25000.50", "unit_id": trio.erp.unit})
    assert more["credit_limit"] == {**limit, "value": "25000.50", "display_value": "$25,000.50"}


async def test_the_hub_s_own_api_writes_what_all_of_them_show(trio: Trio) -> None:
    """A term by its name, a standing that one knows, an amount, tax that another knows, custom values of a third."""
    customer = await trio.create(payment_term="NET45")
    patch = {
        "name": "Aster & Co",
        "payment_term": {"name": "net30"},
        "standing": "hold_shipment",
        "tax_number": "NO 923",
        "credit_limit": {"value": "100.00", "unit": str(uuid_of(trio.erp.unit))},
        "attributes": {"Season": "Winter"},
        "phone": None,
    }
    envelope = await trio.desk.patched({"id": customer}, patch)
    shop, partner, erp = await trio.views(customer)
    assert (shop["name"], partner["customer"], erp["name"]) == ("Aster & Co",) * 3
    assert (shop["payment_term"], partner["paymentTerm"], erp["defaults"]["payment_term"]["name"]) == ("net30",) * 3
    assert (erp["status"], partner["taxNumber"]) == ("hold_shipment", "NO 923")
    assert (erp["credit_limit"]["value"], erp["credit_limit"]["display_value"]) == ("100.00", "$100.00")
    assert {"name": "Season", "value": "Winter"}.items() <= shop["attributes"][-1].items()
    assert (shop["phone"], partner["mainPhone"], erp["contact_info"]["phone"]) == ("", None, None)
    assert envelope["customer"]["payment_term"] == str(uuid_of(erp["defaults"]["payment_term"]["id"]))


async def test_the_hub_s_own_api_shows_what_all_of_them_write(trio: Trio) -> None:
    """An address of the shop's, moved by the partner and pointed at by the ERP, is one entry with its id."""
    customer = await trio.create()
    before = await trio.desk.get(customer)
    address = next(entry for entry in before["addresses"] if entry["id"] == before["bill_to"])
    await trio.partner.put(customer, billingAddress={"street": "3 Quay Street\nGate B", "city": "Narvik"})
    await trio.erp_patch(customer, ship_to_address_id=None)
    after = await trio.desk.get(customer)
    assert (after["bill_to"], after["ship_to"]) == (address["id"], None)
    moved = next(entry for entry in after["addresses"] if entry["id"] == address["id"])
    assert (moved["line1"], moved["line2"], moved["city"]) == ("3 Quay Street", "Gate B", "Narvik")
    assert (moved["reference_id"], moved["attributes"]) == (address["reference_id"], address["attributes"])
    told = await trio.desk.api.get(f"/hub/v1/customers/{customer}/history")
    assert [entry["dialect"] for entry in told.json()["data"]] == ["augno", "count", "wizcommerce"]
    assert f"/addresses/{address['id']}/city" in [change["path"] for change in told.json()["data"][1]["changes"]]


async def test_a_customer_s_former_name_is_everybody_s_again(trio: Trio) -> None:
    """What one door broke the hub's own API takes back, and each door shows what it showed."""
    customer = await trio.create()
    before = await trio.views(customer)
    await trio.shop_patch(customer, company_name="Oops", payment_term="NET99")
    answer = await trio.desk.api.post(f"/hub/v1/customers/{customer}/revert", json={"version": 1})
    assert answer.status_code == 200, answer.text
    after = await trio.views(customer)
    for old, new in zip(before, after, strict=True):
        assert {name for name in old if old[name] != new[name]} <= {"updated_at", "updatedAt"}
