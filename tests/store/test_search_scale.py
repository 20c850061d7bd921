"""Search in a million customers of one team, and in a team of a thousand beside it: right, and by index."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from customerhub.embedded import Cluster
from customerhub.model.search import find_wanted, to_matches
from customerhub.store.db import Connection, connect
from customerhub.store.migrate import migrate
from customerhub.store.search import MOST_MATCHES, search_customers
from tests.support.crowd import grow
from tests.support.databases import empty_database
from tests.support.soak import sized

MANY = sized(20_000, 1_000_000)
IS_FULL = sized(False, True)
# The best of a few is what a search takes, and a look at every text.
ROUNDS = 10
SHOWN = 25
# What finds almost everybody, what finds nobody, what begins everywhere and what is rare; with words that are common,
# digits that are everywhere, signs, and letters of other scripts.
TEXTS = (
    *("a", "n", "o", "c", "4", "x", "ø", "м", "-", "0.", "+4"),
    *("os", "no", "as", "00", "c0", "@g", "мо"),
    *("com", "erp", "osl", "ord", "sen", "472", "--a", ".co", "скв"),
    *("oslo", "tromsø", "logistics", "gmail.com", "@gmail.com", "c0000123", "ERP-0000999", "+47 12 34", "zzyzx"),
    *("new york", "oslo as", "san f", "bergen sport", "as oslo", "ste str", "sport oslo inc", "norden nobody oslo"),
)
TEAM = "insert into team (id, name, name_key, created_at, updated_at) values ($1, $2, $2, now(), now())"
LOOK = "select customer from customer_search where strpos(text, 'ZZQX') > 0"
FIND = "select customer from customer_search where team = $1 and strpos(text, $2) > 0"


class Teams(NamedTuple):
    """A connection to a database of a test's own, with a big team and a small one."""

    connection: Connection
    big: UUID
    small: UUID


@pytest.fixture(scope="module")
async def teams(cluster: Cluster) -> AsyncIterator[Teams]:
    """Both teams, filled."""
    async with empty_database(cluster) as url:
        connection = await connect(url)
        await migrate(connection)
        made = Teams(connection, uuid4(), uuid4())
        for team in made[1:]:
            await connection.execute(TEAM, team, str(team))
        await grow(connection, made.big, made.small, MANY)
        yield made
        await connection.close()


async def find(connection: Connection, team: UUID, text: str, limit: int = SHOWN) -> list[UUID]:
    """Who is found, the best first; each of them answers."""
    wanted = find_wanted(text)
    assert wanted is not None
    async with connection.transaction():
        customers = await search_customers(connection, team, wanted, limit)
    assert all(to_matches(customer, wanted) for customer in customers)
    return [customer.id for customer in customers]


async def test_everybody_is_found_that_a_look_at_each_would_find(teams: Teams) -> None:
    """What the index finds is what reading every text finds, as far as that is not too many."""
    complete = 0
    for team in (teams.big, teams.small):
        for text in TEXTS:
            wanted = find_wanted(text)
            assert wanted is not None
            if wanted.words:
                continue
            expected = {
                row[0]
                for needle in wanted.whole
                for row in await teams.connection.fetch(FIND, team, needle.part, timeout=60)
            }
            found = set(await find(teams.connection, team, text, MOST_MATCHES))
            assert found <= expected
            assert len(found) == min(len(expected), MOST_MATCHES), text
            complete += len(expected) < MOST_MATCHES
    assert complete >= len(TEXTS) // 2


@pytest.mark.soak
@pytest.mark.skipif(not IS_FULL, reason="a few thousand texts are read as fast as an index is")
async def test_a_search_is_a_fraction_of_a_look_at_every_text(teams: Teams, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is typed, in the big team and in the small one, side by side with reading all texts."""
    whole = min([await take(teams.connection.fetch(LOOK, timeout=60)) for _ in range(ROUNDS)])
    taken = [
        (min([await take(find(teams.connection, team, text)) for _ in range(ROUNDS)]), text, name)
        for name, team in (("big", teams.big), ("small", teams.small))
        for text in TEXTS
    ]
    taken.sort()
    with capsys.disabled():
        slowest = ", ".join(
            f"{text!r} in the {name} team {seconds * 1000:.1f} ms" for seconds, text, name in taken[-5:]
        )
        median = taken[len(taken) // 2][0]
        sys.stdout.write(
            f"\nsearches in {MANY:,} customers: median {median * 1000:.1f} ms; slowest {slowest}; "
            f"a look at every text {whole * 1000:.0f} ms\n"
        )
    assert median < whole / 8
    assert [one for one in taken if one[0] >= whole / 2] == []


async def take(work: Awaitable[object]) -> float:
    """How many seconds it takes."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started
