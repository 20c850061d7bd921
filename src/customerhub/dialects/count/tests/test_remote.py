"""COUNT the other way: requests are signed as its own clients sign them, and what it shows is told in our words."""

import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.count.signing import sign
from customerhub.web.serve import Site
from tests.support.accounts import make_pair
from tests.support.hub import furnish


def test_a_request_is_signed_without_its_mount() -> None:
    """The contract's own example: method, path behind the mount, seconds and the body's hash."""
    body = (
        '{"customer":"Zoë\'s Bakery Ltd","email":"accounts@zoes-bakery.example","mainPhone":null,"billingAddress":'
        '{"street":"12 Mill Lane","city":"Leeds","state":"West Yorkshire","zipCode":"LS1 4AP","country":"GB"}}'
    ).encode()
    secret, path = "cs_test_5b0e7d1f4a2c49d8b6e3a9170c8f2d64", "/customers/b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16"

    signed = sign(secret, "PUT", path, "1795294800", body)

    assert signed == "090038aebf4f732de8c61c69d71b922f198dc5c073986c5c1730b240ba14d475"
    assert sign(secret, "GET", path, "1795294800", b"{}") == sign(secret, "GET", path, "1795294800", b"")


async def test_what_cannot_be_cleared_stays_over_there(hub: Hub, site: Site) -> None:
    """An email address that went away here is not told: COUNT has no customer without one."""
    async with make_pair(hub, site, "count") as pair:
        customer = await pair.create()
        await pair.ours.patched(customer, {"email": None, "note": None})

        await pair.kept.tell(customer["id"])

        there = await pair.over_there(customer)
        assert (there["email"], there["note"]) == (customer["email"], None)
        assert (await pair.kept.known(customer["id"])).left_out == {}
        assert pair.kept.street.seen[-1].content == b'{"notes":null}'


async def test_a_payment_term_travels_by_its_name(hub: Hub, site: Site) -> None:
    """A term that the other side does not know yet is made there by its name."""
    async with make_pair(hub, site, "count") as pair:
        await furnish(pair.ours)
        customer = await pair.create(payment_term=pair.ours.payment_terms[0])

        assert (await pair.kept.ours(customer["id"]))["payment_term"] == "payment_term  1"
        assert await pair.kept.differences(customer["id"]) == {}


@pytest.mark.parametrize("base", ["http://over-there", "http://over-there/partners", "http://over-there/partners/"])
async def test_the_base_may_end_with_the_mount(hub: Hub, site: Site, base: str) -> None:
    """People copy the base from the vendor's documents with the mount or without it."""
    async with make_pair(hub, site, "count") as pair:
        pair.kept.at(base)

        assert (await pair.kept.carrier.verify(hub, pair.kept.sink)).reason == ""
        assert str(pair.kept.street.seen[0].url) == "http://over-there/partners/customers?limit=1"
