"""What tests of batches say often: operations, and what came of each."""

from typing import Any

import httpx

from tests.support.hub import CUSTOMERS, Desk, Json

BATCH = f"{CUSTOMERS}:batch"
TYPE = "urn:customerhub:problem:"
# Status, type, and the places with codes of what was wrong.
Failed = tuple[int, str, list[tuple[str, str]]]


async def send(desk: Desk, operations: list[Any], *, atomic: bool = False, **headers: str) -> httpx.Response:
    """A batch and its answer; `idempotency_key` and the like are headers of these names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.api.post(BATCH, json={"atomic": atomic, "operations": operations}, headers=named)


async def run(desk: Desk, *operations: Any) -> list[Json]:
    """What came of each."""
    answer = await send(desk, list(operations))
    assert answer.status_code == 200, answer.text
    return results_of(answer)


def results_of(answer: httpx.Response) -> list[Json]:
    """The results, which stand at their places."""
    results: list[Json] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return results


def failures_of(results: list[Json]) -> list[Failed | int]:
    """Of a failure its status, type and places with codes, of a success its status."""
    found: list[Failed | int] = []
    for result in results:
        if "error" not in result:
            found.append(result["status"])
            continue
        assert [name for name in result if name != "id"] == ["index", "status", "error"]
        error = result["error"]
        assert error["status"] == result["status"]
        places = [(fault["pointer"], fault["code"]) for fault in error["errors"]]
        found.append((result["status"], error["type"].removeprefix(TYPE), places))
    return found


def update(customer: Json, patch: Any, **members: Any) -> Json:
    """An operation that changes a customer."""
    return {"op": "update", "id": customer["id"], "patch": patch, **members}
