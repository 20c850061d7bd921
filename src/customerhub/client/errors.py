"""Everything that can go wrong with a request, as one tree.

CustomerhubError
├── Unreachable             no answer came, however often it was tried
├── Unreadable              the answer is a success, but none that a hub gives
└── Refused                 the hub answered with a problem (RFC 9457)
    ├── BadRequest          400
    ├── Unauthenticated     401
    ├── Forbidden           403
    ├── NotFound            404
    ├── Conflict            409
    ├── Gone                410
    ├── PreconditionFailed  412: the record is at another version
    ├── UnsupportedMediaType 415
    ├── Invalid             422: values break rules, each with its pointer
    ├── PreconditionRequired 428
    ├── RateLimited         429, after the retries
    ├── Unavailable         502, 503, 504, after the retries
    └── Merged              301: the customer went into another one
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

import httpx
import msgspec

from customerhub.client.problems import Difference, Fault, Problem

_FIRST_REDIRECT: Final = 300


class CustomerhubError(Exception):
    """Base of the tree."""


class Unreachable(CustomerhubError):
    """No answer came; the cause is the transport's own error. A write may have been done all the same."""

    def __init__(self, tries: int) -> None:
        super().__init__(f"the hub did not answer, after {tries} {'try' if tries == 1 else 'tries'}")
        self.tries = tries


class Unreadable(CustomerhubError):
    """What answered is no hub, or one of another version; a write has been done."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the answer ({status}) is none that a hub of this version gives")
        self.status = status


class Refused(CustomerhubError):
    """The hub's answer is no success; `problem` is what it says, `status` the answer's own."""

    def __init__(self, status: int, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(": ".join(part for part in (str(status), problem.title, problem.detail) if part))
        self.status = status
        self.problem = problem
        self.retry_after = retry_after

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Every wrong value."""
        return self.problem.errors

    @property
    def request_id(self) -> str:
        """What the hub's logs call the request."""
        return self.problem.request_id


class BadRequest(Refused):
    """The request could not be read."""


class Unauthenticated(Refused):
    """The credential is missing, unknown, or has ended."""


class Forbidden(Refused):
    """The credential lacks a scope."""


class NotFound(Refused):
    """The team has no such record."""


class Conflict(Refused):
    """The record's state forbids this, or a value belongs to another record."""


class Gone(Refused):
    """What was asked for is not kept: the answer of an idempotency key, or what a version held."""


class PreconditionFailed(Refused):
    """The record is at another version than `if_match` says."""

    @property
    def current(self) -> int | None:
        """The version that it is at."""
        return self.problem.current

    @property
    def difference(self) -> tuple[Difference, ...]:
        """Base, mine and theirs of every place at which they differ."""
        return self.problem.difference


class UnsupportedMediaType(Refused):
    """The body is of a type that is not read there."""


class Invalid(Refused):
    """Values break rules; `errors` names all of them."""


class PreconditionRequired(Refused):
    """The credential writes only with `if_match`."""


class RateLimited(Refused):
    """Too many requests, also after the retries; `retry_after` is in seconds."""


class Unavailable(Refused):
    """The hub cannot answer now, also after the retries; `retry_after` is in seconds."""


class Merged(Refused):
    """The customer went into `merged_into`."""

    @property
    def merged_into(self) -> UUID:
        """The customer that it is part of now."""
        if self.problem.merged_into is None:
            raise ValueError("the hub did not say which customer it went into")
        return self.problem.merged_into


_KINDS: Final[dict[int, type[Refused]]] = {
    301: Merged,
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    415: UnsupportedMediaType,
    422: Invalid,
    428: PreconditionRequired,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def check(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a success; raises the error that it is."""
    if answer.status_code < _FIRST_REDIRECT:
        return answer
    problem = to_problem(answer)
    kind = _KINDS.get(answer.status_code, Refused)
    if kind is Merged and problem.merged_into is None:
        kind = Refused  # what stands between sends us somewhere else, and the hub has said nothing
    raise kind(answer.status_code, problem, find_retry_after(answer))


def to_problem(answer: httpx.Response) -> Problem:
    """What an answer says of its failure; of one that is not the hub's own no more than its status."""
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        return Problem(title=answer.reason_phrase, request_id=answer.headers.get("request-id", ""))


def find_retry_after(answer: httpx.Response) -> float | None:
    """Seconds that `Retry-After` asks for, given as such or as a date (RFC 9110, 10.2.3); None without a good one."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        # By the clock that said it, where that tells the time.
        date = answer.headers.get("date")
        now = parsedate_to_datetime(date) if date is not None else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError):
        return None
