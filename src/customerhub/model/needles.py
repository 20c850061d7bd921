"""Find a value in other texts: as it is, in JSON, in the address of a request; as expressions of PostgreSQL."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus
from uuid import UUID

from msgspec import Struct

from customerhub.model.base32 import to_base32
from customerhub.model.erasure import KEYS, Marks

SHORTEST: Final = 4
"""Shorter texts are in everything, and are not looked for."""
_LONGEST: Final = 60
_TOGETHER: Final = 40
_END_OF_ASCII: Final = 0x80
# What every spelling has as it is (RFC 3986, 2.3), but for spaces.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~ -]+")


class Needles(Struct, frozen=True):
    """Regular expressions, which ignore the case of ASCII letters, for ids, for texts, and for those that are keys.

    `anchors` are plain texts, small letters of ASCII, one of which is in all that any of the expressions finds.
    """

    ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()


def to_needles(marks: Marks) -> Needles:
    """What finds a customer by these marks. A long text is found by its beginning."""
    texts = {(name, text.strip()[:_LONGEST]) for name, text in marks.texts if len(text.strip()) >= SHORTEST}
    words = to_words(marks.ids)
    anchors = {anchor for _, text in texts for anchor in _to_anchors(text)}
    return Needles(
        ids=_together(words),
        texts=_together(text for _, text in texts),
        keys=_together(text for name, text in texts if name in KEYS),
        anchors=tuple(sorted({*words, *anchors})),
    )


def find_words(words: tuple[str, ...]) -> Needles:
    """What finds ids, given as `to_words` writes them."""
    return Needles(ids=_together(words), anchors=words)


def to_words(ids: Iterable[UUID]) -> tuple[str, ...]:
    """Ids in every form in which answers write them."""
    return tuple(sorted(word for one in ids for word in (str(one), to_base32(one.int))))


def _together(texts: Iterable[str]) -> tuple[str, ...]:
    """Few expressions that find any of the texts, none of them too large to be read."""
    patterns = sorted({to_pattern(text) for text in texts})
    pieces = (patterns[first : first + _TOGETHER] for first in range(0, len(patterns), _TOGETHER))
    return tuple("|".join(piece) for piece in pieces)


def to_pattern(text: str) -> str:
    """An expression for one text in all its spellings."""
    return "".join(map(_to_step, text))


def _to_anchors(text: str) -> Iterator[str]:
    """The longest part that is spelt in few ways, of an email address not its domain; without one, whole spellings."""
    for part in (text.partition("@")[0], text):
        plain = max((run.strip() for run in _PLAIN.findall(part)), key=len, default="")
        if len(plain) >= SHORTEST:
            yield from (plain.lower().replace(" ", space) for space in (" ", "%20", "+"))
            return
    for form in _cases(text):
        for spelling in (form, json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]):
            for one in (spelling, spelling.replace("/", "\\/")):
                yield _lower(one)
                yield _lower(_to_escaped(one))
        yield quote(form, safe="").lower()
        yield quote(form).lower()
        yield quote_plus(form).lower()


def _lower(text: str) -> str:
    """As the database does it, which may not know the case of letters beyond ASCII."""
    return "".join(one.lower() if one.isascii() else one for one in text)


def _to_step(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    spellings = dict.fromkeys(one for form in _cases(character) for one in _spellings(form))
    return f"(?:{'|'.join(map(_escape, spellings))})"


def _cases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((text, text.lower(), text.upper())))


def _spellings(character: str) -> Iterator[str]:
    """As it is, in JSON, percent-encoded, and each of these in bytes that are shown as text (`encode`, `escape`)."""
    forms = [character, json.dumps(character)[1:-1], json.dumps(character, ensure_ascii=False)[1:-1]]
    if character == "/":
        forms.append("\\/")
    for form in forms:
        yield form
        yield _to_escaped(form)
    yield quote(character, safe="")
    if character == " ":
        yield "+"


def _to_escaped(text: str) -> str:
    return "".join(map(_to_escaped_byte, text.encode()))


def _to_escaped_byte(byte: int) -> str:
    if byte == ord("\\"):
        return "\\\\"
    return chr(byte) if byte < _END_OF_ASCII else f"\\{byte:03o}"


def _escape(text: str) -> str:
    return "".join(one if one.isalnum() or not one.isascii() else f"\\{one}" for one in text)
