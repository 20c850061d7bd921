"""Who asks, under which guards, and what is answered, as values that can be kept and replayed byte for byte."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

COMMAND_LINE: Final = "command-line"
"""The door of the operator at the command line, who needs no credential; no dialect can have this name."""
CONSOLE: Final = "console"
"""The door of people with a browser, whose sessions stand for a credential; no dialect can have this name either."""
IMPORT: Final = "import"
"""The door of rows of a file, by whoever runs them; no dialect can have this name either."""


class Outlet(Protocol):
    """Where a body goes piece by piece; what waits for its receiver waits in `write`."""

    def add_header(self, name: str, value: str) -> None:
        """One more header, in lower case, as long as nothing is written."""

    async def write(self, piece: bytes) -> None:
        """The next piece; raises what ends the whole, such as a receiver that is gone."""


Stream = Callable[[Outlet], Awaitable[None]]
"""Writes a whole body. What it raises before its first piece is answered as a failure; later the body breaks off."""


class Answer(Struct, frozen=True):
    """A whole HTTP answer: `headers` are (name, value) pairs in lower case, without content-length.

    With `stream` the body is made while it is sent, and is nowhere as a whole; nothing is held for it before.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stream: Stream | None = None

    def with_header(self, name: str, value: str) -> "Answer":
        """The same answer with one more header."""
        return Answer(self.status, self.body, (*self.headers, (name, value)), self.stream)


class Caller(Struct, frozen=True):
    """Who asks: a live credential of one team, as far as the process knows; each use case asks the database again.

    `actor` is the person behind the credential if it belongs to one, otherwise the credential itself; it is what
    records show as `created_by`. `name` is what the history shows.
    """

    team: UUID
    credential: UUID
    actor: UUID
    name: str
    dialect: str
    scopes: frozenset[str] = frozenset()

    @classmethod
    def anonymous(cls, dialect: str) -> "Caller":
        """Somebody who has not said who they are, on a public route."""
        nobody = UUID(int=0)
        return cls(nobody, nobody, nobody, "", dialect)


class IdempotencyKey(Struct, frozen=True):
    """The caller's key and the fingerprint of the request it came with (32 bytes, SHA-256)."""

    key: str
    fingerprint: bytes


class IfMatch(Struct, frozen=True):
    """The versions that `If-Match` names; `any_version` for `*`. Weak and foreign tags name no version."""

    versions: frozenset[int] = frozenset()
    any_version: bool = False

    def matches(self, version: int | None) -> bool:
        """Whether the record as it stands (None: there is none) satisfies the header (RFC 9110, 13.1.1)."""
        if version is None:
            return False
        return self.any_version or version in self.versions


class Guards(Struct, frozen=True):
    """What every write route takes beside its body: a precondition, a key, a wish to only try."""

    if_match: IfMatch | None = None
    key: IdempotencyKey | None = None
    dry_run: bool = False
