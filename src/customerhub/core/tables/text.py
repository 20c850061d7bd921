"""A file as lines of text: its encoding, and no line longer than is good for anybody."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from customerhub.model.error import UnreadableFile

_BLOCK: Final = 1 << 16
# The four bytes of UTF-32 begin like those of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(file: BinaryIO) -> str:
    """UTF-8, or UTF-16 by its mark; otherwise Windows-1252. The file is read to its end for that.

    Raises UnreadableFile for UTF-32, and for a file that is not what its mark says.
    """
    file.seek(0)
    start = file.read(4)
    marked = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), None)
    if marked is not None and marked[1] is None:
        raise UnreadableFile("encoding", "the file is UTF-32; save it as UTF-8")
    name = (marked[1] if marked is not None else None) or "utf-8"
    wrong = _find_wrong_byte(file, name)
    file.seek(0)
    if wrong is None:
        return name
    if marked is not None:
        raise UnreadableFile("encoding", f"the file says that it is {name.upper()}, and is not at byte {wrong + 1}")
    return "cp1252"


def _find_wrong_byte(file: BinaryIO, encoding: str) -> int | None:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    while True:
        block = file.read(_BLOCK)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return max(position + error.start, 0)
        if not block:
            return None
        position += len(block)


class Lines:
    """The lines of a text, with their ends, numbered from 1; of a longer one than `longest` only that much is read."""

    def __init__(self, file: BinaryIO, encoding: str, longest: int) -> None:
        # Bytes that Windows-1252 has no character for come out as halves of characters, which whoever reads refuses.
        errors = "surrogateescape" if encoding == "cp1252" else "strict"
        self._text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
        self._longest = longest
        self._again: list[tuple[str, bool]] = []
        self.number = 0
        self.first = ""

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        while (line := self.read()) is not None:
            yield line

    def read(self) -> tuple[str, bool] | None:
        """The next line and whether it is whole; None at the end."""
        if self._again:
            self.number += 1
            return self._again.pop()
        line = self._text.readline(self._longest)
        if not line:
            return None
        self.number += 1
        if self.number == 1:
            self.first = line
        if len(line) < self._longest or line.endswith(("\n", "\r")):
            return line, True
        while (more := self._text.readline(_BLOCK)) and not more.endswith(("\n", "\r")):
            pass
        return line, False

    def put_back(self, lines: list[tuple[str, bool]]) -> None:
        """Lines that are to be read once more."""
        self._again += reversed(lines)
        self.number -= len(lines)

    def close(self) -> None:
        """Let go of the file, which stays open."""
        self._text.detach()
