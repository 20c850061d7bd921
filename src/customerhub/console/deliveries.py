"""What is on its way to a sink: one delivery with its attempts, telling it again, and where a mirror differs."""

from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from customerhub.console.desk import Desk, signed_in
from customerhub.console.reader import NOTHING, Reader, Refusal, attempt
from customerhub.console.sinks import KIND, PER_PAGE, SINKS, TONES, find_names, is_mirror, page
from customerhub.core import deliveries as core
from customerhub.core import drift
from customerhub.core.deliveries import Attempt, Replay, Replayed
from customerhub.core.drift import DriftPage, Repair, Wanted
from customerhub.core.outgoing import Exchange
from customerhub.core.sessions import ADMINISTER
from customerhub.core.sinks import get_sink
from customerhub.model.answer import Answer
from customerhub.web.screens import Screen

_WHATS: Final = ("some", "dead", "range")
_HIGHEST: Final = 2**63 - 1
_COMPARED: Final = 50


async def show(desk: Desk) -> Answer:
    """`GET …/deliveries/{delivery}`: one delivery with every attempt that is kept."""
    return await _show(desk)


async def _show(desk: Desk, refusal: Refusal = NOTHING) -> Answer:
    sink = (await get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))).sink
    view = await core.get_delivery(desk.hub, desk.caller, sink.id, desk.get_id("delivery", "delivery"))
    customer = view.delivery.customer
    return desk.render(
        "delivery.html",
        refusal.status,
        refusal=refusal,
        sink=sink,
        delivery=view.delivery,
        source=view.source,
        attempts=[(one, _read_exchanges(one)) for one in reversed(view.attempts)],
        name=(await find_names(desk, {customer})).get(customer),
        tones=TONES,
        base=desk.url("sinks", sink.id),
    )


def _read_exchanges(attempt_: Attempt) -> list[Exchange]:
    return msgspec.json.decode(attempt_.exchanges, type=list[Exchange]) if attempt_.exchanges is not None else []


async def replay(desk: Desk) -> Answer:
    """`POST …/replay`: single deliveries, all that failed, or a range of the feed, on their way once more."""
    reader = Reader(desk)
    what = reader.choice("what", _WHATS, "some")
    order = _read_order(reader, what)
    is_one = desk.form.get("back") == "delivery"

    def render(replayed: Replayed) -> Answer:
        if is_one and order.ids:
            return desk.go("sinks", replayed.sink.id, "deliveries", order.ids[0])
        return desk.go("sinks", replayed.sink.id, told=replayed.count, next=replayed.next)

    command, sink_id = desk.command(version=reader.version()), desk.get_id(kind=KIND)
    return await attempt(core.replay(desk.hub, command, sink_id, lambda _: order, render), partial(page, desk))


def _read_order(reader: Reader, what: str) -> Replay:
    if what == "dead":
        return Replay(dead=True, errors=reader.found())
    if what == "some":
        ids = reader.ids("deliveries", PER_PAGE)
        if not ids and not reader.found():
            reader.refuse("deliveries", "choose some first", "required")
        return Replay(ids=ids, errors=reader.found())
    first, last = reader.whole("first", 1, _HIGHEST), reader.whole("last", 1, _HIGHEST)
    if first is None and not reader.found():
        reader.refuse("first", "is required", "required")
    if first is not None and last is not None and last < first:
        reader.refuse("last", "must not stand before the first", "range")
    return Replay(first=first or 1, last=last or _HIGHEST, errors=reader.found())


async def show_drift(desk: Desk) -> Answer:
    """`GET …/drift`: what comparing means; nobody is asked yet."""
    return await _show_drift(desk)


async def _show_drift(
    desk: Desk,
    refusal: Refusal = NOTHING,
    *,
    found: DriftPage | None = None,
    after: UUID | None = None,
    repaired: int | None = None,
) -> Answer:
    sink = (await get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))).sink
    return desk.render(
        "drift.html",
        refusal.status,
        refusal=refusal,
        sink=sink,
        found=found,
        rows=[row for row in found.rows if row.is_different or row.fault] if found is not None else [],
        after=after,
        repaired=repaired,
        is_mirror=is_mirror(desk, sink),
        base=desk.url("sinks", sink.id),
    )


async def compare(desk: Desk) -> Answer:
    """`POST …/drift`: some customers beside their copies, read just now."""
    reader = Reader(desk)
    after = reader.id("after")

    async def run() -> Answer:
        found = await drift.check_drift(desk.hub, desk.caller, desk.get_id(kind=KIND), after, _COMPARED)
        return await _show_drift(desk, found=found, after=after)

    return await attempt(run(), partial(_show_drift, desk))


async def repair(desk: Desk) -> Answer:
    """`POST …/repair`: what differs among those customers is told once more."""
    reader = Reader(desk)
    after = reader.id("after")
    done: list[Repair] = []

    def render(made: Repair) -> Answer:
        done.append(made)
        return Answer(200)

    async def run() -> Answer:
        wanted = Wanted(after=after, limit=_COMPARED, errors=reader.found())
        command = desk.command(version=reader.version())
        await drift.repair(desk.hub, command, desk.get_id(kind=KIND), lambda: wanted, render)
        return await _show_drift(desk, found=done[-1].page, after=after, repaired=done[-1].enqueued)

    return await attempt(run(), partial(_show_drift, desk))


async def show_customers(desk: Desk) -> Answer:
    """`GET …/customers?after=&all=`: what a mirror knows of customers, those with trouble unless all are asked for."""
    sink = (await get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))).sink
    text, is_all = desk.visit.query.get("after", ""), "all" in desk.visit.query
    try:
        after = UUID(text) if text else None
    except ValueError:
        after = None
    found = await core.list_synced(desk.hub, desk.caller, sink.id, after, PER_PAGE + 1, troubled_only=not is_all)
    shown = found[:PER_PAGE]
    more = None
    if len(found) > len(shown):
        more = desk.url("sinks", sink.id, "customers", after=shown[-1].customer, all="1" if is_all else None)
    return desk.render(
        "synced.html",
        sink=sink,
        rows=shown,
        names=await find_names(desk, {row.customer for row in shown}),
        is_all=is_all,
        more=more,
        base=desk.url("sinks", sink.id),
    )


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{SINKS}/{{id}}/replay": {"POST": signed_in(replay, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/deliveries/{{delivery}}": {"GET": signed_in(show, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/drift": {
        "GET": signed_in(show_drift, permission=ADMINISTER),
        "POST": signed_in(compare, permission=ADMINISTER),
    },
    f"{SINKS}/{{id}}/repair": {"POST": signed_in(repair, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/customers": {"GET": signed_in(show_customers, permission=ADMINISTER)},
}
