"""The port for those who watch the hub: the counts of all its processes, in a thread of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import asyncpg
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from customerhub import __version__
from customerhub.cli.listen import listen, to_url
from customerhub.core.board import Board
from customerhub.core.exposition import Exposition
from customerhub.core.metrics import CONTENT_TYPE
from customerhub.core.survey import Survey, take_survey
from customerhub.core.tally import take_tally
from customerhub.model.error import Unavailable
from customerhub.settings import Settings
from customerhub.store.db import CONNECTION_LOST, connect

PATH: Final = "/metrics"
# However often somebody asks, the database is asked no more often than this.
_FRESH_SECONDS: Final = 5.0
_SURVEY_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 16
_STOP_SECONDS: Final = 5.0


@contextmanager
def take_metrics_port(settings: Settings) -> Iterator[socket.socket | None]:
    """The socket for those who watch, taken before anything is started; None where none is wanted. Raises Refused."""
    if settings.metrics_port is None:
        yield None
        return
    with listen(settings.metrics_host, settings.metrics_port, prefix="metrics-") as taken:
        yield taken


@contextmanager
def watched(taken: socket.socket | None, settings: Settings, board: Board) -> Iterator[None]:
    """Meanwhile `/metrics` is answered on the socket; nothing where there is none."""
    if taken is None:
        yield
        return
    application = Starlette(routes=[Route(PATH, _Metrics(settings, board).answer)])
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
        )
    )
    thread = threading.Thread(target=server.run, args=([taken],), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(_STOP_SECONDS)


def to_metrics_url(taken: socket.socket | None) -> str | None:
    """Where metrics are answered; None where they are not."""
    return None if taken is None else to_url(taken) + PATH


class _Metrics:
    """Answers from the board, and from a look at the database that is some seconds old at most."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._settings = settings
        self._board = board
        self._survey: Survey | None = None
        self._surveyed_at = -_FRESH_SECONDS
        self._turn = asyncio.Lock()

    async def answer(self, _: Request) -> Response:
        """`GET /metrics`: 200 in the text format of Prometheus, also while the database is away."""
        async with self._turn:
            if time.monotonic() - self._surveyed_at >= _FRESH_SECONDS:
                self._survey = await self._find_survey()
                self._surveyed_at = time.monotonic()
        registry = CollectorRegistry()
        registry.register(Exposition(take_tally(self._board), self._survey, __version__))
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE})

    async def _find_survey(self) -> Survey | None:
        """Over a connection of its own: whoever watches takes none from those who ask.

        The server gives up in time too: a slow one is not to be asked once more while it still works on the last one.
        """
        with suppress(Unavailable, asyncpg.exceptions.PostgresError, *CONNECTION_LOST):
            async with asyncio.timeout(_SURVEY_SECONDS):
                connection = await connect(
                    self._settings.session_url, patience=_SURVEY_SECONDS, statement_seconds=_SURVEY_SECONDS
                )
                try:
                    return await take_survey(connection)
                finally:
                    connection.terminate()
        return None
