"""What is found a shorter way, for most values are plain, is what the long way finds."""

import unicodedata
from datetime import UTC, datetime
from random import Random
from typing import Final
from uuid import UUID

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model import duplicates, search
from customerhub.model.customer import Address, Contact, Customer, email_key

_NOW: Final = datetime(2025, 3, 4, tzinfo=UTC)
_ID: Final = UUID(int=1)
_TEXTS: Final = st.text("ab Z09.-@_&/',+^|~\n\t\x01\x02éßİ\u0301\uff21\u2014\u00a0\x1c漢", max_size=14)
_SOME: Final = st.none() | _TEXTS
_CUSTOMERS: Final = st.builds(
    Customer,
    team=st.just(_ID),
    id=st.just(_ID),
    version=st.just(1),
    created_at=st.just(_NOW),
    updated_at=st.just(_NOW),
    created_by=st.just(_ID),
    updated_by=st.just(_ID),
    name=_TEXTS,
    number=_TEXTS,
    reference_id=_SOME,
    email=_SOME,
    phone=_SOME,
    addresses=st.lists(st.builds(Address, st.just(_ID), st.just(_NOW), st.just(_NOW), city=_SOME), max_size=2).map(
        tuple
    ),
    contacts=st.lists(
        st.builds(Contact, st.just(_ID), st.just(_NOW), st.just(_NOW), first_name=_SOME, last_name=_SOME), max_size=2
    ).map(tuple),
)


@given(_CUSTOMERS)
def test_a_record_is_searched_for_by_its_lines(customer: Customer) -> None:
    """All lines at once are what they are one by one, whatever stands in them."""
    lines = "\n".join(line for _, line in search._lines(customer))

    assert search.to_search_text(customer) == lines


@given(_TEXTS)
def test_plain_text_is_folded_as_any_other(text: str) -> None:
    """Text of ASCII has its forms by another way, and the same."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    words = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (" " if unicodedata.category(one) == "Pd" else one for one in words)
    spoken = "".join(one for one in kept if one.isspace() or unicodedata.category(one)[0] in "LNM")

    assert search.fold(text) == " ".join(folded.split())
    assert duplicates._fold_words(text) == " ".join(spoken.split())
    assert email_key(text) == (unicodedata.normalize("NFC", text).strip().lower() or None)


@pytest.mark.parametrize("region", [None, "US", "NO", "IT"])
def test_a_plain_phone_number_is_what_the_library_makes_of_it(region: str | None) -> None:
    """Of each country's numbers, of any length: what is taken as it stands the library would not have touched."""
    random = Random(region)
    plain = 0
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        for length in range(4, 13):
            text = f"+{code}{''.join(random.choices('0123456789', k=length))}"
            if not duplicates._is_plain(text):
                continue
            plain += 1
            number = phonenumbers.parse(text, region)
            assert phonenumbers.is_possible_number(number), text
            assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text
    assert plain > len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE) // 2
    assert duplicates._is_plain("+4722334455")
    assert not duplicates._is_plain("+1 503 555 0100")
    assert not duplicates._is_plain("+999123456789")
