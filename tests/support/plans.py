"""How the database does what it is asked for, as it says itself."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from customerhub.store.db import Connection

Node = dict[str, Any]  # Any: decoded JSON


async def explain(connection: Connection, statement: str, parameters: Sequence[object]) -> Node:
    """What the statement did, as the topmost node of its plan."""
    text = await connection.fetchval(f"explain (analyze, buffers, timing off, format json) {statement}", *parameters)
    plan: Node = json.loads(text)[0]["Plan"]
    return plan


def nodes(plan: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
