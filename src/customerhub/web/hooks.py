"""Doors for messages of other systems: POST at a path of its own, signed in the sender's way, without a credential."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Receive

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.error import MethodNotAllowed
from customerhub.web.upload import check_declaration, read_body

MOST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came; `body` has the very bytes, which the sender's signature is about."""

    hub: Hub
    request_id: str
    parameters: Mapping[str, str]
    headers: Headers
    body: bytes


Handler = Callable[[Message], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Hook:
    """Where messages of one kind come in; a parameter of `path` is a whole segment, `max_body` is in bytes."""

    path: str
    handler: Handler
    max_body: int = MOST_BYTES


class Found(NamedTuple):
    """The hook of a path, and what the path says."""

    hook: Hook
    parameters: dict[str, str]


class Hooks:
    """All hooks of a process. Raises ValueError for a path without a fixed beginning."""

    def __init__(self, hooks: Iterable[Hook] = ()) -> None:
        self._hooks = tuple((hook, tuple(hook.path.split("/"))) for hook in hooks)
        # Most requests are for no hook, and are told so at once.
        self._beginnings = tuple(hook.path.partition("{")[0] for hook, _ in self._hooks)
        if any(len(beginning) < len("/x") for beginning in self._beginnings):
            raise ValueError("a hook's path begins with a segment of its own")

    @property
    def examples(self) -> tuple[str, ...]:
        """A path of each hook, to see whether somebody else serves it too."""
        return tuple(hook.path.replace("{", "").replace("}", "") for hook, _ in self._hooks)

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of each hook, as a template."""
        return tuple(hook.path for hook, _ in self._hooks)

    def find(self, path: str) -> Found | None:
        """The hook of a path; None where it is somebody else's."""
        if not path.startswith(self._beginnings):
            return None
        segments = path.split("/")
        for hook, template in self._hooks:
            if len(template) == len(segments):
                pairs = tuple(zip(template, segments, strict=True))
                if all(part == segment or (part.startswith("{") and segment) for part, segment in pairs):
                    return Found(hook, {part[1:-1]: segment for part, segment in pairs if part.startswith("{")})
        return None


async def answer_message(
    found: Found, method: str, headers: Headers, receive: Receive, *, hub: Hub, request_id: str
) -> Answer:
    """What the hook answers; raises as reading a body does, and MethodNotAllowed."""
    if method != "POST":
        raise MethodNotAllowed(("POST",))
    limit = found.hook.max_body
    declared = check_declaration(headers, limit)
    body = await read_body(receive, limit, hub.settings.body_seconds, declared=declared)
    return await found.hook.handler(Message(hub, request_id, found.parameters, headers, body))
