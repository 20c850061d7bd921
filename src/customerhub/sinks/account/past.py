"""What a customer was since a version: its states, found by going back over its history."""

from collections.abc import Iterator, Sequence
from typing import Final

from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.history import HistoryEntry
from customerhub.model.replay import Stamp, follow
from customerhub.store.db import Connection
from customerhub.store.timeline import list_versions

_MOST_VERSIONS: Final = 200
# What no account gets; custom values stand inside addresses too.
_UNTOLD: Final = ("/contacts", "/attributes", "/primary_contact")
_INSIDE: Final = "/attributes"


async def list_former(connection: Connection, customer: Customer, since: int) -> tuple[Customer, ...]:
    """The record as it was from version `since` on, the newest first, without the newest itself; 200 at most.

    Contacts and custom values in them are those of now. What is not in the history any more is left out.
    """
    first = max(since, customer.version - _MOST_VERSIONS) + 1
    entries = await list_versions(connection, customer.team, customer.id, first, customer.version)
    return tuple(_go_back(customer, entries))


def _go_back(customer: Customer, entries: Sequence[HistoryEntry]) -> Iterator[Customer]:
    for entry in reversed(entries):
        if entry.version != customer.version or any(not change.path or change.erased for change in entry.changes):
            return
        undone = [
            FieldChange(change.path, change.new, change.old)
            for change in reversed(entry.changes)
            if not change.path.startswith(_UNTOLD) and _INSIDE not in change.path
        ]
        customer = follow(customer, undone, Stamp(entry.version - 1, entry.at, entry.actor))
        yield customer
