"""The way to one account over there: requests that leave an exchange behind, and the pace that the account asks for."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import httpx

from customerhub.core.outgoing import Exchange
from customerhub.web.remote import Json, RemoteAnswer, Troubled

_SECONDS: Final = 20
_LONGEST_ANSWER: Final = 4 * 2**20
_KEPT_ANSWER: Final = 4096
# Longer pauses are the worker's to keep: a claim is not for waiting.
_LONGEST_PAUSE: Final = 2.0
_LONGEST_REST: Final = 3600.0
_SHOWN_HEADERS: Final = frozenset(("content-type", "if-match", "idempotency-key"))
_BLACKED_OUT: Final = "…"
_TOO_MANY: Final = 429
# `RateLimit: "default";r=0;t=5` (draft-ietf-httpapi-ratelimit-headers-10).
_NONE_LEFT: Final = re.compile(r";\s*r=0\s*;.*?t=([0-9]+)|;\s*t=([0-9]+)\s*;.*?r=0(?![0-9])", re.ASCII)
_AN_EPOCH: Final = 10**8


class Pace:
    """When an account may be asked again, as its own answers say; one for each sink and process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0

    @property
    def left(self) -> float:
        """Seconds until it may be asked."""
        return max(0.0, self._until - self._clock())

    def note(self, answer: RemoteAnswer) -> None:
        """Keep in mind what an answer says of the requests that are left."""
        headers = answer.headers
        seconds = to_number(headers.get("retry-after")) if answer.status == _TOO_MANY else None
        for prefix in ("ratelimit", "x-ratelimit"):
            if seconds is None and to_number(headers.get(f"{prefix}-remaining")) == 0:
                seconds = to_number(headers.get(f"{prefix}-reset"))
        if seconds is None and (none_left := _NONE_LEFT.search(headers.get("ratelimit", ""))) is not None:
            seconds = float(none_left[1] or none_left[2])
        if seconds is not None:
            # Some tell the time at which, and not the seconds until.
            seconds = seconds - time.time() if seconds > _AN_EPOCH else seconds
            self._until = max(self._until, self._clock() + min(seconds, _LONGEST_REST))

    async def wait(self) -> None:
        """Wait a moment; raises Troubled where it takes longer."""
        left = self.left
        if left > _LONGEST_PAUSE:
            raise Troubled("the account asks for a pause", retry_after=left)
        if left > 0:
            await asyncio.sleep(left)


def to_number(text: str | None) -> float | None:
    """A header of digits as a number."""
    text = (text or "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


class AccountLine:
    """Requests to one account; `exchanges` are those made so far, secrets blacked out."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        credentials: Json,
        defaults: Json,
        pace: Pace,
        now: Callable[[], datetime],
    ) -> None:
        self.credentials = credentials
        self.defaults = defaults
        self.exchanges: list[Exchange] = []
        self.pace = pace
        self._client = client
        self._url = url.rstrip("/")
        self._now = now

    def now(self) -> datetime:
        """The time."""
        return self._now()

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, is_secret: bool = False
    ) -> RemoteAnswer:
        """Ask within 20 seconds. Raises Troubled where there is no answer, or where the account asks for a pause."""
        await self.pace.wait()
        url = self._to_url(path)
        begun = time.monotonic()
        fault = ""
        answer: RemoteAnswer | None = None
        is_uncertain = True
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._exchange(method, url, headers, body)
        except (TimeoutError, httpx.TimeoutException) as error:
            fault = "no answer in time"
            is_uncertain = not isinstance(error, httpx.ConnectTimeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fault = str(error) or type(error).__name__
            is_uncertain = not isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol | httpx.InvalidURL)
        self.exchanges.append(
            Exchange(
                method=method,
                url=url,
                headers={name: value if name in _SHOWN_HEADERS else _BLACKED_OUT for name, value in headers.items()},
                body=_BLACKED_OUT if is_secret and body else body.decode(errors="replace"),
                status=answer.status if answer is not None else None,
                answer=_BLACKED_OUT if is_secret else _beginning(answer),
                fault=fault,
                seconds=time.monotonic() - begun,
            )
        )
        if answer is None:
            raise Troubled(fault, is_uncertain=is_uncertain)
        self.pace.note(answer)
        return answer

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> RemoteAnswer:
        async with self._client.stream(method, url, headers=headers, content=body or None) as response:
            found = bytearray()
            async for piece in response.aiter_bytes():
                found += piece
                if len(found) > _LONGEST_ANSWER:
                    raise httpx.ReadError("the answer is too long")
            named = {name.lower(): value for name, value in response.headers.items()}
            return RemoteAnswer(response.status_code, named, bytes(found))

    def _to_url(self, path: str) -> str:
        """Behind the base URL, which may or may not end with the first step of the path."""
        mount = f"/{path.split('/', 2)[1].partition('?')[0]}"
        return f"{self._url.removesuffix(mount)}{path}"


def _beginning(answer: RemoteAnswer | None) -> str:
    return answer.body[:_KEPT_ANSWER].decode(errors="replace").replace("\0", "�") if answer is not None else ""
