"""Every failure as problem details (RFC 9457), with a JSON Pointer to every value that is wrong."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from customerhub.model.answer import Answer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Conflict,
    FieldError,
    Forbidden,
    Full,
    HistoryGone,
    HubError,
    Internal,
    InTheWay,
    Invalid,
    InvalidGrant,
    InvalidHeader,
    KeyGone,
    KeyMismatch,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    NotFound,
    Path,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Taken,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.model.nested import pointer_step
from customerhub.web.origin import Origin

PROBLEM_JSON: Final = "application/problem+json"
# Problems are told apart by these names; nothing stands behind them that one could fetch.
TYPE: Final = "urn:customerhub:problem:"
INSTANCE: Final = "urn:customerhub:request:"
# A field of the record that is told inside another.
_UNIT: Final = ("credit_limit_unit",)
Shown = dict[str, object]


class InvalidQuery(Invalid):
    """Query parameters break rules; paths are their names."""


class MalformedPatch(Invalid):
    """A JSON Patch is none: an operation lacks a member, or has one that there is not."""


class TestFailed(HubError):
    """A `test` of a JSON Patch found another value: `errors` says which one; nothing was changed."""

    __test__: ClassVar[bool] = False

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("a test of the patch failed")
        self.errors = errors


class Moved(NotFound):
    """The customer went into another one."""

    def __init__(self, old: UUID, new: UUID, location: str) -> None:
        super().__init__("customer", str(old))
        self.new = new
        self.location = location


class Stale(PreconditionFailed):
    """`If-Match` names a former version: `difference` tells what became of the record since, and what was asked."""

    def __init__(self, current: int | None, difference: Sequence[Mapping[str, object]]) -> None:
        super().__init__(current)
        self.difference = difference


# Status, name and title of each kind of failure; the nearest class decides.
_KINDS: Final[dict[type[HubError], tuple[int, str, str]]] = {
    Malformed: (400, "malformed", "The body is not what it should be"),
    MalformedPatch: (400, "malformed-patch", "This is no JSON Patch"),
    InvalidHeader: (400, "header", "A header breaks its rule"),
    InvalidQuery: (400, "query", "The query breaks rules"),
    InvalidGrant: (400, "grant", "This is no longer valid"),
    Unauthenticated: (401, "unauthenticated", "A living credential is needed"),
    Forbidden: (403, "forbidden", "The credential may not do this"),
    NotFound: (404, "not-found", "There is no such record"),
    NoSuchRoute: (404, "no-such-path", "There is nothing on this path"),
    MethodNotAllowed: (405, "method", "The path has other methods"),
    RequestTimeout: (408, "timeout", "The body did not arrive in time"),
    Taken: (409, "taken", "Values belong to another record"),
    Conflict: (409, "conflict", "The state of the record does not allow this"),
    InTheWay: (409, "in-the-way", "Later changes stand in the way"),
    TestFailed: (409, "test-failed", "A test of the patch failed"),
    KeyGone: (410, "key-gone", "The answer of this key is not kept"),
    HistoryGone: (410, "history-gone", "What the version held is not kept any more"),
    PreconditionFailed: (412, "stale", "The record is at another version"),
    BodyTooLarge: (413, "too-large", "The body is too large"),
    UnsupportedMediaType: (415, "media-type", "The body is of a type that is not read here"),
    Invalid: (422, "invalid", "Values break rules"),
    KeyMismatch: (422, "key-reused", "The idempotency key was used for another request"),
    PreconditionRequired: (428, "precondition-required", "This credential writes only with If-Match"),
    RateLimited: (429, "rate-limited", "Too many requests"),
    Full: (503, "full", "As much of this is under way as may be at once"),
    Busy: (503, "busy", "The record is being changed by others"),
    Unavailable: (503, "unavailable", "The database cannot be reached"),
    Internal: (500, "internal", "An unexpected error occurred"),
}
_DETAILS: Final[dict[type[HubError], str]] = {
    Moved: "This customer went into another one.",
    NoSuchRoute: "No route has this path.",
    HistoryGone: "There was such a version, and its values have been purged or erased.",
    KeyMismatch: "Send another request under a key of its own.",
    KeyGone: "The request was done, and its answer held a secret, which is shown once.",
    PreconditionFailed: "Read the record again and repeat the change on its new version.",
    PreconditionRequired: "Send If-Match with the ETag of the record as you have read it.",
    RateLimited: "Wait a little and try again.",
    RequestTimeout: "Send the body faster, or less of it.",
    Full: "Wait a little and try again.",
    Busy: "Try again.",
    Unavailable: "Try again.",
    Internal: "The server's log has more under the id of this request.",
}
_CAUSES: Final[dict[str, str]] = {
    "missing": "Send Authorization: Bearer with a key that begins with hub_.",
    "ambiguous": "Send one Authorization header.",
    "expired": "The key has expired.",
    "revoked": "The key was revoked.",
}


def to_answer(error: HubError, origin: Origin) -> Answer:
    """The failure as an answer; faults of ours say nothing but where the log has them."""
    if isinstance(error, Moved):
        return _to_moved(error)
    status, body = to_problem(error, origin)
    return Answer(status, msgspec.json.encode(body), (("content-type", PROBLEM_JSON), *_headers(error)))


def to_problem(error: HubError, origin: Origin) -> tuple[int, Shown]:
    """Status and members of the failure; `errors` is always there, what only some failures tell stands behind it."""
    status, name, title = next(_KINDS[kind] for kind in (*type(error).__mro__, Internal) if kind in _KINDS)
    problem: Shown = {
        "type": TYPE + name,
        "title": title,
        "status": status,
        "detail": _detail(error),
        "instance": INSTANCE + origin.request_id,
        "errors": _errors(error),
        "request_id": origin.request_id,
    }
    if isinstance(error, PreconditionFailed):
        problem["current"] = error.current
        problem["difference"] = error.difference if isinstance(error, Stale) else []
    return status, problem


def to_pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901); "" is the whole body."""
    if path[:1] == _UNIT:
        path = ("credit_limit", "unit", *path[1:])
    return "".join(f"/{pointer_step(str(step))}" for step in path)


def _errors(error: HubError) -> list[Shown]:
    if isinstance(error, InvalidQuery):
        return [{"parameter": str(one.path[0]), "code": one.code, "detail": one.reason} for one in error.errors]
    if isinstance(error, Invalid | TestFailed | InTheWay):
        return [{"pointer": to_pointer(one.path), "code": one.code, "detail": one.reason} for one in error.errors]
    if isinstance(error, InvalidHeader):
        return [{"header": error.name, "code": "header", "detail": error.reason}]
    return []


def _detail(error: HubError) -> str:
    match error:
        case InvalidQuery(errors=errors):
            return "; ".join(f"{one.path[0]} {one.reason}" for one in errors[:_TOLD])
        case Invalid(errors=errors) | TestFailed(errors=errors):
            return "; ".join(f"{to_pointer(one.path) or 'the body'} {one.reason}" for one in errors[:_TOLD]) or "?"
        case Unauthenticated(cause=cause):
            return _CAUSES.get(cause, "This key is not known.")
        case Malformed(reason=reason) | Conflict(reason=reason):
            return f"{reason[:1].upper()}{reason[1:]}."
        case InvalidHeader(name=name, reason=reason):
            return f"{name} {reason}."
        case Forbidden(permission=permission):
            return f"The credential lacks the scope {permission}."
        case NotFound(kind=kind) if not isinstance(error, HistoryGone):
            return f"There is no such {kind} in this team."
        case UnsupportedMediaType() | BodyTooLarge() | MethodNotAllowed() | InvalidGrant():
            return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return next((_DETAILS[kind] for kind in type(error).__mro__ if kind in _DETAILS), _DETAILS[Internal])


# `errors` has all of them; the sentence for people ends somewhere.
_TOLD: Final = 10


def _headers(error: HubError) -> list[tuple[str, str]]:
    if isinstance(error, Unauthenticated):
        return [("www-authenticate", "Bearer")]
    if isinstance(error, Forbidden):
        return [("www-authenticate", f'Bearer error="insufficient_scope", scope="{error.permission}"')]
    if isinstance(error, UnsupportedMediaType) and error.accepted:
        # RFC 5789, 2.2 and 3.1; elsewhere RFC 9110, 15.5.16.
        is_patch = any("patch" in media_type for media_type in error.accepted)
        return [("accept-patch" if is_patch else "accept", ", ".join(error.accepted))]
    return []


def _to_moved(error: Moved) -> Answer:
    body = msgspec.json.encode({"merged_into": str(error.new)})
    return Answer(301, body, (("content-type", "application/json"), ("location", error.location)))
