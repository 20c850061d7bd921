"""128 bits as 26 characters, and back."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model.base32 import ALPHABET, from_base32, to_base32


@given(st.uuids())
def test_what_was_written_is_read(value: UUID) -> None:
    """Every UUID has one spelling of 26 characters."""
    text = to_base32(value.int)
    assert (len(text), set(text) <= set(ALPHABET), from_base32(text)) == (26, True, value)


@given(st.uuids(), st.uuids())
def test_texts_sort_as_their_bits(one: UUID, other: UUID) -> None:
    """Sorting the texts sorts the values."""
    assert (to_base32(one.int) < to_base32(other.int)) == (one < other)


def test_known_spellings() -> None:
    """The lowest, the highest, and one between."""
    assert to_base32(0) == "0" * 26
    assert to_base32(31) == "0" * 25 + "z"
    assert to_base32(2**128 - 1) == "7" + "z" * 25


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "8" + "0" * 25,
        "0" * 25 + "i",
        "0" * 25 + "Z",
        "0" * 25 + "\n",
        "0" * 25 + "é",
        " " + "0" * 26,
    ],
)
def test_nothing_else_is_read(text: str) -> None:
    """Too short, too long, more than 128 bits, letters that are none of ours."""
    assert from_base32(text) is None
