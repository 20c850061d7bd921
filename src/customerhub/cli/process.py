"""One process that answers requests: uvicorn on a socket, until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
import uvloop
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from customerhub.app import create_app
from customerhub.cli.drain import drain, stay
from customerhub.cli.failure import Refused
from customerhub.cli.listen import BACKLOG
from customerhub.core.board import Slot
from customerhub.settings import Settings
from customerhub.web.log import get_logger
from customerhub.web.simulate import HANG_UP

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a worker tells its parent when it listens.
READY: Final = b"ready\n"
# So long requests that are being answered may take once the process is told to stop.
DRAIN_SECONDS: Final = 10
# Longer than the minute after which most proxies close, so that it is never us who close just as they ask again.
_KEEP_ALIVE_SECONDS: Final = 75


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Being told to stop while starting undoes what was started and is no failure."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        get_logger().info("told to stop at once")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SandboxProtocol(HttpToolsProtocol):
    """HTTP for a hub that may be asked to hang up: lets the application end the connection."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"call": self.transport.close}}


class HubServer(uvicorn.Server):
    """Uvicorn that says when it listens, and for which being told to stop is no failure."""

    def __init__(self, settings: Settings, on_ready: Callable[[], None], slot: Slot) -> None:
        self._site = create_app(settings, slot)
        self._leaving_seconds = settings.leaving_seconds
        super().__init__(
            uvicorn.Config(
                self._site,
                http=SandboxProtocol if settings.sandbox else "httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                # Where the clock is made up, the time of an answer is not the hub's to tell (RFC 9110, 6.6.1).
                date_header=settings.seed is None,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                workers=1,
                backlog=BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._on_ready = on_ready

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._site.leave()
        await stay(self, self._leaving_seconds)
        # Whoever waits for news would be cut off once the time to finish requests is over.
        self._site.let_go()
        await drain(self, sockets or ())
        await super().shutdown(sockets)

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, at once on a second Ctrl-C; unlike uvicorn's own, the signal is not raised again."""
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run_on(self, taken: socket.socket) -> None:
        """Answer requests on the socket until told to stop. Raises Refused where the application does not start."""
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self.serve([taken]))
        except SystemExit as error:
            raise Refused("The hub did not start; the lines above say why.") from error
