"""The port: taken once, told truly, refused in a sentence."""

import socket

import pytest

from customerhub.cli.failure import Refused
from customerhub.cli.listen import listen, reserve, to_url


def test_port_0_takes_a_free_one_and_tells_it() -> None:
    """The URL names the port that was taken, and loopback where every address is listened on."""
    with listen("127.0.0.1", 0) as one, listen("0.0.0.0", 0) as every:  # noqa: S104 - for a moment
        assert to_url(one) == f"http://127.0.0.1:{one.getsockname()[1]}"
        assert to_url(every) == f"http://127.0.0.1:{every.getsockname()[1]}"


def test_a_reserved_port_is_left_to_those_who_share_it() -> None:
    """Workers bind beside the reservation; another hub is refused, whether it would share or not."""
    with reserve("127.0.0.1", 0) as kept:
        port = kept.getsockname()[1]
        with pytest.raises(Refused, match=f"^Port {port} of 127.0.0.1 is taken: "), reserve("127.0.0.1", port):
            pass
        with listen("127.0.0.1", port, is_shared=True) as worker:
            assert worker.getsockname()[1] == port
            with pytest.raises(Refused, match=f"^Port {port} of 127.0.0.1 is taken: "), reserve("127.0.0.1", port):
                pass
            with pytest.raises(Refused, match=f"^Port {port} of 127.0.0.1 is taken: "):
                listen("127.0.0.1", port)


def test_a_reserved_port_gets_no_connections() -> None:
    """Only who listens is connected to: the reservation takes no connection away from the workers."""
    with reserve("127.0.0.1", 0) as kept, listen("127.0.0.1", kept.getsockname()[1], is_shared=True) as worker:
        worker.settimeout(5)
        for _ in range(32):
            with socket.create_connection(kept.getsockname(), timeout=5) as caller:
                accepted, address = worker.accept()
                accepted.close()
                assert address == caller.getsockname()


def test_a_port_is_free_again_at_once() -> None:
    """A server that ends with connections open leaves its port to the next one, with one worker or several."""
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            first.accept()[0].close()
    with reserve("127.0.0.1", port):
        pass
    with listen("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "nowhere.invalid", "a" * 300])
def test_an_address_of_others_is_one_sentence(host: str) -> None:
    """A host that is not this machine's, or no host, is refused by name."""
    with pytest.raises(Refused, match="is no address of this machine"):
        listen(host, 0)
