"""For every write of imports through the hub's own API a request that changes something, and others."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

from tests.end_to_end.recipes import Recipe
from tests.support.hub import Desk

IMPORTS: Final = "/hub/v1/imports"
IMPORT: Final = f"{IMPORTS}/{{id}}"

Make = Callable[[Desk], Awaitable[Recipe]]


async def make_import(desk: Desk, mode: str = "both") -> str:
    """A file of one row, staged."""
    body = f"number,name\nI-{uuid4().hex[:8]},Kestrel\n"
    answer = await desk.api.post(IMPORTS, content=body, params={"mode": mode}, headers={"content-type": "text/csv"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _create(desk: Desk) -> Recipe:
    """A JSON object is a line of JSON Lines."""
    del desk
    return Recipe(path=IMPORTS, body={"number": "I-1", "name": "Kestrel"}, other={"number": "I-2", "name": "Kestrel"})


async def _update(desk: Desk) -> Recipe:
    return Recipe(
        path=f"{IMPORTS}/{await make_import(desk)}",
        tag='"1"',
        body={"match": "number", "mode": "update", "mapping": {"number": "number", "name": "display_name"}},
        other={"mode": "create"},
        wrong={"mode": "sideways"},
        wrong_field="mode",
    )


async def _delete(desk: Desk) -> Recipe:
    return Recipe(path=f"{IMPORTS}/{await make_import(desk)}", tag='"1"', is_final=True)


def _act(verb: str) -> Make:
    async def make(desk: Desk) -> Recipe:
        # Who must name the versions that they change may make customers from any file.
        path = f"{IMPORTS}/{await make_import(desk, 'create')}"
        tag = '"1"'
        if verb == "pause":
            tag = (await desk.api.post(f"{path}/run")).headers["etag"]
        return Recipe(path=f"{path}/{verb}", tag=tag)

    return make


RECIPES: Final[dict[str, Make]] = {
    f"POST {IMPORTS}": _create,
    f"PATCH {IMPORT}": _update,
    f"DELETE {IMPORT}": _delete,
    **{f"POST {IMPORT}/{verb}": _act(verb) for verb in ("try", "run", "pause", "cancel")},
}
