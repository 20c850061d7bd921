"""Receiving a request's body: of a type we read, no longer than the route takes, from a client that is not too slow."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive

from customerhub.model.error import BodyTooLarge, InvalidHeader, RequestTimeout, UnsupportedMediaType
from customerhub.web.body import shorten

JSON: Final = "application/json"
MAX_DRAIN: Final = 8 * 1_048_576


class ClientGone(Exception):
    """The client hung up before its body was whole: there is nobody to answer."""


def check_declaration(headers: Headers, limit: int, media_types: Sequence[str] = (JSON,)) -> int | None:
    """The length that the body is declared to have, in bytes; None where it is not declared.

    A body may leave its type out; `application/json` stands for every `application/*+json` too.
    Raises UnsupportedMediaType for another type, charset or content coding, BodyTooLarge where the client waits to be
    told whether it may send that much (RFC 9110, 10.1.1), InvalidHeader for a length that is no number.
    """
    found = dict(headers.raw)
    length = found.get(b"content-length")
    if length == b"0":
        return 0
    media_type = found.get(b"content-type")
    if media_type and media_type != b"application/json":
        _check_media_type(media_type.decode("latin-1"), media_types)
    if b"content-encoding" in found:
        _check_coding(found[b"content-encoding"].decode("latin-1"))
    if length is None:
        return None
    if not length.isdigit():
        raise InvalidHeader("Content-Length", "must be a number")
    declared = int(length[:20])
    if declared > limit and found.get(b"expect", b"").lower() == b"100-continue":
        raise BodyTooLarge(limit)
    return declared


def _check_media_type(text: str, media_types: Sequence[str]) -> None:
    media_type, *parameters = (part.strip().lower() for part in text.split(";"))
    is_json = media_type.startswith("application/") and media_type.endswith("+json")
    if media_type and media_type not in media_types and not (is_json and JSON in media_types):
        raise UnsupportedMediaType(shorten(text, 100), tuple(media_types))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(shorten(text, 100), tuple(media_types))


def _check_coding(text: str) -> None:
    if text.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(f"content-encoding {shorten(text, 100)}")


async def receive_body(
    receive: Receive, limit: int, seconds: float, *, declared: int | None = None
) -> AsyncGenerator[bytes]:
    """The body piece by piece, of at most `limit` bytes in all, within `seconds`.

    A longer one is read and thrown away up to `MAX_DRAIN` bytes before it is refused, because a client that is still
    sending does not see an answer. Raises BodyTooLarge, RequestTimeout, ClientGone.
    """
    size = 0
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        more = True
        while more and size <= max(limit, MAX_DRAIN):
            async with asyncio.timeout_at(deadline):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size <= limit:
                yield chunk
            more = message.get("more_body", False)
    except TimeoutError:
        if max(size, declared or 0) <= limit:
            raise RequestTimeout from None
    if max(size, declared or 0) > limit:
        raise BodyTooLarge(limit)


async def drain(receive: Receive, limit: int, seconds: float) -> None:
    """Read a body of at most `limit` bytes and keep nothing of it, so that its client sees the refusal behind it."""
    with suppress(BodyTooLarge, RequestTimeout):
        async for _ in receive_body(receive, limit, seconds):
            pass


async def read_body(receive: Receive, limit: int, seconds: float, *, declared: int | None = None) -> bytes:
    """The whole body; as `receive_body`."""
    chunks = [chunk async for chunk in receive_body(receive, limit, seconds, declared=declared)]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
