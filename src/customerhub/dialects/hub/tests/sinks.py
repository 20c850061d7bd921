"""Sinks through this API, as its tests make them: a carrier that says what it was tried with, and what was told."""

from dataclasses import dataclass, field
from uuid import UUID

import httpx
import msgspec
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Exchange, Sink, Verdict
from customerhub.core.publisher import publish_until
from customerhub.dialects.hub.sinks.records import SINKS
from customerhub.store import deliveries as store
from customerhub.store.deliveries import Attempt, DeliveryStatus, Due, Lane
from customerhub.store.sinks import list_sinks
from tests.support.carriers import FakeCarrier
from tests.support.hub import Desk, Json

# A name that leads nowhere: it may, since its receiver may still be on the way.
URL = "https://hooks.kestrel.invalid/customers"
HIGHEST = 2**62
GOOD = Verdict(is_good=True, exchange=Exchange("POST", URL, {"webhook-id": "1"}, "{}", 200, "thanks", seconds=0.25))


@dataclass
class Trying(FakeCarrier):
    """A carrier that is asked whether sinks work; `tried` are those, each with its secret in clear."""

    verdict: Verdict = GOOD
    tried: list[tuple[Sink, str | None]] = field(default_factory=list)

    @override
    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        """Write it down."""
        self.tried.append((sink, hub.vault.decrypt(sink.secret) if sink.secret is not None else None))
        return self.verdict


def try_by(desk: Desk, kind: str, *, is_mirror: bool = False) -> Trying:
    """Sinks of a kind are tried by this from now on."""
    carrier = Trying(is_mirror=is_mirror)
    desk.hub.carriers = {**desk.hub.carriers, kind: carrier}
    return carrier


async def add_sink(desk: Desk, **members: object) -> Json:
    """A new webhook, unless the members say otherwise, as it is shown."""
    return (await add(desk, **members)).json()["sink"]  # type: ignore[no-any-return]


async def add(desk: Desk, **members: object) -> httpx.Response:
    """The same, as answered."""
    answer = await desk.api.post(SINKS, json={"kind": "webhook", "url": URL, **members})
    assert answer.status_code == 201, answer.text
    return answer


async def get_sink(desk: Desk, sink: Json) -> Json:
    """A sink with how it fares."""
    answer = await desk.api.get(f"{SINKS}/{sink['id']}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def publish(desk: Desk) -> None:
    """All changes of the team have positions, and its sinks deliveries of them, active or not."""
    async with desk.hub.database.lease() as connection:
        await publish_until(connection, desk.team.id, HIGHEST)
        for sink in await list_sinks(connection, desk.team.id):
            async with connection.transaction():
                await store.take(connection, Due(sink, 0, is_behind=True))


async def settle(desk: Desk, sink: Json, status: DeliveryStatus, reason: str | None = None) -> None:
    """All that is on its way to a sink has come to this after one attempt."""
    team, sink_id = desk.team.id, UUID(sink["id"])
    attempt = Attempt(1, desk.hub.now(), 0.5, "retry", reason, msgspec.json.encode([GOOD.exchange]))
    async with desk.hub.database.transaction() as connection:
        for one in await store.list_deliveries(connection, team, sink_id, HIGHEST, 1000, status="waiting"):
            await store.insert_attempt(connection, Lane(team, sink_id, one.customer, sink_id), one.version, attempt)
        await connection.execute(
            "update delivery set status = $3, attempts = 1, tries = 1, reason = $4, settled_at = now() "
            "where team = $1 and sink = $2 and status = 'waiting'",
            team,
            sink_id,
            status,
            reason,
        )


async def deliveries(desk: Desk, sink: Json, **query: str | int) -> list[Json]:
    """What a page of a sink's deliveries holds."""
    answer = await desk.api.get(f"{SINKS}/{sink['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["data"]
    return found
