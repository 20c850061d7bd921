"""Cursors: a place in one list of one team, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from customerhub.model.page import Position
from customerhub.web.cursor import from_cursor, to_cursor

POSITIONS = st.builds(Position, st.datetimes(timezones=st.just(UTC)), st.uuids(), st.booleans())
SCOPES = st.text(max_size=60)
HERE = Position(datetime(2026, 3, 4, 9, 10, 11, 123456, tzinfo=UTC), UUID(int=7))


@given(scope=SCOPES, position=POSITIONS)
def test_a_cursor_is_the_place_it_was_made_of(scope: str, position: Position) -> None:
    """Time to the microsecond, id and direction come back, from text that needs no escaping in a query."""
    text = to_cursor(scope, position)
    assert from_cursor(scope, text) == position
    assert len(text) == 44
    assert text.replace("-", "").replace("_", "").isalnum()


@given(scope=SCOPES, other=SCOPES, position=POSITIONS)
def test_a_cursor_is_for_one_list(scope: str, other: str, position: Position) -> None:
    """Another list's cursor, or another team's, is none."""
    assume(scope != other)
    with pytest.raises(ValueError, match="another list"):
        from_cursor(other, to_cursor(scope, position))


@given(place=st.integers(0, 43), letter=st.sampled_from("AZaz09-_"))
def test_a_changed_letter_is_noticed(place: int, letter: str) -> None:
    """No letter of a cursor can be another one."""
    text = to_cursor("customers", HERE)
    assume(text[place] != letter)
    with pytest.raises(ValueError, match="another list"):
        from_cursor("customers", text[:place] + letter + text[place + 1 :])


@given(st.text())
def test_other_text_is_no_cursor(text: str) -> None:
    """Whatever else comes is refused as a wrong value, never as a fault."""
    with pytest.raises(ValueError, match=r"no cursor|another list"):
        from_cursor("customers", text)


def test_a_cursor_has_one_spelling() -> None:
    """Padding, white space, other letters and a part of it are no cursor."""
    text = to_cursor("customers", HERE)
    for other in (text.lower(), text + "=", text + "\n", text[1:], " " + text[1:], text * 2, ""):
        with pytest.raises(ValueError, match=r"no cursor|another list"):
            from_cursor("customers", other)


def test_a_zone_is_the_same_moment_elsewhere() -> None:
    """A time of another zone names the same place."""
    there = HERE.at.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert to_cursor("x", Position(there, HERE.id)) == to_cursor("x", HERE)


def test_two_places_have_two_cursors() -> None:
    """Items of one moment are told apart, and so are the two directions."""
    ids = [uuid4() for _ in range(50)]
    texts = {to_cursor("x", Position(HERE.at, id_, is_backward)) for id_ in ids for is_backward in (False, True)}
    assert len(texts) == 100
