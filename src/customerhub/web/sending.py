"""From an answer to the wire: the headers that every answer carries, and those that a failure brings along."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.types import Send

from customerhub.model.answer import Answer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    HubError,
    InvalidHeader,
    MethodNotAllowed,
    NoSuchRoute,
    RateLimited,
    RequestTimeout,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.web.limit import RateState
from customerhub.web.origin import Origin

RawHeaders = list[tuple[bytes, bytes]]

_WITHOUT_LENGTH: Final = (204, 304)
_STATUSES: Final[dict[type[HubError], int]] = {
    InvalidHeader: 400,
    NoSuchRoute: 404,
    MethodNotAllowed: 405,
    RequestTimeout: 408,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    RateLimited: 429,
    Busy: 503,
    Unavailable: 503,
}


def to_raw_headers(answer: Answer, request_id: str) -> RawHeaders:
    """The answer's own headers and those that every answer carries where it does not say otherwise itself.

    Raises ValueError for a value that would not arrive as one header, such as one with a line feed.
    """
    raw: RawHeaders = []
    for name, value in answer.headers:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the answer's header {name} holds what no header can")
        raw.append((name.encode("ascii"), value.encode("ascii")))
    names = {name for name, _ in raw}
    if b"request-id" not in names:
        raw.append((b"request-id", request_id.encode("ascii")))
    if b"cache-control" not in names:
        raw.append((b"cache-control", b"no-store"))
    if answer.body and b"content-type" not in names:
        raw.append((b"content-type", b"application/json"))
    if answer.status not in _WITHOUT_LENGTH and answer.stream is None:
        raw.append((b"content-length", str(len(answer.body)).encode("ascii")))
    return raw


async def send_answer(send: Send, answer: Answer, raw_headers: RawHeaders, *, has_body: bool) -> None:
    """Send it whole; `has_body` is False for HEAD, whose headers are those of GET."""
    await send({"type": "http.response.start", "status": answer.status, "headers": raw_headers})
    await send({"type": "http.response.body", "body": answer.body if has_body else b""})


def with_error_headers(answer: Answer, error: HubError) -> Answer:
    """The answer with what HTTP wants beside it, whatever its shape, where it does not say so already."""
    present = {name for name, _ in answer.headers}
    for name, value in _error_headers(error):
        if name not in present:
            answer = answer.with_header(name, value)
    return answer


def _error_headers(error: HubError) -> list[tuple[str, str]]:
    if isinstance(error, RateLimited | Busy | Unavailable):
        return [("retry-after", str(error.retry_after))]
    if isinstance(error, MethodNotAllowed):
        return [("allow", ", ".join(error.allowed))]
    if isinstance(error, BodyTooLarge | RequestTimeout):
        # What may still be on its way is this request's body and must not be read as the next request.
        return [("connection", "close")]
    return []


def to_rate_headers(state: RateState) -> tuple[tuple[bytes, bytes], ...]:
    """What is left of a limit; beside the answer and not in it, since a kept answer is told again at another time."""
    return (
        (b"ratelimit-limit", str(state.limit).encode("ascii")),
        (b"ratelimit-remaining", str(state.remaining).encode("ascii")),
        (b"ratelimit-reset", str(state.reset).encode("ascii")),
    )


def to_plain_answer(error: HubError, origin: Origin) -> Answer:
    """A failure on a path that no dialect claims, as problem details (RFC 9457)."""
    status = HTTPStatus(_STATUSES.get(type(error), 500))
    body = msgspec.json.encode({"title": status.phrase, "status": status.value, "request_id": origin.request_id})
    return Answer(status.value, body, (("content-type", "application/problem+json"),))
