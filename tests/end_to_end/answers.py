"""What tests of every route look at in an answer, and in the tables behind it."""

from typing import Any

import httpx

Fingerprint = dict[str, tuple[int, str]]


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """The headers that a replay has as well; the request id is each request's own."""
    return {name: value for name, value in answer.headers.items() if name not in ("request-id", "idempotent-replayed")}


def changed_tables(before: Fingerprint, after: Fingerprint) -> dict[str, int]:
    """The tables that are not as they were, and how many rows each has gained."""
    return {table: after[table][0] - before[table][0] for table in after if after[table] != before[table]}


def code_of(answer: httpx.Response) -> tuple[int, Any]:  # Any: decoded JSON
    """Status and code of a failure, whose shape is checked on the way."""
    failure = answer.json()
    assert list(failure) == ["code", "message", "details"]
    assert all(list(detail) == ["field", "reason"] for detail in failure["details"])
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, failure["code"]


def fields_of(answer: httpx.Response) -> list[str]:
    """The fields that a failure names, in its order."""
    return [detail["field"] for detail in answer.json()["details"]]
