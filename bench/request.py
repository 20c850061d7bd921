"""A request that is sent again and again, about another customer and with other values each time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from uuid import UUID

import msgspec

from bench.data import customer_id
from customerhub.dialects.count.signing import MOUNT, sign

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Subject:
    """A customer that requests are about: its number, the towns of its addresses, which a whole address names."""

    number: int
    towns: tuple[str, ...]
    email: str = ""

    @property
    def id(self) -> UUID:
        """The customer's id."""
        return customer_id(self.number)


Body = Callable[[Random, Subject], object]
Path = Callable[[Random, Subject], str]


@dataclass(frozen=True)
class Signing:
    """How COUNT's clients sign what they send."""

    client: str
    secret: str

    def lines(self, method: str, path: str, body: bytes) -> str:
        """The signing headers of a request that is sent now."""
        now = str(int(time.time()))
        signature = sign(self.secret, method, path.partition("?")[0].removeprefix(MOUNT), now, body)
        return f"x-client-id: {self.client}\r\nx-timestamp: {now}\r\nx-signature: {signature}\r\n"


@dataclass(frozen=True)
class Request:
    """What is sent, made from chance and the customer that it is about; `key` makes its idempotency key, if it has one.

    All that makes something is a function of a module, since a request travels to the process of the clients.
    """

    method: str
    path: Path
    headers: dict[str, str] = field(default_factory=dict)
    body: Body | None = None
    key: Path | None = None
    expects: int = 200
    signing: Signing | None = None

    def build(self, chance: Random, subject: Subject) -> bytes:
        """The bytes of one such request."""
        path = self.path(chance, subject)
        body = self._to_body(chance, subject)
        lines = self._lines
        if self.key is not None:
            lines += f"idempotency-key: {self.key(chance, subject)}\r\n"
        if body:
            lines += f"content-length: {len(body)}\r\n"
        if self.signing is not None:
            lines += self.signing.lines(self.method, path, body)
        return f"{self.method} {path} HTTP/1.1\r\nhost: bench\r\n{lines}\r\n".encode() + body

    @cached_property
    def _lines(self) -> str:
        return "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())

    def _to_body(self, chance: Random, subject: Subject) -> bytes:
        return _encode(self.body(chance, subject)) if self.body is not None else b""


def take_apart(request: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path, headers and body of a request's bytes."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    return method, path, dict(line.split(": ", 1) for line in lines), body
