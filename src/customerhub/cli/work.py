"""`customerhub work`: tell sinks of changes in a process of its own, beside those that answer requests."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

import typer
import uvloop

from customerhub.app import create_hub
from customerhub.cli.database import migrate_at
from customerhub.cli.failure import Refused
from customerhub.cli.opened import open_database
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show
from customerhub.cli.process import STOP_SIGNALS, stopped_by_signals
from customerhub.cli.watch import kept_running
from customerhub.core.rotation import check_key
from customerhub.settings import Settings
from customerhub.web.log import get_logger, set_up_logging
from customerhub.worker.run import Worker

_GREETING: Final = "Customerhub tells sinks of changes. Ctrl-C stops it."


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "work")(work)


def work(choices: Choices) -> None:
    """Tell sinks of changes until Ctrl-C, without answering requests; any number of these may run."""
    settings = choices.to_settings()
    set_up_logging(settings.log_level, settings.log_format)
    with stopped_by_signals(), open_database(settings) as opened:
        if opened.settings.seed is not None:
            raise Refused("In a sandbox with a seed nothing happens by itself: no sink is told of anything.")
        with kept_running(opened.cluster):
            _run(opened.settings, lambda: show(choices, {"works": True}, _GREETING))


def _run(settings: Settings, on_ready: Callable[[], None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, on_ready))


async def _work(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Work until a signal; what is being told then is finished if that is quick. A second signal ends it at once."""
    done, version = await migrate_at(settings.database_url)
    if done:
        get_logger().info("migrated", applied=done, version=version)
    hub = create_hub(settings)
    try:
        await check_key(hub)
        worker = Worker(hub)
        stopping = _stop_on_signals()
        hub.publisher.start()
        worker.start()
        try:
            on_ready()
            await stopping.wait()
        finally:
            await worker.close()
    finally:
        await hub.close()


def _stop_on_signals() -> asyncio.Event:
    """What is set by the first signal; the second is one as it is while starting."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def stop() -> None:
        stopping.set()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, interrupt)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    return stopping
