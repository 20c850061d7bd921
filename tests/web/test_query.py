"""Query parameters: every spelling of a list, one answer for all that is wrong, each dialect in its own words."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import pytest
from starlette.datastructures import QueryParams
from typing_extensions import override

from customerhub.model.error import FieldError, Invalid
from customerhub.model.page import Position
from customerhub.web.cursor import to_cursor
from customerhub.web.query import QueryReader, Words

COLOURS = ("red", "green")


class Bracketed(QueryReader):
    """As a dialect has it that spells lists with brackets."""

    words: ClassVar[Words] = Words(
        out_of_range="range",
        not_a_choice="enum",
        too_long="long",
        one_of="is {}",
        between_choices="|",
        takes_brackets=True,
    )


def reader(query: str) -> Bracketed:
    """A reader of this query."""
    return Bracketed(QueryParams(query))


def errors(asked: QueryReader) -> tuple[FieldError, ...]:
    """What was wrong."""
    with pytest.raises(Invalid) as caught:
        asked.check()
    return caught.value.errors


@pytest.mark.parametrize(
    "query",
    [
        "tag=a,b",
        "tag=a&tag=b",
        "tag[]=a&tag[]=b",
        "tag%5B%5D=a&tag%5b%5d=b",
        "tag[]=a,b",
        "tag=a&tag[]=b",
        "tag=%20a%20,,b,a&tag[]=b&tag=",
    ],
)
def test_a_list_has_many_spellings(query: str) -> None:
    """Commas, repetition, brackets, escaped or not, and all of them mixed; blanks and doubles are nothing."""
    asked = reader(query)
    assert asked.texts("tag") == ("a", "b")
    asked.check()


def test_brackets_are_for_those_who_have_them() -> None:
    """A dialect without brackets does not see a parameter that has them."""
    query = QueryParams("tag[]=a")
    assert QueryReader(query).texts("tag") is None
    assert Bracketed(query).texts("tag") == ("a",)


def test_absent_and_blank_are_two_things() -> None:
    """A list that is not there does not filter; one that names nothing is an empty one."""
    assert reader("").texts("tag") is None
    assert reader("tag=").texts("tag") == ()
    assert reader("tag[]=,").texts("tag") == ()


def test_a_list_has_an_end() -> None:
    """A hundred different texts, however often, and no more."""
    hundred = ",".join(map(str, range(100)))
    asked = reader(f"tag={hundred}&tag={hundred}")
    assert len(asked.texts("tag") or ()) == 100
    asked.check()
    asked = reader(f"tag[]={hundred},more")
    assert asked.texts("tag") is None
    assert errors(asked) == (FieldError(("tag[]",), "range", "must name at most 100"),)


def test_words_of_a_list() -> None:
    """Each word must be one of those that there are; one that is not is named by what may stand."""
    asked = reader("colour[]=red&colour=green")
    assert asked.choices("colour", COLOURS) == ("green", "red")
    asked.check()
    asked = reader("colour=red,Red")
    assert asked.choices("colour", COLOURS) == ("red",)
    assert errors(asked) == (FieldError(("colour",), "enum", "is red|green"),)


def test_ids_that_are_none_match_nothing() -> None:
    """What is no id stands as an id that no record has, so that it finds nothing rather than everything."""

    def find_id(text: str) -> UUID | None:
        return UUID(text) if len(text) == 36 else None

    one = UUID(int=5)
    assert reader(f"id={one},x").ids("id", find_id) == (one, UUID(int=0))
    assert reader("").ids("id", find_id) is None


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("50", 50), (None, 20)])
def test_a_whole_number(text: str | None, value: int) -> None:
    """From 1 to the highest, and the default where there is none."""
    asked = reader("" if text is None else f"limit={text}")
    assert asked.integer("limit", 20, 50) == value
    asked.check()


@pytest.mark.parametrize("text", ["0", "-1", "51", "1.0", "1e1", "01", "", "+5", "%205", "٣", "9" * 30, "x"])
def test_what_is_no_such_number(text: str) -> None:
    """Nothing is cut to what would fit: whoever asks for more than there is would take the page for the whole."""
    asked = reader(f"limit={text}")
    assert asked.integer("limit", 20, 50) == 20
    assert errors(asked) == (FieldError(("limit",), "range", "must be a whole number from 1 to 50"),)


def test_words_and_truth() -> None:
    """One of a few words, exactly; true and false are such words."""
    assert reader("colour=green").choice("colour", COLOURS, "red") == "green"
    assert reader("").choice("colour", COLOURS, "red") == "red"
    assert [reader(query).flag("is") for query in ("is=true", "is=false", "")] == [True, False, None]
    asked = reader("is=1&colour=")
    assert (asked.flag("is"), asked.choice("colour", COLOURS, "red")) == (None, "red")
    assert errors(asked) == (
        FieldError(("is",), "enum", "is true|false"),
        FieldError(("colour",), "enum", "is red|green"),
    )


def test_a_text_has_a_length() -> None:
    """An empty text is none."""
    assert reader("q=%25_%5C").text("q", 5) == "%_\\"
    assert reader("q=").text("q", 5) is None
    asked = reader("q=sixsix")
    assert asked.text("q", 5) is None
    assert errors(asked) == (FieldError(("q",), "long", "must be at most 5 characters"),)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-03-04T09:10:11Z", datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC)),
        ("2025-03-04T09:10:11.000123", datetime(2025, 3, 4, 9, 10, 11, 123, tzinfo=UTC)),
        ("2025-03-04T11:10:11%2B02:00", datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC)),
        ("2025-03-04", datetime(2025, 3, 4, tzinfo=UTC)),
    ],
)
def test_a_time(text: str, at: datetime) -> None:
    """Any zone; without one it is UTC."""
    found = reader(f"since={text}").time("since")
    assert found == at
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01", "0001-01-01T00:00:00%2B14:00", "1741079411"])
def test_what_is_no_time(text: str) -> None:
    """Also a time that lies before all times once it is moved to UTC."""
    asked = reader(f"since={text}")
    assert asked.time("since") is None
    assert [error.code for error in errors(asked)] == ["query"]


def test_a_cursor_of_another_list_is_refused() -> None:
    """A cursor that this list gave is a position, an empty one is none, every other is wrong."""
    here = Position(datetime(2026, 3, 4, tzinfo=UTC), UUID(int=7), is_backward=True)
    cursor = to_cursor("customers", here)
    assert reader(f"cursor={cursor}").position("customers") == here
    assert reader("cursor=").position("customers") is None
    asked = reader(f"cursor={cursor}")
    assert asked.position("addresses") is None
    assert errors(asked) == (FieldError(("cursor",), "query", "must be a cursor that this list has given"),)


def test_everything_wrong_is_told_at_once() -> None:
    """In the order in which it was read; what a dialect finds itself stands among it."""
    asked = reader("limit=0&since=x")
    asked.integer("limit", 1, 2)
    asked.refuse("include", "what", "own")
    asked.time("since")
    assert [(error.path, error.code) for error in errors(asked)] == [
        (("limit",), "range"),
        (("include",), "own"),
        (("since",), "query"),
    ]


def test_a_dialect_can_read_a_parameter_its_own_way() -> None:
    """What a dialect overrides is what its other readers use."""

    class Cut(QueryReader):
        @override
        def time(self, name: str) -> datetime | None:
            at = super().time(name)
            return at.replace(microsecond=0) if at else None

    assert Cut(QueryParams("at=2025-03-04T09:10:11.5Z")).time("at") == datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC)
