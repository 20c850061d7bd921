"""What a search compares: every letter counts, its case does not, and nothing in it is a wildcard."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customerhub.model.customer import Address, Contact, Customer
from customerhub.model.search import (
    MAX_LENGTH,
    find_wanted,
    fold,
    is_found_alike,
    to_line,
    to_matches,
    to_part,
    to_search_text,
)

NOW = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
ID = UUID(int=7)
TEXTS = st.text(max_size=30) | st.text("aß Øé漢.-_%\\'\"^z0\n", max_size=30)
NORDLYS = Customer(
    *(ID, ID, 1, NOW, NOW, ID, ID),
    name="Nordlys Sport AS",
    number="C000123",
    reference_id="ERP-7",
    email="Ingrid.Berg@nordlys.example",
    phone="+47 22 33 44 55",
    contacts=(Contact(ID, NOW, NOW, first_name="Lars", last_name="Øvre"), Contact(ID, NOW, NOW)),
    addresses=(Address(ID, NOW, NOW, city="Tromsø"),),
)


def test_the_text_is_of_letters_and_digits_that_every_database_knows() -> None:
    """One value a line, words marked, everything but letters and digits of ASCII in a code."""
    assert to_search_text(NORDLYS).split("\n") == [
        "^NORDLYS ^SPORT ^AS",
        "^C000123",
        "^ERPr^7",
        "^INGRIDq^BERGs^NORDLYSq^EXAMPLE",
        "^4722334455",
        "^LARS ^zmdliVRE",
        "",
        "^TROMSzmdli",
    ]


@given(TEXTS, TEXTS)
@example("ø", "8")
@example("a_b", "a%b")
@example("z", "ø")
@example("x -b", "-b")
@example("x-b", "-b")
def test_a_part_is_found_exactly_where_it_is(value: str, part: str) -> None:
    """Of any two texts one is found in the other if it is a part of it once both are folded, and not otherwise."""
    value, part = fold(value), fold(part)
    assert (to_part(part) in to_line(value)) == (part in value)


def test_a_sign_that_begins_is_no_letter_that_begins() -> None:
    """For an index small letters are large ones: alone, the code of a sign would be every word of that letter."""
    assert to_line(fold("-77 & Sport.as")) == "^zr^77 ^zu ^SPORTq^AS"


@given(TEXTS, st.data())
def test_every_part_of_a_value_is_found(value: str, data: st.DataObject) -> None:
    """However it is cut: three characters or more are found anywhere, and what begins a value from the first one on."""
    folded = fold(value)
    first = data.draw(st.integers(0, len(folded)))
    part = folded[first : data.draw(st.integers(first, len(folded)))]
    wanted = find_wanted(part)
    if wanted is None:
        assert part.strip() == ""
    elif len(fold(part)) >= 3 or first == 0:
        assert any(needle.part in to_line(folded) for needle in wanted.whole)


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("nordlys", ("/name", "/email")),
        ("lys sp", ("/name",)),
        ("c000", ("/number",)),
        ("erp-7", ("/reference_id",)),
        ("BERG@", ("/email",)),
        ("22334", ("/phone",)),
        ("(47) 223-3", ("/phone",)),
        ("lars ø", (f"/contacts/{ID}",)),
        ("TROMSØ", (f"/addresses/{ID}/city",)),
        ("Trømso", ()),
        ("ordl", ("/name", "/email")),
        ("or", ()),
        ("n", ("/name", "/email")),
        ("7", ("/reference_id",)),
        ("+4", ("/phone",)),
        ("tromsø nordlys", ("/name", "/email", f"/addresses/{ID}/city")),
        ("sport nor", ("/name", "/email")),
    ],
)
def test_matches_are_told_by_their_place(typed: str, paths: tuple[str, ...]) -> None:
    """The paths are those of the history, and all of them are told; words that stand apart are told word by word."""
    wanted = find_wanted(typed)
    assert wanted is not None
    assert to_matches(NORDLYS, wanted) == paths


@pytest.mark.parametrize(
    ("typed", "rank"),
    [
        *(("erp-7", 0), ("C000123", 0), ("INGRID.BERG@NORDLYS.EXAMPLE", 0)),
        *(("erp", 1), ("berg", 1), ("tromsø", 1), ("47 22", 1)),
        *(("33 44", 2), ("rom", 2), ("as tromsø", 3)),
    ],
)
def test_whole_keys_rank_before_beginnings_before_parts(typed: str, rank: int) -> None:
    """A whole number, reference or email address is best, then the beginning of a word, a part, and words apart."""
    wanted = find_wanted(typed)
    assert wanted is not None
    assert wanted.rank(to_search_text(NORDLYS)) == rank


@pytest.mark.parametrize("typed", ["", " ", "\t\n", "\u2003"])
def test_white_space_asks_for_nothing(typed: str) -> None:
    """There is nothing to look for in it."""
    assert find_wanted(typed) is None


def test_of_a_long_text_the_beginning_counts() -> None:
    """However much is sent, as much is looked for as tells one customer from another."""
    wanted = find_wanted(f"  {'word ' * 10_000}")
    assert wanted is not None
    (whole,) = wanted.whole
    assert len(whole.begins.replace("^", "")) == MAX_LENGTH - 1
    assert len(wanted.words) == 6


def test_every_searched_value_tells_versions_apart() -> None:
    """A change of any searched value is seen, and one of anything else is none and changes no text."""
    fields: list[dict[str, object]] = [
        {"name": "Other"},
        {"number": "C2"},
        {"reference_id": None},
        {"email": "a@b.example"},
        {"phone": None},
        {"contacts": NORDLYS.contacts[:1]},
        {"contacts": (Contact(ID, NOW, NOW, first_name="Øvre", last_name="Lars"), NORDLYS.contacts[1])},
        {"addresses": (Address(ID, NOW, NOW, city="Bodø"),)},
        {"addresses": ()},
    ]
    for changed in fields:
        assert not is_found_alike(NORDLYS, msgspec.structs.replace(NORDLYS, **changed)), changed
    street = (Address(ID, NOW, NOW, city="Tromsø", line1="Storgata 8"),)
    other = msgspec.structs.replace(NORDLYS, addresses=street, note="Calls on Mondays", website="https://a.example")
    assert is_found_alike(NORDLYS, other)
    assert to_search_text(NORDLYS) == to_search_text(other)
