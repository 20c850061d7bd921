"""`customerhub audit`: what happened to a team's customers, users, credentials, settings and all else."""

from typing import Annotated
from uuid import UUID

import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import command_in, find_user, to_id
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show, to_table
from customerhub.cli.team import TEAM
from customerhub.core.history import AuditEvent, EventFilter, walk_events
from customerhub.core.hub import Hub

_COLUMNS = ("at", "kind", "subject", "version", "action", "actor", "dialect", "changed")
_MOST = 1000


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "audit")(audit)


def audit(
    choices: Choices,
    team: Annotated[str, TEAM],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="As customer, user, settings; repeatable.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Id of the record that it happened to.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Id or email of the user who did it.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="How many at most.")] = 100,
) -> None:
    """List what happened in a team, the newest first; with --json also the old and new values."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        order = await command_in(hub, team)
        actor: UUID | None = (await find_user(hub, order, user)).id if user is not None else None
        which = EventFilter(
            kinds=tuple(kind) if kind else None,
            subject=to_id(subject, "record") if subject is not None else None,
            actor=actor,
        )
        page = await walk_events(hub, order.caller, None, limit, which)
        return [_to_shown(event, is_whole=choices.as_json) for event in page.items]

    events = with_hub(choices, work)
    show(choices, events, to_table(events, _COLUMNS, "nothing happened"))


def _to_shown(event: AuditEvent, *, is_whole: bool) -> dict[str, object]:
    shown: dict[str, object] = {
        "at": event.at,
        "kind": event.kind,
        "subject": event.subject,
        "version": event.version,
        "action": event.action,
        "actor": event.actor_name,
        "dialect": event.dialect,
        "request_id": event.request_id,
    }
    if is_whole:
        changes = [{"path": one.path, "old": one.old, "new": one.new} for one in event.changes]
        return shown | {"changes": changes}
    return shown | {"changed": " ".join(change.path or "/" for change in event.changes)}
