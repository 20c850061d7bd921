"""Use cases of people who look through customers: a text, any filters and an order, page by page, in a bounded time."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.patience import Patience
from customerhub.core.search import find_best
from customerhub.model.answer import Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.store import browse as store
from customerhub.store.browse import ORDERS, BrowseOrder, CustomerFilter, Listing, Place, Stretch
from customerhub.store.db import Connection
from customerhub.store.search import MOST_MATCHES

__all__ = ["MOST_COUNTED", "MOST_MATCHES", "ORDERS", "BrowseOrder", "CustomerFilter", "Place", "Question", "Sight"]

MOST_COUNTED: Final = 10_000
"""So many customers are counted where nothing but the count would have to look at more of them."""
_NO_CATALOGUE: Final = Catalogue(0)


class Question(Struct, frozen=True):
    """What somebody wants to see: at most `limit` customers from a place of the list on, or of a page of it.

    Without an order what a text finds comes as well as it answers, anything else as it was changed last. Lists are
    walked by places; what a text or an address finds is so little that it has pages, counted from 1.
    """

    text: str = ""
    filter: CustomerFilter = CustomerFilter()
    order: BrowseOrder | None = None
    is_descending: bool = True
    place: Place | None = None
    page: int = 1
    limit: int = 50
    with_nested: bool = False


class Sight(Struct, frozen=True):
    """What there is to see.

    `total` is how many answer in all; where `is_more` there may be more. `looked` is among how many of the first of the
    list they were counted, None for all. `is_short`: the page stopped after as many customers as one page looks
    through, and `after` goes on from there. `before` and `after` are places, or numbers of pages.
    """

    customers: tuple[Customer, ...]
    catalogue: Catalogue
    total: int | None = None
    is_more: bool = False
    looked: int | None = None
    is_short: bool = False
    before: Place | int | None = None
    after: Place | int | None = None


async def look(hub: Hub, caller: Caller, question: Question) -> Sight:
    """A page of the team's live customers; raises Unauthenticated.

    No page costs more for how many customers there are: a text finds the best 1,000, filters are tried on a bounded
    number of customers at a time (`Listing.reach`, less where reading is slow), and counts stop as well.
    """
    sight = None
    async with hub.database.transaction(keep=False) as connection:
        await hub.get_standing(connection, caller)
        if question.text:
            found = await find_best(connection, caller.team, question.text)
            sight = await _look_among(connection, caller.team, question, found)
            sight = msgspec.structs.replace(sight, is_more=len(found) >= MOST_MATCHES)
        elif question.filter.address and question.page > 1:
            sight = await _look_at_address(connection, caller.team, question)
        if sight is None:
            sight = await _look_through(hub, connection, caller.team, question)
            # What very many have is soon found in the list itself, what few have in the index of addresses.
            if sight.is_short and question.filter.address and question.place is None:
                sight = await _look_at_address(connection, caller.team, question) or sight
        standing = await hub.get_standing(connection, caller)
        catalogue = await hub.catalogue(connection, caller.team, standing.catalogue_version)
    return msgspec.structs.replace(sight, catalogue=catalogue)


async def _look_at_address(connection: Connection, team: UUID, question: Question) -> Sight | None:
    """All that has the address, unless they are too many."""
    found = await store.find_at_address(connection, team, question.filter.address or {}, MOST_MATCHES + 1)
    return await _look_among(connection, team, question, found) if len(found) <= MOST_MATCHES else None


async def _look_among(connection: Connection, team: UUID, question: Question, candidates: Sequence[UUID]) -> Sight:
    is_ranked = question.order is None and bool(question.text)
    # Where nothing else is asked all of them answer, and only those that are shown need to be read.
    if not is_ranked or question.filter != CustomerFilter():
        chosen = await store.list_among(connection, team, _to_listing(question), candidates)
        answering = set(chosen)
        candidates = [customer for customer in candidates if customer in answering] if is_ranked else chosen
    pages = max(1, -(-len(candidates) // question.limit))
    page = min(question.page, pages)
    shown = candidates[(page - 1) * question.limit : page * question.limit]
    return Sight(
        await store.get_customers(connection, team, shown, with_nested=question.with_nested),
        _NO_CATALOGUE,
        total=len(candidates),
        before=page - 1 if page > 1 else None,
        after=page + 1 if page < pages else None,
    )


async def _look_through(hub: Hub, connection: Connection, team: UUID, question: Question) -> Sight:
    listing, place = _to_listing(question), question.place
    stretch, looked = await _look_ahead(hub, connection, team, listing, place, question.limit + 1)
    shown = stretch.places[: question.limit]
    is_full = len(stretch.places) > question.limit
    onward = shown[-1] if is_full else stretch.end
    back = (shown[0].turned(takes=False) if shown else place.turned(takes=True)) if place is not None else None
    is_backward = place is not None and place.is_backward
    ids = [one.id for one in (reversed(shown) if is_backward else shown)]
    sight = Sight(
        await store.get_customers(connection, team, ids, with_nested=question.with_nested),
        _NO_CATALOGUE,
        is_short=not is_full and stretch.end is not None,
        before=onward if is_backward else back,
        after=back if is_backward else onward,
    )
    if place is not None and not listing.is_plain:
        return sight
    if is_full or listing.is_plain:
        return await _with_count(hub, connection, team, listing, sight)
    # The page has looked through all that a count would.
    return msgspec.structs.replace(sight, total=len(shown), looked=looked if stretch.end is not None else None)


async def _look_ahead(
    hub: Hub, connection: Connection, team: UUID, listing: Listing, place: Place | None, limit: int
) -> tuple[Stretch, int]:
    """At most `limit` of the next customers that answer, and among how many they were found."""
    patience = Patience(hub)
    first = patience.first_of(listing.reach)
    stretch = await store.look_through(connection, team, listing, place, limit, first)
    if stretch.end is None or not patience.is_left:
        return stretch, first
    missing, further = limit - len(stretch.places), listing.reach - first
    rest = await store.look_through(connection, team, listing, stretch.end, missing, further)
    return Stretch((*stretch.places, *rest.places), rest.end), listing.reach


async def _with_count(hub: Hub, connection: Connection, team: UUID, listing: Listing, sight: Sight) -> Sight:
    if listing.is_plain:
        found, _ = await store.count(connection, team, listing, MOST_COUNTED + 1)
        return msgspec.structs.replace(sight, total=min(found, MOST_COUNTED), is_more=found > MOST_COUNTED)
    patience = Patience(hub)
    most = patience.first_of(listing.reach)
    found, looked = await store.count(connection, team, listing, most)
    if looked == most and patience.is_left:
        most = listing.reach
        found, looked = await store.count(connection, team, listing, most)
    return msgspec.structs.replace(sight, total=found, looked=most if looked == most else None)


def _to_listing(question: Question) -> Listing:
    return Listing(question.filter, question.order or "updated_at", question.is_descending)
