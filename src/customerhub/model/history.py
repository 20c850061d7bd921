"""What a customer's history is made of: one entry for each version that was committed."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from customerhub.model.change import FieldChange


class HistoryEntry(Struct, frozen=True):
    """One version of one customer: who made it, when, through which door, and what it changed.

    Values in `changes` are JSON as it is kept (ids and times as text). `actor` is the person behind the credential, or
    the credential itself; `actor_name` is the credential's name. `ignored` are members of the request that its
    contract ignores.
    """

    customer: UUID
    version: int
    at: datetime
    action: str
    actor: UUID
    actor_name: str
    credential: UUID
    dialect: str
    request_id: str
    changes: tuple[FieldChange, ...]
    ignored: tuple[str, ...] = ()


class HistoryFilter(Struct, frozen=True):
    """Which entries; None does not filter. Times are included at both ends.

    `paths` are JSON Pointers as the entries have them (`/name`, `/addresses/<id>/city`): an entry is found that changed
    any of them, something inside or something around it. The whole record of a first version is around everything.
    """

    actor: UUID | None = None
    dialect: str | None = None
    paths: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


class FeedEntry(Struct, frozen=True):
    """One change of a team's feed at its position: 1 for the first, without gaps."""

    position: int
    entry: HistoryEntry


class Feed(Struct, frozen=True):
    """A piece of a team's feed, the oldest first; `next` is the position to go on after."""

    entries: tuple[FeedEntry, ...]
    next: int
