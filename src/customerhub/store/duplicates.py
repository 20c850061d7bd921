"""Find customers that have something in common by the keys beside them, and write the keys that are missing."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, Customer, Status
from customerhub.model.duplicates import DuplicateKey, to_duplicate_keys
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("duplicates.sql")
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_LIST_PAGE = QUERIES["list_page"].format(columns=_COLUMNS)
_HOLD = QUERIES["hold"].format(columns=_COLUMNS)
_BEHIND_ALL: Final = UUID(int=(1 << 128) - 1)


class Summary(Struct, frozen=True):
    """What tells a customer from others at a glance."""

    id: UUID
    name: str
    number: str
    reference_id: str | None
    email: str | None
    phone: str | None
    status: Status


async def list_shared(
    connection: Connection, team: UUID, customer_id: UUID, most: int
) -> dict[DuplicateKey, set[UUID]]:
    """Whoever has a key in common with a customer, at most so many of each key."""
    found: dict[DuplicateKey, set[UUID]] = {}
    for kind, key, other in await connection.fetch(QUERIES["list_shared"], team, customer_id, most):
        found.setdefault(DuplicateKey(kind, key), set()).add(other)
    return found


async def list_holders(connection: Connection, team: UUID, keys: Sequence[DuplicateKey], most: int) -> list[list[UUID]]:
    """Of each key whoever has it, in the order of their ids, at most so many."""
    kinds, texts = [key.kind for key in keys], [key.key for key in keys]
    holders: list[list[UUID]] = [[] for _ in keys]
    for place, customer in await connection.fetch(QUERIES["list_holders"], team, kinds, texts, most):
        holders[place - 1].append(customer)
    return holders


async def list_groups(
    connection: Connection, team: UUID, first: UUID, most_keys: int
) -> tuple[list[tuple[UUID, DuplicateKey]], UUID | None]:
    """Keys that several have, each by the first of these, of customers from `first` on; and at whom to go on.

    So many customers are looked through as have `most_keys` keys, whatever is found.
    """
    end: UUID | None = await connection.fetchval(QUERIES["find_end"], team, first, most_keys)
    rows = await connection.fetch(QUERIES["list_groups"], team, first, end or _BEHIND_ALL)
    return [(row[0], DuplicateKey(row[1], row[2])) for row in rows], end


async def list_alike(
    connection: Connection, team: UUID, after: DuplicateKey, most: int
) -> tuple[list[DuplicateKey], DuplicateKey | None]:
    """Keys that several customers have, of `most` entries behind a key, in order; and the key at which these end.

    Whether several have that one is not known. In the order of keys this takes a tenth of the time that the order of
    customers takes.
    """
    end = await connection.fetchrow(QUERIES["find_end_key"].format(most=most), team, *after)
    rows = await connection.fetch(QUERIES["list_alike"].format(most=most), team, *after)
    found = [DuplicateKey(kind, key) for kind, key in rows]
    return found, DuplicateKey(end[0], end[1]) if end is not None else None


async def list_own(connection: Connection, team: UUID, customer: UUID) -> list[DuplicateKey]:
    """The keys of a customer."""
    rows = await connection.fetch(QUERIES["list_keys"], team, [customer])
    return [DuplicateKey(kind, key) for _, kind, key in rows]


async def get_summaries(connection: Connection, team: UUID, customer_ids: Collection[UUID]) -> dict[UUID, Summary]:
    """The live ones of these customers, by id."""
    rows = await connection.fetch(QUERIES["get_summaries"], team, list(customer_ids))
    return {row[0]: Summary(*row) for row in rows}


async def forget_deleted(connection: Connection, team: UUID) -> None:
    """Take away keys of customers that are deleted."""
    await connection.execute(QUERIES["forget_deleted"], team)


async def mend_keys(connection: Connection, team: UUID, after: UUID, limit: int) -> tuple[int, UUID | None]:
    """Write the keys of the next `limit` customers that have not those that they should, by id.

    How many there were, and where to go on; None at the end. Only those are held meanwhile, by a transaction.
    """
    customers = [to_customer(row) for row in await connection.fetch(_LIST_PAGE, team, after, limit)]
    wrong = await _find_wrong(connection, team, customers)
    if wrong:
        async with connection.transaction():
            held = [to_customer(row) for row in await connection.fetch(_HOLD, team, [one.id for one in wrong])]
            wrong = await _find_wrong(connection, team, held)
            await _write(connection, team, wrong)
    return len(wrong), customers[-1].id if len(customers) == limit else None


async def _find_wrong(connection: Connection, team: UUID, customers: Sequence[Customer]) -> list[Customer]:
    present: dict[UUID, set[DuplicateKey]] = {customer.id: set() for customer in customers}
    for customer, kind, key in await connection.fetch(QUERIES["list_keys"], team, list(present)):
        present[customer].add(DuplicateKey(kind, key))
    return [customer for customer in customers if present[customer.id] != to_duplicate_keys(customer)]


async def _write(connection: Connection, team: UUID, customers: Iterable[Customer]) -> None:
    ids = [customer.id for customer in customers]
    rows = [(customer.id, *key) for customer in customers for key in sorted(to_duplicate_keys(customer))]
    await connection.execute(QUERIES["delete_keys"], team, ids)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    await connection.execute(QUERIES["insert_keys"], team, *columns)
