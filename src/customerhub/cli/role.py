"""`customerhub role`: named sets of permissions, for keys and members of APIs that know such."""

from typing import Annotated

import msgspec
import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, command_in, to_id
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_lines, to_table
from customerhub.cli.team import TEAM
from customerhub.core.catalogue import (
    EntryProposal,
    EntryValues,
    create_entry,
    delete_entry,
    update_entry,
    values_of,
)
from customerhub.core.hub import Hub
from customerhub.core.lists import get_catalogue
from customerhub.core.system import PERMISSIONS
from customerhub.model.catalogue import CatalogueEntry, RoleDetails
from customerhub.model.error import FieldError

ROLE = typer.Argument(metavar="ID", help="Its id.")
PERMISSION = typer.Option("--permission", help="Such as customers:read; repeatable.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    roles = group("Roles: what keys and members of APIs that know permissions may do.")
    command(roles, "list")(list_all)
    command(roles, "create")(create)
    command(roles, "update")(update)
    command(roles, "delete")(delete)
    app.add_typer(roles, name="role")


def list_all(choices: Choices, team: Annotated[str, TEAM]) -> None:
    """List a team's roles, by name."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        catalogue = await get_catalogue(hub, (await command_in(hub, team)).caller)
        return [_to_shown(role) for role in sorted(catalogue.entries("role"), key=lambda role: role.name)]

    roles = with_hub(choices, work)
    show(choices, roles, to_table(roles, ("id", "name", "is_system", "permissions"), "no roles"))


def create(
    choices: Choices,
    name: Annotated[str, typer.Argument(help="Unique in the team.")],
    team: Annotated[str, TEAM],
    permission: Annotated[list[str], PERMISSION],
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
) -> None:
    """Make a role."""
    values = EntryValues(name.strip(), description=description, details=RoleDetails(tuple(permission)))

    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        made: Kept[CatalogueEntry] = Kept()
        await create_entry(hub, order, "role", lambda _: _propose(values), made)
        return _to_shown(made.thing)

    made = with_hub(choices, work)
    show(choices, made, to_lines(made))


def update(
    choices: Choices,
    role: Annotated[str, ROLE],
    team: Annotated[str, TEAM],
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    permission: Annotated[list[str] | None, PERMISSION] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
) -> None:
    """Change a role; what is not named stays. Keys that were made with it keep what they were given."""

    def decide(before: CatalogueEntry) -> EntryProposal:
        wanted: dict[str, object] = {"name": name, "description": description}
        if permission:
            wanted["details"] = RoleDetails(tuple(permission))
        own = {field: value for field, value in wanted.items() if value is not None}
        return _propose(msgspec.structs.replace(values_of(before), **own))

    async def work(hub: Hub) -> dict[str, object]:
        order, role_id = await command_in(hub, team), to_id(role, "role")
        made: Kept[CatalogueEntry] = Kept()
        await update_entry(hub, order, "role", role_id, lambda before, _: decide(before), made)
        return _to_shown(made.thing)

    made = with_hub(choices, work)
    show(choices, made, to_lines(made))


def delete(choices: Choices, role: Annotated[str, ROLE], team: Annotated[str, TEAM]) -> None:
    """Delete a role that no user and no living key has."""

    async def work(hub: Hub) -> dict[str, object]:
        order, role_id = await command_in(hub, team), to_id(role, "role")
        gone: Kept[CatalogueEntry] = Kept()
        await delete_entry(hub, order, "role", role_id, gone, keeps_in_use=True)
        return _to_shown(gone.thing)

    gone = with_hub(choices, work)
    show(choices, gone, f"deleted {gone['name']}: {gone['id']}")


def _propose(values: EntryValues) -> EntryProposal:
    assert isinstance(values.details, RoleDetails)  # noqa: S101 - made here
    strangers = [one for one in values.details.permissions if one not in PERMISSIONS]
    errors = tuple(FieldError(("permissions",), "enum", f"{one} is no permission") for one in strangers)
    return EntryProposal(values, errors)


def _to_shown(role: CatalogueEntry) -> dict[str, object]:
    assert isinstance(role.details, RoleDetails)  # noqa: S101 - of its kind
    return {
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "is_system": role.is_system,
        "permissions": " ".join(role.details.permissions),
    }
