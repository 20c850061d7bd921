"""How sinks fare: what an attempt says of the sink as a whole, and when one is left alone or disabled."""

from collections.abc import Callable
from datetime import timedelta

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome, Sink
from customerhub.core.sinks import disable_sink
from customerhub.store import sinks as store
from customerhub.store.db import Database
from customerhub.worker.retry import bound_asked, find_rest

Remind = Callable[[float], None]
"""Looks for what is due again after so many seconds."""


class Health:
    """Keeps `sink_state` after attempts, in transactions of its own.

    Whoever takes from the feed holds a sink's state and then lanes: a lane and then the state would be crosswise.
    """

    def __init__(self, hub: Hub, database: Database, pace: float, remind: Remind) -> None:
        self._hub = hub
        self._database = database
        self._pace = pace
        self._remind = remind

    async def note(self, sink: Sink, outcome: Outcome, failures: int) -> None:
        """What an attempt says of the sink, which had failed so often in a row before."""
        match outcome.kind:
            case "ended":
                await self._disable(sink, outcome.reason)
            case "delivered" | "refused" if failures:
                async with self._database.lease() as connection:
                    await store.note_success(connection, sink.team, sink.id)
            case "retry" if outcome.is_of_sink:
                await self._note_failure(sink, outcome)

    async def _note_failure(self, sink: Sink, outcome: Outcome) -> None:
        async with self._database.lease() as connection:
            if outcome.retry_after is not None:
                await store.rest(connection, sink.team, sink.id, bound_asked(outcome.retry_after))
                return
            noted = await store.note_failure(connection, sink.team, sink.id)
            if noted is None:
                return
            count, since, lasts = noted
            rest = find_rest(count, self._pace)
            if rest:
                await store.rest(connection, sink.team, sink.id, rest)
                self._remind(rest)
        if lasts > timedelta(days=self._hub.settings.sink_days):
            await self._disable(sink, f"nothing got through since {since:%Y-%m-%d %H:%M} UTC; last: {outcome.reason}")

    async def _disable(self, sink: Sink, reason: str) -> None:
        async with self._database.transaction() as connection:
            await disable_sink(self._hub, connection, sink, reason)
