"""With which statuses an operation can fail, asked of the dialect itself, so that its document cannot forget one."""

from typing import Final

from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Forbidden,
    HubError,
    Internal,
    Invalid,
    InvalidHeader,
    KeyGone,
    KeyMismatch,
    Malformed,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Operation
from customerhub.web.origin import Origin

_ORIGIN: Final = Origin("req_00000000000000000000000000")


def to_failures(dialect: Dialect, operation: Operation) -> dict[int, str]:
    """Status and media type of every failure: what the operation names, and what happens before and around it."""
    failures: dict[int, str] = {}
    for error in _possible(operation):
        answer = dialect.to_answer(error, _ORIGIN)
        failures[answer.status] = dict(answer.headers).get("content-type", "application/json")
    usual = dict(dialect.to_answer(Internal(), _ORIGIN).headers).get("content-type", "application/json")
    for status in (*operation.errors, *dialect.document.common_errors):
        failures.setdefault(status, usual)
    failures.pop(operation.status, None)
    return failures


def _possible(operation: Operation) -> list[HubError]:
    # Every route counts the addresses that ask, where the seller wishes that.
    errors: list[HubError] = [Invalid(()), Unavailable(), Internal(), RateLimited(1)]
    if not operation.is_public:
        errors += [Unauthenticated(), Forbidden("")]
    if "{" in operation.path:
        errors.append(NotFound("", ""))
    if operation.method not in ("GET", "HEAD"):
        errors += [BodyTooLarge(1), UnsupportedMediaType(""), InvalidHeader("", ""), RequestTimeout()]
    if operation.body is not None:
        errors.append(Malformed(""))
    if operation.writes:
        errors += [PreconditionFailed(1), PreconditionRequired(), Busy()]
    if operation.writes and operation.takes_key:
        errors += [KeyMismatch(), KeyGone()]
    return errors
