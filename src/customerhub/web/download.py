"""Files that are sent while they are made."""

import re
from collections.abc import AsyncIterable
from typing import Final

from customerhub.core.exports import FORMATS
from customerhub.model.answer import Answer, Outlet, Stream

_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9._ -]")
_FOR_BROWSERS: Final = (("x-content-type-options", "nosniff"), ("cache-control", "no-store"))


def to_download(file_name: str, stream: Stream, *, for_browser: bool = False) -> Answer:
    """200 with a file in the format that its name ends with; of the name only what is plain stays (RFC 6266, 4.3).

    `for_browser`: a person's, which must not look for another type in it, nor keep it beside the file.
    """
    media_type = FORMATS["jsonl" if file_name.endswith(".jsonl") else "csv"]
    plain = _NOT_A_NAME.sub("_", file_name)
    headers = (("content-type", media_type), ("content-disposition", f'attachment; filename="{plain}"'))
    return Answer(200, headers=headers + _FOR_BROWSERS * for_browser, stream=stream)


def to_stream(pieces: AsyncIterable[bytes]) -> Stream:
    """The pieces one after the other, as they are taken."""

    async def stream(outlet: Outlet) -> None:
        async for piece in pieces:
            await outlet.write(piece)

    return stream
