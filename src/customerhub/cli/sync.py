"""`customerhub sync`: how far the other systems are, where they differ from the hub, and what to do about it."""

import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

import msgspec
import typer
from msgspec import Struct

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show, to_table
from customerhub.cli.sink import ANY_TEAM, SINK, Chosen, find_sink
from customerhub.core.admin import get_team, list_teams, operator
from customerhub.core.deliveries import list_synced
from customerhub.core.drift import Drift, DriftPage, DriftRow, Repair, Wanted, check_drift, repair
from customerhub.core.hub import Hub
from customerhub.core.reports import SinkReport, list_reports
from customerhub.core.sinks import get_sink
from customerhub.model.answer import Guards

_COLUMNS: Final = (
    "team_name",
    "sink",
    "id",
    "status",
    "waiting",
    "behind",
    "oldest",
    "failing_for",
    "dead",
    "errors",
    "left_out",
)
# The person at the terminal may end it; another side that is asked about every customer asks for pauses.
_PATIENCE_SECONDS: Final = 600.0
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_SHOWN: Final = 60
_SYNC: Final = ("customer", "external_id", "version", "at", "error", "left_out")
_MOST: Final = 1000


class Found(Struct, frozen=True):
    """What a comparison of all customers came to; `rows` are those that differ or could not be compared.

    `waiting` are changes that the other side has not been told of yet.
    """

    sink: UUID
    compared: int
    waiting: int
    rows: tuple[DriftRow, ...]
    sent: int = 0

    @property
    def different(self) -> int:
        """How many differ."""
        return sum(row.is_different for row in self.rows)

    @property
    def faults(self) -> int:
        """How many could not be compared."""
        return len(self.rows) - self.different


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    syncs = group("Sync: how far the other systems are, and where they differ.")
    command(syncs, "status")(status)
    command(syncs, "customers")(show_customers)
    command(syncs, "check")(check)
    command(syncs, "repair")(repair_sink)
    app.add_typer(syncs, name="sync")


def status(choices: Choices, team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Show how each sink fares: what waits for it and since when, since when it fails, what it did not take."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        teams = {one["id"]: str(one["name"]) for one in await list_teams(hub)}
        if team is not None:
            only = await get_team(hub, team)
            teams = {only.id: only.name}
        return [
            _to_report(report, name, hub.now())
            for team_id, name in teams.items()
            for report in await list_reports(hub, operator(UUID(str(team_id))))
        ]

    rows = with_hub(choices, work)
    lines = [to_table([_to_cells(row) for row in rows], _COLUMNS, "no sinks")]
    lines += [f"{row['name'] or row['kind']} ({row['id']}): {row['reason']}" for row in rows if row["reason"]]
    show(choices, rows, "\n".join(lines))


def _to_report(report: SinkReport, team_name: str, now: datetime) -> dict[str, object]:
    view, sink, state = report.view, report.view.sink, report.view.state
    return {
        "team": sink.team,
        "team_name": team_name,
        "id": sink.id,
        "kind": sink.kind,
        "name": sink.name,
        "status": sink.status,
        "reason": sink.reason,
        "waiting": view.waiting,
        "behind": view.behind,
        "oldest": view.oldest,
        "oldest_seconds": _find_age(view.oldest, now),
        "failures": state.failures,
        "failing_since": state.failing_since,
        "failing_seconds": _find_age(state.failing_since, now),
        "resume_at": state.resume_at,
        "succeeded_at": state.succeeded_at,
        "dead": report.dead,
        "customers": report.customers,
        "errors": report.errors,
        "left_out": report.left_out,
    }


def _find_age(since: datetime | None, now: datetime) -> float | None:
    return max(0.0, (now - since).total_seconds()) if since is not None else None


def _to_cells(row: dict[str, object]) -> dict[str, object]:
    ages = {"oldest": to_age(row["oldest_seconds"]), "failing_for": to_age(row["failing_seconds"])}
    return row | ages | {"sink": row["name"] or row["kind"]}


def to_age(seconds: object) -> str | None:
    """Seconds as people say them, cut off to the largest unit: `3 min`."""
    if not isinstance(seconds, float):
        return None
    size, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{int(seconds // size)} {unit}"


def show_customers(
    choices: Choices,
    sink: Annotated[str, SINK],
    team: Annotated[str | None, ANY_TEAM] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="So many at most.")] = 100,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Those of which nothing is left out, too.")] = False,
) -> None:
    """List the customers that a mirror refused, or of which it would not take a field, and why."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        order, found = await find_sink(hub, sink, team)
        rows = await list_synced(hub, order.caller, found.id, None, limit, troubled_only=not everybody)
        return [{name: getattr(row, name) for name in _SYNC} for row in rows]

    rows = with_hub(choices, work)
    show(choices, rows, to_table([row | _to_reasons(row) for row in rows], _SYNC, "no customers"))


def _to_reasons(row: dict[str, object]) -> dict[str, object]:
    found = row["left_out"]
    return {
        "left_out": "; ".join(f"{field}: {why}" for field, why in found.items()) if isinstance(found, dict) else None
    }


def check(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Compare every customer with the other side, field by field, and change nothing. Exit code 1 where they differ."""

    async def work(hub: Hub) -> Found:
        chosen = await find_sink(hub, sink, team)
        return await _collect(hub, chosen, _compare(hub, chosen))

    found = with_hub(choices, work)
    lines = [_to_text(row) for row in found.rows]
    verb = "differs" if found.different == 1 else "differ"
    lines.append(f"{found.different} of {_to_count(found.compared, 'customer')} {verb}{_to_rest(found)}")
    show(choices, _to_answer(found), "\n".join(lines))
    if found.rows:
        sys.exit(1)


def repair_sink(
    choices: Choices,
    sink: Annotated[str, SINK],
    team: Annotated[str | None, ANY_TEAM] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
) -> None:
    """Send the other side every customer that differs there, or that it lacks. Exit code 1 where some are in doubt."""

    async def work(hub: Hub) -> Found:
        chosen = await find_sink(hub, sink, team)
        if chosen.sink.status != "active":
            say(f"The sink is {chosen.sink.status}: what is sent waits until it is resumed.")
        chosen.order.guards = Guards(dry_run=dry_run)
        return await _collect(hub, chosen, _repair(hub, chosen))

    found = with_hub(choices, work)
    lines = [_to_text(row) for row in found.rows if dry_run or row.fault]
    verb = "would be sent" if dry_run else "sent"
    lines.append(f"{found.sent} of {_to_count(found.compared, 'customer')} {verb}{_to_rest(found)}")
    show(choices, _to_answer(found) | {"sent": 0 if dry_run else found.sent, "dry_run": dry_run}, "\n".join(lines))
    if found.faults:
        sys.exit(1)


async def _compare(hub: Hub, chosen: Chosen) -> AsyncIterator[Repair]:
    after: UUID | None = None
    while True:
        page = await check_drift(hub, chosen.order.caller, chosen.sink.id, after, patience=_PATIENCE_SECONDS)
        yield Repair(page, 0)
        after = page.after
        if after is None:
            return


async def _repair(hub: Hub, chosen: Chosen) -> AsyncIterator[Repair]:
    after: UUID | None = None
    while True:
        kept: Kept[Repair] = Kept()
        decide = partial(Wanted, after=after)
        await repair(hub, chosen.order, chosen.sink.id, decide, kept, patience=_PATIENCE_SECONDS)
        yield kept.thing
        after = kept.thing.page.after
        if after is None:
            return


async def _collect(hub: Hub, chosen: Chosen, parts: AsyncIterator[Repair]) -> Found:
    """All pages; of customers that are the same on both sides only how many."""
    rows: list[DriftRow] = []
    compared = sent = 0
    async for part in parts:
        compared += len(part.page.rows)
        sent += part.enqueued
        rows += _find_news(part.page)
    view = await get_sink(hub, chosen.order.caller, chosen.sink.id)
    return Found(chosen.sink.id, compared, view.waiting + view.behind, tuple(rows), sent)


def _find_news(page: DriftPage) -> Sequence[DriftRow]:
    return [row for row in page.rows if row.is_different or row.fault]


def _to_answer(found: Found) -> dict[str, object]:
    figures = {"compared": found.compared, "different": found.different, "faults": found.faults}
    rows = [msgspec.structs.asdict(row) | {"is_different": row.is_different} for row in found.rows]
    return {"sink": found.sink, **figures, "waiting": found.waiting, "customers": rows}


def _to_text(row: DriftRow) -> str:
    title = f"{row.number or '-'} {row.name} ({row.customer})"
    if row.fault:
        return f"{title}: not compared: {row.fault}"
    if row.external_id is None and not row.differences:
        return f"{title}: not there"
    table = to_table([_to_difference(one) for one in row.differences], ("field", "hub", "there"), "")
    place = f"there as {row.external_id}" if row.external_id is not None else "not there"
    return "\n".join([f"{title}: {place}", *(f"  {line}" for line in table.splitlines())])


def _to_difference(one: Drift) -> dict[str, object]:
    return {"field": one.field, "hub": _to_value(one.ours), "there": _to_value(one.theirs)}


def _to_value(value: object) -> str | None:
    """A value on one line; a long one is cut, since the whole of it is in the JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _to_count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _to_rest(found: Found) -> str:
    rest = f"; {found.faults} could not be compared" if found.faults else ""
    return f"{rest}; still on the way: {found.waiting}" if found.waiting else rest
