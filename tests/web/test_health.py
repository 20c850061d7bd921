"""Whether the process lives and can work."""

import asyncio

import pytest
from typing_extensions import override

from customerhub.model.error import Unavailable
from customerhub.web import health
from customerhub.web.health import to_health_pages
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.web.fake import FakeDialect, FakeHub, to_client


def caused(error: BaseException) -> Unavailable:
    """Unavailable for this reason."""
    unavailable = Unavailable()
    unavailable.__cause__ = error
    return unavailable


@pytest.mark.parametrize(
    ("unready", "status", "content"),
    [
        (None, 200, {"status": "ok"}),
        (Unavailable(), 503, {"status": "unavailable", "missing": "database"}),
        (caused(OSError("postgres://u:secret@h")), 503, {"status": "unavailable", "missing": "database"}),
        (caused(RuntimeError("at 1, needs 2")), 503, {"status": "unavailable", "missing": "migrations"}),
    ],
)
async def test_readiness_names_what_is_missing(unready: Exception | None, status: int, content: dict[str, str]) -> None:
    """Ready is 200; otherwise 503 names the part, and nothing of how it is reached."""
    hub = FakeHub(unready=unready)
    async with to_client(Site(hub, [FakeDialect()], limits=Limits(), pages=to_health_pages(hub))) as client:
        ready, healthy = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, ready.json(), ready.headers["cache-control"]) == (status, content, "no-store")
    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok"})


async def test_a_database_that_does_not_answer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is not kept waiting for a database that hangs."""

    class Hanging(FakeHub):
        @override
        async def ready(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(health, "READY_SECONDS", 0.01)
    hub = Hanging()
    async with to_client(Site(hub, [FakeDialect()], limits=Limits(), pages=to_health_pages(hub))) as client:
        ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "missing": "database"})


async def test_who_leaves_is_not_ready() -> None:
    """A process that is to stop lives and can work, and whoever asks whether it is ready is sent elsewhere."""
    hub = FakeHub()
    site = Site(hub, [FakeDialect()], limits=Limits(), pages=to_health_pages(hub))
    async with to_client(site) as client:
        site.leave()
        ready, healthy = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, ready.json()) == (503, {"status": "leaving"})
    assert healthy.status_code == 200
