"""The commands by name: each is loaded when it is typed, since what all of them need takes a second to load."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group
from typing_extensions import override


class Place(NamedTuple):
    """The module beside this one that has a command, and what the command says of itself."""

    module: str
    help: str


COMMANDS: Final[Mapping[str, Place]] = {
    "serve": Place("serve", "Start the hub and answer requests until Ctrl-C."),
    "work": Place(
        "work", "Tell sinks of changes until Ctrl-C, without answering requests; any number of these may run."
    ),
    "migrate": Place("database", "Bring the database to this version's schema and say what was done."),
    "doctor": Place(
        "doctor",
        "Look at everything the hub needs; say what is wrong and how to mend it. Exit code 1 where something is.",
    ),
    "backup": Place(
        "backup", "Save all that a hub holds into one file, while it goes on; `restore` fills an empty hub with it."
    ),
    "restore": Place(
        "restore", "Fill an empty hub with a backup: a new data directory, or an empty database. All of it, or nothing."
    ),
    "export": Place(
        "export", "Write a team's customers into one file, while the hub goes on; a file is there when it is whole."
    ),
    "import": Place(
        "imports",
        "Import a file, row by row; interrupted, the same command goes on. Exit code 1 where rows were refused.",
    ),
    "audit": Place("audit", "List what happened in a team, the newest first; with --json also the old and new values."),
    "erase": Place(
        "erase",
        "Erase a customer for good, with all that was merged into it, and tidy up the tables where its values were.",
    ),
    "reset": Place(
        "sandbox", "Put all data of a sandbox back to its start; a server that runs on it goes on with that."
    ),
    "settings": Place("about", "Show every setting: its value, where that comes from, and what it is for."),
    "version": Place("about", "Show the versions of the hub, its schema and what it runs on."),
    "team": Place("team", "Teams: whose customers they are."),
    "user": Place("user", "Users: members of a team, such as its sales reps."),
    "credential": Place(
        "credential", "Credentials: what callers of a dialect show; the secret is printed once and not kept."
    ),
    "role": Place("role", "Roles: what keys and members of APIs that know permissions may do."),
    "session": Place("session", "Sessions: who is signed in with a browser."),
    "stripe": Place("stripe", "Stripe: keep a team's customers in its Stripe account too."),
    "account": Place("account", "Accounts with other systems, which are kept like a team's customers."),
    "webhook": Place("webhook", "Webhooks: receivers that are told of a team's changes by HTTP."),
    "sink": Place("sink", "Sinks: where changes go; Stripe, webhooks, accounts of other systems."),
    "sync": Place("sync", "Sync: how far the other systems are, and where they differ."),
    "fixture": Place("sandbox", "Fixtures: states of a sandbox under names."),
    "secrets": Place("secrets", "The key with which secrets are stored that must be known in clear again."),
}


class LateCommands(TyperGroup):
    """Knows of each command what its help says, and the command itself once it is typed."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - what typer gives every group
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=place.help) for name, place in COMMANDS.items()}

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:  # Any: types typer keeps
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> TyperCommand | TyperGroup:
    """A command, with all that it needs; KeyError where there is none of this name."""
    own = Typer()
    import_module(f"customerhub.cli.{COMMANDS[name].module}").add_to(own)
    loaded: TyperCommand | TyperGroup = get_group(own).commands[name]  # type: ignore[assignment] # typer makes these
    return loaded
