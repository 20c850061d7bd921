"""`customerhub secrets`: the key with which stored secrets are encrypted."""

import msgspec
import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show
from customerhub.core.rotation import rotate
from customerhub.core.secrets import new_key


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    secrets = group("The key with which secrets are stored that must be known in clear again.")
    command(secrets, "rotate")(replace_key)
    command(secrets, "new-key")(print_key)
    app.add_typer(secrets, name="secrets")


def replace_key(choices: Choices) -> None:
    """Encrypt every stored secret with a new key; servers may run meanwhile."""
    done = with_hub(choices, rotate)
    text = f"{done.renewed} secrets are encrypted with key {done.fingerprint}; left to do: {done.next}"
    show(choices, msgspec.to_builtins(done), text)


def print_key(choices: Choices) -> None:
    """Print a new random key, fit for CUSTOMERHUB_SECRET_KEY."""
    key = new_key()
    show(choices, {"key": key}, key)
