"""Every failure in the one envelope of eight members, all of them always there."""

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
    Path,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Taken,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    dotted,
)
from customerhub.web.origin import Origin

DOCUMENTS: Final = "https://docs.augno.com/api/errors#"
KEY: Final = "Idempotency-Key"
VERSION: Final = "Augno-Version"
REQUEST: Final = "invalid_request_error"
API: Final = "api_error"
IDEMPOTENCY: Final = "idempotency_error"

_FAULT: Final = (500, "internal_error", API)
# Status, code and type of each failure.
_CODES: Final[dict[type[HubError], tuple[int, str, str]]] = {
    Malformed: (400, "invalid_format", REQUEST),
    Invalid: (400, "validation_failed", REQUEST),
    InvalidHeader: (400, "parameter_invalid", REQUEST),
    KeyMismatch: (400, "parameter_invalid", IDEMPOTENCY),
    Unauthenticated: (401, "invalid_credentials", REQUEST),
    InvalidGrant: (401, "expired_token", REQUEST),
    Forbidden: (403, "insufficient_permissions", REQUEST),
    NotFound: (404, "resource_not_found", REQUEST),
    NoSuchRoute: (404, "resource_not_found", REQUEST),
    MethodNotAllowed: (405, "method_not_allowed", REQUEST),
    RequestTimeout: (408, "request_timeout", API),
    Taken: (409, "resource_exists", REQUEST),
    Conflict: (409, "resource_conflict", REQUEST),
    KeyGone: (410, "resource_gone", IDEMPOTENCY),
    PreconditionFailed: (412, "resource_conflict", REQUEST),
    BodyTooLarge: (413, "validation_failed", REQUEST),
    UnsupportedMediaType: (415, "invalid_format", REQUEST),
    PreconditionRequired: (428, "parameter_missing", REQUEST),
    RateLimited: (429, "rate_limit_exceeded", REQUEST),
    Busy: (503, "service_unavailable", API),
    Unavailable: (503, "connection_error", API),
}
_MESSAGES: Final[dict[type[HubError], str]] = {
    KeyMismatch: f"This {KEY} was used for another request.",
    InvalidGrant: "This token is no longer good.",
    NoSuchRoute: "There is nothing on this path.",
    RequestTimeout: "The body did not arrive in time.",
    KeyGone: "This request was done; its answer held a secret, which is shown once.",
    PreconditionFailed: "The record has changed since: read it again and repeat the change on its new version.",
    PreconditionRequired: "This API key writes only with If-Match: send the ETag of the record as read.",
    RateLimited: "Too many requests; wait a little and try again.",
    Full: "As much of this is under way as may be at once; try again.",
    Busy: "The record is being changed by others; try again.",
    Unavailable: "The database cannot be reached; try again.",
}
_PARAMS: Final[dict[type[HubError], str]] = {
    KeyMismatch: KEY,
    NotFound: "id",
    Conflict: "id",
    PreconditionFailed: "If-Match",
    PreconditionRequired: "If-Match",
}
_CAUSES: Final[dict[str, tuple[str, str]]] = {
    "missing": ("invalid_credentials", "An API key is needed, as in Authorization: Bearer aug_sk_…"),
    "expired": ("api_key_expired", "This API key has expired."),
    "revoked": ("api_key_revoked", "This API key was revoked."),
}
_UNKNOWN_KEY: Final = ("invalid_credentials", "This API key is not known.")
# What is wrong with one member, in this contract's words; whatever else is wrong breaks a rule.
_FIELD_CODES: Final[dict[str, str]] = {
    "missing": "missing_field",
    "type": "invalid_format",
    "unknown": "parameter_unknown",
    "query": "parameter_invalid",
    "query_missing": "parameter_missing",
    "exclusive": "parameters_exclusive",
    "nul": "parameter_invalid",
}
# The same request may fare better a moment later.
_TRANSIENT: Final = (408, 429, 500, 502, 503, 504)
# A client of this contract repeats these by itself unless told that it is in vain.
_IN_VAIN: Final = (Taken, Conflict, KeyMismatch)


class VersionMissing(InvalidHeader):
    """The hub is set to want to know which version of the contract a client speaks."""

    def __init__(self) -> None:
        super().__init__(VERSION, "is required")


def to_answer(error: HubError, origin: Origin) -> Answer:
    """The failure as an answer; faults of ours say nothing but where the log has them."""
    status, code, kind = next((_CODES[one] for one in type(error).__mro__ if one in _CODES), _FAULT)
    told, param, message = _explain(error)
    code = told or code
    envelope = {
        "code": code,
        "type": kind,
        "message": message,
        "param": param,
        "doc_url": f"{DOCUMENTS}{code}",
        "is_transient": status in _TRANSIENT,
        "quota": None,
        "request_log_url": origin.log_url,
    }
    headers = [("content-type", "application/json")]
    if status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
        headers.append(("www-authenticate", "Bearer"))
    if isinstance(error, _IN_VAIN):
        headers.append(("x-should-retry", "false"))
    return Answer(status, msgspec.json.encode({"error": envelope}), tuple(headers))


def to_param(path: Path) -> str | None:
    """A path without its positions: `credit_limit.unit_id`, `customer_price_group_ids`; None for the whole body."""
    return dotted(tuple(step for step in path if isinstance(step, str))) or None


def to_sentence(error: FieldError) -> str:
    """One wrong member for people."""
    return f"{error.dotted()}: {error.reason}" if error.path else error.reason


def _explain(error: HubError) -> tuple[str | None, str | None, str]:
    """A code where it is not the kind's, the parameter, and the message."""
    match error:
        case Invalid(errors=errors) if errors:
            code = None if isinstance(error, Taken) else _FIELD_CODES.get(errors[0].code)
            return code, to_param(errors[0].path), f"{'; '.join(map(to_sentence, errors))}."
        case Unauthenticated(cause=cause):
            code, message = _CAUSES.get(cause, _UNKNOWN_KEY)
            return code, None, message
        case VersionMissing():
            return "api_version_required", VERSION, f"{VERSION} is required."
        case InvalidHeader(name=name, reason=reason):
            return "api_version_invalid" if name == VERSION else None, name, f"{name} {reason}."
        case Malformed(reason=reason) | Conflict(reason=reason):
            return None, _PARAMS.get(type(error)), f"{reason[:1].upper()}{reason[1:]}."
        case Forbidden(permission=permission):
            return None, None, f"This API key lacks {permission}."
        case NotFound(kind=kind):
            return None, "id", f"There is no such {kind.replace('_', ' ')} in this account."
        case BodyTooLarge() | UnsupportedMediaType() | MethodNotAllowed():
            return None, None, f"{str(error)[:1].upper()}{str(error)[1:]}."
    return None, _PARAMS.get(type(error)), _MESSAGES.get(type(error), "An unexpected error occurred.")
