"""Commands are loaded when they are typed: what is told of them beforehand is true, and nothing else comes along."""

import json
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
from typer import Typer
from typer.main import get_group

import customerhub.cli
from customerhub.cli.commands import COMMANDS, Place, load_command

# Prints, as the last line of its output, which of the modules in its arguments are loaded by the end.
HELP = """
import json, sys
from customerhub.cli import main
asked, sys.argv[1:] = sys.argv[1:], ["--help"]
try:
    main()
finally:
    print(json.dumps([name for name in asked if name in sys.modules]))
"""
APP = """
import json, sys
from customerhub.app import create_app
from customerhub.settings import Settings
asked = sys.argv[1:]
create_app(Settings())
print(json.dumps([name for name in asked if name in sys.modules]))
"""


def loaded(program: str, *names: str) -> list[str]:
    """Which of the modules a program has loaded at its end."""
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_command_is_told_of_as_it_tells_of_itself() -> None:
    """What the modules register is what the table has: the same names, in these modules, with the same sentences."""
    registered: dict[str, Place] = {}
    for _, name, _ in iter_modules(customerhub.cli.__path__):
        module = import_module(f"customerhub.cli.{name}")
        if hasattr(module, "add_to"):
            own = Typer()
            module.add_to(own)
            registered |= {one: Place(name, command.help or "") for one, command in get_group(own).commands.items()}
    assert registered == COMMANDS


def test_a_command_that_there_is_not_is_not_loaded() -> None:
    """Only what the table has can be loaded."""
    with pytest.raises(KeyError):
        load_command("tem")


def test_help_loads_no_hub() -> None:
    """The list of commands is shown without use cases, dialects and server."""
    names = ("customerhub.settings", "customerhub.core", "customerhub.dialects", "customerhub.web", "uvicorn")
    assert loaded(HELP, *names) == ["customerhub.settings"]


def test_a_hub_without_stripe_loads_none_of_it() -> None:
    """Stripe's library comes with the first message or delivery; what every hub serves is there from the start."""
    names = ("customerhub.dialects.base", "customerhub.sinks.stripe.inbound", "stripe", "requests")
    assert loaded(APP, *names) == ["customerhub.dialects.base"]
