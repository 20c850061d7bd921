"""Two hubs that keep each other: edits on both sides settle, without a loop, and both are equal then."""

from pathlib import Path

import pytest

from customerhub.embedded import Cluster
from customerhub.model.base32 import from_base32
from customerhub.web.remote import Values
from tests.support.accounts import FORMS
from tests.support.soak import sized
from tests.support.twins import Side, edit_on_both, is_settled, synced, two_hubs, wait_until_settled

# Each edit makes a version here and, told, one over there for each request that it takes: one, or three where each of
# two addresses takes one of its own. A told version that meets an edit is told once more.
MOST_VERSIONS = {1: 3, 3: 5}
REQUESTS = {"augno": 3, "count": 1}
CUSTOMERS = 6
EDITS = sized(40, 500)
# What meets other writes for too long is told again after half a minute.
SETTLE_SECONDS = sized(150, 300)


def portable(values: Values) -> Values:
    """Without the fields that have no value; one side may have such and the other lack them."""
    return {name: value for name, value in values.items() if value is not None}


def to_customer(external_id: str) -> str:
    """The customer that a record's id on the wire names."""
    return str(from_base32(external_id.rpartition("_")[2]) or external_id)


async def check_equal(sides: tuple[Side, Side]) -> None:
    """Both have the same customers, each linked to the other's, with the same portable values."""
    ours, theirs = [await side.values() for side in sides]
    links, back = [await side.links() for side in sides]
    assert {customer: to_customer(external) for customer, external in links.items()} == {
        to_customer(external): customer for customer, external in back.items()
    }
    assert links.keys() == ours.keys()
    assert back.keys() == theirs.keys()
    assert {customer: portable(values) for customer, values in ours.items()} == {
        to_customer(back[customer]): portable(values) for customer, values in theirs.items()
    }


@pytest.mark.soak
@pytest.mark.skipif(not {"augno", "count"}.issubset(FORMS), reason="the dialects are not installed")
async def test_two_hubs_settle_equal(cluster: Cluster, tmp_path: Path) -> None:
    """Random edits on both sides at once, through two dialects both ways: nothing waits, nothing goes round."""
    async with two_hubs(cluster, tmp_path) as twins:
        for form, requests in REQUESTS.items():
            async with synced(twins, form) as sides:
                for number in range(CUSTOMERS):
                    await sides[number % 2].create()
                await edit_on_both(sides, EDITS, seed=7)

                await wait_until_settled(sides, SETTLE_SECONDS)

                await check_equal(sides)
                versions = [await side.count_versions() for side in sides]
                assert sum(versions) <= MOST_VERSIONS[requests] * (EDITS + CUSTOMERS), versions
                before = versions
                assert await is_settled(twins)
                assert [await side.count_versions() for side in sides] == before
