"""Use cases on what customers refer to: create and update an entry of any kind."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, CatalogueEntry, Details, Kind, NoDetails, PriceListDetails
from customerhub.model.change import FieldChange
from customerhub.model.customer import Status
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound, Taken
from customerhub.store import catalogue as store

Value = TypeVar("Value")


class EntryValues(Struct, frozen=True):
    """All that a caller decides of an entry."""

    name: str
    reference_id: str | None = None
    description: str | None = None
    status: Status = "active"
    details: Details = NoDetails()


class EntryProposal(Struct, frozen=True):
    """What a door makes of a request for an entry: its values, and the errors it found, with its own paths."""

    values: EntryValues
    errors: tuple[FieldError, ...] = ()


def values_of(entry: CatalogueEntry) -> EntryValues:
    """What a caller has decided of an entry so far."""
    return EntryValues(entry.name, entry.reference_id, entry.description, entry.status, entry.details)


async def create_entry(
    hub: Hub,
    command: Command,
    kind: Kind,
    decide: Callable[[Catalogue], EntryProposal],
    render: Callable[[CatalogueEntry], Answer],
) -> Answer:
    """Make an entry. Raises Invalid, Taken (`name` or `reference_id`) and what every guarded write raises."""

    async def work(scene: Work) -> Done | None:
        check_precondition(command.guards, None, is_required=False)
        values = _checked(decide(scene.catalogue))
        moment = hub.moment(command.caller)
        entry = CatalogueEntry(
            id=hub.new_id(),
            kind=kind,
            name=values.name,
            created_at=moment.now,
            updated_at=moment.now,
            created_by=moment.actor,
            updated_by=moment.actor,
            details=values.details,
            reference_id=values.reference_id,
            description=values.description,
            status=values.status,
        )
        await _keep_one_default(hub, command, scene, entry)
        try:
            async with scene.connection.transaction():
                await store.insert_entry(scene.connection, command.caller.team, entry)
        except asyncpg.UniqueViolationError as error:
            await _check_taken(command, scene, entry, error)
            return None
        await _record(command, scene, entry, "created", (FieldChange("", None, entry),))
        return Done(render(entry))

    return await write_guarded(hub, command, work)


async def update_entry(
    hub: Hub,
    command: Command,
    kind: Kind,
    entry_id: UUID | None,
    decide: Callable[[CatalogueEntry, Catalogue], EntryProposal],
    render: Callable[[CatalogueEntry], Answer],
) -> Answer:
    """Change an entry; nothing is written where nothing differs. Raises NotFound and what `create_entry` raises."""

    async def work(scene: Work) -> Done | None:
        before = scene.catalogue.find_entry(kind, entry_id)
        if before is None:
            raise NotFound(kind, str(entry_id))
        check_precondition(command.guards, before.version, is_required=scene.requires_precondition)
        if before.is_system:
            raise Conflict("entries that come with every team cannot be changed")
        values = _checked(decide(before, scene.catalogue))
        if values == values_of(before):
            return Done(render(before))
        moment = hub.moment(command.caller)
        entry = msgspec.structs.replace(
            before,
            **{field: getattr(values, field) for field in values.__struct_fields__},
            version=before.version + 1,
            updated_at=max(moment.now, before.updated_at),
            updated_by=moment.actor,
        )
        await _keep_one_default(hub, command, scene, entry)
        try:
            async with scene.connection.transaction():
                is_written = await store.update_entry(scene.connection, command.caller.team, entry)
        except asyncpg.UniqueViolationError as error:
            await _check_taken(command, scene, entry, error)
            return None
        if not is_written:
            return None
        await _record(command, scene, entry, "updated", _differences(values_of(before), values))
        return Done(render(entry))

    return await write_guarded(hub, command, work)


def _checked(proposal: EntryProposal) -> EntryValues:
    if proposal.errors:
        raise Invalid(proposal.errors)
    return proposal.values


async def _check_taken(command: Command, scene: Work, entry: CatalogueEntry, error: Exception) -> None:
    """Raise Taken for what the index refused; return where it was only a race that the next attempt settles."""
    fields = await store.find_taken(scene.connection, command.caller.team, entry)
    if fields:
        reason = "belongs to another entry of this team"
        raise Taken(tuple(FieldError((field,), f"{field}_taken", reason) for field in fields)) from error


def _differences(before: EntryValues, after: EntryValues) -> tuple[FieldChange, ...]:
    pairs = ((field, getattr(before, field), getattr(after, field)) for field in after.__struct_fields__)
    return tuple(FieldChange(f"/{field}", old, new) for field, old, new in pairs if old != new)


async def _keep_one_default(hub: Hub, command: Command, scene: Work, entry: CatalogueEntry) -> None:
    """A new default price list takes the mark from the one that had it."""
    if not isinstance(entry.details, PriceListDetails) or not entry.details.is_default or entry.status != "active":
        return
    team, now = command.caller.team, hub.now()
    dropped = await store.drop_default_price_list(scene.connection, team, entry.id, now, command.caller.actor)
    change = (FieldChange("/details/is_default", old=True, new=False),)
    for other, version in dropped:
        row = store.AuditRow("price_list", other, version, now, "updated", command.request_id, change)
        await store.insert_audit(scene.connection, command.caller, row)


async def _record(
    command: Command, scene: Work, entry: CatalogueEntry, action: str, changes: tuple[FieldChange, ...]
) -> None:
    row = store.AuditRow(entry.kind, entry.id, entry.version, entry.updated_at, action, command.request_id, changes)
    await store.insert_audit(scene.connection, command.caller, row)
    await store.bump_catalogue(scene.connection, command.caller.team)
