"""`customerhub sink`: where changes go: list, pause, resume and remove, look at deliveries and send them once more."""

import sys
from functools import partial
from typing import Annotated, Final, NamedTuple, get_args
from uuid import UUID

import msgspec
import typer

from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, to_id
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import fail, show, to_lines, to_table
from customerhub.core.admin import get_team, list_teams, operator, to_command
from customerhub.core.command import Command
from customerhub.core.deliveries import (
    Delivery,
    DeliveryStatus,
    Replay,
    Replayed,
    get_delivery,
    list_deliveries,
    verify_sink,
)
from customerhub.core.deliveries import replay as replay_deliveries
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Verdict
from customerhub.core.sinks import (
    Sink,
    SinkPatch,
    SinkProposal,
    SinkStatus,
    SinkView,
    delete_sink,
    get_sink,
    list_sinks,
    update_sink,
)
from customerhub.model.answer import Answer
from customerhub.model.error import NotFound
from customerhub.store.sinks import find_sink_anywhere

SINK = typer.Argument(metavar="SINK", help="Its id; or its name or kind (stripe), where only one has it.")
ANY_TEAM = typer.Option("--team", help="Id or name; all teams without.")
_COLUMNS: Final = ("id", "team_name", "kind", "name", "url", "status", "waiting", "behind", "failing_since")
_DELIVERY: Final = ("id", "type", "customer", "version", "position", "status", "attempts", "at", "reason")
_ATTEMPT: Final = ("number", "at", "seconds", "outcome", "reason")
_MOST: Final = 1000
_STATUSES: Final[tuple[DeliveryStatus, ...]] = get_args(DeliveryStatus)
_HIDDEN: Final = frozenset(("secret", "former_secret"))


class Chosen(NamedTuple):
    """A sink that was named at the command line, and a write of the operator's in its team."""

    order: Command
    sink: Sink


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    sinks = group("Sinks: where changes go; Stripe, webhooks, accounts of other systems.")
    command(sinks, "list")(list_all)
    command(sinks, "show")(show_one)
    command(sinks, "pause")(pause)
    command(sinks, "resume")(resume)
    command(sinks, "remove")(remove)
    command(sinks, "verify")(verify)
    command(sinks, "deliveries")(show_deliveries)
    command(sinks, "attempts")(show_attempts)
    command(sinks, "replay")(replay)
    app.add_typer(sinks, name="sink")


async def find_sink(hub: Hub, wanted: str, team: str | None = None) -> Chosen:
    """A sink by its id, or by the name or the kind that it alone has. Raises NotFound, and Refused for several."""
    only = await get_team(hub, team) if team is not None else None
    try:
        sink_id = UUID(wanted)
    except ValueError:
        teams = [only.id] if only is not None else [UUID(str(one["id"])) for one in await list_teams(hub)]
        sinks = [view.sink for one in teams for view in await list_sinks(hub, operator(one))]
        named = [sink for sink in sinks if sink.name.lower() == wanted.lower()]
        found = named or [sink for sink in sinks if sink.kind == wanted.lower()]
    else:
        async with hub.database.lease() as connection:
            sink = await find_sink_anywhere(connection, sink_id)
        found = [sink] if sink is not None and (only is None or sink.team == only.id) else []
    if not found:
        raise NotFound("sink", wanted)
    if len(found) > 1:
        ids = ", ".join(str(sink.id) for sink in found)
        raise Refused(f"{len(found)} sinks go by {wanted}: name one by its id ({ids}), or its team by --team.")
    return Chosen(to_command(found[0].team), found[0])


def to_row(view: SinkView, team_name: str) -> dict[str, object]:
    """A sink as it is shown: nothing secret in it, but whether there is a secret."""
    shown: dict[str, object] = {"id": view.sink.id, "team_name": team_name}
    shown |= {name: value for name, value in msgspec.structs.asdict(view.sink).items() if name not in _HIDDEN}
    shown["has_secret"] = view.sink.secret is not None
    shown |= {"waiting": view.waiting, "behind": view.behind, "oldest": view.oldest}
    return shown | {name: value for name, value in msgspec.structs.asdict(view.state).items() if name != "sink"}


def list_all(choices: Choices, team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """List sinks, those of each team the oldest first; nothing secret in it."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        teams = {one["id"]: str(one["name"]) for one in await list_teams(hub)}
        if team is not None:
            only = await get_team(hub, team)
            teams = {only.id: only.name}
        return [
            to_row(view, name)
            for team_id, name in teams.items()
            for view in await list_sinks(hub, operator(UUID(str(team_id))))
        ]

    rows = with_hub(choices, work)
    show(choices, rows, to_table(rows, _COLUMNS, "no sinks"))


def show_one(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Show a sink and how it fares."""
    found = with_hub(choices, lambda hub: _show(hub, sink, team))
    show(choices, found, to_lines({name: _to_text(value) for name, value in found.items()}))


def _to_text(value: object) -> object:
    """Lists and objects as people read them."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value or None


async def _show(hub: Hub, wanted: str, team: str | None) -> dict[str, object]:
    order, sink = await find_sink(hub, wanted, team)
    return to_row(await get_sink(hub, order.caller, sink.id), (await get_team(hub, str(sink.team))).name)


def pause(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Tell a sink nothing until it is resumed; what happens meanwhile waits for it."""
    paused = with_hub(choices, lambda hub: _set_status(hub, sink, team, "paused"))
    show(choices, paused, f"paused: {paused['id']}")


def resume(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Tell a sink again, paused or disabled; what waits for it goes out at once."""
    resumed = with_hub(choices, lambda hub: _set_status(hub, sink, team, "active"))
    show(choices, resumed, f"resumed: {resumed['id']} ({resumed['waiting']} waiting, {resumed['behind']} behind)")


async def _set_status(hub: Hub, wanted: str, team: str | None, status: SinkStatus) -> dict[str, object]:
    order, sink = await find_sink(hub, wanted, team)
    await update_sink(hub, order, sink.id, lambda _: SinkProposal(SinkPatch(status=status)), Kept[Sink]())
    return await _show(hub, str(sink.id), None)


def remove(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """End a sink, and with it whatever is on its way to it; its secret is forgotten."""
    removed = with_hub(choices, lambda hub: remove_sink(hub, sink, team))
    show(choices, removed, f"removed {removed['name'] or removed['kind']}: {removed['id']}")


async def remove_sink(hub: Hub, wanted: str, team: str | None) -> dict[str, object]:
    """End a sink; what it was."""
    order, sink = await find_sink(hub, wanted, team)
    await delete_sink(hub, order, sink.id, Kept[Sink]())
    return {"id": sink.id, "kind": sink.kind, "name": sink.name}


def verify(choices: Choices, sink: Annotated[str, SINK], team: Annotated[str | None, ANY_TEAM] = None) -> None:
    """Ask the other side whether the sink works; a webhook gets a test message. Exit code 1 where it does not."""
    verdict = with_hub(choices, lambda hub: _verify(hub, sink, team))
    if not verdict.is_good:
        fail(choices, f"The sink does not work: {verdict.reason}.")
        sys.exit(1)
    show(choices, {"is_good": True}, "it works")


async def _verify(hub: Hub, wanted: str, team: str | None) -> Verdict:
    order, sink = await find_sink(hub, wanted, team)
    found: list[Verdict] = []

    def keep(_: Sink, verdict: Verdict) -> Answer:
        found.append(verdict)
        return Answer(200)

    await verify_sink(hub, order, sink.id, keep)
    return found[-1]


def show_deliveries(
    choices: Choices,
    sink: Annotated[str, SINK],
    team: Annotated[str | None, ANY_TEAM] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="waiting, delivered, superseded, skipped or dead.")
    ] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="Id of a customer.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="So many at most.")] = 20,
) -> None:
    """List deliveries to a sink, the newest first."""
    chosen = _to_status(status)

    async def work(hub: Hub) -> tuple[Delivery, ...]:
        order, found = await find_sink(hub, sink, team)
        customer_id = to_id(customer, "customer") if customer is not None else None
        return await list_deliveries(hub, order.caller, found.id, None, limit, status=chosen, customer=customer_id)

    found = [msgspec.structs.asdict(delivery) for delivery in with_hub(choices, work)]
    show(choices, found, to_table(found, _DELIVERY, "no deliveries"))


def _to_status(text: str | None) -> DeliveryStatus | None:
    if text is None:
        return None
    for status in _STATUSES:
        if status == text:
            return status
    raise typer.BadParameter(f"no status {text!r}; there are: {', '.join(_STATUSES)}")


def show_attempts(
    choices: Choices,
    sink: Annotated[str, SINK],
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id.")],
    team: Annotated[str | None, ANY_TEAM] = None,
) -> None:
    """List the attempts at a delivery; as JSON with what was sent and answered."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        order, found = await find_sink(hub, sink, team)
        view = await get_delivery(hub, order.caller, found.id, to_id(delivery, "delivery"))
        return [
            msgspec.structs.asdict(attempt) | {"exchanges": msgspec.Raw(attempt.exchanges or b"null")}
            for attempt in view.attempts
        ]

    rows = with_hub(choices, work)
    show(choices, rows, to_table(rows, _ATTEMPT, "no attempts"))


def replay(
    choices: Choices,
    sink: Annotated[str, SINK],
    team: Annotated[str | None, ANY_TEAM] = None,
    delivery: Annotated[list[str] | None, typer.Option("--delivery", help="Id of a delivery; repeatable.")] = None,
    first: Annotated[int | None, typer.Option("--from", min=1, help="First position of the feed.")] = None,
    until: Annotated[int | None, typer.Option("--until", min=1, help="Last position; the newest without.")] = None,
    *,
    dead: Annotated[bool, typer.Option("--dead", help="All dead letters.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every event that is kept.")] = False,
) -> None:
    """Send a sink once more what it was told, or should have been, under the same ids."""
    if sum((bool(delivery), dead, first is not None, everything)) != 1 or (until is not None and first is None):
        raise typer.BadParameter("say what: --delivery ID, --dead, --from POSITION [--until POSITION] or --all")

    count = with_hub(choices, lambda hub: _replay(hub, sink, team, _to_order(delivery, first, until, dead=dead)))
    text = "1 delivery goes" if count == 1 else f"{count} deliveries go"
    show(choices, {"replayed": count}, f"{text} out once more")


def _to_order(delivery: list[str] | None, first: int | None, until: int | None, *, dead: bool) -> Replay:
    if delivery:
        return Replay(ids=tuple(to_id(one, "delivery") for one in delivery))
    order = Replay(dead=dead, first=first or 1)
    return order if until is None else msgspec.structs.replace(order, last=until)


async def _replay(hub: Hub, wanted: str, team: str | None, order: Replay) -> int:
    """Piece by piece, since nobody is to wait for all of it."""
    author, sink = await find_sink(hub, wanted, team)
    count = 0
    while True:
        kept: Kept[Replayed] = Kept()
        await replay_deliveries(hub, author, sink.id, partial(_same, order), kept)
        count += kept.thing.count
        if kept.thing.is_complete:
            return count
        order = msgspec.structs.replace(order, first=kept.thing.next or order.first)


def _same(order: Replay, _: Sink) -> Replay:
    return order
