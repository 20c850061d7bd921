"""Whole conversations as the contract tells them, member for member: `golden/*.json`, one file each.

In a file `<name>` in a path or a body stands for what an earlier answer had there; in an answer the first `<name>` of a
name takes what it finds. `CUSTOMERHUB_GOLDEN=write` writes the answers anew, to be read before they are kept.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.count import Json, Partner

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
REQUEST_ID = re.compile(r"req_[0-9a-z]{26}")


def masked(value: Any, names: dict[str, str]) -> Any:
    """An answer with ids in order of appearance, times and request ids as words; `names` remembers the ids."""
    if isinstance(value, dict):
        return {name: masked(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    if isinstance(value, str):
        value = UUID.sub(lambda found: names.setdefault(found[0], f"<id {len(names) + 1}>"), value)
        value = TIME.sub("<time>", value)
        return REQUEST_ID.sub("<request id>", value)
    return value


def filled(value: Any, names: dict[str, str]) -> Any:
    """A request with the ids that its words stand for."""
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


async def play(partner: Partner, steps: list[Json]) -> list[Json]:
    """The conversation as it goes now."""
    names: dict[str, str] = {}
    played: list[Json] = []
    for step in steps:
        answer = await partner.api.request(
            step["method"],
            filled(step["path"], names),
            json=filled(step.get("body"), names),
            headers=step.get("headers"),
        )
        told = {"status": answer.status_code, "answer": masked(answer.json(), names)}
        if "etag" in answer.headers:
            told["etag"] = answer.headers["etag"]
        played.append({name: step[name] for name in ("method", "path", "headers", "body") if name in step} | told)
    return played


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_it_is_kept(partner: Partner, path: Path) -> None:
    """Every status, tag and member, in their order."""
    steps = read(path)
    played = await play(partner, steps)
    if os.environ.get("CUSTOMERHUB_GOLDEN") == "write":
        write(path, played)
    assert json.dumps(played) == json.dumps(steps)


def test_there_are_conversations() -> None:
    """Customers, many at once, and webhooks."""
    assert [path.stem for path in GOLDEN] == ["bulk", "customer", "webhooks"]
