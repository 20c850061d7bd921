"""Augno the other way: addresses by requests of their own, and names of what is referred to by the ids over there."""

import json
from uuid import UUID

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.model.catalogue import TeamSettings
from customerhub.web.serve import Site
from tests.support.accounts import full_body, keeping, make_pair
from tests.support.augno import make_account, to_id
from tests.support.hub import furnish, make_desk

LIST_AWARE = "application/vnd.customerhub.patch+json"


async def test_an_address_is_changed_where_it_is_unless_a_text_must_go(hub: Hub, site: Site) -> None:
    """A change is a PATCH of the address; what its PATCH cannot clear takes a new address, and the pointer moves."""
    async with make_pair(hub, site, "augno") as pair:
        customer = await pair.create()
        before = await pair.over_there(customer)
        billing = customer["bill_to"]

        async def follow(**members: object) -> list[str]:
            pair.kept.street.seen.clear()
            change = {"addresses": {"mode": "merge", "items": [{"id": billing, **members}]}}
            await pair.ours.patched(customer, change, LIST_AWARE)
            assert (await pair.kept.tell(customer["id"])).kind == "delivered"
            assert await pair.kept.differences(customer["id"]) == {}
            return [f"{request.method} {request.url.path.split('/')[3]}" for request in pair.written()]

        assert await follow(city="Hamar") == ["PATCH addresses"]
        assert (await pair.over_there(customer))["bill_to"] == before["bill_to"]
        assert await follow(state=None) == ["POST addresses", "PATCH customers"]
        assert (await pair.over_there(customer))["bill_to"] != before["bill_to"]


async def test_a_name_that_is_not_known_over_there_is_left_out(hub: Hub, site: Site) -> None:
    """Terms, carriers and groups are found by name and never made; one that is missing holds up nothing else."""
    async with make_pair(hub, site, "augno") as pair:
        await furnish(pair.ours)
        customer = await pair.create(payment_term=pair.ours.payment_terms[0], carrier=pair.ours.carriers[0])

        assert (await pair.kept.known(customer["id"])).left_out == {
            "payment_term": "there is no payment term of this name over there",
            "carrier": "there is no carrier of this name over there",
        }


async def test_what_the_vendor_demands_comes_from_the_names_or_the_defaults(hub: Hub, site: Site) -> None:
    """A new record has the ids that our names have over there, and the sink's defaults for what we have none of."""
    vendor = await create_team(hub, "Strict Augno vendor", TeamSettings())
    async with make_account(hub, site, vendor) as theirs, keeping(hub, site, "augno", vendor) as kept:
        kept.configured(
            defaults={
                "default_carrier_id": theirs.carriers[0],
                "default_shipping_term_id": theirs.shipping_terms[0],
                "customer_type_group_id": theirs.type_groups[0],
                "default_payment_term_id": theirs.payment_terms[1],
            }
        )
        async with make_account(hub, site, kept.team) as ours, make_desk(hub, site, kept.team) as desk:
            customer = await desk.create(full_body())
            term = {"default_payment_term_id": ours.payment_terms[0]}
            path = "/v1/sales/customers/" + to_id("ac", UUID(customer["id"]))
            assert (await ours.api.patch(path, json=term)).is_success

            outcome = await kept.tell(customer["id"])

            assert outcome.kind == "delivered", outcome
            posted = next(request for request in kept.street.seen if request.method == "POST")
            body = json.loads(posted.content)
            assert body["default_payment_term_id"] == theirs.payment_terms[0]
            assert body["default_carrier_id"] == theirs.carriers[0]
            assert await kept.differences(customer["id"]) == {}


async def test_a_vendor_that_demands_more_refuses_and_says_so(hub: Hub, site: Site) -> None:
    """Without the values that a new record must have, the customer waits for somebody, with the vendor's words."""
    vendor = await create_team(hub, "Stricter Augno vendor", TeamSettings())
    async with keeping(hub, site, "augno", vendor) as kept, make_desk(hub, site, kept.team) as desk:
        customer = await desk.create(full_body())

        outcome = await kept.tell(customer["id"])

        assert outcome.kind == "refused"
        assert "default_carrier_id: is required" in outcome.reason
        assert (await kept.known(customer["id"])).error == outcome.reason
