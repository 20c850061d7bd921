"""Read a team's catalogue as one snapshot and write its entries and users."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.answer import Caller
from customerhub.model.catalogue import DETAILS, Catalogue, CatalogueEntry, Details, Kind, TeamSettings, User
from customerhub.model.change import FieldChange
from customerhub.model.customer import Status, email_key, name_key
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("catalogue.sql")
_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode_settings = msgspec.json.Decoder(TeamSettings).decode


class _EntryRow(Struct):
    """An entry as JSON, its details still to be read by kind."""

    id: UUID
    kind: Kind
    name: str
    created_at: datetime
    updated_at: datetime
    created_by: UUID
    updated_by: UUID
    details: msgspec.Raw
    version: int
    reference_id: str | None
    description: str | None
    status: Status
    is_system: bool
    deleted_at: datetime | None

    def to_entry(self) -> CatalogueEntry:
        values = {field: getattr(self, field) for field in self.__struct_fields__}
        return CatalogueEntry(**(values | {"details": to_details(self.kind, bytes(self.details))}))


_decode_entry = msgspec.json.Decoder(_EntryRow).decode
_decode_entries = msgspec.json.Decoder(list[_EntryRow]).decode
_decode_users = msgspec.json.Decoder(list[User]).decode
_decode_limits = msgspec.json.Decoder(dict[UUID, str]).decode
_DETAILS = {kind: msgspec.json.Decoder(details) for kind, details in DETAILS.items()}


def to_details(kind: Kind, raw: bytes) -> Details:
    """The typed details of an entry; raises msgspec.ValidationError where they are of another kind."""
    details: Details = _DETAILS[kind].decode(raw)
    return details


async def get_snapshot(connection: Connection, team: UUID) -> Catalogue:
    """Everything that customers of a team refer to, at one moment."""
    row = await connection.fetchrow(QUERIES["get_snapshot"], team)
    if row is None:
        raise LookupError(team)
    return Catalogue(
        row[0],
        [entry.to_entry() for entry in _decode_entries(row[4])],
        _decode_users(row[5]),
        settings=_decode_settings(row[2]),
        team_name=row[1],
        team=team,
        team_created_at=row[3],
        rate_limits=_decode_limits(row[6]),
    )


async def insert_entry(connection: Connection, team: UUID, entry: CatalogueEntry) -> None:
    """Store a new entry. Raises asyncpg.UniqueViolationError."""
    await connection.execute(
        QUERIES["insert_entry"],
        team,
        entry.id,
        entry.kind,
        entry.name,
        entry.unique_key,
        entry.reference_id,
        entry.description,
        entry.status,
        entry.is_system,
        _encode(entry.details),
        entry.created_at,
        entry.created_by,
    )


async def update_entry(connection: Connection, team: UUID, entry: CatalogueEntry) -> bool:
    """Store the next version of an entry; False where somebody was faster, or deleted it.

    Raises asyncpg.UniqueViolationError.
    """
    version = await connection.fetchval(
        QUERIES["update_entry"],
        team,
        entry.id,
        entry.version - 1,
        entry.name,
        entry.unique_key,
        entry.reference_id,
        entry.description,
        entry.status,
        _encode(entry.details),
        entry.updated_at,
        entry.updated_by,
        entry.deleted_at,
    )
    return version is not None


async def insert_system_entries(
    connection: Connection, team: UUID, entries: Sequence[CatalogueEntry], at: datetime, actor: UUID
) -> int:
    """Store what comes with every team, but for names that the team has given already; how many were new."""
    rows = [
        {
            "id": entry.id,
            "kind": entry.kind,
            "name": entry.name,
            "unique_key": entry.unique_key,
            "details": entry.details,
        }
        for entry in entries
    ]
    return len(await connection.fetch(QUERIES["insert_system_entries"], team, at, actor, _encode(rows)))


async def list_teams_without_entries(
    connection: Connection, entries: Sequence[CatalogueEntry]
) -> list[tuple[UUID, str, datetime]]:
    """Id, name and birth of every team that lacks an entry by the name of one of these, by name."""
    kinds, keys = [entry.kind for entry in entries], [entry.unique_key for entry in entries]
    rows = await connection.fetch(QUERIES["list_teams_without_entries"], kinds, keys)
    return [(row[0], row[1], row[2]) for row in rows]


async def hold_entries(connection: Connection, team: UUID, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the entries that are not deleted, and are not until the transaction ends."""
    rows = await connection.fetch(QUERIES["hold_entries"], team, list(ids))
    return frozenset(row[0] for row in rows)


async def lock_entry(connection: Connection, team: UUID, entry_id: UUID) -> int | None:
    """Take an entry until the transaction ends; its version, or None where it is gone."""
    version = await connection.fetchval(QUERIES["lock_entry"], team, entry_id)
    return int(version) if version is not None else None


async def list_service_levels(connection: Connection, team: UUID, carrier: UUID) -> list[CatalogueEntry]:
    """A carrier's service levels as they stand, taken until the transaction ends."""
    rows = await connection.fetch(QUERIES["list_service_levels"], team, str(carrier))
    return [_decode_entry(row[0]).to_entry() for row in rows]


async def find_user_of_entry(connection: Connection, team: UUID, entry_id: UUID) -> str | None:
    """The kind of a live record that refers to an entry, None where nothing does."""
    found: str | None = await connection.fetchval(QUERIES["find_user_of_entry"], team, entry_id)
    return found


async def find_taken(connection: Connection, team: UUID, entry: CatalogueEntry) -> tuple[str, ...]:
    """The fields whose unique value another entry of the team and kind has."""
    row = await connection.fetchrow(
        QUERIES["find_taken"], team, entry.id, entry.kind, entry.unique_key, entry.reference_id
    )
    return tuple(field for field, taken in row.items() if taken) if row is not None else ()


async def drop_default_price_list(
    connection: Connection, team: UUID, keep: UUID, at: datetime, actor: UUID
) -> list[tuple[UUID, int]]:
    """Take the default mark off the team's other price lists; ids and new versions of those that had it."""
    rows = await connection.fetch(QUERIES["drop_default_price_list"], team, keep, at, actor)
    return [(row[0], row[1]) for row in rows]


async def insert_user(connection: Connection, team: UUID, user: User) -> None:
    """Store a new member of the team. Raises asyncpg.UniqueViolationError where a member has the email or username."""
    await connection.execute(
        QUERIES["insert_user"],
        team,
        user.id,
        user.login,
        user.email,
        email_key(user.email),
        user.first_name,
        user.last_name,
        user.phone,
        user.department,
        user.username,
        name_key(user.username) if user.username is not None else None,
        user.access_role,
        user.role,
        user.created_at,
        user.created_by,
    )


async def find_taken_user(connection: Connection, team: UUID, user: User) -> tuple[str, ...]:
    """The fields whose unique value somebody else has; an email address also where it signs in to another team."""
    row = await connection.fetchrow(
        QUERIES["find_taken_user"],
        team,
        email_key(user.email),
        name_key(user.username) if user.username is not None else None,
        user.login is not None,
    )
    return tuple(field for field, taken in row.items() if taken) if row is not None else ()


async def bump_catalogue(connection: Connection, team: UUID) -> None:
    """Tell every process, at its next request, that its snapshot of the team is old."""
    await connection.execute(QUERIES["bump"], team)


async def hold_team(connection: Connection, team: UUID) -> None:
    """Take the team until the transaction ends."""
    await connection.execute(QUERIES["hold_team"], team)


async def bump_settings(connection: Connection, team: UUID, at: datetime) -> None:
    """Give the settings of a team their next version: what is told with them was changed elsewhere."""
    await connection.execute(QUERIES["bump_settings"], team, at)


class AuditRow(Struct, frozen=True):
    """One thing that happened to something that is not a customer."""

    kind: str
    subject: UUID
    version: int
    at: datetime
    action: str
    request_id: str
    changes: tuple[FieldChange, ...]


async def insert_audit(connection: Connection, caller: Caller, row: AuditRow) -> None:
    """Store an audit row with the caller as its actor."""
    await connection.execute(
        QUERIES["insert_audit"],
        caller.team,
        row.kind,
        row.subject,
        row.version,
        row.at,
        row.action,
        caller.actor,
        caller.name,
        caller.credential,
        caller.dialect,
        row.request_id,
        _encode(row.changes),
    )
