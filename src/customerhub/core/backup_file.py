r"""The file of a backup, piece by piece: gzip of a line of JSON and, for each table, its rows between two more.

    {"backup": 1, "hub": "0.1.0", "migration": 9, …}      what it is, and what it takes to restore it
    {"table": "team", "columns": ["id", "name", …]}       for each table, in an order in which they can be loaded
    5f1c…<tab>Demo Trading Co<tab>…                       its rows in the text format of PostgreSQL's COPY
    \.                                                    the end of its rows, as that format has it
    {"rows": 1, "sha256": "…"}                            how many, and the checksum of what stands between
    {"tables": 33, "rows": 123456}                        the end

So `zcat` shows it, and the rows of one table can be given to psql as they are.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from customerhub.model.error import Conflict

FORMAT: Final = 1

_GZIP: Final = 16 + zlib.MAX_WBITS
# A tenth larger than what the usual level makes, in two thirds of its time.
_LEVEL: Final = 3
_END_OF_ROWS: Final = b"\\.\n"
_PIECE_BYTES: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 20

T = TypeVar("T")


class Head(Struct, frozen=True):
    """What a backup is: by which hub and PostgreSQL, at which migration; `secret_keys` are fingerprints, never keys.

    `tables` are those that it has, `left_out` those that it has not and why.
    """

    backup: int
    hub: str
    migration: int
    postgres: str
    saved_at: datetime
    secret_keys: tuple[str, ...]
    tables: tuple[str, ...]
    left_out: dict[str, str]


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the rows of a table."""

    table: str
    columns: tuple[str, ...]


class Sum(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind the rows of a table."""

    rows: int
    sha256: str


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands at the very end."""

    tables: int
    rows: int


class _Tally:
    """Counts rows, which are lines, and keeps their checksum."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        self.rows += piece.count(b"\n")
        self._hash.update(piece)

    def to_sum(self) -> Sum:
        return Sum(self.rows, self._hash.hexdigest())


class BackupWriter:
    """Writes a file through `put`, which gets it compressed and piece by piece."""

    def __init__(self, put: Callable[[bytes], object], head: Head) -> None:
        self._put = put
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._tally = _Tally()
        self.rows: dict[str, int] = {}
        self._write_line(head)

    def begin(self, part: Part) -> None:
        """The rows of this table follow."""
        self._tally = _Tally()
        self._write_line(part)

    def write(self, piece: bytes) -> int:
        """Some bytes of rows; how many rows of the table there are so far."""
        self._tally.add(piece)
        self._write(piece)
        return self._tally.rows

    def end(self, part: Part) -> None:
        """These were all of them."""
        self._write(_END_OF_ROWS)
        self._write_line(self._tally.to_sum())
        self.rows[part.table] = self._tally.rows

    def close(self) -> None:
        """The file is whole."""
        self._write_line(End(len(self.rows), sum(self.rows.values())))
        self._put(self._packer.flush())

    def _write_line(self, content: Struct) -> None:
        self._write(msgspec.json.encode(content) + b"\n")

    def _write(self, content: bytes) -> None:
        if packed := self._packer.compress(content):
            self._put(packed)


class BackupReader:
    """Reads a file from its pieces and believes none of it before it was checked; every fault is a Conflict."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._unpacked = _unpack(pieces)
        self._buffer = b""
        self.rows: dict[str, int] = {}
        self.head = self._read_head()

    def parts(self) -> Iterator[Part]:
        """Every table in turn; its rows are to be taken before the next one. Raises Conflict."""
        for table in self.head.tables:
            part = self._read_line(Part)
            if part.table != table:
                raise damaged(f"{table} is to follow, and {part.table} does")
            yield part
            if table not in self.rows:
                raise AssertionError(f"the rows of {table} were not taken")
        end = self._read_line(End)
        if (end.tables, end.rows) != (len(self.rows), sum(self.rows.values())):
            raise damaged("its end counts other rows than there are")
        if self._buffer or next(self._unpacked, b""):
            raise damaged("something follows its end")

    def take_rows(self, part: Part) -> Iterator[bytes]:
        """The rows of the table in whole lines, a piece at a time. Raises Conflict, at the latest at the end."""
        tally = _Tally()
        for piece in self._read_rows(part):
            tally.add(piece)
            yield piece
        if tally.to_sum() != self._read_line(Sum):
            raise damaged(f"the rows of {part.table} are not those that were saved")
        self.rows[part.table] = tally.rows

    def _read_rows(self, part: Part) -> Iterator[bytes]:
        """Lines up to the one that ends them: no row looks like that one, since COPY writes a backslash twice."""
        while True:
            whole = self._buffer.rfind(b"\n") + 1
            lines, rest = self._buffer[:whole], self._buffer[whole:]
            if lines.startswith(_END_OF_ROWS):
                self._buffer = self._buffer[len(_END_OF_ROWS) :]
                return
            end = lines.find(b"\n" + _END_OF_ROWS)
            if end >= 0:
                self._buffer = self._buffer[end + 1 + len(_END_OF_ROWS) :]
                yield lines[: end + 1]
                return
            if lines:
                self._buffer = rest
                yield lines
            elif not self._fill():
                raise damaged(f"it ends in the middle of {part.table}")

    def _read_head(self) -> Head:
        try:
            line = self._find_line()
            head = msgspec.json.decode(line, type=Head) if line is not None else None
        except (msgspec.DecodeError, Conflict):
            head = None
        if head is None or not isinstance(head, Head):
            raise Conflict("This is no backup of customerhub, or its beginning is damaged: nothing was restored.")
        if head.backup != FORMAT:
            raise Conflict(f"The backup has format {head.backup}, and this version reads {FORMAT}: use a newer one.")
        return head

    def _read_line(self, kind: type[T]) -> T:
        line = self._find_line()
        if line is None:
            raise damaged("it ends too early")
        try:
            return msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError as error:
            raise damaged("between its tables stands something else") from error

    def _find_line(self) -> bytes | None:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE or not self._fill():
                return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _fill(self) -> bool:
        """Some more of the file; False at its end."""
        piece = next(self._unpacked, b"")
        self._buffer += piece
        return bool(piece)


def _unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What was compressed, in pieces of bounded size, checked against gzip's own checksum at the end."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for packed in pieces:
            rest = packed
            while rest and not unpacker.eof:
                piece = unpacker.decompress(rest, _PIECE_BYTES)
                rest = unpacker.unconsumed_tail
                if piece:
                    yield piece
            if unpacker.eof and (rest or unpacker.unused_data):
                raise damaged("something follows its end")
    except zlib.error as error:
        raise damaged("it cannot be unpacked") from error
    if not unpacker.eof:
        raise damaged("it ends too early")


def damaged(how: str) -> Conflict:
    """The sentence for a file that is not as it was written."""
    return Conflict(f"The backup is damaged ({how}): nothing was restored.")
