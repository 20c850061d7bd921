"""One envelope of eight members: every failure's status, code, type and marks."""

import json
from uuid import UUID

import pytest

from customerhub.dialects.augno.errors import VersionMissing, to_answer
from customerhub.dialects.augno.tests.helpers import ENVELOPE, failure, refusal
from customerhub.model import error as tree
from customerhub.model.error import FieldError, HubError
from customerhub.web.origin import Origin
from tests.support.augno import CUSTOMERS, Account, Json
from tests.support.world import World

REQUEST, API, KEY = "invalid_request_error", "api_error", "idempotency_error"
LOG = "https://hub.example/v1/core/request-logs/rq_1"
FIELD = FieldError(("credit_limit", "unit_id"), "unknown_id", "names no unit")
ROW = FieldError(("customer_price_group_ids", 1), "unknown_id", "no such account group")

# Failure, status, code, type, parameter, message.
CASES: list[tuple[HubError, int, str, str, str | None, str]] = [
    (tree.Malformed("a JSON object is required"), 400, "invalid_format", REQUEST, None, "A JSON object is required."),
    (tree.UnreadableFile("empty", "no rows"), 400, "invalid_format", REQUEST, None, "No rows."),
    (
        tree.Invalid((FIELD,)),
        400,
        "validation_failed",
        REQUEST,
        "credit_limit.unit_id",
        "credit_limit.unit_id: names no unit.",
    ),
    (
        tree.Invalid((ROW, FIELD)),
        *(400, "validation_failed", REQUEST, "customer_price_group_ids"),
        "customer_price_group_ids[1]: no such account group; credit_limit.unit_id: names no unit.",
    ),
    (
        tree.Invalid((FieldError(("name",), "missing", "is required"),)),
        400,
        "missing_field",
        REQUEST,
        "name",
        "name: is required.",
    ),
    (
        tree.Invalid((FieldError(("name",), "type", "must be a string"),)),
        400,
        "invalid_format",
        REQUEST,
        "name",
        "name: must be a string.",
    ),
    (
        tree.Invalid((FieldError(("nam",), "unknown", "is none"),)),
        400,
        "parameter_unknown",
        REQUEST,
        "nam",
        "nam: is none.",
    ),
    (
        tree.Invalid((FieldError(("limit",), "query", "is wrong"),)),
        400,
        "parameter_invalid",
        REQUEST,
        "limit",
        "limit: is wrong.",
    ),
    (
        tree.Invalid((FieldError(("q",), "query_missing", "is required"),)),
        400,
        "parameter_missing",
        REQUEST,
        "q",
        "q: is required.",
    ),
    (
        tree.Invalid((FieldError(("a",), "exclusive", "not with b"),)),
        400,
        "parameters_exclusive",
        REQUEST,
        "a",
        "a: not with b.",
    ),
    (tree.Invalid((FieldError((), "x", "is nothing"),)), 400, "validation_failed", REQUEST, None, "is nothing."),
    (
        tree.InvalidHeader("If-Match", "names no tag"),
        400,
        "parameter_invalid",
        REQUEST,
        "If-Match",
        "If-Match names no tag.",
    ),
    (
        tree.InvalidHeader("Idempotency-Key", "must be sent once"),
        *(400, "parameter_invalid", REQUEST, "Idempotency-Key"),
        "Idempotency-Key must be sent once.",
    ),
    (
        tree.InvalidHeader("Augno-Version", "9 is not spoken here"),
        *(400, "api_version_invalid", REQUEST, "Augno-Version"),
        "Augno-Version 9 is not spoken here.",
    ),
    (VersionMissing(), 400, "api_version_required", REQUEST, "Augno-Version", "Augno-Version is required."),
    (
        tree.Taken((FieldError(("number",), "number_taken", "belongs to another"),)),
        *(409, "resource_exists", REQUEST, "number"),
        "number: belongs to another.",
    ),
    (
        tree.Unauthenticated("missing"),
        *(401, "invalid_credentials", REQUEST, None),
        "An API key is needed, as in Authorization: Bearer aug_sk_…",
    ),
    (tree.Unauthenticated("unknown"), 401, "invalid_credentials", REQUEST, None, "This API key is not known."),
    (tree.Unauthenticated("expired"), 401, "api_key_expired", REQUEST, None, "This API key has expired."),
    (tree.Unauthenticated("revoked"), 401, "api_key_revoked", REQUEST, None, "This API key was revoked."),
    (tree.InvalidGrant("code"), 401, "expired_token", REQUEST, None, "This token is no longer good."),
    (
        tree.Forbidden("customers:update"),
        *(403, "insufficient_permissions", REQUEST, None),
        "This API key lacks customers:update.",
    ),
    (
        tree.NotFound("payment_term", "x"),
        *(404, "resource_not_found", REQUEST, "id"),
        "There is no such payment term in this account.",
    ),
    (tree.NoSuchRoute(), 404, "resource_not_found", REQUEST, None, "There is nothing on this path."),
    (tree.MethodNotAllowed(("GET",)), 405, "method_not_allowed", REQUEST, None, "This path takes only GET."),
    (tree.RequestTimeout(), 408, "request_timeout", API, None, "The body did not arrive in time."),
    (tree.Conflict("others are below"), 409, "resource_conflict", REQUEST, "id", "Others are below."),
    (
        tree.InTheWay(()),
        *(409, "resource_conflict", REQUEST, None),
        "Changes that were made since stand in the way.",
    ),
    (
        tree.EmailsShared(1, (UUID(int=1),)),
        *(409, "resource_conflict", REQUEST, None),
        f"1 customers of this team share an email address with others: {UUID(int=1)}.",
    ),
    (
        tree.HistoryGone(3),
        *(404, "resource_not_found", REQUEST, "id"),
        "There is no such version in this account.",
    ),
    (
        tree.KeyGone(),
        *(410, "resource_gone", KEY, None),
        "This request was done; its answer held a secret, which is shown once.",
    ),
    (
        tree.PreconditionFailed(3),
        *(412, "resource_conflict", REQUEST, "If-Match"),
        "The record has changed since: read it again and repeat the change on its new version.",
    ),
    (tree.BodyTooLarge(9), 413, "validation_failed", REQUEST, None, "The body is larger than 9 bytes."),
    (
        tree.UnsupportedMediaType("text/plain"),
        *(415, "invalid_format", REQUEST, None),
        "Cannot read a body of type text/plain.",
    ),
    (
        tree.KeyMismatch(),
        *(400, "parameter_invalid", KEY, "Idempotency-Key"),
        "This Idempotency-Key was used for another request.",
    ),
    (
        tree.PreconditionRequired(),
        *(428, "parameter_missing", REQUEST, "If-Match"),
        "This API key writes only with If-Match: send the ETag of the record as read.",
    ),
    (tree.Busy(), 503, "service_unavailable", API, None, "The record is being changed by others; try again."),
    (tree.Full(), 503, "service_unavailable", API, None, "As much of this is under way as may be at once; try again."),
    (
        tree.RateLimited(7),
        *(429, "rate_limit_exceeded", REQUEST, None),
        "Too many requests; wait a little and try again.",
    ),
    (tree.Unavailable(), 503, "connection_error", API, None, "The database cannot be reached; try again."),
    (tree.SecretKeyError("another one"), 500, "internal_error", API, None, "An unexpected error occurred."),
    (tree.Internal(), 500, "internal_error", API, None, "An unexpected error occurred."),
]
TRANSIENT = (408, 429, 500, 503)
IN_VAIN = (tree.Taken, tree.Conflict, tree.KeyMismatch)


@pytest.mark.parametrize(
    ("error", "status", "code", "kind", "param", "message"), CASES, ids=[f"{case[2]} {case[0]}" for case in CASES]
)
def test_every_failure_has_its_shape(
    error: HubError, status: int, code: str, kind: str, param: str | None, message: str
) -> None:
    """All eight members, always; a header where the contract has one."""
    answer = to_answer(error, Origin("rq_1", LOG))
    headers = dict(answer.headers)
    body = json.loads(answer.body)
    assert answer.status == status
    assert list(body["error"]) == ENVELOPE
    assert body["error"] == {
        "code": code,
        "type": kind,
        "message": message,
        "param": param,
        "doc_url": f"https://docs.augno.com/api/errors#{code}",
        "is_transient": status in TRANSIENT,
        "quota": None,
        "request_log_url": LOG,
    }
    assert headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert headers.get("x-should-retry") == ("false" if isinstance(error, IN_VAIN) else None)


def test_the_tree_is_covered() -> None:
    """Each kind of failure stands above."""
    kinds = {
        kind
        for kind in vars(tree).values()
        if isinstance(kind, type) and issubclass(kind, HubError) and kind is not HubError
    }
    assert kinds <= {type(error) for error, *_ in CASES}


def test_without_a_log_there_is_no_link() -> None:
    """Null, and not a link that opens nothing."""
    answer = to_answer(tree.Internal(), Origin("rq_1"))
    assert json.loads(answer.body)["error"]["request_log_url"] is None


async def test_paths_of_nothing(account: Account) -> None:
    """They fail in this dialect's shape, the prose pages' old path too."""
    for path in ("/v1/sales/orders", "/v1/core/customers", "/v1/sales", f"{CUSTOMERS}/", "/v1/auth/x"):
        assert refusal(await account.api.get(path)) == (404, "resource_not_found", None)


async def test_the_link_opens(account: Account, customer: Json) -> None:
    """`request_log_url` is the very entry of the request that failed, and carries the id of the header."""
    answer = await account.api.patch(f"{CUSTOMERS}/{customer['id']}", json={"name": ""})
    url = failure(answer)["request_log_url"]
    assert url == f"http://hub/v1/core/request-logs/{answer.headers['request-id']}"
    opened = await account.api.get(url)
    assert opened.status_code == 200, opened.text
    entry = opened.json()
    assert (entry["id"], entry["method"], entry["status_code"]) == (answer.headers["request-id"], "PATCH", 400)
    assert (entry["error_code"], entry["normalized_route"]) == ("validation_failed", f"{CUSTOMERS}/{{id}}")


async def test_bodies_of_another_kind(account: Account, customer: Json) -> None:
    """A body that is not declared as JSON, or is too long, is told so."""
    path = f"{CUSTOMERS}/{customer['id']}"
    answer = await account.api.patch(path, content=b"name=x", headers={"content-type": "text/plain"})
    assert refusal(answer) == (415, "invalid_format", None)
    long = b'{"note": "' + b"x" * account.hub.settings.max_body + b'"}'
    answer = await account.api.patch(path, content=long, headers={"content-type": "application/json"})
    assert refusal(answer) == (413, "validation_failed", None)


async def test_the_other_dialects_keep_their_shape(account: Account, world: World) -> None:
    """A path of another dialect fails in that one's words, also with this one's key."""
    answer = await account.api.get("/v1/customers")
    assert set(answer.json()) == {"code", "message", "details"}
