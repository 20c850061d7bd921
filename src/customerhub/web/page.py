"""What the hub serves beside its dialects: pages and documents at fixed paths, read by GET and HEAD."""

from collections.abc import Awaitable, Callable
from hashlib import sha256

from starlette.datastructures import Headers

from customerhub.model.answer import Answer

Page = Callable[[Headers], Awaitable[Answer]]


def to_page(body: bytes, media_type: str, *headers: tuple[str, str]) -> Page:
    """A page that stays as it is while the process lives, so that a client may ask whether its copy is still good."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    common = (*headers, ("etag", tag), ("cache-control", "no-cache"), ("x-content-type-options", "nosniff"))
    whole = Answer(200, body, (("content-type", media_type), *common))
    unchanged = Answer(304, b"", common)

    async def page(request: Headers) -> Answer:
        return unchanged if _names(request.getlist("if-none-match"), tag) else whole

    return page


def _names(lines: list[str], tag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, 13.1.2)."""
    named = {part.strip().removeprefix("W/") for line in lines for part in line.split(",")}
    return tag in named or "*" in named
