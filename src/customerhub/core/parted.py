"""Values of an erased customer in the histories of others: it had gone into them, and was taken out again."""

from collections.abc import Sequence
from uuid import UUID

from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.erasure import Marks, find_marks, speaks_of, to_change, without_values
from customerhub.model.error import HistoryGone
from customerhub.model.history import HistoryEntry
from customerhub.model.replay import replay
from customerhub.store import erasure as store
from customerhub.store.db import Connection


async def erase_in_others(connection: Connection, team: UUID, customers: frozenset[UUID], marks: Marks) -> None:
    """Take the values out of the versions that others had of them.

    What was their own, before or now, stays. The last version that is touched holds the whole record afterwards, so
    that all later ones can still be read; those between are gone (HistoryGone).
    """
    for other, first in (await _find_linked(connection, team, customers)).items():
        entries = await store.hold_versions(connection, team, other)
        present = await store.get_records(connection, team, (other,))
        own = find_marks((*map(to_change, present), *_changes(entries, below=first)))
        strange = marks.without(own)
        touched = [
            entry
            for entry in entries
            if entry.version >= first and any(speaks_of(one, strange) for one in entry.changes)
        ]
        for entry in touched:
            changes = tuple(without_values(one) if speaks_of(one, strange) else one for one in entry.changes)
            if entry is touched[-1]:
                changes = (*_whole(entries, entry.version, strange), *changes)
            await store.set_changes(connection, team, other, entry.version, changes)


async def _find_linked(connection: Connection, team: UUID, customers: frozenset[UUID]) -> dict[UUID, int]:
    """All that had any of these taken in, also by way of others, with the version of each from which on."""
    linked: dict[UUID, int] = {}
    news = customers
    while news:
        found = await store.list_linked(connection, team, news)
        news = frozenset(found) - customers - linked.keys()
        linked |= {other: first for other, first in found.items() if other in news}
    return linked


def _changes(entries: Sequence[HistoryEntry], *, below: int) -> list[FieldChange]:
    return [change for entry in entries if entry.version < below for change in entry.changes]


def _whole(entries: Sequence[HistoryEntry], version: int, strange: Marks) -> tuple[FieldChange, ...]:
    """The whole record at a version, unless it cannot be known or has the values itself."""
    try:
        customer: Customer = replay([entry for entry in entries if entry.version <= version])
    except HistoryGone:
        return ()
    change = FieldChange("", None, customer)
    return () if speaks_of(to_change(customer), strange) else (change,)
