"""What a team decides for itself, read and changed through any door."""

from collections.abc import Callable, Iterator
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, look_again, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.rates import check_rate_power, find_rate_errors
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import NOBODY, Catalogue, CatalogueEntry, PriceListDetails, TeamSettings
from customerhub.model.change import FieldChange
from customerhub.model.error import EmailsShared, FieldError, Invalid, NotFound
from customerhub.store import access as store
from customerhub.store import catalogue as catalogue_store
from customerhub.store.access import Team
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.db import Connection


class SettingsView(Struct, frozen=True):
    """A team as it stands, with its settings, and the price list that new customers get."""

    team: Team
    default_price_list: UUID | None


class SettingsProposal(Struct, frozen=True):
    """What a door makes of a request for other settings: all of them as they shall be, and the errors it found.

    `default_price_list` is NOBODY where that stays as it is.
    """

    settings: TeamSettings
    default_price_list: UUID | None = NOBODY
    errors: tuple[FieldError, ...] = ()


async def get_settings(hub: Hub, caller: Caller) -> SettingsView:
    """The caller's team and its settings; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        standing = await hub.get_standing(connection, caller)
        team = await store.find_team(connection, caller.team, "")
        catalogue = await hub.catalogue(connection, caller.team, standing.catalogue_version)
    if team is None:
        raise NotFound("team", str(caller.team))
    return SettingsView(team, _to_default(catalogue))


async def update_settings(
    hub: Hub,
    command: Command,
    decide: Callable[[SettingsView, Catalogue], SettingsProposal],
    render: Callable[[SettingsView], Answer],
) -> Answer:
    """Change the settings of the caller's team; they hold for every process's next request.

    Raises Invalid (`rate_limit`, `default_price_list`), Forbidden for a rate limit beyond the hub's own, Conflict where
    the records stand against it (an email address of two customers under a policy that forbids that), and what every
    guarded write raises.
    """

    async def work(scene: Work) -> Done | None:
        team = await store.lock_team(scene.connection, command.caller.team)
        if team is None:
            raise NotFound("team", str(command.caller.team))
        check_precondition(command.guards, team.version, is_required=scene.requires_precondition)
        # Somebody may have made another price list the default before the team was had.
        scene = await look_again(hub, command, scene)
        before = SettingsView(team, _to_default(scene.catalogue))
        proposal = decide(before, scene.catalogue)
        wanted = before.default_price_list if proposal.default_price_list == NOBODY else proposal.default_price_list
        _check(hub, command, before, proposal, _find_price_list(scene.catalogue, wanted))
        changes = tuple(_differences(team.settings, proposal.settings))
        if wanted != before.default_price_list:
            changes += (FieldChange("/default_price_list", before.default_price_list, wanted),)
            if not await _set_default(hub, command, scene, _find_price_list(scene.catalogue, wanted)):
                return None
        if not changes:
            return Done(render(before))
        if proposal.settings.email_policy != team.settings.email_policy:
            await _set_email_policy(scene.connection, team.id, is_unique=proposal.settings.email_policy == "unique")
        now = hub.now()
        await store.update_settings(scene.connection, team.id, proposal.settings, now)
        row = AuditRow("settings", team.id, team.version + 1, now, "updated", command.request_id, changes)
        await insert_audit(scene.connection, command.caller, row)
        after = msgspec.structs.replace(team, settings=proposal.settings, version=team.version + 1, updated_at=now)
        return Done(render(SettingsView(after, wanted)))

    return await write_guarded(hub, command, work)


def _to_default(catalogue: Catalogue) -> UUID | None:
    found = catalogue.default_price_list()
    return found.id if found is not None else None


def _find_price_list(catalogue: Catalogue, entry_id: UUID | None) -> CatalogueEntry | None:
    """A price list that new customers can get."""
    entry = catalogue.find_live("price_list", entry_id)
    return entry if entry is not None and entry.status == "active" else None


def _check(
    hub: Hub, command: Command, before: SettingsView, proposal: SettingsProposal, price_list: CatalogueEntry | None
) -> None:
    errors, rate_limit = proposal.errors, proposal.settings.rate_limit
    if proposal.default_price_list not in (NOBODY, None) and price_list is None:
        errors += (FieldError(("default_price_list",), "unknown_id", "names no active price list of this team"),)
    errors += find_rate_errors(("rate_limit",), rate_limit)
    if errors:
        raise Invalid(errors)
    if rate_limit != before.team.settings.rate_limit:
        check_rate_power(hub, command.caller, rate_limit)


def _differences(before: TeamSettings, after: TeamSettings) -> Iterator[FieldChange]:
    for name in after.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield FieldChange(f"/{name}", old, new)


async def _set_email_policy(connection: Connection, team: UUID, *, is_unique: bool) -> None:
    """Give every customer the key that the policy asks for; EmailsShared names some of those that share one."""
    try:
        async with connection.transaction():
            await store.set_email_policy(connection, team, is_unique=is_unique)
    except asyncpg.UniqueViolationError as error:
        count, few = await store.list_sharing(connection, team)
        raise EmailsShared(count, tuple(few)) from error


async def _set_default(hub: Hub, command: Command, scene: Work, price_list: CatalogueEntry | None) -> bool:
    """Give the mark to one price list and take it from the others; False where somebody was faster."""
    team, now, actor = command.caller.team, hub.now(), command.caller.actor
    keep = price_list.id if price_list is not None else NOBODY
    dropped = await catalogue_store.drop_default_price_list(scene.connection, team, keep, now, actor)
    for other, version in dropped:
        change = (FieldChange("/details/is_default", old=True, new=False),)
        row = AuditRow("price_list", other, version, now, "updated", command.request_id, change)
        await insert_audit(scene.connection, command.caller, row)
    if price_list is None:
        return True
    assert isinstance(price_list.details, PriceListDetails)  # noqa: S101 - of its kind
    entry = msgspec.structs.replace(
        price_list,
        details=msgspec.structs.replace(price_list.details, is_default=True),
        version=price_list.version + 1,
        updated_at=max(now, price_list.updated_at),
        updated_by=actor,
    )
    if not await catalogue_store.update_entry(scene.connection, team, entry):
        return False
    change = (FieldChange("/details/is_default", old=False, new=True),)
    row = AuditRow("price_list", entry.id, entry.version, entry.updated_at, "updated", command.request_id, change)
    await insert_audit(scene.connection, command.caller, row)
    return True
