"""`customerhub doctor`: what is wrong with this installation, and how to mend it."""

import asyncio
import sys
from collections.abc import Iterator

import typer

from customerhub.app import create_hub
from customerhub.cli.checks import Check, check_database, check_disk, check_secrets, check_settings
from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.opened import DATABASE, is_new
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show
from customerhub.core.hub import Hub
from customerhub.core.secrets import KEY_FILE
from customerhub.embedded import Cluster, EmbeddedError, open_cluster
from customerhub.model.error import Unavailable
from customerhub.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "doctor")(examine)


def examine(choices: Choices) -> None:
    """Look at everything the hub needs; say what is wrong and how to mend it. Exit code 1 where something is."""
    checks = list(_run_checks(choices.to_settings()))
    is_well = all(check.ok for check in checks)
    text = "\n".join(_to_line(check) for check in checks)
    show(choices, {"ok": is_well, "checks": checks}, text)
    if not is_well:
        sys.exit(1)


def _to_line(check: Check) -> str:
    line = f"{'ok     ' if check.ok else 'PROBLEM'}  {check.name}: {check.found}"
    return f"{line}\n         {check.mend}" if check.mend else line


def _run_checks(settings: Settings) -> Iterator[Check]:
    yield check_settings(settings)
    if settings.database_url:
        yield from _check_url(settings)
        return
    directory = settings.data_dir.expanduser().absolute()
    yield check_disk(directory)
    if is_new(directory):
        yield Check("data directory", ok=True, found=f"{directory} is not made yet: `customerhub serve` does it")
        return
    try:
        with open_cluster(directory, binaries=settings.postgres_bin) as cluster:
            yield from _check_cluster(settings, cluster)
    except EmbeddedError as error:
        yield Check("data directory", ok=False, found=str(error), mend="The sentence above says how.")


def _check_cluster(settings: Settings, cluster: Cluster) -> Iterator[Check]:
    yield Check("data directory", ok=True, found=str(cluster.data_directory))
    programs = f"PostgreSQL {cluster.major_version} in {cluster.binary_directory}"
    yield Check("programs", ok=True, found=programs)
    found: dict[str, object] = {"database_url": cluster.url(DATABASE), "direct_url": ""}
    if not settings.secret_key and settings.secret_key_file is None:
        found["secret_key_file"] = cluster.data_directory / KEY_FILE
    yield from _check_url(settings.model_copy(update=found))


def _check_url(settings: Settings) -> Iterator[Check]:
    try:
        yield from asyncio.run(_collect(settings))
    except EXPECTED as error:
        yield Check("database", ok=False, found=to_sentence(error), mend="Mend that, and run the doctor again.")


async def _collect(settings: Settings) -> list[Check]:
    hub = create_hub(settings)
    try:
        async with hub.database.lease() as connection:
            found = [check async for check in check_database(connection, settings)]
        return [*found, await check_secrets(hub)] if await _is_migrated(hub) else found
    finally:
        await hub.close()


async def _is_migrated(hub: Hub) -> bool:
    try:
        await hub.ready()
    except Unavailable:
        return False
    return True
