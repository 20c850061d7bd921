"""What tests of every route look at in an answer, and in the tables behind it, in whichever dialect's shape."""

from typing import Any

import httpx

from tests.support.fingerprint import Fingerprint

PARTNER_SHAPE = ("status", "message", "code", "statusCode", "requestId")
PROBLEM = ("type", "title", "status", "detail", "instance", "errors", "request_id")
PROBLEM_TYPE = "urn:customerhub:problem:"
STALE = 412
ENVELOPE = ("code", "type", "message", "param", "doc_url", "is_transient", "quota", "request_log_url")


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """The headers that a replay has as well; the request id is each request's own."""
    return {name: value for name, value in answer.headers.items() if name not in ("request-id", "idempotent-replayed")}


def to_dotted(pointer: str) -> str:
    """A JSON Pointer as other shapes write such a place: `addresses[0].city`; a name of a header is itself."""
    first, *steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/")]
    return first + "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps)


def changed_tables(before: Fingerprint, after: Fingerprint) -> dict[str, int]:
    """The tables that are not as they were, and how many rows each has gained."""
    return {table: after[table][0] - before[table][0] for table in after if after[table] != before[table]}


def code_of(answer: httpx.Response) -> tuple[int, Any]:  # Any: decoded JSON
    """Status and code of a failure, whose shape is checked on the way."""
    failure = answer.json()
    if "title" in failure:
        more = ("current", "difference") if answer.status_code == STALE else ()
        assert (list(failure), failure["status"]) == ([*PROBLEM, *more], answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, failure["type"].removeprefix(PROBLEM_TYPE)
    if list(failure) == ["error"]:
        failure = failure["error"]
        assert list(failure) == list(ENVELOPE)
        assert failure["doc_url"].endswith(f"#{failure['code']}")
    elif "statusCode" in failure:
        assert [name for name in failure if name in PARTNER_SHAPE] == list(PARTNER_SHAPE)
        assert (failure["status"], failure["statusCode"]) == ("error", answer.status_code)
        assert all(list(error) == ["field", "code", "message"] for error in failure.get("errors", ()))
    else:
        assert list(failure) == ["code", "message", "details"]
        assert all(list(detail) == ["field", "reason"] for detail in failure["details"])
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, failure["code"]


def fields_of(answer: httpx.Response) -> list[str]:
    """The fields that a failure names, in its order, or the header; one alone where the contract has room for one."""
    failure = answer.json()
    if "title" in failure:
        return [to_dotted(next(iter(error.values()))) for error in failure["errors"]]
    if list(failure) == ["error"]:
        return [failure["error"]["param"]] if failure["error"]["param"] else []
    if "statusCode" not in failure:
        return [detail["field"] for detail in failure["details"]]
    header = failure.get("details", {}).get("header")
    return [header] if header else [error["field"] for error in failure.get("errors", ())]
