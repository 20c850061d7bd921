"""`customerhub work`: tell sinks of changes in a process of its own, beside those that answer requests."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Annotated, Final

import typer
import uvloop

from customerhub.cli.failure import Refused
from customerhub.cli.metrics import take_metrics_port, to_metrics_url, watched
from customerhub.cli.opened import open_database
from customerhub.cli.options import Choices, command, help_of
from customerhub.cli.output import show
from customerhub.cli.process import STOP_SIGNALS, stopped_by_signals
from customerhub.cli.ready import ready_hub
from customerhub.cli.watch import kept_running
from customerhub.core.board import Slot, create_board
from customerhub.core.plan import Plan
from customerhub.core.pulse import Pulse
from customerhub.settings import Settings
from customerhub.store.statements import list_names
from customerhub.web.log import set_up_logging
from customerhub.worker.run import Worker

_GREETING: Final = "Customerhub tells sinks of changes. Ctrl-C stops it."


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "work")(work)


def work(
    choices: Choices,
    metrics_host: Annotated[str | None, typer.Option("--metrics-host", help=help_of("metrics_host"))] = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=0, max=65535, help=help_of("metrics_port"))
    ] = None,
) -> None:
    """Tell sinks of changes until Ctrl-C, without answering requests; any number of these may run."""
    settings = choices.to_settings(metrics_host=metrics_host, metrics_port=metrics_port)
    set_up_logging(settings.log_level, settings.log_format)
    with stopped_by_signals(), take_metrics_port(settings) as watching_port, open_database(settings) as opened:
        if opened.settings.seed is not None:
            raise Refused("In a sandbox with a seed nothing happens by itself: no sink is told of anything.")
        url = to_metrics_url(watching_port)

        def greet() -> None:
            answer = {"works": True} if url is None else {"works": True, "metrics": url}
            lines = [_GREETING] if url is None else [f"Metrics, for Prometheus: {url}", _GREETING]
            show(choices, answer, "\n".join(lines))

        with (
            create_board(1) as board,
            kept_running(opened.cluster),
            watched(watching_port, opened.settings, board),
        ):
            _run(opened.settings, greet, board.take())


def _run(settings: Settings, on_ready: Callable[[], None], slot: Slot) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, on_ready, slot))


async def _work(settings: Settings, on_ready: Callable[[], None], slot: Slot) -> None:
    """Work until a signal; what is being told then is finished if that is quick. A second signal ends it at once."""
    async with ready_hub(settings) as hub:
        hub.slot = slot
        slot.claim(Plan(statements=list_names()))
        worker = Worker(hub)
        pulse = Pulse(hub, lambda: worker.lanes)
        stopping = _stop_on_signals()
        hub.publisher.start()
        worker.start()
        pulse.start()
        try:
            on_ready()
            await stopping.wait()
        finally:
            await pulse.close()
            await worker.close()


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
