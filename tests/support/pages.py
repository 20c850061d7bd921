"""Commands in our documents, run word for word: blocks marked `<!-- run -->`, each with the answer that it gives."""

import os
import re
import shlex
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

_BLOCK = re.compile(r"<!-- (run|answer) -->\n```(\w*)\n(.*?)```", re.DOTALL)
_END = "=====next====="
# What is another one each time: ids, times, and the request's own id.
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
)


def read_blocks(page: Path) -> list[tuple[str, str | None]]:
    """Each command of a page, as lines for a shell, with the answer that stands after it, if one does."""
    found = [(match[1], _to_shell(match[2], match[3])) for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))]
    following = [*found[1:], ("run", "")]
    return [
        (text, after if kind_after == "answer" else None)
        for (kind, text), (kind_after, after) in zip(found, following, strict=True)
        if kind == "run"
    ]


def _to_shell(language: str, text: str) -> str:
    """A Python program is run as such from the shell."""
    return f"{shlex.quote(sys.executable)} - <<'PROGRAM'\n{text}PROGRAM\n" if language == "python" else text


async def run_blocks(blocks: list[tuple[str, str | None]], url: str, place: Path, data: Path) -> list[str]:
    """What each command prints, all in one shell that stands in `place`, on a hub at `url` with its data directory."""
    script = f"\necho; echo {_END}\n".join(command for command, _ in blocks)
    script = script.replace("http://127.0.0.1:8080", url)
    script = script.replace(".venv/bin/customerhub", shlex.join([sys.executable, "-m", "customerhub"]))
    script = script.replace("--data-dir sandbox", shlex.join(["--data-dir", str(data)]))
    process = await create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        stdout=PIPE,
        stderr=PIPE,
        cwd=place,
        env={**os.environ, "CUSTOMERHUB_DATA_DIR": str(data), "CUSTOMERHUB_SANDBOX_DIR": str(data)},
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode().split(_END)


def to_told(blocks: list[tuple[str, str | None]], printed: list[str]) -> tuple[list[str], list[str]]:
    """What was printed and what the page says, of commands that it has an answer to, without what always changes."""
    told = [(answer, output) for (_, answer), output in zip(blocks, printed, strict=True) if answer is not None]
    return [_settle(output) for _, output in told], [_settle(answer) for answer, _ in told]


def _settle(text: str) -> str:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return text.strip()
