"""Every failure in one body that both kinds of COUNT client can read: those of the documents and the vendor's own."""

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
    Taken,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

_FAULT: Final = (500, "internal_error")
EMAIL_TAKEN: Final = "A customer with this email already exists in the team."
# Status and code of each failure.
_CODES: dict[type[HubError], tuple[int, str]] = {
    Malformed: (400, "invalid_json"),
    Invalid: (400, "validation_error"),
    InvalidHeader: (400, "validation_error"),
    Taken: (409, "conflict"),
    Unauthenticated: (401, "invalid_token"),
    InvalidGrant: (403, "invalid_token"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not_found"),
    NoSuchRoute: (404, "not_found"),
    MethodNotAllowed: (405, "method_not_allowed"),
    RequestTimeout: (408, "request_timeout"),
    Conflict: (409, "conflict"),
    KeyGone: (410, "gone"),
    PreconditionFailed: (412, "precondition_failed"),
    BodyTooLarge: (413, "payload_too_large"),
    UnsupportedMediaType: (415, "unsupported_media_type"),
    KeyMismatch: (422, "idempotency_mismatch"),
    PreconditionRequired: (428, "precondition_required"),
    Busy: (429, "rate_limited"),
    RateLimited: (429, "rate_limited"),
    Unavailable: (503, "unavailable"),
}
_MESSAGES: dict[type[HubError], str] = {
    Forbidden: "This client may not do this.",
    NotFound: "No such record in this team.",
    NoSuchRoute: "No such path.",
    RequestTimeout: "The body did not arrive in time.",
    KeyGone: "This request was done; its answer held a secret, which is shown once.",
    PreconditionFailed: "The record has changed since: read it again and repeat the change on its new version.",
    KeyMismatch: "This Idempotency-Key was used for another request.",
    PreconditionRequired: "This client writes only with If-Match: send the ETag of the record as read.",
    Full: "As much of this is under way as may be at once, try again.",
    Busy: "The record is being changed by others, try again.",
    RateLimited: "Rate limit exceeded, try again later.",
    Unavailable: "The database cannot be reached, try again.",
}
# Code, `error`, `error_description` and message of each cause of a 401. The vendor's client takes a token for expired
# by `invalid_token` alone, so whatever a new token would not cure must carry another word.
_INVALID_TOKEN: Final = ("invalid_token", "invalid_token", "The access token is not valid", "Invalid access token.")
_CAUSES: dict[str, tuple[str, str, str, str]] = {
    "missing_credentials": (
        "missing_credentials",
        "missing_credentials",
        "x-client-id, x-timestamp and x-signature are needed",
        "The request is not signed, or has no access token.",
    ),
    "invalid_client": ("invalid_client", "invalid_client", "The client is not known", "Unknown or revoked client."),
    "invalid_signature": (
        "invalid_signature",
        "Invalid HMAC signature",
        "The signature does not fit the request",
        "Invalid HMAC signature.",
    ),
    "timestamp_out_of_range": (
        "timestamp_out_of_range",
        "timestamp_out_of_range",
        "x-timestamp is too far from the server's time",
        "The timestamp is too far from the server's time.",
    ),
    "token_expired": ("token_expired", "invalid_token", "The access token expired", "The access token expired."),
}


def to_answer(error: HubError, request_id: str) -> Answer:
    """The failure as an answer; faults of ours say nothing but the request id that the log knows."""
    status, code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), _FAULT)
    message = next((_MESSAGES[kind] for kind in type(error).__mro__ if kind in _MESSAGES), "")
    body: dict[str, object] = {"status": "error", "message": message, "code": code}
    match error:
        case Taken(errors=errors) if any(wrong.path == ("email",) for wrong in errors):
            body |= {"message": EMAIL_TAKEN, "code": "email_already_exists", "details": {"field": "email"}}
        case Invalid(errors=errors):
            body |= _to_validation(errors, code)
        case Unauthenticated():
            body |= _to_unauthenticated(error)
        case Malformed(reason=reason) | Conflict(reason=reason):
            body["message"] = reason
        case InvalidHeader(name=name, reason=reason):
            body |= {"message": f"{name} {reason}", "details": {"header": name}}
        case NotFound(kind=kind, id=id_):
            body |= _to_not_found(kind, id_)
        case BodyTooLarge() | UnsupportedMediaType() | MethodNotAllowed():
            body["message"] = str(error)
        case RateLimited() | Busy():
            body["type"] = "RATE_LIMITED"
        case Forbidden(permission="team"):
            told = "workspace_not_authorized"
            body |= {"message": "This client may not serve this workspace.", "code": told, "error": told}
        case InvalidGrant(kind=kind):
            body["message"] = f"This {kind} is no longer valid."
        case _ if (status, code) == _FAULT:
            body["message"] = "An unexpected error occurred."
    body |= {"statusCode": status, "requestId": request_id}
    return Answer(status, msgspec.json.encode(body), (("content-type", "application/json"),))


def to_sentence(error: FieldError) -> str:
    """One wrong member for people."""
    return f"{error.dotted()} {error.reason}"


def to_text(error: HubError) -> str:
    """The failure of one row of many, for people."""
    match error:
        case Taken(errors=errors) if any(wrong.path == ("email",) for wrong in errors):
            return EMAIL_TAKEN
        case Invalid(errors=errors):
            return "; ".join(map(to_sentence, errors))
        case NotFound():
            return "No such customer in this team."
        case Conflict(reason=reason):
            return reason
    return _MESSAGES.get(type(error), "An unexpected error occurred.")


def _to_validation(errors: tuple[FieldError, ...], code: str) -> dict[str, object]:
    is_about_path = len(errors) == 1 and errors[0].code == "invalid_uuid"
    return {
        "message": "Validation failed: " + "; ".join(map(to_sentence, errors)),
        "code": "invalid_uuid" if is_about_path else code,
        "errors": [{"field": error.dotted(), "code": error.code, "message": to_sentence(error)} for error in errors],
    }


def _to_unauthenticated(error: Unauthenticated) -> dict[str, object]:
    code, name, description, message = _CAUSES.get(error.cause, _INVALID_TOKEN)
    told: dict[str, object] = {"message": message, "code": code}
    if error.details:
        told["details"] = error.details
    return told | {"error": name, "error_description": description}


def _to_not_found(kind: str, id_: str) -> dict[str, object]:
    if kind == "email":
        message = "No customer in this team has that email."
        return {"message": message, "code": "customer_not_found", "details": {"email": id_}}
    if kind == "customer":
        return {"message": "No such customer in this team.", "code": "customer_not_found"}
    return {}
