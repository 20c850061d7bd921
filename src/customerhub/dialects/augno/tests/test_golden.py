"""Whole conversations as the contract tells them, member for member: `golden/*.json`, one file each.

In a file a word such as `<cr 1>` in a path or a body stands for what an earlier answer had there: the first carrier,
cursor or secret that was told. `CUSTOMERHUB_GOLDEN=write` writes the answers anew, to be read before they are kept.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.augno import Account, Json

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
TOLD_HEADERS = ("etag", "allow", "x-should-retry", "idempotent-replayed", "customerhub-ignored", "www-authenticate")
DRAWN = re.compile(
    r"(?P<time>20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z)"
    r"|(?P<secret>\baug_sk_prod_(?:[\w-]{43}|\*{4}[\w-]{4}))"
    r"|(?P<id>\b[a-z]{2,4}_[0-7][0-9a-hjkmnp-tv-z]{25}(?![0-9a-z]))"
    r"|(?P<cursor>\b[A-Za-z0-9_-]{44}(?![\w-]))"
    r"|(?P<team>\bTeam [0-9a-f-]{36})"
)
ALIKE = ("time", "team")


def masked(value: Any, names: dict[str, str]) -> Any:
    """An answer with ids, cursors and secrets in order of appearance, times as a word; `names` remembers the others."""
    if isinstance(value, dict):
        # When a key was last used is noted beside the requests, a moment later.
        return {name: "<used>" if name == "last_used_at" else masked(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, names) for item in value]
    return DRAWN.sub(lambda found: name_of(found, names), value) if isinstance(value, str) else value


def name_of(found: re.Match[str], names: dict[str, str]) -> str:
    """What a drawn text is called: its kind, or its prefix, and which of them it is."""
    kind = str(found.lastgroup)
    if kind in ALIKE:
        return f"<{kind}>"
    word = found[0].partition("_")[0] if kind == "id" else kind
    number = sum(name.startswith(f"<{word} ") for name in names.values()) + 1
    return names.setdefault(found[0], f"<{word} {number}>")


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


async def play(account: Account, steps: list[Json]) -> list[Json]:
    """The conversation as it goes now."""
    names: dict[str, str] = {}
    played: list[Json] = []
    for step in steps:
        answer = await account.api.request(
            step["method"],
            filled(step["path"], names),
            json=filled(step.get("body"), names),
            headers=filled(step.get("headers"), names),
        )
        told: Json = {"status": answer.status_code}
        told |= {name: answer.headers[name] for name in TOLD_HEADERS if name in answer.headers}
        told["answer"] = masked(answer.json(), names)
        played.append({name: step[name] for name in ("method", "path", "headers", "body") if name in step} | told)
    return played


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_it_is_kept(account: Account, path: Path) -> None:
    """Every status, header and member, in their order."""
    steps = read(path)
    played = await play(account, steps)
    if os.environ.get("CUSTOMERHUB_GOLDEN") == "write":
        write(path, played)
    assert json.dumps(played) == json.dumps(steps)


def test_there_are_conversations() -> None:
    """Customers, what they refer to, merging, keys, and failures."""
    assert [path.stem for path in GOLDEN] == ["catalogue", "customers", "failures", "keys", "merge"]
