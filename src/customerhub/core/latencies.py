"""How long requests take: quantiles by dialect and by route, of the last minutes and since the start."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from customerhub.core.buckets import WORST_ERROR, find_quantile
from customerhub.core.hub import Hub
from customerhub.core.plan import WINDOW_SECONDS, Route
from customerhub.core.tally import Tally, Traffic, take_tally
from customerhub.model.answer import Caller

SHARES: Final[Mapping[str, float]] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""The quantiles that are told, by their names."""


class Quantiles(Struct, frozen=True):
    """How many requests there were, and what that share of them did not exceed, in milliseconds; None of none."""

    requests: int
    p50: float | None
    p95: float | None
    p99: float | None


class Latency(Struct, frozen=True):
    """One dialect's latencies, or one route's; `dialect` is None for pages, `method` and `path` for a whole dialect."""

    dialect: str | None
    method: str | None
    path: str | None
    recent: Quantiles
    since_start: Quantiles


class Latencies(Struct, frozen=True):
    """Those of all processes of the hub; each is at most `error` of itself from the true one."""

    window_seconds: int
    error: float
    dialects: Sequence[Latency]
    routes: Sequence[Latency]


async def get_latencies(hub: Hub, caller: Caller) -> Latencies:
    """What all processes that share this one's port have counted; raises Unauthenticated."""
    await hub.check_caller(caller)
    return to_latencies(take_tally(hub.slot.board))


def to_latencies(tally: Tally) -> Latencies:
    """The quantiles of what was counted, in the order of names; requests for no route count for their dialect alone."""
    named = [(route, tally.routes[route]) for route in sorted(tally.routes) if route.path]
    return Latencies(
        WINDOW_SECONDS,
        WORST_ERROR,
        tuple(_to_latency(Route(name, "", ""), traffic) for name, traffic in sorted(by_dialect(tally).items())),
        tuple(_to_latency(route, traffic) for route, traffic in named),
    )


def by_dialect(tally: Tally) -> dict[str, Traffic]:
    """All requests of each dialect, by its name."""
    found: dict[str, Traffic] = {}
    for route, traffic in tally.routes.items():
        found.setdefault(route.dialect, Traffic()).add(traffic)
    return found


def _to_latency(route: Route, traffic: Traffic) -> Latency:
    recent, since_start = _to_quantiles(traffic.recent), _to_quantiles(traffic.counts)
    return Latency(route.dialect or None, route.method or None, route.path or None, recent, since_start)


def _to_quantiles(counts: Sequence[int]) -> Quantiles:
    return Quantiles(sum(counts), *_to_milliseconds(find_quantile(counts, share) for share in SHARES.values()))


def _to_milliseconds(found: Iterable[float | None]) -> list[float | None]:
    return [None if seconds is None else float(f"{seconds * 1000:.3g}") for seconds in found]
