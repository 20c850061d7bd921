"""Rules for text: what is an email address, a phone number, a country."""

import pytest

from customerhub.model.text import COUNTRIES, is_e164, is_email

LONGEST = f"{'x' * 64}@{'y' * 61}.{'z' * 61}.{'w' * 60}.test"


@pytest.mark.parametrize(
    "text",
    [
        "ola@nordmann.example",
        "Ola.Nordmann+tag@Nordmann.Example",
        " ola@nordmann.example\t",
        "ola@intern.local",
        "ola@a.test",
        "ola@a.invalid",
        "øla@bücher.example",
        '"ola nordmann"@nordmann.example',
        "o'la@nordmann.example",
        LONGEST,
    ],
)
def test_addresses_of_every_domain_are_taken(text: str) -> None:
    """Syntax only: no domain is refused for its name."""
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ola",
        "ola@",
        "@nordmann.example",
        "ola@nordmann",
        "ola@@nordmann.example",
        "ola@b@nordmann.example",
        "ola nordmann@nordmann.example",
        "ola@nordmann..example",
        "ola@-nordmann.example",
        "Ola <ola@nordmann.example>",
        "ola@nordmann.example, kari@nordmann.example",
        "ola@nord\nmann.example",
        f"x{LONGEST}",
        "x@" + "y." * 130 + "example",
    ],
)
def test_what_cannot_be_an_address_is_refused(text: str) -> None:
    """One @, a dotted domain, at most 254 characters."""
    assert not is_email(text)


def test_e164_is_the_whole_text() -> None:
    """A plus and 2 to 15 digits, the first not 0, nothing around them, no other alphabet's digits."""
    assert [text for text in ("+12", "+4722334455", "+123456789012345") if not is_e164(text)] == []
    wrong = ("", "+", "+1", "+0123", "12", "+1234567890123456", "+12\n", " +12", "+1 2", "+1\N{FULLWIDTH DIGIT TWO}")
    assert [text for text in wrong if is_e164(text)] == []


def test_there_are_249_countries() -> None:
    """ISO 3166-1 alpha-2 as officially assigned."""
    assert len(COUNTRIES) == 249
    assert {len(code) for code in COUNTRIES} == {2}
    assert {"NO", "AX", "ZW"} <= COUNTRIES
    assert not {"UK", "EU", "XX", "XK", "AN"} & COUNTRIES
