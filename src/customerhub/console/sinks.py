"""Where the team's changes go: how each sink fares, pausing and trying it, its secret, and its end."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.reader import NOTHING, Reader, Refusal, attempt
from customerhub.core import deliveries
from customerhub.core import sinks as core
from customerhub.core.deliveries import Delivery, DeliveryStatus, Trouble
from customerhub.core.duplicates import get_summaries
from customerhub.core.outgoing import Verdict
from customerhub.core.sessions import ADMINISTER
from customerhub.core.sinks import Sink, SinkPatch, SinkProposal, SinkStatus, SinkView
from customerhub.model.answer import Answer
from customerhub.web.screens import Screen
from customerhub.web.sink_request import choose_secret, to_ways

SINKS: Final = f"{PREFIX}/{{team}}/sinks"
KIND: Final = "sink"
_TURNS: Final[tuple[SinkStatus, ...]] = ("active", "paused")
PER_PAGE: Final = 50
_MOST_DIGITS: Final = 18
OVERLAPS: Final = (("0", "at once"), ("3600", "in an hour"), ("86400", "in a day"), ("604800", "in a week"))
"""How long a secret that was replaced can go on, in seconds."""
# What people call what became of deliveries.
STATUSES: Final[tuple[tuple[DeliveryStatus, str, str], ...]] = (
    ("dead", "Failed", "bad"),
    ("waiting", "Waiting", "warn"),
    ("delivered", "Told", "good"),
    ("skipped", "Skipped", "plain"),
    ("superseded", "Superseded", "plain"),
)
TONES: Final = {status: (title, tone) for status, title, tone in STATUSES}


class Health(msgspec.Struct, frozen=True):
    """How a sink fares, at a glance: a word, its tone, the numbers behind it, and what failed last."""

    view: SinkView
    word: str
    tone: str
    where: str
    resting_until: datetime | None
    trouble: Trouble

    @property
    def failed(self) -> str:
        """How many dead letters there are, as far as they are counted."""
        return f"{self.trouble.dead:,}{'+' if self.trouble.dead >= deliveries.MOST_COUNTED else ''}"


def to_health(view: SinkView, trouble: Trouble, now: datetime) -> Health:
    """What a page says of a sink first."""
    sink, state = view.sink, view.state
    resting = state.resume_at if state.resume_at is not None and state.resume_at > now else None
    word: str = "healthy"
    tone = "good"
    if sink.status != "active":
        word, tone = sink.status, "bad" if sink.status == "disabled" else "warn"
    elif state.failures:
        word, tone = "failing", "bad"
    elif trouble.dead:
        word, tone = "has failures", "warn"
    where = sink.url or str(sink.config.get("api_base") or sink.kind.capitalize())
    return Health(view, word, tone, where, resting if sink.status == "active" else None, trouble)


async def list_page(desk: Desk) -> Answer:
    """`GET /console/{team}/sinks`: every sink at a glance."""
    views = await core.list_sinks(desk.hub, desk.caller)
    troubles = await deliveries.list_troubles(desk.hub, desk.caller)
    now = desk.hub.now()
    found = [to_health(view, troubles.get(view.sink.id, Trouble()), now) for view in views]
    return desk.render("sinks.html", sinks=found)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/sinks/{id}?status=&before=`: a sink, and what is on its way to it."""
    return await page(desk)


async def page(desk: Desk, refusal: Refusal = NOTHING, *, verdict: Verdict | None = None) -> Answer:
    """A sink's page, after a refusal or a trial with what came of it."""
    view = await core.get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))
    sink_id = view.sink.id
    trouble = (await deliveries.list_troubles(desk.hub, desk.caller)).get(sink_id, Trouble())
    status = next((one for one, _, _ in STATUSES if one == desk.visit.query.get("status")), None)
    found, older = await _list_deliveries(desk, sink_id, status)
    return desk.render(
        "sink.html",
        refusal.status,
        health=to_health(view, trouble, desk.hub.now()),
        view=view,
        sink=view.sink,
        state=view.state,
        refusal=refusal,
        verdict=verdict,
        rows=found,
        names=await find_names(desk, {delivery.customer for delivery in found}),
        wanted=status,
        statuses=STATUSES,
        tones=TONES,
        older=older,
        is_first="before" not in desk.visit.query,
        overlaps=OVERLAPS,
        is_mirror=is_mirror(desk, view.sink),
        takes_secret=view.sink.kind == "webhook",
        told=_to_number(desk.visit.query.get("told", "")),
        going_on=_to_number(desk.visit.query.get("next", "")),
        base=desk.url("sinks", sink_id),
    )


def _to_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def is_mirror(desk: Desk, sink: Sink) -> bool:
    """Whether a sink keeps a copy that can be compared."""
    carrier = desk.hub.carriers.get(sink.kind)
    return carrier is not None and carrier.is_mirror


async def _list_deliveries(
    desk: Desk, sink_id: UUID, status: DeliveryStatus | None
) -> tuple[list[Delivery], str | None]:
    """A page of what is on its way to a sink, and where older ones are."""
    before = _to_number(desk.visit.query.get("before", ""))
    found, more = await deliveries.look_through(desk.hub, desk.caller, sink_id, before, PER_PAGE, status)
    return found, desk.url("sinks", sink_id, status=status, before=more) if more is not None else None


async def find_names(desk: Desk, customers: Collection[UUID]) -> dict[UUID, str]:
    """What those of these customers are called that are live."""
    found = await get_summaries(desk.hub, desk.caller, customers)
    return {customer: summary.name for customer, summary in found.items()}


async def set_status(desk: Desk) -> Answer:
    """`POST …/status`: pause it, or let it go on."""
    reader = Reader(desk)
    status = reader.choice("status", _TURNS, "active")

    def decide(before: Sink | None) -> SinkProposal:
        del before
        return SinkProposal(SinkPatch(status=status), reader.found())

    def render(sink: Sink) -> Answer:
        return desk.go("sinks", sink.id)

    command, sink_id = desk.command(version=reader.version()), desk.get_id(kind=KIND)
    return await attempt(core.update_sink(desk.hub, command, sink_id, decide, render), partial(page, desk))


async def verify(desk: Desk) -> Answer:
    """`POST …/verify`: what came of trying it stands on its page."""
    found: list[Verdict] = []

    def render(sink: Sink, verdict: Verdict) -> Answer:
        del sink
        found.append(verdict)
        return Answer(200)

    async def run() -> Answer:
        command = desk.command(version=Reader(desk).version())
        await deliveries.verify_sink(desk.hub, command, desk.get_id(kind=KIND), render)
        return await page(desk, verdict=found[-1])

    return await attempt(run(), partial(page, desk))


async def rotate(desk: Desk) -> Answer:
    """`POST …/rotate`: another secret, shown this once."""
    reader = Reader(desk)
    sent = reader.text("secret")
    overlap = reader.choice("overlap", tuple(seconds for seconds, _ in OVERLAPS), "0")
    made: list[str] = []

    def decide(before: Sink | None) -> SinkProposal:
        assert before is not None  # noqa: S101 - only a new one is not there before
        secret, errors = choose_secret(to_ways(desk.dialects()), before, sent or (made[-1] if made else None))
        if secret is None or errors or reader.found():
            return SinkProposal(SinkPatch(), (*reader.found(), *errors))
        made.append(secret)
        return SinkProposal(SinkPatch(secret=secret, overlap_seconds=int(overlap)), is_secret=True)

    def render(sink: Sink) -> Answer:
        return show_secret(desk, sink, made[-1])

    command, sink_id = desk.command(version=reader.version()), desk.get_id(kind=KIND)
    return await attempt(core.update_sink(desk.hub, command, sink_id, decide, render), partial(page, desk))


def show_secret(desk: Desk, sink: Sink, secret: str) -> Answer:
    """The page that shows a sink's secret, this once."""
    return desk.render(
        "secret.html",
        title=f"The secret of {sink.name or sink.url}",
        told="Whoever receives the messages checks their signatures with it.",
        secrets=[("secret", secret)],
        back=desk.url("sinks", sink.id),
    )


async def end(desk: Desk) -> Answer:
    """`POST …/end`: it ends, with whatever is on its way to it."""
    reader = Reader(desk)

    def render(sink: Sink) -> Answer:
        del sink
        return desk.go("sinks")

    command, sink_id = desk.command(version=reader.version()), desk.get_id(kind=KIND)
    return await attempt(core.delete_sink(desk.hub, command, sink_id, render), partial(page, desk))


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    SINKS: {"GET": signed_in(list_page, permission=ADMINISTER)},
    f"{SINKS}/{{id}}": {"GET": signed_in(show, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/status": {"POST": signed_in(set_status, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/verify": {"POST": signed_in(verify, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/rotate": {"POST": signed_in(rotate, permission=ADMINISTER)},
    f"{SINKS}/{{id}}/end": {"POST": signed_in(end, permission=ADMINISTER)},
}
