"""The only way out: every request that the hub makes of itself goes through here, to an address that was looked at.

A name can lead elsewhere between a check and a connection. So the name is looked up where the connection is made, every
address that it has is checked, and what is connected to is one of these very addresses; TLS is still for the name.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import httpcore
import httpx
from httpcore import AsyncNetworkStream
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink
from customerhub.web.callback import is_public_address, to_address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host's name and a port to its addresses, in the order in which to try them; raises OSError for none."""

_MOST_CONNECTIONS: Final = 200
_MOST_IDLE: Final = 50
# Less than the five seconds after which many servers end an idle connection: a request on one that ends is lost.
_IDLE_SECONDS: Final = 3.0
_MOST_ADDRESSES: Final = 4
# An address that says nothing must not use up the time of those behind it.
_ADDRESS_SECONDS: Final = 3.0
_LOOKUPS: Final = 16
_HEADERS: Final = {"User-Agent": "customerhub", "Accept-Encoding": "identity"}
_ERRORS: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}


class AddressRefused(httpx.ConnectError):
    """Nothing was sent, since nothing may be sent there; the text says why, for people, and names no address."""


class Resolver:
    """Looks names up, in threads of its own and each name once at a time: a name whose server says nothing for half a
    minute must not hold up what other threads are for, nor the other names, however many requests ask for it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, "resolver")
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name; raises OSError, or UnicodeError for what cannot be a name."""
        asked = self._asked.get((host, port))
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._forget(host, port, done))
        return await asyncio.shield(asked)

    def _forget(self, host: str, port: int, done: asyncio.Future[list[str]]) -> None:
        del self._asked[host, port]
        if not done.cancelled():
            done.exception()  # everybody who asked may have gone meanwhile

    def close(self) -> None:
        """Begin no further lookup."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


class _Guard(httpcore.AsyncNetworkBackend):
    """Connects to addresses that it checked, and to nothing else."""

    def __init__(self, resolve: Resolve, *, allows_private: bool) -> None:
        self._resolve = resolve
        self._allows_private = allows_private
        self._network = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        addresses = await self._find_addresses(host, port)
        for address in addresses[:-1]:
            patience = min(_ADDRESS_SECONDS, timeout or _ADDRESS_SECONDS)
            try:
                return await self._network.connect_tcp(str(address), port, patience, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)

    async def _find_addresses(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """Where to connect; AddressRefused where one of all addresses of the host may not be connected to."""
        literal = to_address(host)
        if literal is not None:
            found = [literal]
        else:
            try:
                texts = await self._resolve(host, port)
                found = [address for address in map(to_address, texts) if address is not None]
                if len(found) < max(len(texts), 1):
                    raise socket.gaierror
            except (OSError, UnicodeError) as error:
                raise httpcore.ConnectError("the name leads nowhere") from error
        if not self._allows_private and not all(map(is_public_address, found)):
            what = "the address is" if literal is not None else "the name leads to"
            raise AddressRefused(f"not sent: {what} a private or local address")
        return found[:_MOST_ADDRESSES]

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        raise AddressRefused("not sent: a socket of this machine is no address")

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over connections that the guard made; without redirects, proxies and cookies of its own."""

    def __init__(self, *, allows_private: bool, resolve: Resolve | None, certificates: ssl.SSLContext | None) -> None:
        self._allows_private = allows_private
        self._resolver = Resolver()
        self._pool = httpcore.AsyncConnectionPool(
            # Those who are trusted are those of `certifi`, or those that the operator names by SSL_CERT_FILE.
            ssl_context=certificates or httpx.create_ssl_context(),
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Guard(resolve or self._resolver, allows_private=allows_private),
        )

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises AddressRefused, and what httpx raises of transports."""
        if request.url.scheme != "https" and not self._allows_private:
            raise AddressRefused("not sent: only https is allowed")
        url = request.url
        if url.port == 0:
            raise AddressRefused("not sent: 0 is no port")
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous client's always is
        order = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _translated():
            answer = await self._pool.handle_async_request(order)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Answer(answer), extensions=answer.extensions
        )

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()
        self._resolver.close()


class _Answer(httpx.AsyncByteStream):
    """The body of an answer as it comes in."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for piece in self._answer.aiter_stream():
                yield piece

    @override
    async def aclose(self) -> None:
        with _translated():
            await self._answer.aclose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except tuple(_ERRORS) as error:
        raise _ERRORS[type(error)](str(error)) from error
    except ssl.SSLError as error:
        # What breaks TLS after its beginning is let through as it is.
        raise httpx.ReadError("the connection broke") from error


def create_client(
    *,
    allows_private: bool,
    timeout: float = 15,
    resolve: Resolve | None = None,
    certificates: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client for requests to addresses that others name; one for the whole process, closed with it.

    With `allows_private` it may go to any address, and without TLS; otherwise to public ones by https alone, and
    AddressRefused (a ConnectError) is raised before anything is sent. `timeout` is in seconds and for each step: how
    long a request takes in all is for whoever sends it. Nothing of the environment counts (proxies, .netrc), redirects
    are answers like others, and cookies are not kept.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(allows_private=allows_private, resolve=resolve, certificates=certificates),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        headers=_HEADERS,
        # What one receiver sets is nothing to tell another request, which may be another team's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


class Clients:
    """A carrier's clients, each made when it is first needed: one that may go anywhere, and one that may not.

    `create` makes one that may or may not, as `create_client` does.
    """

    def __init__(self, create: Callable[[bool], httpx.AsyncClient]) -> None:
        self._create = create
        self._made: dict[bool, httpx.AsyncClient] = {}

    def get(self, hub: Hub, sink: Sink) -> httpx.AsyncClient:
        """The client for a sink: only those whose address the operator named, or allowed, lead anywhere."""
        allows_private = sink.is_trusted or hub.settings.private_callbacks
        client = self._made.get(allows_private)
        if client is None:
            client = self._made[allows_private] = self._create(allows_private)
        return client

    async def close(self) -> None:
        """Let go of every connection."""
        made, self._made = self._made, {}
        for client in made.values():
            await client.aclose()
