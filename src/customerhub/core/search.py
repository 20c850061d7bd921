"""Use cases of search: find customers by a few characters, and write what search needs where it is missing."""

from uuid import UUID

from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.customer import Status
from customerhub.model.search import find_wanted, to_matches
from customerhub.store import search as store
from customerhub.store.access import list_teams
from customerhub.store.db import Connection

_FILL_SIZE = 500
_BEFORE_ALL = UUID(int=0)


class Found(Struct, frozen=True):
    """A customer that a search found; `matched` says where, as paths of the history (`/name`, `/contacts/<id>`)."""

    id: UUID
    name: str
    number: str
    reference_id: str | None
    email: str | None
    phone: str | None
    status: Status
    matched: tuple[str, ...]


async def search_customers(hub: Hub, caller: Caller, text: str, limit: int) -> tuple[Found, ...]:
    """The best `limit` (1,000 at most) of the team's live customers for a text. Raises Unauthenticated.

    Looked through are name, number, reference, email, the digits of the phone, names of contacts and cities of
    addresses, ignoring case: for the beginning of a word, and from three characters on for any part. No character is a
    wildcard; of a text the first 60 characters count. Where it stands nowhere as it is, its words may stand apart.

    Whole numbers, references and email addresses come first, then beginnings of words, then other parts, then words
    that stand apart; each of these in the order of names. Where more than 1,000 match, some of each kind are left out.
    """
    async with hub.database.transaction(keep=False) as connection:
        await hub.get_standing(connection, caller)
        wanted = find_wanted(text)
        customers = await store.search_customers(connection, caller.team, wanted, limit) if wanted is not None else ()
    return tuple(
        Found(
            id=customer.id,
            name=customer.name,
            number=customer.number,
            reference_id=customer.reference_id,
            email=customer.email,
            phone=customer.phone,
            status=customer.status,
            matched=matched,
        )
        for customer in customers
        if wanted is not None and (matched := to_matches(customer, wanted))
    )


async def find_best(connection: Connection, team: UUID, text: str) -> list[UUID]:
    """The ids of all that `search_customers` could find, the best first.

    Needs a transaction, whose plans it narrows.
    """
    wanted = find_wanted(text)
    return await store.find_best(connection, team, wanted, store.MOST_MATCHES) if wanted is not None else []


async def fill_search(connection: Connection) -> int:
    """Let every live customer be found, and no deleted one; how many could not be found.

    For databases that had customers before they had a search. Writers may go on meanwhile; reads every customer.
    """
    written = 0
    for team in [one.id for one in await list_teams(connection)]:
        await store.forget_deleted(connection, team)
        after, count = _BEFORE_ALL, 1
        while count:
            async with connection.transaction():
                count, after = await store.write_missing(connection, team, after, _FILL_SIZE)
            written += count
    return written
