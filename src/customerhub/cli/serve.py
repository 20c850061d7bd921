"""`customerhub serve`: the hub, from nothing to answering requests, and cleanly back."""

import asyncio
import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from customerhub.app import create_hub, to_limits
from customerhub.cli.database import migrate_at
from customerhub.cli.demo import Demo, prepare_demo
from customerhub.cli.failure import Refused
from customerhub.cli.listen import listen, reserve, to_url
from customerhub.cli.opened import open_database
from customerhub.cli.options import Choices, command, help_of
from customerhub.cli.output import show
from customerhub.cli.process import HubServer, stopped_by_signals
from customerhub.cli.sandbox import claim, keep_start, to_served
from customerhub.cli.watch import kept_running
from customerhub.cli.workers import run_workers
from customerhub.core.admin import list_teams
from customerhub.core.rotation import check_key
from customerhub.core.sandbox import SandboxHub
from customerhub.settings import Settings
from customerhub.web.log import get_logger, set_up_logging
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
) -> None:
    """Start the hub and answer requests until Ctrl-C."""
    settings = choices.to_settings(host=host, port=port, workers=workers, sandbox=sandbox or None, seed=seed)
    settings = to_served(choices, settings)
    _check(settings)
    take = listen if settings.workers == 1 else reserve
    with stopped_by_signals(), take(settings.host, settings.port) as taken, open_database(settings) as opened:
        settings = claim(settings, opened).model_copy(update={"port": taken.getsockname()[1]})
        url = to_url(taken)
        memory = opened.cluster.data_directory / DEMO_MEMORY if opened.cluster is not None else None
        found = asyncio.run(_prepare(settings, url, memory, with_demo=demo))

        def greet() -> None:
            place = settings.data_dir if settings.sandbox else None
            show(choices, _to_answer(url, found, place), to_greeting(url, found, place))

        with kept_running(opened.cluster):
            if settings.workers == 1:
                HubServer(settings, greet).run_on(taken)
            else:
                asyncio.run(run_workers(settings, greet))


def _check(settings: Settings) -> None:
    """Raise Refused for settings that only their users can judge, before anything is started."""
    set_up_logging(settings.log_level, settings.log_format)
    try:
        to_limits(settings)
    except ValueError as error:
        raise Refused(f"A setting is wrong: {error}.") from error


async def _prepare(settings: Settings, url: str, memory: Path | None, *, with_demo: bool) -> Demo | None:
    """Migrate, check the key of stored secrets, and make or find the demo team."""
    done, version = await migrate_at(settings.database_url)
    if done:
        get_logger().info("migrated", applied=done, version=version)
    hub = create_hub(settings)
    try:
        await check_key(hub)
        if isinstance(hub, SandboxHub):
            await hub.settle()
        teams = len(await list_teams(hub))
        demo = await prepare_demo(hub, url, memory) if with_demo else None
        if isinstance(hub, SandboxHub):
            await keep_start(hub, teams)
        return demo
    finally:
        await hub.close()


def _to_answer(url: str, demo: Demo | None, sandbox: Path | None) -> dict[str, object]:
    answer: dict[str, object] = {"url": url, "docs": f"{url}/docs"}
    if sandbox is not None:
        answer["sandbox"] = str(sandbox)
    return answer if demo is None else answer | {"demo": demo}


def to_greeting(url: str, demo: Demo | None, sandbox: Path | None) -> str:
    """What whoever has started it is told: where it answers, and what to do next."""
    lines = [f"Customerhub answers at {url}", f"Reference, and requests to try: {url}/docs"]
    if sandbox is not None:
        lines += ["", f"This is a sandbox: `customerhub reset --data-dir {shlex.quote(str(sandbox))}` puts it back."]
        lines += [f"Requests ask for a fault by the header {SIMULATE}: {', '.join(KINDS)}."]
    if demo is not None:
        lines += ["", *demo.to_lines()]
    return "\n".join([*lines, "", "Ctrl-C stops it."])
