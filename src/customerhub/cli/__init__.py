"""The command line: what is typed at a terminal, put together from one module a command."""

import sys

from customerhub.cli.commands import LateCommands
from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.options import Choices, group
from customerhub.cli.output import fail

app = group("One customer record that speaks every system's API.", cls=LateCommands)


def main() -> None:
    """Run the command that was typed; exit code 1 for a failure, said in one sentence, and 2 for a wrong use."""
    choices = Choices()
    try:
        app(obj=choices, prog_name="customerhub")
    except EXPECTED as error:
        fail(choices, to_sentence(error))
        sys.exit(1)
