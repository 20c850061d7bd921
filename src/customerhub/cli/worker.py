"""One of several processes that answer requests, started by `customerhub serve --workers`; not typed by people.

Its settings come as one line of JSON on standard input, where no list of processes shows the database's password.
Standard input then stays open for as long as the parent wants the worker: its end, which also comes when the parent
is killed, is the order to stop. The worker says `ready` on standard output. What it counts goes to a place of a board
(core/board.py): the arguments are the board's descriptor, its number of places, and this worker's place.
"""

import os
import sys
import threading

from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.listen import listen
from customerhub.cli.output import say
from customerhub.cli.process import READY, HubServer
from customerhub.core.board import Board
from customerhub.settings import Settings


def main() -> None:
    """Answer requests until standard input ends."""
    settings = Settings.model_validate_json(_read_line())
    try:
        descriptor, places, place = map(int, sys.argv[1:])
        server = HubServer(settings, _say_ready, Board(places, descriptor).slot(place))
        threading.Thread(target=_stop_with_parent, args=(server,), name="parent", daemon=True).start()
        with listen(settings.host, settings.port, is_shared=True) as taken:
            server.run_on(taken)
    except EXPECTED as error:
        say(f"customerhub worker: {to_sentence(error)}")
        sys.exit(1)


def _read_line() -> bytes:
    """The first line of standard input, without Python's buffer: its lock would be held at the end of the process."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            sys.exit(1)
        line += part
    return line


def _stop_with_parent(server: HubServer) -> None:
    while os.read(0, 65536):
        pass
    server.should_exit = True


def _say_ready() -> None:
    os.write(1, READY)


if __name__ == "__main__":
    main()
