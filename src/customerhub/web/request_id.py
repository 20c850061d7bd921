"""Names for requests that sort by time."""

from datetime import datetime
from typing import Final
from uuid import UUID

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]


def to_request_id(now: datetime, randomness: UUID) -> str:
    """`req_` and 26 characters: 48 bits of milliseconds since 1970, then 80 bits of `randomness`.

    The alphabet (32 letters and digits in ASCII order, none that is mistaken for another) makes text order time order.
    """
    number = int(now.timestamp() * 1000) << 80 | randomness.int & 0xFFFF_FFFF_FFFF_FFFF_FFFF
    pairs = _PAIRS
    return "req_" + "".join([pairs[number >> shift & 1023] for shift in range(120, -10, -10)])
