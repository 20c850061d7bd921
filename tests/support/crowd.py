"""A crowd of customers with what a search looks at: names, towns and people as unevenly spread as real ones."""

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from customerhub.model.customer import Contact, Customer
from customerhub.model.search import to_search_text
from customerhub.store.db import Connection
from tests.support.customers import new_address, new_customer, put_customers

_SLICE = 20_000
_PARTS = 8
_COUNT_INDEXES = "select count(*) from pg_indexes where tablename like 'customer_search__' and indexdef like '% gin %'"
_KINDS = ["AS", "Ltd", "GmbH", "Inc", "Group", "Logistics", "Trading", "Foods", "Sport", "Textil", "Consulting", "Nord"]
_TOWNS = ["Oslo", "Bergen", "Tromsø", "Berlin", "New York", "San Francisco", "København", "Москва"]
_SYLLABLES = (
    "ba be bi bo da de di do fa fo ga ge go ha he hi ka ke ki ko la le li lo ma me mi mo na ne ni no pa pe po ra re ri "
    "ro sa se si so ta te ti to va ve vi nord ber sen lys vik hav fjord stein gard strand holm dal sund nes mar kon tek"
)


class Crowd:
    """Makes customers of teams, the same in each run but for their ids."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._random = random.Random(11)
        self._names = self._spread(self._words(30_000), 0.9)
        self._kinds = self._spread(_KINDS, 0.5)
        self._people = self._spread(self._words(5_000), 0.7)
        self._towns = self._spread([*_TOWNS, *self._words(500)], 0.8)
        self._domains = self._spread(["gmail.com", *(f"{word.lower()}.com" for word in self._words(30_000))], 0.6)

    def _words(self, number: int) -> list[str]:
        made: dict[str, None] = {}
        while len(made) < number:
            made[
                "".join(self._random.choices(_SYLLABLES.split(), k=self._random.choice((2, 3, 3, 4)))).capitalize()
            ] = None
        return list(made)

    def _spread(self, words: Sequence[str], steepness: float) -> Iterator[str]:
        """Words without end, the first ones the most often."""
        weights = list(itertools.accumulate((place + 1) ** -steepness for place in range(len(words))))
        while True:
            yield from self._random.choices(words, cum_weights=weights, k=1000)

    def make(self, team: UUID, number: int) -> Customer:
        """The customer of this number."""
        first, last = next(self._people), next(self._people)
        return new_customer(
            team,
            self._at,
            name=" ".join([*itertools.islice(self._names, 1 + number % 2), next(self._kinds)]),
            number=f"C{number:07}",
            reference_id=f"ERP-{number:07}",
            email=f"{first}.{last}{number % 997}@{next(self._domains)}".lower(),
            phone=f"+47 {self._random.randrange(10**8):08}",
            addresses=tuple(new_address(self._at, city=next(self._towns)) for _ in range(1 + number % 2)),
            contacts=(Contact(UUID(int=number), self._at, self._at, first_name=first, last_name=last),),
        )


async def put_found(connection: Connection, customers: Sequence[Customer]) -> None:
    """Store customers as they are, so that a search finds them."""
    await put_customers(connection, customers)
    texts = [(customer.team, customer.id, to_search_text(customer)) for customer in customers]
    await connection.copy_records_to_table("customer_search", records=texts, columns=("team", "customer", "text"))


async def put_crowd(connection: Connection, team: UUID, crowd: Crowd, first: int, last: int) -> None:
    """Store the customers of these numbers, the last one excluded."""
    for start in range(first, last, _SLICE):
        customers = [crowd.make(team, number) for number in range(start, min(start + _SLICE, last))]
        await put_found(connection, customers)


async def grow(connection: Connection, big: UUID, small: UUID, number: int) -> None:
    """A crowd of `number` in one team and of a thousand in another, in between; their index is made at the end."""
    crowd = Crowd(await connection.fetchval("select now()"))
    index = await connection.fetchval("select pg_get_indexdef('customer_search_text'::regclass)")
    await connection.execute("drop index customer_search_text")
    await put_crowd(connection, big, crowd, 0, number // 2)
    await put_crowd(connection, small, crowd, 0, 1000)
    await put_crowd(connection, big, crowd, number // 2, number)
    await connection.execute("set maintenance_work_mem = '256MB'")
    # As it is told it would be of the parent alone, and no part would have one.
    await connection.execute(index.replace(" ON ONLY ", " ON "), timeout=900)
    assert await connection.fetchval(_COUNT_INDEXES) == _PARTS
    await connection.execute("analyze customer", timeout=300)
    await connection.execute("vacuum (analyze) customer_search", timeout=300)
