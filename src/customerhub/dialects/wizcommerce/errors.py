"""Every failure in the WizCommerce shape: `{code, message, details[{field, reason}]}` with all wrong fields in it."""

from typing import Final

import msgspec

from customerhub.model.answer import Answer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Conflict,
    FieldError,
    Forbidden,
    Full,
    HubError,
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
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

_FAULT: Final = (500, "INTERNAL_ERROR")
# Status and code of each failure; the contract documents 400, 401, 429 and 500, the others are the plain HTTP ones.
_CODES: dict[type[HubError], tuple[int, str]] = {
    Malformed: (400, "VALIDATION_ERROR"),
    UnsupportedMediaType: (400, "VALIDATION_ERROR"),
    InvalidHeader: (400, "VALIDATION_ERROR"),
    RequestTimeout: (400, "VALIDATION_ERROR"),
    BodyTooLarge: (413, "PAYLOAD_TOO_LARGE"),
    Unauthenticated: (401, "UNAUTHORIZED"),
    InvalidGrant: (401, "UNAUTHORIZED"),
    Forbidden: (403, "FORBIDDEN"),
    NotFound: (404, "NOT_FOUND"),
    NoSuchRoute: (404, "NOT_FOUND"),
    MethodNotAllowed: (405, "METHOD_NOT_ALLOWED"),
    Conflict: (409, "CONFLICT"),
    KeyGone: (410, "GONE"),
    PreconditionFailed: (412, "PRECONDITION_FAILED"),
    KeyMismatch: (422, "UNPROCESSABLE"),
    PreconditionRequired: (428, "PRECONDITION_REQUIRED"),
    Busy: (429, "TOO_MANY_REQUESTS"),
    RateLimited: (429, "TOO_MANY_REQUESTS"),
    Unavailable: (503, "INTERNAL_ERROR"),
}
_MESSAGES: dict[type[HubError], str] = {
    Unauthenticated: "The API key is missing or not valid",
    Forbidden: "The API key may not do this",
    NotFound: "No such record",
    NoSuchRoute: "No such path",
    PreconditionFailed: "The record has changed since: read it again and repeat the change on its new version",
    PreconditionRequired: "This API key writes only with If-Match: send the ETag of the record as read",
    KeyMismatch: "This Idempotency-Key was used for another request",
    KeyGone: "This request was done; its answer held a secret, which is shown once",
    Full: "As much of this is under way as may be at once, try again",
    Busy: "The record is being changed by others, try again",
    RateLimited: "Too many requests",
    RequestTimeout: "The body did not arrive in time",
    Unavailable: "The database cannot be reached, try again",
}


def to_answer(error: HubError, request_id: str) -> Answer:
    """The failure as an answer; faults of ours say nothing but the request id that the log knows."""
    if isinstance(error, Invalid):
        number = len(error.errors)
        noun = "field" if number == 1 else "fields"
        return _answer(400, "VALIDATION_ERROR", f"The request has {number} invalid {noun}", error.errors)
    status, code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), _FAULT)
    if code == "INTERNAL_ERROR" and not isinstance(error, Unavailable):
        return _answer(status, code, f"Something went wrong on our side; the request id is {request_id}")
    details: tuple[FieldError, ...] = ()
    if isinstance(error, InvalidHeader):
        details = (FieldError((error.name,), "header", error.reason),)
    elif isinstance(error, UnsupportedMediaType):
        details = (FieldError(("Content-Type",), "header", "must be application/json"),)
    answer = _answer(status, code, _MESSAGES.get(type(error)) or _sentence(str(error)), details)
    if isinstance(error, Busy | RateLimited | Unavailable):
        return answer.with_header("retry-after", str(error.retry_after))
    if isinstance(error, MethodNotAllowed):
        return answer.with_header("allow", ", ".join(error.allowed))
    return answer


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _answer(status: int, code: str, message: str, errors: tuple[FieldError, ...] = ()) -> Answer:
    details = [{"field": error.dotted(), "reason": error.reason} for error in errors]
    body = msgspec.json.encode({"code": code, "message": message, "details": details})
    return Answer(status, body, (("content-type", "application/json"),))
