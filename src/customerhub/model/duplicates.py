"""What two records of one customer have in common: keys that different spellings of one value share. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import phonenumbers
from msgspec import Struct

from customerhub.model.customer import Customer, email_key

Reason = Literal["email", "phone", "name_and_postal_code", "tax_number"]

# How much each says, the strongest first: an address of one's own is not shared by chance, a switchboard's number is.
WEIGHTS: Final[dict[Reason, int]] = {"email": 4, "tax_number": 4, "name_and_postal_code": 2, "phone": 2}
# Letters and digits of any script, and the marks that belong to them.
_SPOKEN: Final = frozenset("LNM")
_DASH: Final = "Pd"
# No key is longer than an entry of an index may be; what is alike in so many characters is alike.
_LONGEST_EMAIL: Final = 320
_LONGEST_PHONE: Final = 100
_LONGEST_NAME: Final = 200
_LONGEST_CODE: Final = 40
# Of the addresses of one customer only so many are compared.
_MOST_CODES: Final = 100
# Shorter ones, and those of one digit again and again, stand where no number is known.
_SHORTEST_TAX_NUMBER: Final = 4
_PLAIN_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_CALLING_CODE: Final = 3

_own = attrgetter("name", "email", "phone", "tax_number")


class DuplicateKey(NamedTuple):
    """Something that a customer may share with others, in the form that all its spellings have."""

    kind: Reason
    key: str


class Match(Struct, frozen=True):
    """Why two customers may be one: they share this value, written as its key is."""

    reason: Reason
    value: str


def to_duplicate_keys(customer: Customer) -> frozenset[DuplicateKey]:
    """All keys of a live customer; values that are empty, or no number where one should be, have none."""
    return frozenset(_keys(customer)) if customer.deleted_at is None else frozenset()


def is_matched_alike(before: Customer, after: Customer) -> bool:
    """Whether two versions of a live record have the same compared values, and so the same keys."""
    return _own(before) == _own(after) and (before.addresses is after.addresses or _places(before) == _places(after))


def _places(customer: Customer) -> list[tuple[str | None, str | None]]:
    return [(address.postal_code, address.country) for address in customer.addresses]


def _keys(customer: Customer) -> Iterator[DuplicateKey]:
    email = email_key(customer.email)
    if email is not None:
        yield DuplicateKey("email", email[:_LONGEST_EMAIL])
    phone = find_e164(customer.phone, _find_region(customer)) if customer.phone else None
    if phone is not None:
        yield DuplicateKey("phone", phone)
    name = _fold_words(customer.name)[:_LONGEST_NAME]
    if name:
        codes = (_squeeze(address.postal_code)[:_LONGEST_CODE] for address in customer.addresses)
        for code in list(dict.fromkeys(code for code in codes if code))[:_MOST_CODES]:
            yield DuplicateKey("name_and_postal_code", f"{name}, {code}")
    tax_number = _squeeze(customer.tax_number)[:_LONGEST_NAME]
    if len(tax_number) >= _SHORTEST_TAX_NUMBER and len(set(tax_number)) > 1 and any(map(str.isdigit, tax_number)):
        yield DuplicateKey("tax_number", tax_number)


def _find_region(customer: Customer) -> str | None:
    """The country whose numbers the customer would write without its code: that of its first address in one."""
    countries = (address.country.strip().upper() for address in customer.addresses if address.country)
    return next((country for country in countries if country in phonenumbers.SUPPORTED_REGIONS), None)


@lru_cache(maxsize=8192)
def find_e164(text: str, region: str | None) -> str | None:
    """The number as E.164, None for what is none; `region` (ISO 3166-1 alpha-2) is for one without a country code.

    Its length must be possible there. Whether it was given to anybody is not asked: that changes from month to month.
    """
    # Before it is read and remembered: the memory would hold thousands of them.
    if len(text) > _LONGEST_PHONE:
        return None
    if _is_plain(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_plain(text: str) -> bool:
    """Whether a text is E.164 already and the library would leave it alone, which takes it twenty times as long.

    It does where nothing in the number looks like a prefix that people dial before it, and its length is possible.
    """
    if _PLAIN_PHONE.fullmatch(text) is None:
        return False
    for length in range(2, _LONGEST_CALLING_CODE + 2):
        plan = _find_plan(text[1:length])
        if plan is not None:
            prefix, lengths = plan
            return len(text) - length in lengths and text[length] != "0" and not prefix.match(text, length)
    return False


@lru_cache(maxsize=2048)
def _find_plan(code: str) -> tuple[re.Pattern[str], frozenset[int]] | None:
    """Of a calling code what may be dialled before its numbers, and how long these may be; None for no such code."""
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), (None,))[0]
    found = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), region) if region else None
    if found is None or found.general_desc is None:
        return None
    # What matches nowhere stands for no prefix.
    return re.compile(found.national_prefix_for_parsing or r"(?!)"), frozenset(found.general_desc.possible_length)


class _Spoken(dict[int, str]):
    """What stands for a character among words: itself, a space for a dash, nothing for a sign."""

    def __missing__(self, character: int) -> str:
        one = chr(character)
        kind = unicodedata.category(one)
        self[character] = said = " " if kind == _DASH else one if one.isspace() or kind[0] in _SPOKEN else ""
        return said


_SAID: Final = _Spoken()


@lru_cache(maxsize=8192)
def _fold_words(text: str) -> str:
    """The words of a text without case, signs and width: `Smith-Jones A/S` and `smith jones as` are one."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_SAID).split())


def _squeeze(text: str | None) -> str:
    """Letters and digits of a text and nothing else, without case."""
    return _fold_words(text).replace(" ", "") if text else ""
