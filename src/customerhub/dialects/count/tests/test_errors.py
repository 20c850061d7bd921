"""One body for both kinds of client: every failure's status and members."""

import json

import pytest

from customerhub.dialects.count.errors import to_answer
from customerhub.model import error as tree
from customerhub.model.error import FieldError, HubError

FIELD = FieldError(("contacts", 1, "email"), "invalid_email", "must be an email address")
CASES: list[tuple[HubError, int, str, dict[str, object]]] = [
    (tree.Malformed("not JSON"), 400, "invalid_json", {"message": "not JSON"}),
    (tree.UnreadableFile("empty", "no rows"), 400, "invalid_json", {"message": "no rows"}),
    (
        tree.Invalid((FIELD,)),
        400,
        "validation_error",
        {
            "message": "Validation failed: contacts[1].email must be an email address",
            "errors": [
                {
                    "field": "contacts[1].email",
                    "code": "invalid_email",
                    "message": "contacts[1].email must be an email address",
                }
            ],
        },
    ),
    (tree.Invalid((FieldError(("uuid",), "invalid_uuid", "must be a UUID"),)), 400, "invalid_uuid", {}),
    (tree.InvalidHeader("If-Match", "names no tag"), 400, "validation_error", {"details": {"header": "If-Match"}}),
    (
        tree.Taken((FieldError(("email",), "email_taken", "belongs to another"),)),
        409,
        "email_already_exists",
        {"message": "A customer with this email already exists in the team.", "details": {"field": "email"}},
    ),
    (tree.Taken((FieldError(("number",), "number_taken", "x"),)), 409, "conflict", {}),
    (
        tree.Unauthenticated("missing_credentials"),
        401,
        "missing_credentials",
        {"error": "missing_credentials"},
    ),
    (tree.Unauthenticated("invalid_client"), 401, "invalid_client", {"error": "invalid_client"}),
    (tree.Unauthenticated("invalid_signature"), 401, "invalid_signature", {"error": "Invalid HMAC signature"}),
    (
        tree.Unauthenticated("timestamp_out_of_range", {"serverTime": "2026-11-21T21:00:00.000Z"}),
        401,
        "timestamp_out_of_range",
        {"error": "timestamp_out_of_range", "details": {"serverTime": "2026-11-21T21:00:00.000Z"}},
    ),
    (
        tree.Unauthenticated("token_expired"),
        401,
        "token_expired",
        {"error": "invalid_token", "error_description": "The access token expired"},
    ),
    (
        tree.Unauthenticated("revoked"),
        401,
        "invalid_token",
        {"error": "invalid_token", "message": "Invalid access token."},
    ),
    (
        tree.InvalidGrant("refresh token"),
        403,
        "invalid_token",
        {"message": "This refresh token is no longer valid."},
    ),
    (tree.Forbidden("team"), 403, "workspace_not_authorized", {"error": "workspace_not_authorized"}),
    (tree.Forbidden("x"), 403, "forbidden", {}),
    (tree.NotFound("customer", "x"), 404, "customer_not_found", {}),
    (tree.NotFound("email", "a@b.example"), 404, "customer_not_found", {"details": {"email": "a@b.example"}}),
    (tree.NotFound("subscription", "x"), 404, "not_found", {}),
    (tree.NoSuchRoute(), 404, "not_found", {}),
    (tree.MethodNotAllowed(("GET",)), 405, "method_not_allowed", {}),
    (tree.RequestTimeout(), 408, "request_timeout", {}),
    (tree.Conflict("others"), 409, "conflict", {"message": "others"}),
    (tree.InTheWay(()), 409, "conflict", {"message": "changes that were made since stand in the way"}),
    (tree.EmailsShared(2, ()), 409, "conflict", {"message": str(tree.EmailsShared(2, ()))}),
    (tree.HistoryGone(3), 404, "not_found", {}),
    (tree.KeyGone(), 410, "gone", {}),
    (tree.PreconditionFailed(3), 412, "precondition_failed", {}),
    (tree.BodyTooLarge(9), 413, "payload_too_large", {}),
    (tree.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type", {}),
    (tree.KeyMismatch(), 422, "idempotency_mismatch", {}),
    (tree.PreconditionRequired(), 428, "precondition_required", {}),
    (tree.Busy(), 429, "rate_limited", {"type": "RATE_LIMITED"}),
    (tree.Full(), 429, "rate_limited", {"type": "RATE_LIMITED"}),
    (tree.RateLimited(7), 429, "rate_limited", {"type": "RATE_LIMITED"}),
    (tree.Unavailable(), 503, "unavailable", {}),
    (
        tree.SecretKeyError("the key is another one"),
        500,
        "internal_error",
        {"message": "An unexpected error occurred."},
    ),
    (tree.Internal(), 500, "internal_error", {"message": "An unexpected error occurred."}),
]


@pytest.mark.parametrize(("error", "status", "code", "members"), CASES)
def test_every_failure_has_its_shape(error: HubError, status: int, code: str, members: dict[str, object]) -> None:
    """The documented members and those that the vendor's client reads, with nothing null among them."""
    answer = to_answer(error, "req_1")
    body = json.loads(answer.body)
    assert answer.status == status
    assert {
        "status": "error",
        "code": code,
        "statusCode": status,
        "requestId": "req_1",
        **members,
    }.items() <= body.items()
    assert body["message"]
    assert None not in body.values()
    optional = {"details", "errors", "error", "error_description", "type"}
    assert set(body) - optional == {"status", "message", "code", "statusCode", "requestId"}


def test_the_tree_is_covered() -> None:
    """Each kind of failure stands above."""
    kinds = {
        kind
        for kind in vars(tree).values()
        if isinstance(kind, type) and issubclass(kind, HubError) and kind is not HubError
    }
    assert {type(error) for error, *_ in CASES} == kinds


def test_only_a_dead_token_looks_like_one() -> None:
    """The vendor's client takes a new token for each of these signs, so no other failure may carry one."""
    for error, status, code, _ in CASES:
        body = json.loads(to_answer(error, "req_1").body)
        looks = (
            body.get("error") == "invalid_token"
            or body.get("error_description") == "The access token expired"
            or body["message"] == "Invalid access token."
        )
        assert looks == (status == 401 and code in ("invalid_token", "token_expired"))
