"""The zip file that a workbook is: how much it unpacks to, and nothing in it that asks for more."""

import struct
import zlib
from typing import IO, BinaryIO, Final
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from customerhub.core.tables.rows import Limits
from customerhub.model.error import UnreadableFile

_BLOCK: Final = 1 << 14
# Before the first element stand a declaration and perhaps a comment; whatever is longer means no good.
_LONGEST_PROLOGUE: Final = 1 << 20
# Small members may be packed as well as they like.
_SMALL: Final = 10_000_000
_DEFLATED: Final = 8
_ENCRYPTED: Final = 0x1


def check_package(file: BinaryIO, limits: Limits) -> None:
    """Raise UnreadableFile for a package that unpacks to too much, or that is no workbook.

    What the members say of their size holds: no more than that is ever unpacked of them (`ZipExtFile`), and one that
    holds more than it says is broken.
    """
    file.seek(0)
    try:
        with ZipFile(file) as package:
            members = package.infolist()
            _check_members(members, limits)
            names = {member.filename for member in members}
            if "xl/workbook.bin" in names:
                raise UnreadableFile("format", "this is a binary workbook (.xlsb); save it as .xlsx or CSV")
            if "[Content_Types].xml" not in names:
                raise UnreadableFile("format", "this is a zip file, and no workbook")
    except (BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, struct.error, zlib.error):
        raise UnreadableFile("broken", "the workbook is damaged and cannot be read") from None
    finally:
        file.seek(0)


def _check_members(members: list[ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise UnreadableFile("expansion", f"the file has {len(members)} members, {limits.members} are read")
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise UnreadableFile("encrypted", "the file is protected by a password; save it without one")
    if sum(member.file_size for member in members) > limits.expanded:
        raise UnreadableFile("expansion", f"the file unpacks to more than {limits.expanded} bytes")
    for member in members:
        if member.compress_type not in (0, _DEFLATED):
            raise UnreadableFile("format", "the file is packed in a way that no spreadsheet uses")
        if member.file_size > _SMALL and member.file_size > limits.ratio * member.compress_size:
            raise UnreadableFile("expansion", f"the file unpacks to more than {limits.ratio} times its size")


class _Root(Exception):
    """No error: the first element has begun, and with it no document type can follow."""


def check_prologue(part: IO[bytes]) -> None:
    """Raise UnreadableFile for a document type: entities, and whatever they may lead to, stand nowhere else."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = _stop
    try:
        for _ in range(_LONGEST_PROLOGUE // _BLOCK):
            block = part.read(_BLOCK)
            parser.Parse(block, not block)
            if not block:
                return
    except _Root:
        return
    except expat.ExpatError:
        pass
    raise UnreadableFile("broken", "a part of the workbook is no XML")


def _refuse(*_: object) -> None:
    raise UnreadableFile("document_type", "the workbook has a document type in it, which no spreadsheet writes")


def _stop(*_: object) -> None:
    raise _Root
