"""The only way out: where it may lead, how long it takes, how much it takes in, and what it says of it."""

import asyncio
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from customerhub.sinks.exchange import HIDDEN, Reply, exchange, find_retry_after
from customerhub.sinks.outbound import AddressRefused, Resolve, create_client
from customerhub.web.callback import find_callback_fault
from tests.support.certificates import make_contexts
from tests.support.receiver import Got, Reaction, running_receiver

NAME = "crm.example"
PUBLIC = "93.184.216.34"
NAME_REFUSED = "not sent: the name leads to a private or local address"
LITERAL_REFUSED = "not sent: the address is a private or local address"


class Names:
    """What names lead to, from one question to the next; the last answer stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def send(
    url: str,
    *,
    resolve: Resolve | None = None,
    allows_private: bool = True,
    seconds: float = 5,
    headers: dict[str, str] | None = None,
    secret_headers: tuple[str, ...] = (),
) -> Reply:
    """One POST through a client of its own."""
    async with create_client(allows_private=allows_private, resolve=resolve) as client:
        return await exchange(client, url, headers or {}, b"{}", seconds=seconds, secret_headers=secret_headers)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]"),
        *("[::ffff:7f00:1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2001:db8::1]"),
        "[2001:0:5db8:d822:0:0:80ff:fffe]",
    ],
)
async def test_no_private_address_is_connected_to_in_any_spelling(host: str) -> None:
    """Refused with the reason, without asking for a name, and nothing arrives where it leads."""
    names = Names([PUBLIC])
    async with running_receiver() as receiver:
        reply = await send(f"https://{host}:{receiver.port}/", resolve=names, allows_private=False)
        assert (receiver.connections, receiver.got) == (0, [])
    assert (reply.is_refused, reply.exchange.status, reply.exchange.fault) == (True, None, LITERAL_REFUSED)
    assert names.asked == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"], ["169.254.169.254"], [PUBLIC, "127.0.0.1"]],
)
async def test_a_name_that_leads_to_a_private_address_is_refused(addresses: list[str]) -> None:
    """Also where only one of its addresses is private, since any of them may be the one that answers."""
    names = Names(addresses)
    async with running_receiver() as receiver:
        reply = await send(f"https://{NAME}:{receiver.port}/", resolve=names, allows_private=False)
        assert (receiver.connections, receiver.got) == (0, [])
        assert names.asked == [(NAME, receiver.port)]
    assert (reply.is_refused, reply.exchange.fault) == (True, NAME_REFUSED)


async def test_the_systems_own_resolver_is_checked_too() -> None:
    """`localhost` is refused by where it leads."""
    async with running_receiver() as receiver:
        for host in ("localhost", "LOCALHOST"):
            reply = await send(f"https://{host}:{receiver.port}/", allows_private=False)
            assert (reply.is_refused, reply.exchange.fault) == (True, NAME_REFUSED)
        assert receiver.connections == 0


async def test_a_name_that_is_led_elsewhere_after_the_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Public when the callback was named, public at the first connection's question no more: nothing is sent."""
    names = Names([PUBLIC], ["127.0.0.1"])

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in await names(host, port)]

    async with running_receiver() as receiver:
        url = f"https://{NAME}:{receiver.port}/hook"
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        assert await find_callback_fault(url, allows_private=False) is None
        reply = await send(url, resolve=names, allows_private=False)
        assert (reply.is_refused, reply.exchange.fault) == (True, NAME_REFUSED)
        assert (receiver.connections, receiver.got) == (0, [])
        assert len(names.asked) == 2


async def test_what_is_connected_to_is_the_address_that_was_looked_at() -> None:
    """The name is asked for once a connection, and what it leads to afterwards is nothing to anybody."""
    async with running_receiver() as first, running_receiver() as second:
        names = Names(["127.0.0.1"], [PUBLIC])
        async with create_client(allows_private=True, resolve=names) as client:
            for _ in range(2):
                reply = await exchange(client, f"http://{NAME}:{first.port}/hook", {}, b"{}", seconds=5)
                assert (reply.exchange.status, reply.exchange.fault) == (200, "")
        assert names.asked == [(NAME, first.port)]
        assert (first.connections, len(first.got), second.connections) == (1, 2, 0)
        assert first.got[0].headers["host"] == f"{NAME}:{first.port}"


async def test_tls_is_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    """A certificate for the name is taken, one for another name and one of an unknown authority are not."""
    shown, trusting = make_contexts(tmp_path, NAME)
    async with running_receiver(certificates=shown) as receiver:
        for host, certificates, status, fault in (
            (NAME, trusting, 200, ""),
            ("other.example", trusting, None, "the certificate is not valid for this name"),
            (NAME, None, None, "the certificate is not trusted"),
        ):
            names = Names(["127.0.0.1"])
            async with create_client(allows_private=True, resolve=names, certificates=certificates) as client:
                reply = await exchange(client, f"https://{host}:{receiver.port}/", {}, b"{}", seconds=5)
            assert (reply.exchange.status, reply.exchange.fault) == (status, fault)
        assert len(receiver.got) == 1


async def test_an_address_that_says_nothing_gives_way_to_the_next() -> None:
    """Of several addresses the first that takes the connection is told."""
    async with running_receiver() as receiver:
        names = Names(["127.0.0.2", "::1", "127.0.0.1"])
        reply = await send(f"http://{NAME}:{receiver.port}/", resolve=names)
        assert (reply.exchange.status, len(receiver.got)) == (200, 1)


async def test_without_tls_nothing_goes_to_the_internet() -> None:
    """Plain http is for addresses that the operator allows; port 0 and sockets of the machine are for nobody."""
    names = Names([PUBLIC])
    reply = await send(f"http://{NAME}/", resolve=names, allows_private=False)
    assert (reply.is_refused, reply.exchange.fault) == (True, "not sent: only https is allowed")
    assert names.asked == []
    reply = await send(f"http://{NAME}:0/", resolve=Names(["127.0.0.1"]))
    assert (reply.is_refused, reply.exchange.fault) == (True, "not sent: 0 is no port")
    async with create_client(allows_private=True) as client:
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("unix:///run/postgresql")


async def test_others_get_the_refusal_as_a_connect_error() -> None:
    """Whoever uses the client as any other finds an error of the kind that it knows."""
    async with create_client(allows_private=False) as client:
        with pytest.raises(httpx.ConnectError, match=f"^{LITERAL_REFUSED}$") as caught:
            await client.get("https://127.0.0.1/")
    assert isinstance(caught.value, AddressRefused)


async def test_nothing_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Proxies that the environment names are not asked, nor passwords of a .netrc sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hidden\n", "utf-8")
    async with running_receiver() as proxy, running_receiver() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        reply = await send(receiver.url)
        assert (reply.exchange.status, proxy.connections) == (200, 0)
        assert "authorization" not in receiver.got[0].headers


async def test_redirects_and_cookies_go_nowhere() -> None:
    """A redirect is an answer like another, and what one answer sets no further request carries."""
    async with running_receiver() as inner:
        location = (("Location", inner.url), ("Set-Cookie", "a=b; Path=/"))
        async with running_receiver(lambda _: Reaction(307, location)) as receiver:
            async with create_client(allows_private=True) as client:
                for _ in range(2):
                    reply = await exchange(client, receiver.url, {}, b"{}", seconds=5)
                    assert (reply.exchange.status, reply.exchange.fault) == (307, "")
            assert [("cookie" in got.headers) for got in receiver.got] == [False, False]
        assert inner.connections == 0


async def test_little_of_an_answer_is_taken_in() -> None:
    """Of a megabyte 4,096 bytes, of a packed one as it comes, and of bytes that are no text a text."""
    async with running_receiver(lambda _: Reaction(200, body=b"\0\xff" + b"x" * 1_000_000)) as receiver:
        reply = await send(receiver.url)
    assert (reply.exchange.status, reply.exchange.fault) == (200, "")
    assert reply.exchange.answer == "��" + "x" * 4094
    assert receiver.got[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("reaction", "status", "fault"),
    [
        (Reaction(manner="hang"), None, "no answer within 0.3 s"),
        (Reaction(manner="trickle_head"), None, "no answer within 0.3 s"),
        (Reaction(manner="trickle"), 200, "the answer did not end within 0.3 s"),
        (Reaction(manner="drop"), None, "the connection ended without a whole answer"),
    ],
)
async def test_nobody_takes_longer_than_the_time_in_all(reaction: Reaction, status: int | None, fault: str) -> None:
    """Silence and a byte now and then both end at the limit; what counts of an answer is its status."""
    async with running_receiver(lambda _: reaction) as receiver:
        began = time.monotonic()
        reply = await send(receiver.url, seconds=0.3)
        assert time.monotonic() - began < 2
    assert (reply.exchange.status, reply.exchange.fault) == (status, fault)
    assert 0 < reply.exchange.seconds < 2


async def test_a_name_server_that_says_nothing_is_a_part_of_the_time() -> None:
    """Looking a name up counts like everything else."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    reply = await send(f"https://{NAME}/", resolve=resolve, allows_private=False, seconds=0.2)
    assert (reply.exchange.fault, reply.is_refused) == ("no answer within 0.2 s", False)


async def test_faults_are_told_in_plain_words() -> None:
    """A closed port, a name that leads nowhere, and what cannot be sent at all."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    reply = await send(f"http://127.0.0.1:{port}/")
    assert reply.exchange.fault == "connection refused"

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    assert (await send(f"https://{NAME}/", resolve=resolve)).exchange.fault == "the name leads nowhere"
    assert (await send(f"https://{NAME}/", resolve=Names([]))).exchange.fault == "the name leads nowhere"
    async with running_receiver() as receiver:
        for url, headers in (
            ("https://[::1/", {}),
            (f"https://0177.0.0.1:{receiver.port}/", {}),
            (receiver.url, {"X-Secret": "a\nb"}),
            (f"ftp://127.0.0.1:{receiver.port}/", {}),
        ):
            reply = await send(url, headers=headers)
            assert reply.exchange.fault == "the request cannot be sent as it is set up"
        assert receiver.got == []


async def test_a_receiver_that_breaks_tls_is_a_broken_connection(tmp_path: Path) -> None:
    """What is no TLS any more in the middle of an exchange is the receiver's fault, not ours."""
    shown, trusting = make_contexts(tmp_path, NAME)

    def answer_without_tls(server: socket.socket) -> None:
        with server.accept()[0] as plain, shown.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            with socket.socket(fileno=connection.detach()) as bare:
                bare.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                # An end with something unread would be another fault.
                while bare.recv(65536):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = asyncio.create_task(asyncio.to_thread(answer_without_tls, server))
        async with create_client(allows_private=True, resolve=Names(["127.0.0.1"]), certificates=trusting) as client:
            url = f"https://{NAME}:{server.getsockname()[1]}/"
            reply = await exchange(client, url, {}, b"{}", seconds=5)
        await answering
    assert (reply.exchange.status, reply.exchange.fault) == (None, "the connection broke")


async def test_no_secret_is_kept() -> None:
    """Neither in the headers, whatever their case, nor where the receiver quotes what it got."""

    def quote(got: Got) -> Reaction:
        whole, own = got.headers["authorization"], got.headers["x-own"]
        return Reaction(401, body=f"{own}{whole}{whole.removeprefix('Bearer ')}".encode())

    async with running_receiver(quote) as receiver:
        headers = {"authorization": "Bearer very-secret", "X-Api-Key": "key-of-a-team", "x-own": "own-secret", "X": "y"}
        reply = await send(receiver.url, headers=headers, secret_headers=("X-Own",))
        assert receiver.got[0].headers["x-api-key"] == "key-of-a-team"
    kept = reply.exchange
    assert kept.headers == {"authorization": HIDDEN, "X-Api-Key": HIDDEN, "x-own": HIDDEN, "X": "y"}
    assert (kept.method, kept.body, kept.answer) == ("POST", "{}", HIDDEN * 3)


async def test_a_password_in_the_url_is_neither_sent_nor_kept() -> None:
    """It is no way to name a receiver."""
    async with running_receiver() as receiver:
        reply = await send(receiver.url.replace("http://", "http://me:pass-word@"))
        assert (reply.exchange.fault, receiver.got) == ("the request cannot be sent as it is set up", [])
    assert "pass-word" not in reply.exchange.url


async def test_a_name_is_looked_up_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose server is slow holds one thread, however many requests wait for it."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        time.sleep(0.1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with running_receiver() as receiver, create_client(allows_private=True) as client:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        url = f"http://{NAME}:{receiver.port}/"
        replies = await asyncio.gather(*(exchange(client, url, {}, b"{}", seconds=5) for _ in range(20)))
    assert [reply.exchange.status for reply in replies] == [200] * 20
    assert asked == [NAME]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("", None), ("soon", None), ("-1", None), ("1.5", None), ("0", 0), ("120", 120), ("999999", 3600)),
        ("Sat, 21 Nov 2026 21:01:30 GMT", 90),
        ("Sat, 21 Nov 2026 20:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 21:00:00 GMT", 3600),
        ("Sat, 99 Nov 2026 21:01:30 GMT", None),
        ("Sat, 21 Nov 2026 21:01:30 +99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, expected: float | None) -> None:
    """An hour at most; what is neither counts for nothing."""
    assert find_retry_after({"retry-after": text}, datetime(2026, 11, 21, 21, tzinfo=UTC)) == expected
