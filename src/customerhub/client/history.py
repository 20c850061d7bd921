"""What happened to customers: versions of one, and the feed of a team."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from customerhub.client.records import Json


class Actor(Struct, frozen=True, kw_only=True):
    """Who did something."""

    id: UUID
    name: str


class FieldChange(Struct, frozen=True, kw_only=True):
    """One value that changed; `path` is a JSON Pointer, entries of lists stand in it by their ids.

    `erased`: what it was is not kept any more.
    """

    path: str
    old: Json = None
    new: Json = None
    erased: bool = False


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """How a customer came to a version."""

    version: int
    at: datetime
    actor: Actor
    dialect: str
    request_id: str
    action: str
    changes: tuple[FieldChange, ...] = ()
    ignored: tuple[str, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """One change in the team's feed; whoever keeps `position` goes on behind it."""

    position: int
    customer: UUID
    version: int
    at: datetime
    action: str
    actor: Actor
    dialect: str
    request_id: str
    changes: tuple[FieldChange, ...] = ()
