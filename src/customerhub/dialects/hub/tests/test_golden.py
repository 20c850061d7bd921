"""Whole conversations as this API has them, member for member: `golden/*.json`, one file each.

In a file a word such as `<id 1>` stands for what an earlier answer had there; what the team refers to has names of its
own, as `<payment term 1>`. `CUSTOMERHUB_GOLDEN=write` writes the answers anew, to be read before they are kept.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import Desk, Json

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
TOLD_HEADERS = (
    *("content-type", "etag", "location", "allow", "accept-patch", "accept", "idempotent-replayed"),
    *("customerhub-ignored", "www-authenticate"),
)
DRAWN = re.compile(
    r"(?P<time>20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z)"
    r"|(?P<request>req_[0-9a-z]{26})"
    r"|(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<cursor>(?<![\w-])[A-Za-z0-9_-]{44}(?![\w-]))"
)
ALIKE = ("time", "request")


def masked(value: Any, names: dict[str, str]) -> Any:
    """An answer with ids and cursors in order of appearance, times and requests as words; `names` remembers them."""
    if isinstance(value, dict):
        return {masked(name, names): masked(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    return DRAWN.sub(lambda found: name_of(found, names), value) if isinstance(value, str) else value


def name_of(found: re.Match[str], names: dict[str, str]) -> str:
    """What a drawn text is called: its kind, and which of them it is."""
    kind = str(found.lastgroup)
    if kind in ALIKE:
        return f"<{kind}>"
    number = sum(name.startswith(f"<{kind} ") for name in names.values()) + 1
    return names.setdefault(found[0], f"<{kind} {number}>")


def filled(value: Any, names: dict[str, str]) -> Any:
    """A request with what its words stand for."""
    text = json.dumps(value)
    for found, name in names.items():
        text = text.replace(name, found)
    return json.loads(text)


def read(path: Path) -> list[Json]:
    """A conversation as it is kept."""
    steps: list[Json] = json.loads(path.read_text("utf-8"))
    return steps


def write(path: Path, steps: list[Json]) -> None:
    """Keep it as it goes now."""
    path.write_text(json.dumps(steps, indent=2, ensure_ascii=False) + "\n", "utf-8")


def own_names(desk: Desk) -> dict[str, str]:
    """What the team's own references are called."""
    lists = ("payment_terms", "carriers", "service_levels", "price_lists", "pricing_groups", "type_groups", "reps")
    named = {
        one: f"<{name.removesuffix('s').replace('_', ' ')} {number}>"
        for name in lists
        for number, one in enumerate(getattr(desk, name), 1)
    }
    return named | {desk.unit: "<dollar>", str(desk.credential["id"]): "<key>"}


async def play(desk: Desk, steps: list[Json]) -> list[Json]:
    """The conversation as it goes now."""
    names = own_names(desk)
    played: list[Json] = []
    for step in steps:
        answer = await desk.api.request(
            step["method"],
            filled(step["path"], names),
            content=json.dumps(filled(step["body"], names)) if "body" in step else None,
            headers=filled(step.get("headers"), names),
        )
        told: Json = {"status": answer.status_code}
        told |= {name: masked(answer.headers[name], names) for name in TOLD_HEADERS if name in answer.headers}
        told["answer"] = masked(answer.json(), names) if answer.content else None
        played.append({name: step[name] for name in ("method", "path", "headers", "body") if name in step} | told)
    return played


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_it_is_kept(desk: Desk, path: Path) -> None:
    """Every status, header and member, in their order."""
    steps = read(path)
    played = await play(desk, steps)
    if os.environ.get("CUSTOMERHUB_GOLDEN") == "write":
        write(path, played)
    assert json.dumps(played) == json.dumps(steps)


def test_there_are_conversations() -> None:
    """Customers, the three forms of patches, time, and failures."""
    assert {"customers", "failures", "patches", "time"} <= {path.stem for path in GOLDEN}
