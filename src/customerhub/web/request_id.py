"""Names for requests that sort by time."""

from datetime import datetime
from typing import Final
from uuid import UUID

from customerhub.model.base32 import to_base32

PLAIN_PREFIX: Final = "req_"


def to_request_number(now: datetime, randomness: UUID) -> int:
    """48 bits of milliseconds since 1970, then 80 bits of `randomness`; the id of the request's log entry too."""
    return int(now.timestamp() * 1000) << 80 | randomness.int & 0xFFFF_FFFF_FFFF_FFFF_FFFF


def to_request_id(number: int) -> str:
    """The request's number as 26 characters behind `req_`, which a dialect replaces with a prefix of its own.

    Their order as text is that of time.
    """
    return PLAIN_PREFIX + to_base32(number)
