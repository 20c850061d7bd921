"""`customerhub erase`: a person's values, out of everything that is kept."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.options import Choices, command
from customerhub.cli.output import say, show
from customerhub.cli.team import TEAM
from customerhub.core.admin import get_team
from customerhub.core.erasure import erase_as_operator
from customerhub.core.fixtures import list_fixtures
from customerhub.core.hub import Hub
from customerhub.store.erasure import tidy


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "erase")(erase)


def erase(
    choices: Choices,
    team: Annotated[str, TEAM],
    customer: Annotated[str, typer.Option("--customer", help="Its id, a UUID; it may be deleted.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Kept in the audit trail: name nobody in it.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a customer for good, with all that was merged into it, and tidy up the tables where its values were."""
    customer_id = _to_id(customer)
    if not yes:
        _ask(customer_id)

    async def work(hub: Hub) -> dict[str, object]:
        erased = await erase_as_operator(hub, await get_team(hub, team), customer_id, reason)
        async with hub.database.lease() as connection:
            await tidy(connection)
        if hub.settings.sandbox and list_fixtures(hub):
            say("The fixtures of this sandbox are as they were: save them anew, or a reset brings everybody back.")
        return {"erased": list(erased.customers), "version": erased.written.customer.version}

    done = with_hub(choices, work)
    count = len(done["erased"]) if isinstance(done["erased"], list) else 0
    show(choices, done, f"erased {count} {'customer' if count == 1 else 'customers'}" if count else "was erased before")


def _to_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no UUID") from error


def _ask(customer_id: UUID) -> None:
    if not sys.stdin.isatty():
        raise Refused("There is no way back from this: add --yes.")
    typer.confirm(f"Erase {customer_id} and all that was merged into it? There is no way back", abort=True, err=True)
