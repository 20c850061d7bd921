"""Positions in lists as the opaque text that clients hand back."""

import base64
import hashlib
import re
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

from customerhub.model.page import Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Direction, microseconds since 1970, id. With the checksum 33 bytes, which base64 turns into 44 letters without a rest:
# no position has two spellings.
_PLACE = struct.Struct(">?q16s")
_CHECK_BYTES = 8
_TEXT = re.compile(r"[A-Za-z0-9_-]{44}", re.ASCII)


def to_cursor(scope: str, position: Position) -> str:
    """The position as text that `from_cursor` takes for the same scope only: a list's name with its team's id."""
    place = _PLACE.pack(position.is_backward, (position.at - _EPOCH) // _MICROSECOND, position.id.bytes)
    return base64.urlsafe_b64encode(place + _check(scope, place)).decode("ascii")


def from_cursor(scope: str, text: str) -> Position:
    """The position of a cursor; raises ValueError for anything that was not made for this scope."""
    if _TEXT.fullmatch(text) is None:
        raise ValueError("no cursor")
    raw = base64.urlsafe_b64decode(text)
    place, check = raw[: _PLACE.size], raw[_PLACE.size :]
    if check != _check(scope, place):
        raise ValueError("the cursor of another list")
    is_backward, microseconds, id_bytes = _PLACE.unpack(place)
    try:
        at = _EPOCH + microseconds * _MICROSECOND
    except OverflowError as error:
        raise ValueError("no time") from error
    return Position(at, UUID(bytes=id_bytes), is_backward)


def _check(scope: str, place: bytes) -> bytes:
    """Tells a slip and another list's cursor apart from ours; it is no secret, as a position gives nothing away."""
    return hashlib.sha256(scope.encode() + b"\x00" + place).digest()[:_CHECK_BYTES]
