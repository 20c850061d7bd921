"""128 bits as 26 characters that sort as the bits do: the form of ids on the wire that are no plain UUIDs."""

import re
from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Letters and digits in ASCII order, none that is mistaken for another."""

_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
# 26 characters have room for 130 bits, so the first stands for three only: no id has two spellings.
_TEXT: Final = re.compile(f"[{ALPHABET[:8]}][{ALPHABET}]{{25}}", re.ASCII)


def to_base32(number: int) -> str:
    """A number of at most 128 bits as 26 characters."""
    pairs = _PAIRS
    return "".join([pairs[number >> shift & 1023] for shift in range(120, -10, -10)])


def from_base32(text: str) -> UUID | None:
    """The bits as a UUID; None for anything that `to_base32` does not write."""
    if not _TEXT.fullmatch(text):
        return None
    number = 0
    for character in text:
        number = number << 5 | _VALUES[character]
    return UUID(int=number)
