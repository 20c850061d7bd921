"""What of a customer can be searched for, and how a text is compared with it: pure, the same on every database.

A record's values are written down as one text of letters and digits of ASCII, which any PostgreSQL cuts into the same
trigrams, whatever its locale takes for a letter: a value a line, letters large, `^` where a word begins, everything
else coded in small letters. So no character of a search can be a wildcard, no match reaches from one value into the
next, and texts sort by name.
"""

import re
import unicodedata
from collections.abc import Iterator
from operator import attrgetter

from msgspec import Struct

from customerhub.model.customer import Contact, Customer

# From so many characters on a search finds them inside of words too, not only at their beginning.
SUBSTRING_LENGTH = 3
# More than this of a search is not looked for: its first characters tell enough, and each costs the index a look-up.
MAX_LENGTH = 60
MAX_WORDS = 6

_own = attrgetter("name", "number", "reference_id", "email", "phone")
# The second to fourth line: number, reference and email address.
_LINES_OF_KEYS = slice(1, 4)
_WORD_BEGINS = re.compile(r"^|(?<= )|(?<![^\W_])(?=[^\W_])")
_PHONE = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*", re.ASCII)

_COMMON_SIGNS = tuple(".-@_&/',+")
# Before a short code where a word would begin: an index that takes small letters for large ones would find every word
# that begins with that letter.
_MARK = "z"


class _Codes(dict[int, str]):
    """What stands for a character; those of other scripts are coded when first met, byte by byte of their UTF-8."""

    def __missing__(self, character: int) -> str:
        octets = chr(character).encode("utf-8", "surrogatepass")
        code = "z" + "".join(chr(97 + (octet >> 4)) + chr(97 + (octet & 15)) for octet in octets)
        self[character] = code
        return code


_CODES = _Codes(
    {ord(same): same for same in " 0123456789"}
    | {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
    # Short where it is common; a and the rest up to p are digits of codes, and z begins one.
    | dict(zip(map(ord, _COMMON_SIGNS), "qrstuvwxy", strict=True))
)


# All lines at once, which takes a third of the time: `_BETWEEN` stands for `^` and `_MARKED` for `_MARK` until all is
# coded, since a text may have these letters itself.
_BETWEEN, _MARKED = "\x01", "\x02"
_JOINED_CODES = _Codes(_CODES | {ord(_BETWEEN): "^", ord(_MARKED): _MARK, ord("\n"): "\n"})
_LINE_WORD_BEGINS = re.compile(r"^(?=.)|(?<= )|(?<![^\W_])(?=[^\W_])", re.MULTILINE)
_NEEDS_MARK = re.compile(r"(?:^|(?<= ))(?=[.\-@_&/',+])", re.MULTILINE)


def fold(text: str) -> str:
    """What two spellings of one text share: NFC, case folded, white space as single spaces and none around."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def to_line(folded: str) -> str:
    """One folded value as it stands in the text; begins with `^` unless there is nothing in it."""
    return "^".join(["", *map(_to_piece, filter(None, _WORD_BEGINS.split(folded)))])


def to_part(folded: str) -> str:
    """The same as it stands inside of a line, whatever may be before it."""
    line = to_line(folded)[1:]
    return line.removeprefix(_MARK) if folded.startswith(_COMMON_SIGNS) else line


def _to_piece(folded: str) -> str:
    return (_MARK if folded.startswith(_COMMON_SIGNS) else "") + folded.translate(_CODES)


def is_found_alike(before: Customer, after: Customer) -> bool:
    """Whether two versions of a record have the same searched values, and so the same text."""
    return _own(before) == _own(after) and _nested(before) == _nested(after)


def _nested(customer: Customer) -> list[tuple[str | None, ...]]:
    names = [(contact.first_name, contact.last_name) for contact in customer.contacts]
    return [*names, *((address.city,) for address in customer.addresses)]


def to_search_text(customer: Customer) -> str:
    """All that can be searched for in a customer; what is not there leaves its line empty."""
    values = [fold(customer.name), fold(customer.number), fold(customer.reference_id or ""), fold(customer.email or "")]
    values.append(_digits(customer.phone or ""))
    values += [fold(_full_name(contact)) for contact in customer.contacts]
    values += [fold(address.city or "") for address in customer.addresses]
    whole = "\n".join(values)
    if _BETWEEN in whole or _MARKED in whole:
        return "\n".join(map(to_line, values))
    whole = _NEEDS_MARK.sub(_MARKED, whole)
    return _LINE_WORD_BEGINS.sub(_BETWEEN, whole).translate(_JOINED_CODES)


def _lines(customer: Customer) -> Iterator[tuple[str, str]]:
    """The path of each value, as the history writes it, and its line."""
    yield "/name", to_line(fold(customer.name))
    yield "/number", to_line(fold(customer.number))
    yield "/reference_id", to_line(fold(customer.reference_id or ""))
    yield "/email", to_line(fold(customer.email or ""))
    yield "/phone", to_line(_digits(customer.phone or ""))
    for contact in customer.contacts:
        yield f"/contacts/{contact.id}", to_line(fold(_full_name(contact)))
    for address in customer.addresses:
        yield f"/addresses/{address.id}/city", to_line(fold(address.city or ""))


def _full_name(contact: Contact) -> str:
    return f"{contact.first_name or ''} {contact.last_name or ''}"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text, flags=re.ASCII)


class Needle(Struct, frozen=True):
    """One text to be found: where a word begins (`begins`), or anywhere (`inside`, None where it is too short)."""

    begins: str
    inside: str | None

    @classmethod
    def of(cls, folded: str) -> "Needle":
        """The needle of a folded text that is not empty."""
        return cls(to_line(folded), to_part(folded) if len(folded) >= SUBSTRING_LENGTH else None)

    @property
    def part(self) -> str:
        """What a text has that it is found in."""
        return self.begins if self.inside is None else self.inside


class Wanted(Struct, frozen=True):
    """What somebody searches for: any of `whole` as it stands, or else every one of its `words`.

    `typed` is the same before it was folded, without white space around.
    """

    typed: str
    whole: tuple[Needle, ...]
    words: tuple[Needle, ...]

    def rank(self, text: str) -> int:
        """How well a text that was found answers.

        0 is the whole number, reference or email address, 1 the beginning of a word, 2 anywhere, 3 its words apart.
        """
        for needle in self.whole:
            if needle.begins in text:
                return 0 if self.whole[0].begins in text.split("\n", 4)[_LINES_OF_KEYS] else 1
        return 2 if any(needle.part in text for needle in self.whole) else 3


def find_wanted(text: str) -> Wanted | None:
    """What a text asks for, None where it is blank; one that could be a phone number is looked for as digits too."""
    typed = text.strip()
    folded = fold(typed[: MAX_LENGTH * 4])[:MAX_LENGTH].rstrip()
    if not folded:
        return None
    whole = [Needle.of(folded)]
    digits = _digits(folded)
    if digits != folded and _PHONE.fullmatch(folded):
        whole.append(Needle.of(digits))
    words = folded.split(" ")[:MAX_WORDS]
    return Wanted(typed, tuple(whole), tuple(map(Needle.of, words)) if len(words) > 1 else ())


def to_matches(customer: Customer, wanted: Wanted) -> tuple[str, ...]:
    """Where in a customer it is found, as paths of its history (`/name`, `/contacts/<id>`, `/addresses/<id>/city`)."""
    lines = list(_lines(customer))
    return _paths(lines, wanted.whole) or _paths(lines, wanted.words)


def _paths(lines: list[tuple[str, str]], needles: tuple[Needle, ...]) -> tuple[str, ...]:
    return tuple(path for path, line in lines if any(needle.part in line for needle in needles))
