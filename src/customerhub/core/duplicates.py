"""Use cases on duplicates: who may be one and the same customer, and why; and keys written where they are missing."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.patience import Patience
from customerhub.model.answer import Caller
from customerhub.model.duplicates import WEIGHTS, DuplicateKey, Match
from customerhub.model.error import NotFound
from customerhub.model.page import Position
from customerhub.store import duplicates as store
from customerhub.store.access import list_teams
from customerhub.store.db import Connection
from customerhub.store.duplicates import Summary

__all__ = [
    "Candidate",
    "Common",
    "Duplicates",
    "Group",
    "Groups",
    "Match",
    "Summary",
    "fill_duplicates",
    "find_duplicates",
    "get_summaries",
    "walk_alike",
    "walk_duplicates",
]

MOST_HOLDERS: Final = 100
"""What more customers than these have in common says little of any two: it is told with its count alone."""
MOST_COUNTED: Final = 1000
"""So far holders of one value are counted."""

_MOST_KEYS: Final = 20_000
_MOST_ALIKE: Final = 50_000
_FILL_SIZE: Final = 500
_BEFORE_ALL: Final = UUID(int=0)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DIGEST_BYTES: Final = 6


class Candidate(Struct, frozen=True):
    """A customer that may be the same as another one, with everything that says so."""

    customer: Summary
    matches: tuple[Match, ...]


class Common(Struct, frozen=True):
    """A value that very many customers have; `count` goes up to 1,000."""

    match: Match
    count: int


class Duplicates(Struct, frozen=True):
    """Who may be the same as one customer, the likeliest first, and what it shares with too many to name them."""

    candidates: tuple[Candidate, ...]
    common: tuple[Common, ...]


class Group(Struct, frozen=True):
    """Customers that share one value, in the order of their ids; where more than 100 do, none of them is named."""

    match: Match
    count: int
    customers: tuple[Summary, ...]


class Groups(Struct, frozen=True):
    """A piece of a team's groups; `after` leads to the next one, None at the end."""

    groups: tuple[Group, ...]
    after: Position | None


async def find_duplicates(hub: Hub, caller: Caller, customer_id: UUID | None) -> Duplicates:
    """Who may be the same customer as this one. Raises Unauthenticated and NotFound."""
    if customer_id is None:
        raise NotFound("customer", "")
    team = caller.team
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        if not await store.get_summaries(connection, team, [customer_id]):
            raise NotFound("customer", str(customer_id))
        shared = await store.list_shared(connection, team, customer_id, MOST_HOLDERS + 1)
        crowded = sorted(key for key, others in shared.items() if len(others) > MOST_HOLDERS)
        counts = await store.list_holders(connection, team, crowded, MOST_COUNTED)
        found: dict[UUID, list[Match]] = {}
        for key in sorted(shared.keys() - set(crowded), key=_strength):
            for other in shared[key]:
                found.setdefault(other, []).append(Match(key.kind, key.key))
        customers = await store.get_summaries(connection, team, found)
    candidates = [Candidate(customers[other], tuple(matches)) for other, matches in found.items() if other in customers]
    candidates.sort(key=lambda one: (-_score(one), one.customer.name, one.customer.id))
    common = (Common(Match(*key), len(holders)) for key, holders in zip(crowded, counts, strict=True))
    return Duplicates(tuple(candidates), tuple(common))


async def get_summaries(hub: Hub, caller: Caller, customer_ids: Collection[UUID]) -> dict[UUID, Summary]:
    """The live ones of these customers at a glance, by id; raises Unauthenticated."""
    if not customer_ids:
        return {}
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.get_summaries(connection, caller.team, customer_ids)


def _strength(key: DuplicateKey) -> tuple[int, DuplicateKey]:
    return -WEIGHTS[key.kind], key


def _score(candidate: Candidate) -> int:
    """Several addresses at one place say no more than one."""
    return sum(WEIGHTS[reason] for reason in {match.reason for match in candidate.matches})


async def walk_duplicates(hub: Hub, caller: Caller, position: Position | None, limit: int) -> Groups:
    """At most `limit` groups of the team's customers that share a value, from a position on. Raises Unauthenticated.

    Each stands at the first of its customers by id. So many customers are looked through at once as take a bounded
    time: a piece may hold fewer groups, or none, though others follow.
    """
    team, first = caller.team, position.id if position is not None else _BEFORE_ALL
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        rows, end = await store.list_groups(connection, team, first, _MOST_KEYS)
        places = sorted((_to_position(customer, key), key) for customer, key in rows)
        ahead = [(place, key) for place, key in places if position is None or place > _to_place(position)]
        keys = [key for _, key in ahead[:limit]]
        holders = await store.list_holders(connection, team, keys, MOST_COUNTED)
        named = [group if len(group) <= MOST_HOLDERS else [] for group in holders]
        customers = await store.get_summaries(connection, team, {one for group in named for one in group})
    groups = (
        Group(Match(*key), len(group), tuple(customers[one] for one in shown if one in customers))
        for key, group, shown in zip(keys, holders, named, strict=True)
    )
    after = None
    if len(ahead) > limit:
        after = _from_place(ahead[limit - 1][0])
    elif end is not None:
        after = Position(_FIRST, end)
    return Groups(tuple(group for group in groups if group.count > 1), after)


async def walk_alike(hub: Hub, caller: Caller, position: Position | None, limit: int) -> Groups:
    """The same groups in the order of what is shared, which is told ten times faster: all of one kind together.

    A position is at a group by one of its customers. Where that one has the value no more (it was merged, say), the
    walk begins anew: what stood before is settled then, or worth another look. Raises Unauthenticated.
    """
    team = caller.team
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        start = await _find_key(connection, team, position)
        found, end = await _list_alike(hub, connection, team, start, limit)
        # Of the key at which the piece ends some entries may lie behind it.
        known = list(dict.fromkeys((*found, end))) if end is not None else found
        keys, end = known[:limit], known[limit - 1] if len(known) > limit else end
        holders = dict(zip(keys, await store.list_holders(connection, team, keys, MOST_COUNTED), strict=True))
        named = {key: holders[key] if len(holders[key]) <= MOST_HOLDERS else [] for key in keys}
        customers = await store.get_summaries(connection, team, {one for group in named.values() for one in group})
    groups = (
        Group(Match(*key), len(holders[key]), tuple(customers[one] for one in shown if one in customers))
        for key, shown in named.items()
    )
    after = _from_place(_to_position(holders[end][0], end)) if end is not None and holders[end] else None
    return Groups(tuple(group for group in groups if group.count > 1), after)


async def _list_alike(
    hub: Hub, connection: Connection, team: UUID, start: DuplicateKey, limit: int
) -> tuple[list[DuplicateKey], DuplicateKey | None]:
    """The next shared keys, more than `limit` if there are so many near, and the one at which the look ended.

    One of them, where a second look began, may be of one customer alone.
    """
    patience = Patience(hub)
    first = patience.first_of(_MOST_ALIKE)
    found, end = await store.list_alike(connection, team, start, first)
    if end is None or len(found) > limit or not patience.is_left:
        return found, end
    more, last = await store.list_alike(connection, team, end, _MOST_ALIKE - first)
    return [*found, end, *more], last


async def _find_key(connection: Connection, team: UUID, position: Position | None) -> DuplicateKey:
    """The key of a position, by a customer that has it; before all where there is none, or it has it no more."""
    if position is not None:
        for key in await store.list_own(connection, team, position.id):
            if _to_position(position.id, key) == _to_place(position):
                return key
    return DuplicateKey("email", "")


def _to_position(customer_id: UUID, key: DuplicateKey) -> tuple[UUID, int]:
    """Where a group stands: at a customer, and there by a number that tells nothing of what is shared."""
    digest = sha256("\n".join(key).encode()).digest()
    return customer_id, 1 + int.from_bytes(digest[:_DIGEST_BYTES])


def _to_place(position: Position) -> tuple[UUID, int]:
    return position.id, (position.at - _FIRST) // timedelta(microseconds=1)


def _from_place(place: tuple[UUID, int]) -> Position:
    return Position(_FIRST + timedelta(microseconds=place[1]), place[0])


async def fill_duplicates(connection: Connection) -> int:
    """Let every live customer have its keys, and no deleted one; how many had others.

    For databases that had customers before there were keys, or keys that numbers of phones were made into by older
    rules. Writers may go on meanwhile; reads every customer.
    """
    written = 0
    for team in [one.id for one in await list_teams(connection)]:
        await store.forget_deleted(connection, team)
        after: UUID | None = _BEFORE_ALL
        while after is not None:
            count, after = await store.mend_keys(connection, team, after, _FILL_SIZE)
            written += count
    return written
