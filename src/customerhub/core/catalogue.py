"""Use cases on what customers refer to: get, create, update and delete an entry of any kind.

What is deleted stays in its table, so that foreign keys hold and customers that have it show it. An entry that
others begin to refer to is held for that moment, and one that is deleted is taken whole, so that of both at once one
sees the other.
"""

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, look_again, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.lists import get_catalogue
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import (
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
)
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import Status
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound, Path, Taken
from customerhub.store import catalogue as store

_SYSTEM = "entries that come with every team cannot be changed"
_USERS = {
    "customer": "a customer refers to it",
    "shipping_term": "a shipping term refers to it",
    "user": "a user has it",
    "credential": "a credential has it",
}


class EntryValues(Struct, frozen=True):
    """All that a caller decides of an entry."""

    name: str
    reference_id: str | None = None
    description: str | None = None
    status: Status = "active"
    details: Details = NoDetails()


class EntryProposal(Struct, frozen=True):
    """What a door makes of a request for an entry: its values, and the errors it found, with its own paths.

    `names` are its words for `name` and `reference_id` where these must be unique and its own differ.
    """

    values: EntryValues
    errors: tuple[FieldError, ...] = ()
    names: Mapping[str, str] = {}


def values_of(entry: CatalogueEntry) -> EntryValues:
    """What a caller has decided of an entry so far."""
    return EntryValues(entry.name, entry.reference_id, entry.description, entry.status, entry.details)


async def get_entry(hub: Hub, caller: Caller, kind: Kind, entry_id: UUID | None) -> tuple[CatalogueEntry, Catalogue]:
    """An entry that is not deleted, with the catalogue it stands in; raises Unauthenticated, NotFound."""
    catalogue = await get_catalogue(hub, caller)
    return _get_live(catalogue, kind, entry_id), catalogue


async def create_entry(
    hub: Hub,
    command: Command,
    kind: Kind,
    decide: Callable[[Catalogue], EntryProposal],
    render: Callable[[CatalogueEntry], Answer],
) -> Answer:
    """Make an entry. Raises Invalid, Taken (`name` or `reference_id`) and what every guarded write raises.

    What its details refer to is the door's to check; where that is deleted at this very moment `decide` is asked again.
    """

    async def work(scene: Work) -> Done | None:
        check_precondition(command.guards, None, is_required=False)
        scene = await _enter(hub, command, scene, kind)
        proposal = decide(scene.catalogue)
        values = _checked(proposal)
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
        if not await _hold_references(command, scene, NoDetails(), entry.details):
            return None
        await _keep_one_default(hub, command, scene, entry)
        try:
            async with scene.connection.transaction():
                await store.insert_entry(scene.connection, command.caller.team, entry)
        except asyncpg.UniqueViolationError as error:
            await _check_taken(command, scene, entry, proposal.names, error)
            return None
        await _record(command, scene, entry, "created", (FieldChange("", None, entry),))
        await _tell_settings(command, scene, None, entry)
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
        scene = await _enter(hub, command, scene, kind)
        before = _get_live(scene.catalogue, kind, entry_id)
        check_precondition(command.guards, before.version, is_required=scene.requires_precondition)
        if before.is_system:
            raise Conflict(_SYSTEM)
        proposal = decide(before, scene.catalogue)
        values = _checked(proposal)
        changes = tuple(_differences(values_of(before), values))
        if not changes:
            return Done(render(before))
        if not await _hold_references(command, scene, before.details, values.details):
            return None
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
            await _check_taken(command, scene, entry, proposal.names, error)
            return None
        if not is_written:
            return None
        await _record(command, scene, entry, "updated", changes)
        await _tell_settings(command, scene, before, entry)
        return Done(render(entry))

    return await write_guarded(hub, command, work)


async def delete_entry(
    hub: Hub,
    command: Command,
    kind: Kind,
    entry_id: UUID | None,
    render: Callable[[CatalogueEntry], Answer],
    *,
    keeps_in_use: bool,
) -> Answer:
    """Take an entry out of every list; its name is free again, and what has it goes on showing it.

    With `keeps_in_use` Conflict while a live customer or shipping term refers to it. A carrier's service levels go
    with it. Twice is NotFound. Raises Conflict for entries that come with every team, and what `update_entry` raises.
    """

    async def work(scene: Work) -> Done | None:
        scene = await _enter(hub, command, scene, kind)
        before = _get_live(scene.catalogue, kind, entry_id)
        check_precondition(command.guards, before.version, is_required=scene.requires_precondition)
        if before.is_system:
            raise Conflict(_SYSTEM)
        team = command.caller.team
        if await store.lock_entry(scene.connection, team, before.id) != before.version:
            return None
        user = await store.find_user_of_entry(scene.connection, team, before.id) if keeps_in_use else None
        if user is not None:
            raise Conflict(_USERS[user])
        levels = await store.list_service_levels(scene.connection, team, before.id) if kind == "carrier" else []
        for level in levels:
            await _delete(hub, command, scene, level)
        return Done(render(await _delete(hub, command, scene, before)))

    return await write_guarded(hub, command, work)


async def _delete(hub: Hub, command: Command, scene: Work, before: CatalogueEntry) -> CatalogueEntry:
    """Write the deletion of an entry that this transaction has locked."""
    at = max(hub.now(), before.updated_at)
    entry = msgspec.structs.replace(
        before,
        status="inactive",
        version=before.version + 1,
        updated_at=at,
        updated_by=command.caller.actor,
        deleted_at=at,
    )
    await store.update_entry(scene.connection, command.caller.team, entry)
    await _record(command, scene, entry, "deleted", (FieldChange("/deleted_at", None, at),))
    await _tell_settings(command, scene, before, entry)
    return entry


async def _enter(hub: Hub, command: Command, scene: Work, kind: Kind) -> Work:
    """Whoever changes a price list has the team first, as whoever changes its settings has: one list is the default.

    Two who take the mark from each other, or from the settings, would wait for one another otherwise.
    """
    if kind != "price_list":
        return scene
    await store.hold_team(scene.connection, command.caller.team)
    return await look_again(hub, command, scene)


def _get_live(catalogue: Catalogue, kind: Kind, entry_id: UUID | None) -> CatalogueEntry:
    entry = catalogue.find_live(kind, entry_id)
    if entry is None:
        raise NotFound(kind, str(entry_id))
    return entry


async def _hold_references(command: Command, scene: Work, before: Details, after: Details) -> bool:
    """Keep what an entry begins to refer to from being deleted meanwhile; False where that has just happened.

    Raises Invalid for what the snapshot knows as deleted or not at all: `decide` would not refuse it next time either.
    """
    known = {entry_id for _, _, entry_id in _references(before)}
    new = [reference for reference in _references(after) if reference[2] not in known]
    if not new:
        return True
    unknown = [path for path, kind, entry_id in new if scene.catalogue.find_live(kind, entry_id) is None]
    if unknown:
        raise Invalid(tuple(FieldError(path, "unknown_id", "no such entry") for path in unknown))
    wanted = {entry_id for _, _, entry_id in new}
    return wanted == await store.hold_entries(scene.connection, command.caller.team, wanted)


def _references(details: Details) -> Iterator[tuple[Path, Kind, UUID]]:
    """What the details of an entry refer to, each with its place in them."""
    match details:
        case ServiceLevelDetails(carrier=carrier):
            yield ("details", "carrier"), "carrier", carrier
        case ShippingTermDetails():
            for name in ("flat_rate", "minimum_order_value"):
                amount = getattr(details, name)
                if amount is not None:
                    yield ("details", name, "unit"), "unit", amount.unit
            for position, level in enumerate(details.free_shipping_service_levels):
                yield ("details", "free_shipping_service_levels", position), "service_level", level


def _checked(proposal: EntryProposal) -> EntryValues:
    if proposal.errors:
        raise Invalid(proposal.errors)
    return proposal.values


async def _check_taken(
    command: Command, scene: Work, entry: CatalogueEntry, names: Mapping[str, str], error: Exception
) -> None:
    """Raise Taken for what the index refused; return where it was only a race that the next attempt settles."""
    fields = await store.find_taken(scene.connection, command.caller.team, entry)
    if fields:
        reason = "belongs to another entry of this team"
        raise Taken(
            tuple(FieldError((names.get(field, field),), f"{field}_taken", reason) for field in fields)
        ) from error


def _differences(before: EntryValues, after: EntryValues) -> Iterator[FieldChange]:
    for field in after.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if differs(old, new):
            yield FieldChange(f"/{field}", old, new)


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


def _is_default(entry: CatalogueEntry | None) -> bool:
    return (
        entry is not None
        and isinstance(entry.details, PriceListDetails)
        and entry.details.is_default
        and entry.status == "active"
    )


async def _tell_settings(command: Command, scene: Work, before: CatalogueEntry | None, after: CatalogueEntry) -> None:
    """The default price list is told with the team's settings: whoever has read those must see that it is another."""
    if _is_default(before) != _is_default(after):
        await store.bump_settings(scene.connection, command.caller.team, after.updated_at)


async def _record(
    command: Command, scene: Work, entry: CatalogueEntry, action: str, changes: tuple[FieldChange, ...]
) -> None:
    row = store.AuditRow(entry.kind, entry.id, entry.version, entry.updated_at, action, command.request_id, changes)
    await store.insert_audit(scene.connection, command.caller, row)
    await store.bump_catalogue(scene.connection, command.caller.team)
