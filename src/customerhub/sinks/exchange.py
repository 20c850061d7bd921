"""Send one request and say what came of it: within a time in all, little of the answer, no secret in what is kept."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from msgspec import Struct

from customerhub.core.outgoing import Exchange
from customerhub.sinks.outbound import AddressRefused

MOST_ANSWERED: Final = 4096
"""Bytes of an answer's body that are read; the rest is never taken in."""
HIDDEN: Final = "•••"
SHORTEST_SECRET: Final = 8
"""Characters; a word that is shorter stands in many answers that quote no secret."""

_SECRET_HEADERS: Final = frozenset(("authorization", "cookie", "proxy-authorization", "x-api-key"))
_MOST_WAIT_SECONDS: Final = 3600.0
# What OpenSSL says is wrong with a certificate (X509_V_ERR_…).
_CERTIFICATE_FAULTS: Final = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    62: "the certificate is not valid for this name",
    64: "the certificate is not valid for this address",
}


class Reply(Struct, frozen=True):
    """What came of one request: the log's word of it, and how many seconds the other side asks us to wait.

    `is_refused`: nothing was sent, since nothing may be sent there.
    """

    exchange: Exchange
    retry_after: float | None = None
    is_refused: bool = False


async def exchange(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds: float,
    secret_headers: tuple[str, ...] = (),
    method: str = "POST",
) -> Reply:
    """Send one request and read the beginning of its answer, in `seconds` at most, whatever the other side does.

    `secret_headers` are blacked out in what is kept, beside those that always are. An answer counts from its status
    on: `fault` then says what became of its body. Raises nothing that the other side or the URL is to blame for.
    """
    began = time.monotonic()
    answer, fault, is_refused = _Answer(), "", False
    try:
        async with asyncio.timeout(seconds):
            await answer.receive(client, _build(client, method, url, headers, body))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
        fault = to_fault(error, seconds, has_begun=answer.status is not None)
        is_refused = isinstance(error, AddressRefused)
    secret = {name: value for name, value in headers.items() if _is_secret(name, secret_headers)}
    exchanged = Exchange(
        method=method,
        url=_without_password(url),
        headers=dict(headers) | dict.fromkeys(secret, HIDDEN),
        body=body.decode("utf-8", "replace"),
        status=answer.status,
        answer=answer.text(secret.values()),
        fault=fault,
        seconds=round(time.monotonic() - began, 6),
    )
    return Reply(exchanged, find_retry_after(answer.headers, datetime.now(UTC)), is_refused)


def _build(client: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
    request = client.build_request(method, url, headers=dict(headers), content=body)
    if request.url.userinfo:
        # It would stand in for the Authorization of the headers, and be kept with the URL wherever that is.
        raise httpx.InvalidURL("a password in the URL")
    return request


class _Answer:
    """What has come in so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._body = b""

    async def receive(self, client: httpx.AsyncClient, request: httpx.Request) -> None:
        """Read status, headers and the beginning of the body; whatever is read stays, also where it breaks off."""
        answer = await client.send(request, stream=True)
        try:
            self.status, self.headers = answer.status_code, answer.headers
            # As it comes: unpacked, four kilobytes might be gigabytes.
            async for piece in answer.aiter_raw():
                self._body += piece[: MOST_ANSWERED - len(self._body)]
                if len(self._body) >= MOST_ANSWERED:
                    break
        finally:
            await answer.aclose()

    def text(self, secrets: Iterable[str]) -> str:
        """The body for the log, without the secrets that were sent; some receivers quote what they got."""
        # PostgreSQL keeps no NUL in a text.
        text = self._body.decode("utf-8", "replace").replace("\0", "�")
        # Whole first, and then what follows a word such as Bearer.
        words = (word for secret in secrets for word in (secret, *secret.split()))
        for word in words:
            if len(word) >= SHORTEST_SECRET:
                text = text.replace(word, HIDDEN)
        return text


def find_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds an answer asks to wait (RFC 9110, 10.2.3: seconds or a date), an hour at most; None for none."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), _MOST_WAIT_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is one of UTC.
    wait = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
    return min(max(wait.total_seconds(), 0.0), _MOST_WAIT_SECONDS)


def _is_secret(name: str, named: tuple[str, ...]) -> bool:
    return name.lower() in _SECRET_HEADERS or name.lower() in map(str.lower, named)


def _without_password(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return url
    return str(parsed.copy_with(password=HIDDEN)) if parsed.password else url


def to_fault(error: Exception, seconds: float, *, has_begun: bool) -> str:
    """What went wrong, in a few plain words that name no address and quote nothing of the request.

    `has_begun`: a status had come. `seconds` is how long there was to answer.
    """
    is_late = isinstance(error, TimeoutError | httpx.TimeoutException)
    if has_begun:
        return f"the answer did not end within {seconds:g} s" if is_late else "the answer broke off"
    if is_late:
        return f"no answer within {seconds:g} s"
    match error:
        case AddressRefused():
            return str(error)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | UnicodeError():
            return "the request cannot be sent as it is set up"
        case httpx.ConnectError():
            return _to_connect_fault(error)
        case httpx.RemoteProtocolError():
            return "the connection ended without a whole answer"
    return "the connection broke"


def _to_connect_fault(error: Exception) -> str:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError(verify_code=code):
                return _CERTIFICATE_FAULTS.get(code, "the certificate is not trusted")
            case ssl.SSLError():
                return "no TLS connection could be made"
            case ConnectionRefusedError():
                return "connection refused"
            case socket.gaierror() | UnicodeError():
                return "the name leads nowhere"
    return "no connection could be made"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
