"""Search customers by the texts that are written beside them, and write the texts that are missing."""

from collections.abc import Iterable
from uuid import UUID

from customerhub.model.customer import CUSTOMER_FIELDS, Customer, email_key
from customerhub.model.search import Wanted, to_search_text
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("search.sql")
# More matches than this are not looked for.
MOST_MATCHES = 1000
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_GET_FOUND = QUERIES["get_found"].format(columns=_COLUMNS)
_FIND_UNWRITTEN = QUERIES["find_unwritten"].format(columns=_COLUMNS)

# Texts by customer.
Texts = dict[UUID, str]
# What a text may have to be found: every part of any of them.
Choices = tuple[tuple[str, ...], ...]


async def search_customers(connection: Connection, team: UUID, wanted: Wanted, limit: int) -> tuple[Customer, ...]:
    """The team's live customers that answer best, equally good ones in the order of their names.

    Needs a transaction, whose plans it narrows.
    """
    best = await find_best(connection, team, wanted, limit)
    rows = await connection.fetch(_GET_FOUND, team, best)
    found = {customer.id: customer for customer in map(to_customer, rows)}
    return tuple(found[customer] for customer in best if customer in found)


async def find_best(connection: Connection, team: UUID, wanted: Wanted, limit: int) -> list[UUID]:
    """Their ids alone, which may be of customers that were deleted meanwhile."""
    keys = await _find_keys(connection, team, wanted.typed)
    await connection.execute(QUERIES["by_index"])
    texts = await _find_texts(connection, team, wanted) | keys
    ranked = sorted((0 if customer in keys else wanted.rank(text), text, customer) for customer, text in texts.items())
    return [customer for _, _, customer in ranked[: min(limit, MOST_MATCHES)]]


async def _find_keys(connection: Connection, team: UUID, typed: str) -> Texts:
    """By the whole number, reference or email address, which is found though thousands of others begin with it."""
    if not typed.isprintable():
        return {}
    spellings = list({typed, typed.upper(), typed.lower()})
    return dict(await connection.fetch(QUERIES["find_keys"], team, spellings, email_key(typed), MOST_MATCHES))


async def _find_texts(connection: Connection, team: UUID, wanted: Wanted) -> Texts:
    """By what stands in the texts, from the widest sense of what is wanted on until what is found is not too much."""
    found: Texts = {}
    for choices in _narrowing(wanted):
        more = await _find(connection, team, choices)
        found |= more
        if len(more) < MOST_MATCHES:
            break
    return found


def _narrowing(wanted: Wanted) -> Iterable[Choices]:
    """All that answers, then what has it as it stands, then what has it where a word begins; each once."""
    whole = tuple((needle.part,) for needle in wanted.whole)
    begins = tuple((needle.begins,) for needle in wanted.whole)
    if not wanted.words:
        return dict.fromkeys((whole, begins))
    words = tuple(needle.part for needle in wanted.words)
    # Whoever has it as it stands has all its words, but for a first one that is too short to be found inside of others.
    others = whole if wanted.words[0].inside is None else whole[1:]
    return dict.fromkeys(((words, *others), whole, begins))


async def _find(connection: Connection, team: UUID, choices: Choices) -> Texts:
    parameters: list[object] = [team, MOST_MATCHES]
    conditions: list[str] = []
    for parts in choices:
        first = len(parameters) + 1
        parameters += (f"%{part}%" for part in parts)
        places = range(first, first + len(parts))
        conditions.append(" and ".join(QUERIES["pattern"].format(f"${place}") for place in places))
    statement = QUERIES["find_texts"].format(patterns=" or ".join(f"({condition})" for condition in conditions))
    return dict(await connection.fetch(statement, *parameters))


async def forget_deleted(connection: Connection, team: UUID) -> None:
    """Take away texts of customers that are deleted."""
    await connection.execute(QUERIES["forget_deleted"], team)


async def write_missing(connection: Connection, team: UUID, after: UUID, limit: int) -> tuple[int, UUID]:
    """Write the next `limit` texts that are missing, by id: how many, and where to go on; needs a transaction."""
    customers = [to_customer(row) for row in await connection.fetch(_FIND_UNWRITTEN, team, after, limit)]
    if customers:
        ids, texts = [customer.id for customer in customers], [to_search_text(customer) for customer in customers]
        await connection.execute(QUERIES["insert_texts"], team, ids, texts)
        after = ids[-1]
    return len(customers), after
