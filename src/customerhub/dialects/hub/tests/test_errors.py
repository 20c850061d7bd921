"""Every failure as problem details: whole, with its status, and telling nothing that it should not."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.dialects.hub import dialect, errors
from customerhub.dialects.hub.errors import InvalidQuery, MalformedPatch, Moved, Stale, TestFailed
from customerhub.model import error as tree
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Conflict,
    EmailsShared,
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
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    SecretKeyError,
    Taken,
    Unauthenticated,
    Unavailable,
    UnreadableFile,
    UnsupportedMediaType,
)
from customerhub.web.origin import Origin
from tests.support.hub import CUSTOMERS, Desk

FIELD = (FieldError(("addresses", 0, "a/b~c"), "type", "must be a text"),)
ORIGIN = Origin("req_0")
# Status, name and detail of each failure.
FAILURES: list[tuple[HubError, int, str, str]] = [
    (Malformed("a JSON object is required"), 400, "malformed", "A JSON object is required."),
    (UnreadableFile("broken", "is damaged", 7), 400, "malformed", "Line 7: is damaged."),
    (MalformedPatch(FIELD), 400, "malformed-patch", "/addresses/0/a~1b~0c must be a text"),
    (InvalidHeader("If-Match", "names no tag"), 400, "header", "If-Match names no tag."),
    (InvalidQuery((FieldError(("limit",), "query", "must be a number"),)), 400, "query", "limit must be a number"),
    (InvalidGrant("code"), 400, "grant", "This code is no longer valid."),
    (Unauthenticated(), 401, "unauthenticated", "Send Authorization: Bearer with a key that begins with hub_."),
    (Unauthenticated("ambiguous"), 401, "unauthenticated", "Send one Authorization header."),
    (Unauthenticated("unknown"), 401, "unauthenticated", "This key is not known."),
    (Unauthenticated("revoked"), 401, "unauthenticated", "The key was revoked."),
    (Unauthenticated("expired"), 401, "unauthenticated", "The key has expired."),
    (Forbidden("write"), 403, "forbidden", "The credential lacks the scope write."),
    (NotFound("customer", "1"), 404, "not-found", "There is no such customer in this team."),
    (NoSuchRoute(), 404, "no-such-path", "No route has this path."),
    (MethodNotAllowed(("GET", "HEAD")), 405, "method", "This path takes only GET, HEAD."),
    (RequestTimeout(), 408, "timeout", "Send the body faster, or less of it."),
    (Taken((FieldError(("email",), "email_taken", "is taken"),)), 409, "taken", "/email is taken"),
    (Conflict("others are below"), 409, "conflict", "Others are below."),
    (InTheWay(FIELD), 409, "in-the-way", "Changes that were made since stand in the way."),
    (EmailsShared(2, (UUID(int=1), UUID(int=2))), 409, "conflict",
     f"2 customers of this team share an email address with others: {UUID(int=1)}, {UUID(int=2)}."),
    (TestFailed((FieldError((1,), "test_failed", "failed"),)), 409, "test-failed", "/1 failed"),
    (KeyGone(), 410, "key-gone", "The request was done, and its answer held a secret, which is shown once."),
    (HistoryGone(3), 410, "history-gone", "There was such a version, and its values have been purged or erased."),
    (PreconditionFailed(7), 412, "stale", "Read the record again and repeat the change on its new version."),
    (Stale(7, []), 412, "stale", "Read the record again and repeat the change on its new version."),
    (BodyTooLarge(5), 413, "too-large", "The body is larger than 5 bytes."),
    (UnsupportedMediaType("text/plain"), 415, "media-type", "Cannot read a body of type text/plain."),
    (Invalid(FIELD), 422, "invalid", "/addresses/0/a~1b~0c must be a text"),
    (Invalid((FieldError((), "type", "is none"),)), 422, "invalid", "the body is none"),
    (KeyMismatch(), 422, "key-reused", "Send another request under a key of its own."),
    (PreconditionRequired(), 428, "precondition-required",
     "Send If-Match with the ETag of the record as you have read it."),
    (RateLimited(3), 429, "rate-limited", "Wait a little and try again."),
    (Internal(), 500, "internal", "The server's log has more under the id of this request."),
    (SecretKeyError("/a/path"), 500, "internal", "The server's log has more under the id of this request."),
    (Busy(), 503, "busy", "Try again."),
    (Full(), 503, "full", "Wait a little and try again."),
    (Unavailable(), 503, "unavailable", "Try again."),
]  # fmt: skip
IDS = [f"{type(error).__name__} {place}" for place, (error, *_) in enumerate(FAILURES)]


@pytest.mark.parametrize(("error", "status", "name", "detail"), FAILURES, ids=IDS)
def test_every_failure(error: HubError, status: int, name: str, detail: str) -> None:
    """Status, type and sentence; the members in their order."""
    answer = dialect.to_answer(error, ORIGIN)
    body: dict[str, Any] = msgspec.json.decode(answer.body)
    more = ["current", "difference"] if status == 412 else []
    assert list(body) == ["type", "title", "status", "detail", "instance", "errors", "request_id", *more]
    assert (answer.status, body["status"]) == (status, status)
    assert (body["type"], body["detail"]) == (f"urn:customerhub:problem:{name}", detail)
    assert (body["instance"], body["request_id"]) == ("urn:customerhub:request:req_0", "req_0")
    assert dict(answer.headers)["content-type"] == "application/problem+json"


def test_no_failure_is_forgotten() -> None:
    """Each class of the tree has its own row above, or stands below one that has."""
    classes = {found for found in vars(tree).values() if isinstance(found, type) and issubclass(found, HubError)}
    told = {type(error) for error, *_ in FAILURES}
    assert {found.__name__ for found in classes - told} == {"HubError"}


def test_types_tell_failures_apart() -> None:
    """No two kinds have one name; the same kind has one title."""
    names = [name for _, name, _ in errors._KINDS.values()]
    titles = [title for _, _, title in errors._KINDS.values()]
    assert (len(set(names)), len(set(titles))) == (len(names), len(titles))


def test_many_errors_are_told_and_ten_are_spoken() -> None:
    """All stand in `errors`; the sentence ends somewhere."""
    many = Invalid(tuple(FieldError((str(number),), "type", "x") for number in range(50)))
    _, body = errors.to_problem(many, ORIGIN)
    assert len(str(body["detail"]).split("; ")) == 10
    assert len(body["errors"]) == 50  # type: ignore[arg-type] # it is a list


def test_headers_of_failures() -> None:
    """What to show, what to send, where to go."""

    def headers(error: HubError) -> dict[str, str]:
        return dict(dialect.to_answer(error, ORIGIN).headers)

    assert headers(Unauthenticated())["www-authenticate"] == "Bearer"
    assert headers(Forbidden("write"))["www-authenticate"] == 'Bearer error="insufficient_scope", scope="write"'
    assert headers(UnsupportedMediaType("x", ("application/json",)))["accept"] == "application/json"
    moved = dialect.to_answer(Moved(UUID(int=1), UUID(int=2), "/there"), ORIGIN)
    assert (moved.status, dict(moved.headers)["location"]) == (301, "/there")


async def test_failures_before_a_route(desk: Desk) -> None:
    """Below the prefix every failure has this shape."""
    for method, path, status in (("GET", "/hub/v1/nothing", 404), ("PUT", CUSTOMERS, 405), ("GET", "/hub", 404)):
        answer = await desk.api.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
