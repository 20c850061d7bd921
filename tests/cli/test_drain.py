"""Being told to stop while people ask: whoever has come is answered, whoever comes later is sent elsewhere."""

import errno
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from customerhub.cli.drain import count_waiting, turn_away
from customerhub.cli.listen import listen
from tests.cli.support import Serving, wait_until
from tests.support.fixtures import SECRET_KEY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a program sort out packets")
# After that Linux lets nobody set a filter on the socket.
SO_LOCK_FILTER = 44
ASK = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Callable[..., Serving]:
    """Serves on the database of the run, which starts at once and stays."""

    def start(*options: str, **settings: str) -> Serving:
        known = {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY, "CUSTOMERHUB_DELIVERIES": "false"}
        return Serving(tmp_path / "unused", "--database-url", database_url, *options, **known, **settings)

    return start


def knock(address: tuple[str, int]) -> socket.socket:
    """A connection that is being made."""
    caller = socket.socket()
    caller.setblocking(False)
    assert caller.connect_ex(address) == errno.EINPROGRESS
    return caller


def read_answer(caller: socket.socket) -> tuple[str, str]:
    """The status line, and what the answer says of the connection; its body is an object."""
    caller.settimeout(20)
    text = b""
    while not text.endswith(b"}"):
        part = caller.recv(65536)
        assert part, "the connection was cut off"
        text += part
    lines = text.decode().split("\r\n")
    return lines[0], next((line for line in lines if line.lower().startswith("connection:")), "")


def test_a_socket_that_turns_away_keeps_those_who_came() -> None:
    """Connections that wait to be accepted stay whole, with what they have sent; who knocks later gets no connection,
    and hears that nobody listens as soon as the socket is closed.
    """
    with listen("127.0.0.1", 0) as door:
        came = [socket.create_connection(door.getsockname()) for _ in range(5)]
        assert count_waiting(door) == 5
        turn_away(door)
        late = knock(door.getsockname())
        came[0].sendall(b"hello")
        accepted = [door.accept()[0] for _ in came]
        assert count_waiting(door) == 0
        assert accepted[0].recv(5) == b"hello"
        assert select.select([], [late], [], 0.2) == ([], [], [])
    assert select.select([], [late], [], 10)[1] == [late]
    assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
    for each in (*came, *accepted, late):
        each.close()


def test_where_no_filter_may_be_set_nothing_happens() -> None:
    """As in a container that forbids it: whoever knocks is let in as before, and so answered."""
    with listen("127.0.0.1", 0) as door:
        door.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
        turn_away(door)
        with socket.create_connection(door.getsockname(), timeout=5):
            assert count_waiting(door) == 1


def test_who_has_come_is_answered(serve: Callable[..., Serving]) -> None:
    """Connections that wait to be accepted, with a request, while the process cannot look and is then told to stop, and
    those that are kept open for another request: each gets its answer, as the last one there.
    """
    with serve() as server:
        kept = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
        for caller in kept:
            caller.sendall(ASK)
            assert read_answer(caller) == ("HTTP/1.1 200 OK", "")
        os.kill(server.process.pid, signal.SIGSTOP)
        waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
        for caller in waiting:
            caller.sendall(ASK)
        server.process.send_signal(signal.SIGTERM)
        os.kill(server.process.pid, signal.SIGCONT)
        wait_until(lambda: not is_welcome(server.port), 5, "nobody new is let in")
        for caller in kept:
            caller.sendall(ASK)
        assert {read_answer(caller)[0] for caller in waiting} == {"HTTP/1.1 200 OK"}
        assert {read_answer(caller) for caller in kept} == {("HTTP/1.1 200 OK", "connection: close")}
        assert {caller.recv(1) for caller in kept} == {b""}
        for caller in (*kept, *waiting):
            caller.close()
        assert server.process.wait(timeout=20) == 0


def is_welcome(port: int) -> bool:
    """Whether a new connection is made at once."""
    with knock(("127.0.0.1", port)) as caller:
        if not select.select([], [caller], [], 0.05)[1]:
            return False
        return caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_balancer_hears_of_it_first(serve: Callable[..., Serving]) -> None:
    """With seconds to leave, `/readyz` says 503 while everything else is answered as before, new connections too; a
    second signal ends it at once.
    """
    with serve(CUSTOMERHUB_LEAVING_SECONDS="60") as server:
        assert server.ask("GET", "/readyz") == (200, {"status": "ok"})
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.ask("GET", "/readyz") == (503, {"status": "leaving"}), 5, "it says that it leaves")
        kept = HTTPConnection("127.0.0.1", server.port, timeout=5)
        for _ in range(3):
            kept.request("GET", "/healthz")
            answer = kept.getresponse()
            assert (answer.status, answer.read(), answer.getheader("connection")) == (200, b'{"status":"ok"}', None)
        kept.close()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0


def test_a_second_ctrl_c_ends_several_workers_at_once(serve: Callable[..., Serving]) -> None:
    """Those of a terminal go to the parent alone, which hands the second one on."""
    with serve("--workers", "2", CUSTOMERHUB_LEAVING_SECONDS="60") as server:
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: {server.ask("GET", "/readyz")[0] for _ in range(10)} == {503}, 5, "both say that they leave")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
