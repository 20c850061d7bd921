"""Golden files: whole answers as a client sees them, with placeholders for what is drawn anew in each run."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx

# Set it to write the files anew, then read the difference as carefully as a change of the contract.
REWRITE = "CUSTOMERHUB_WRITE_GOLDEN"
_DRAWN = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<secret>api_prod_[\w-]{43})"
    r"|(?P<request>req_[0-9a-z]{26})"
    r"|(?P<mark>\b(?:tok_)?[0-9a-f]{32}\b)"
)
_TOLD_HEADERS = ("etag", "retry-after", "allow", "customerhub-ignored")


class Tale:
    """A sequence of requests with their answers, as one golden file holds it.

    Ids become `<id 1>`, `<id 2>` … in the order in which they appear, so that a file also says which ids are the same;
    `names` gives some of them names. Times are left as they are: a golden test sets the clock.
    """

    def __init__(self, names: dict[str, str]) -> None:
        self._names = dict(names)
        self._steps: list[dict[str, object]] = []

    def tell(self, method: str, path: str, sent: object, answer: httpx.Response) -> Any:  # Any: decoded JSON
        """Add one request with its answer; returns the answer's body."""
        body = answer.json() if answer.content else None
        step: dict[str, object] = {"request": f"{method} {path}"}
        if sent is not None:
            step["sent"] = sent
        step["status"] = answer.status_code
        step |= {name: answer.headers[name] for name in _TOLD_HEADERS if name in answer.headers}
        self._steps.append({**step, "body": body})
        return body

    def check(self, path: Path) -> None:
        """Compare with the file, or write it where the environment asks for that."""
        told = self._steady(self._steps)
        if os.environ.get(REWRITE):
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
        assert told == json.loads(path.read_text("utf-8"))

    def _steady(self, value: Any) -> Any:  # Any: JSON in, JSON out
        if isinstance(value, dict):
            return {self._steady(name): self._steady(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self._steady(item) for item in value]
        return _DRAWN.sub(self._placeholder, value) if isinstance(value, str) else value

    def _placeholder(self, match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind != "id":
            return f"<{kind}>"
        number = sum(name.startswith("<id ") for name in self._names.values()) + 1
        return self._names.setdefault(match[0], f"<id {number}>")
