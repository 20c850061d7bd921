"""WizCommerce the other way: our id is its reference, empty text clears, and nested addresses go by their ids."""

import json

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.accounts import full_body, keeping, make_pair
from tests.support.hub import make_desk
from tests.support.world import make_world


async def test_a_new_record_has_our_id_for_its_reference(hub: Hub, site: Site) -> None:
    """By it the record is found again; a reference that the customer has goes before."""
    async with make_pair(hub, site, "wizcommerce") as pair:
        plain, named = await pair.create(), await pair.create(reference_id="ERP-1")

        assert (await pair.over_there(plain))["reference_id"] == plain["id"]
        assert (await pair.over_there(named))["reference_id"] == "ERP-1"


async def test_what_its_checks_refuse_is_left_out(hub: Hub, site: Site) -> None:
    """A phone number in a form of its own stays here, an address that it would refuse too; the rest gets there."""
    async with make_pair(hub, site, "wizcommerce") as pair:
        customer = await pair.create()
        [billing, _] = customer["addresses"]
        items = [{"id": billing["id"], "country": "Norway"}]
        change = {"phone": "ask for Ingrid", "payment_mode": None, "addresses": {"mode": "merge", "items": items}}
        await pair.ours.patched(customer, change, "application/vnd.customerhub.patch+json")

        assert (await pair.kept.tell(customer["id"])).kind == "delivered"

        assert (await pair.kept.known(customer["id"])).left_out == {
            "phone": "must be E.164, for example +4722334455",
            "bill_to": "country must be a two-letter code of ISO 3166-1, for example NO",
        }
        there = await pair.over_there(customer)
        assert (there["phone"], there["payment_mode"]) == ("+15035550142", None)


async def test_a_vendors_demands_come_from_the_defaults(hub: Hub, site: Site) -> None:
    """Reps and price list of a new record are those that the sink was set up with."""
    async with make_world(hub, site) as theirs:
        vendor = theirs.team
        async with keeping(hub, site, "wizcommerce", vendor) as kept, make_desk(hub, site, kept.team) as desk:
            customer = await desk.create(full_body())
            refused = await kept.tell(customer["id"])
            defaults = {"assigned_sales_rep_ids": theirs.reps, "assigned_price_list_id": theirs.price_lists[0]}
            kept.configured(defaults=defaults)

            outcome = await kept.tell(customer["id"])

            assert refused.kind == "refused"
            assert "assigned_sales_rep_ids is required" in refused.reason
            assert outcome.kind == "delivered", outcome
            body = json.loads(next(one for one in reversed(kept.street.seen) if one.method == "POST").content)
            assert body["assigned_sales_rep_ids"] == theirs.reps
            assert await kept.differences(customer["id"]) == {}
