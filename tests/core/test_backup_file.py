"""The file of a backup: what was written is read again, wherever its pieces begin and end, and nothing else is."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.core.backup_file import BackupReader, BackupWriter, Head, Part
from customerhub.model.error import Conflict
from tests.support.backups import cut

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TABLES = ("team", "customer")

# As COPY writes them: a backslash is always followed by something, and a line feed ends a row.
rows = st.lists(
    st.text("ab\t{}.\u00fc", max_size=5).map(lambda text: text.encode() + b"\n")
    | st.sampled_from([b"\n", b"\\\\.\n", b".\n", b"\\N\n", b'{"rows":1}\n'])
)


def write(tables: Sequence[Sequence[bytes]], size: int) -> bytes:
    """A file with the rows of two tables, handed on in pieces of a size."""
    head = Head(1, "0.1.0", 9, "18.6", AT, ("key",), TABLES, {"other": "is not"})
    pieces: list[bytes] = []
    writer = BackupWriter(pieces.append, head)
    for name, lines in zip(TABLES, tables, strict=True):
        part = Part(name, ("team", "id"))
        writer.begin(part)
        for piece in cut(b"".join(lines), size):
            writer.write(piece)
        writer.end(part)
    writer.close()
    return b"".join(pieces)


@given(tables=st.tuples(rows, rows), size=st.integers(1, 40), pieces=st.integers(1, 200))
def test_what_was_written_is_read(tables: tuple[list[bytes], list[bytes]], size: int, pieces: int) -> None:
    """Byte for byte, whatever looks like an end in the middle of a row; pieces end with rows."""
    reader = BackupReader(cut(write(tables, size), pieces))
    assert (reader.head.tables, reader.head.secret_keys, reader.head.saved_at) == (TABLES, ("key",), AT)
    for part, lines in zip(reader.parts(), tables, strict=True):
        found = list(reader.take_rows(part))
        assert b"".join(found) == b"".join(lines)
        assert all(piece.endswith(b"\n") for piece in found)
    assert reader.rows == {name: len(lines) for name, lines in zip(TABLES, tables, strict=True)}


@given(length=st.integers(0, 400))
def test_a_file_that_ends_too_early_is_refused(length: int) -> None:
    """At every byte of it, compressed or not."""
    plain = gzip.decompress(write([[b"a\tb\n"], [b"c\td\n"]], 100))
    for content in (write([[b"a\tb\n"], [b"c\td\n"]], 100)[:length], gzip.compress(plain[:length])):
        if content in (write([[b"a\tb\n"], [b"c\td\n"]], 100), gzip.compress(plain)):
            continue
        with pytest.raises(Conflict, match="nothing was restored"):
            read_all(content)


def read_all(content: bytes) -> None:
    """Take everything there is."""
    reader = BackupReader(cut(content, 64))
    for part in reader.parts():
        for _ in reader.take_rows(part):
            pass


def test_the_file_can_be_read_by_people() -> None:
    """Unpacked it is lines of JSON, and rows as PostgreSQL copies them."""
    lines = gzip.decompress(write([[b"1\tAster\n"], []], 3)).decode().splitlines()
    assert lines[1:] == [
        '{"table":"team","columns":["team","id"]}',
        "1\tAster",
        "\\.",
        '{"rows":1,"sha256":"59c912c1f3420e963fc441a59995a9cde8312633021862563cc46979366ba81a"}',
        '{"table":"customer","columns":["team","id"]}',
        "\\.",
        '{"rows":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}',
        '{"tables":2,"rows":1}',
    ]
