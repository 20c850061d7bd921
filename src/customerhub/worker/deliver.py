"""One lane at a time: tell a sink what comes next of a customer, and note what came of it."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Carrier, Outcome, Sink, Told
from customerhub.model.error import Busy, SecretKeyError, Unavailable
from customerhub.store import deliveries as store
from customerhub.store.db import CONNECTION_LOST, Connection, Database
from customerhub.store.deliveries import Attempt, Delivery, DeliveryStatus, Due, Lane
from customerhub.worker.health import Health, Remind
from customerhub.worker.retry import STANDARD_FIRST, find_pause
from customerhub.worker.told import States, find_told

# After so many of one customer others have their turn.
_IN_A_ROW: Final = 20
_LONGEST_REASON: Final = 500
_NEWER: Final = "a newer state was told"
_NO_HISTORY: Final = Outcome("skipped", "the history of this version is not kept any more")
_FAULT: Final = Outcome("retry", "a fault of the hub's own; its log says more")
_UNREADABLE: Final = Outcome("retry", "its secret cannot be read with the hub's key", is_of_sink=True)
_AWAY: Final = (Unavailable, Busy, asyncpg.exceptions.PostgresError, *CONNECTION_LOST)

Note = Callable[[UUID, UUID, str, int], None]
"""Counts what became of deliveries: team, sink, outcome, how many."""


class Step(Struct, frozen=True):
    """What is left to do in a lane after a delivery: go on with the next, or come back after so many seconds."""

    goes_on: bool
    pause: float | None = None


class Deliverer:
    """Works lanes off; one object for a process, on connections of its own."""

    def __init__(self, hub: Hub, database: Database, note: Note, remind: Remind) -> None:
        self._hub = hub
        self._database = database
        self._note = note
        self._remind = remind
        self._states = States()
        self._pace = hub.settings.retry_seconds / STANDARD_FIRST
        self._health = Health(hub, database, self._pace, remind)

    async def work(self, due: Due, lane: Lane) -> None:
        """Tell what waits in a claimed lane, in order, until nothing is left or something has to wait; then let go.

        Raises Unavailable and Busy: the claim then ends by itself.
        """
        carrier = self._hub.carriers[due.sink.kind]
        failures = due.failures
        for _ in range(_IN_A_ROW):
            async with self._database.lease() as connection:
                delivery = await store.find_next(connection, lane, due.sink.version, newest=carrier.is_mirror)
                if delivery is None:
                    break
                told = await self._find(connection, lane, delivery, is_mirror=carrier.is_mirror)
            started, at = time.monotonic(), self._hub.now()
            outcome = await self._tell(carrier, due.sink, told) if isinstance(told, Told) else told
            attempt = _to_attempt(delivery, outcome, at, time.monotonic() - started)
            with suppress(Busy):
                # What came of the attempt must not be lost, and told again, because somebody holds the sink.
                await self._health.note(due.sink, outcome, failures)
            step = await self._settle(carrier, due.sink, lane, delivery, outcome, attempt)
            if not step.goes_on:
                return
            failures = 0
        async with self._database.transaction() as connection:
            if await store.hold_lane(connection, lane):
                await store.release(connection, lane, None)

    async def _find(self, connection: Connection, lane: Lane, delivery: Delivery, *, is_mirror: bool) -> Told | Outcome:
        """What is told, or what comes of a delivery of which nothing can be."""
        try:
            told = await find_told(self._hub, connection, self._states, lane.team, delivery, is_mirror=is_mirror)
        except _AWAY:
            raise
        except Exception:  # noqa: BLE001 - logged; or it would be looked at for ever, and those behind it never
            structlog.get_logger().exception("delivery failed", sink=str(lane.sink), delivery=str(delivery.id))
            return _FAULT
        return told or _NO_HISTORY

    async def _tell(self, carrier: Carrier, sink: Sink, told: Told) -> Outcome:
        try:
            return await carrier.tell(self._hub, sink, told)
        except Unavailable:
            # It is told again once the database is there, which must count it.
            raise
        except SecretKeyError:
            return _UNREADABLE
        except Exception:  # noqa: BLE001 - logged; a carrier's fault must not end the lane
            # One bad delivery, or a fault of ours with it, must not hold up any other.
            structlog.get_logger().exception("delivery failed", sink=str(sink.id), delivery=str(told.delivery))
            return _FAULT

    async def _settle(
        self, carrier: Carrier, sink: Sink, lane: Lane, delivery: Delivery, outcome: Outcome, attempt: Attempt
    ) -> Step:
        """Write down what came of an attempt, unless somebody else has the lane by now: then they do."""
        # Whoever gets on with a delivery of several parts has not failed at it.
        tries = delivery.tries + (0 if outcome.parts > delivery.parts else 1)
        pause = find_pause(carrier.schedule(sink), max(tries, 1), self._pace)
        status = _to_status(outcome, has_more_tries=pause is not None)
        step = Step(goes_on=status != "waiting", pause=pause if outcome.kind == "retry" else None)
        superseded = 0
        async with self._database.transaction() as connection:
            if not await store.hold_lane(connection, lane):
                return Step(goes_on=False)
            await store.settle(connection, lane, delivery, status, tries, outcome.parts, attempt.reason)
            await store.insert_attempt(connection, lane, delivery.version, attempt)
            if carrier.is_mirror and status != "waiting":
                superseded = await store.supersede(connection, lane, delivery.version, _NEWER)
            if not step.goes_on:
                await store.release(connection, lane, step.pause)
        self._note(lane.team, lane.sink, "retried" if status == "waiting" else status, 1)
        self._note(lane.team, lane.sink, "superseded", superseded)
        if not step.goes_on and step.pause is not None:
            self._remind(step.pause)
        return step


def _to_status(outcome: Outcome, *, has_more_tries: bool) -> DeliveryStatus:
    match outcome.kind:
        case "delivered" | "skipped":
            return outcome.kind
        case "refused":
            return "dead"
        case "ended":
            # Nothing is lost: whoever enables the sink again gets it.
            return "waiting"
        case _:
            return "waiting" if has_more_tries else "dead"


def _to_attempt(delivery: Delivery, outcome: Outcome, at: datetime, seconds: float) -> Attempt:
    exchanges = msgspec.json.encode(outcome.exchanges) if outcome.exchanges else None
    return Attempt(
        delivery.attempts + 1, at, seconds, outcome.kind, outcome.reason[:_LONGEST_REASON] or None, exchanges
    )
