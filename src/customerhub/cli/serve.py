"""`customerhub serve`: the hub, from nothing to answering requests, and cleanly back."""

import asyncio
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from customerhub.app import to_limits
from customerhub.cli.demo import Demo, prepare_demo
from customerhub.cli.failure import Refused
from customerhub.cli.listen import listen, reserve, to_url
from customerhub.cli.metrics import take_metrics_port, to_metrics_url, watched
from customerhub.cli.opened import open_database
from customerhub.cli.options import Choices, command, help_of
from customerhub.cli.output import show
from customerhub.cli.process import HubServer, stopped_by_signals
from customerhub.cli.ready import ready_hub
from customerhub.cli.sandbox import claim, keep_start, to_served
from customerhub.cli.watch import kept_running
from customerhub.cli.workers import run_workers
from customerhub.core.admin import list_teams
from customerhub.core.board import create_board
from customerhub.core.sandbox import SandboxHub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.log import set_up_logging
from customerhub.web.simulate import KINDS, SIMULATE

DEMO_MEMORY: Final = "demo.json"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "serve")(serve)


def serve(
    choices: Choices,
    host: Annotated[str | None, typer.Option("--host", help=help_of("host"))] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help=help_of("port"))] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help=help_of("workers"))] = None,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make a demo team and print how to change its customers.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Serve a place to try things: faults on request, data to be put back.")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", help=help_of("seed"))] = None,
    metrics_host: Annotated[str | None, typer.Option("--metrics-host", help=help_of("metrics_host"))] = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=0, max=65535, help=help_of("metrics_port"))
    ] = None,
) -> None:
    """Start the hub and answer requests until Ctrl-C."""
    watching = {"metrics_host": metrics_host, "metrics_port": metrics_port}
    settings = choices.to_settings(
        host=host, port=port, workers=workers, sandbox=sandbox or None, seed=seed, **watching
    )
    settings = to_served(choices, settings)
    _check(settings)
    take = listen if settings.workers == 1 else reserve
    with (
        stopped_by_signals(),
        take(settings.host, settings.port) as taken,
        take_metrics_port(settings) as watching_port,
        _dialects_loading(settings),
        open_database(settings) as opened,
    ):
        settings = claim(settings, opened).model_copy(update={"port": taken.getsockname()[1]})
        url = to_url(taken)
        memory = opened.cluster.data_directory / DEMO_MEMORY if opened.cluster is not None else None
        found = asyncio.run(_prepare(settings, url, memory, with_demo=demo))

        def greet() -> None:
            place = settings.data_dir if settings.sandbox else None
            metrics = to_metrics_url(watching_port)
            show(choices, _to_answer(url, found, place, metrics), to_greeting(url, found, place, metrics))

        with (
            create_board(settings.workers) as board,
            kept_running(opened.cluster),
            watched(watching_port, settings, board),
        ):
            if settings.workers == 1:
                HubServer(settings, greet, board.take()).run_on(taken)
            else:
                asyncio.run(run_workers(settings, greet, board))


@contextmanager
def _dialects_loading(settings: Settings) -> Iterator[None]:
    """Load the dialects while PostgreSQL is made and starts, which leaves this process waiting.

    Whoever asks for them waits until they are there, and is told what was wrong. Workers load their own.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        if settings.workers == 1:
            beside.submit(find_dialects)
        yield


def _check(settings: Settings) -> None:
    """Raise Refused for settings that only their users can judge, before anything is started."""
    set_up_logging(settings.log_level, settings.log_format)
    try:
        to_limits(settings, Database(settings.database_url))
    except ValueError as error:
        raise Refused(f"A setting is wrong: {error}.") from error


async def _prepare(settings: Settings, url: str, memory: Path | None, *, with_demo: bool) -> Demo | None:
    """Get the database ready, and make or find the demo team."""
    async with ready_hub(settings) as hub:
        if isinstance(hub, SandboxHub):
            await hub.settle()
        teams = len(await list_teams(hub))
        demo = await prepare_demo(hub, url, memory) if with_demo else None
        if isinstance(hub, SandboxHub):
            await keep_start(hub, teams)
        return demo


def _to_answer(url: str, demo: Demo | None, sandbox: Path | None, metrics: str | None) -> dict[str, object]:
    answer: dict[str, object] = {"url": url, "console": f"{url}/console", "docs": f"{url}/docs"}
    if metrics is not None:
        answer["metrics"] = metrics
    if sandbox is not None:
        answer["sandbox"] = str(sandbox)
    return answer if demo is None else answer | {"demo": demo}


def to_greeting(url: str, demo: Demo | None, sandbox: Path | None, metrics: str | None = None) -> str:
    """What whoever has started it is told: where it answers, and what to do next."""
    lines = [f"Customerhub answers at {url}", f"Console: {url}/console", f"Reference, and requests to try: {url}/docs"]
    if metrics is not None:
        lines += [f"Metrics, for Prometheus: {metrics}"]
    if sandbox is not None:
        lines += ["", f"This is a sandbox: `customerhub reset --data-dir {shlex.quote(str(sandbox))}` puts it back."]
        lines += [f"Requests ask for a fault by the header {SIMULATE}: {', '.join(KINDS)}."]
    if demo is not None:
        lines += ["", *demo.to_lines()]
    return "\n".join([*lines, "", "Ctrl-C stops it."])
