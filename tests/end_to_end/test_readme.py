"""The README's commands, run word for word against a live hub, print what the README says they print."""

import os
import re
import shlex
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

from tests.support.process import running_hub

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"<!-- (run|answer) -->\n```\w*\n(.*?)```", re.DOTALL)
_END = "=====next====="
# What is another one each time: ids, times, and the request's own id.
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
)


def _blocks() -> list[tuple[str, str | None]]:
    """Each command of the README with the answer that stands after it, if one does."""
    found = [(match[1], match[2]) for match in _BLOCK.finditer(README.read_text(encoding="utf-8"))]
    following = [*found[1:], ("run", "")]
    return [
        (text, after if kind_after == "answer" else None)
        for (kind, text), (kind_after, after) in zip(found, following, strict=True)
        if kind == "run"
    ]


def _settled(text: str) -> str:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return text.strip()


async def test_the_commands_print_what_the_readme_says(tmp_path: Path) -> None:
    """Each answer in the README is the one that a fresh demo team gives, but for ids and times."""
    blocks = _blocks()
    assert len(blocks) >= 4
    data = tmp_path / "data"
    async with running_hub(tmp_path / "log", "--demo", "--data-dir", str(data)) as hub:
        printed = await _run(f"\necho; echo {_END}\n".join(command for command, _ in blocks), hub.url, data)
        assert await hub.stop() == 0
    told = [
        (answer, output) for (_, answer), output in zip(blocks, printed.split(_END), strict=True) if answer is not None
    ]
    assert len(told) >= 3
    assert [_settled(output) for _, output in told] == [_settled(answer) for answer, _ in told]


async def _run(script: str, url: str, data: Path) -> str:
    """What the commands print, with this hub in the place of the README's."""
    script = script.replace("http://127.0.0.1:8080", url)
    script = script.replace(".venv/bin/customerhub", shlex.join([sys.executable, "-m", "customerhub"]))
    process = await create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "CUSTOMERHUB_DATA_DIR": str(data)},
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
