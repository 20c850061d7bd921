"""What tests of this dialect say often: failures by their members."""

import httpx

from tests.support.hub import Desk, Json

PROBLEM = ["type", "title", "status", "detail", "instance", "errors", "request_id"]


def problem(answer: httpx.Response) -> Json:
    """The problem in an answer, whose shape is whole."""
    found: Json = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    more = ["current", "difference"] if answer.status_code == 412 else []
    assert list(found) == [*PROBLEM, *more]
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["request-id"]
    assert found["instance"] == f"urn:customerhub:request:{found['request_id']}"
    assert all(isinstance(found[name], str) and found[name] for name in ("title", "detail"))
    return found


def refusal(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Status and type of a failure, and the places and codes of what is wrong."""
    found = problem(answer)
    errors = [(str(next(iter(error.values()))), error["code"]) for error in found["errors"]]
    return answer.status_code, found["type"].removeprefix("urn:customerhub:problem:"), errors


async def refused(desk: Desk, customer: Json, body: object, form: str) -> tuple[int, str, list[tuple[str, str]]]:
    """How a patch is refused, which then has changed nothing."""
    before = await desk.fingerprint()
    answer = await desk.patch(customer, body, form)
    assert await desk.fingerprint() == before, answer.text
    return refusal(answer)


def invalid(*errors: tuple[str, str]) -> tuple[int, str, list[tuple[str, str]]]:
    """The refusal of wrong values."""
    return 422, "invalid", list(errors)
