"""All addresses of a team in one list, whether customers have them or not."""

from datetime import timedelta
from itertools import pairwise

import pytest

from customerhub.core import addresses as core
from customerhub.core.addresses import OwnedAddress
from customerhub.model.customer import Address
from tests.support.customers import new_address
from tests.support.desk import START, Desk, make_desk, shown
from tests.support.world import World


@pytest.fixture
async def desk(world: World) -> Desk:
    """A desk of the world's team."""
    return await make_desk(world)


async def walk(desk: Desk, limit: int, text: str | None = None) -> list[OwnedAddress]:
    """All addresses, page by page, after the way back has shown the same pages."""
    pages = [await core.walk_addresses(desk.hub, desk.caller, None, limit, text)]
    while (after := pages[-1].after) is not None:
        pages.append(await core.walk_addresses(desk.hub, desk.caller, after, limit, text))
    for page, following in pairwise(pages):
        assert following.before is not None
        back = await core.walk_addresses(desk.hub, desk.caller, following.before, limit, text)
        assert (back.items, back.after) == (page.items, page.after)
    assert pages[0].before is None
    return [owned for page in pages for owned in page.items]


async def test_all_addresses_stand_in_one_list(desk: Desk, other_world: World) -> None:
    """Newest first, of customers and of none, each once; not those of deleted customers, nor of other teams."""
    later = [START + timedelta(seconds=place // 3, microseconds=place % 2) for place in range(9)]
    made = [new_address(at, city="Oslo") for at in later]
    first = await desk.put(addresses=tuple(made[:5]))
    second = await desk.put(addresses=tuple(made[5:]))
    await desk.put(addresses=(new_address(START),), deleted_at=START)
    theirs = await make_desk(other_world)
    await theirs.put(addresses=(new_address(START),))
    await theirs.create(city="Oslo")
    alone = [shown(await desk.create(city="Oslo")) for _ in range(3)]
    owned = [OwnedAddress(address, (first if address in made[:5] else second).id, 1) for address in made]
    everything = sorted((*alone, *owned), key=lambda found: (found.address.created_at, found.address.id), reverse=True)
    for limit in (1, 4, 12, 100):
        assert await walk(desk, limit) == everything


async def test_a_part_of_an_address(desk: Desk) -> None:
    """Of its name and what is written on the parcel, ignoring case; no character stands for others."""
    lines: dict[str, Address] = {
        name: new_address(START + timedelta(seconds=place), **{name: f"a {name.upper()} 5%_"})
        for place, name in enumerate(("name", "line1", "line2", "city", "state", "postal_code", "country"))
    }
    others = (new_address(START, phone="a city 5%_"), new_address(START, email="city@x.example", first_name="city"))
    await desk.put(addresses=(*lines.values(), *others))
    for name, address in lines.items():
        assert [owned.address for owned in await walk(desk, 5, f" {name} ")] == [address]
    alone = shown(await desk.create(city="CITY")).address
    assert {owned.address.id for owned in await walk(desk, 1, "city")} == {alone.id, lines["city"].id}
    assert len(await walk(desk, 3, "5%_")) == 7
    for text in ("5%%", "5.", "cit_", "\\", "\0", "city\0", "city\nstate"):
        assert await walk(desk, 3, text) == []
