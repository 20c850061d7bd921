"""Where the columns of a file probably go: by their names, and where these say nothing by what is in them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Final

from msgspec import Struct

from customerhub.model import synonyms
from customerhub.model.targets import IDENTITY, Claims, Targets, find_target, targets
from customerhub.model.text import is_email

_SAME: Final = 1.0
_NAMED: Final = 0.97
_SYNONYM: Final = 0.95
_OWN_WORDS: Final = 0.9
_CLOSEST: Final = 0.84
_BY_VALUES: Final = 0.6
# In letters: how short a phrase may be that is misspelled, and how much longer or shorter its misspelling.
_SHORTEST: Final = 5
_FARTHEST: Final = 3
_MOST_COMPARED: Final = 20
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[\W_]+")


class Suggestion(Struct, frozen=True):
    """Where a column goes: how sure that is, from 0 to 1, and why."""

    target: str
    confidence: float
    reason: str


def suggest(header: Sequence[str], sample: Iterable[Mapping[str, object]] = ()) -> dict[str, Suggestion | None]:
    """Where each column probably goes, in the columns' order; None where nothing speaks for anything.

    No two columns go to one place: the surer one has it, of equals the first. `sample` are some rows by columns.
    """
    rows = tuple(sample)
    found = [(column, one) for column in header for one in _candidates(column, rows)]
    found.sort(key=lambda pair: -pair[1].confidence)
    suggested: dict[str, Suggestion | None] = dict.fromkeys(header)
    claims = Claims()
    for column, one in found:
        if suggested[column] is None and claims.claim(one.target, column) is None:
            suggested[column] = one
    return suggested


def to_targets(suggested: Mapping[str, Suggestion | None]) -> Targets:
    """The mapping that suggestions make."""
    return {column: one.target if one is not None else None for column, one in suggested.items()}


def _candidates(column: str, rows: tuple[Mapping[str, object], ...]) -> Iterator[Suggestion]:
    if column == IDENTITY or find_target(column) is not None:
        yield Suggestion(column, _SAME, "is the name of the member")
        return
    words = _to_words(column)
    if not words:
        return
    phrases = _phrases()
    for target, confidence in phrases.get(words, ()):
        yield Suggestion(target, confidence, "is a usual name of it")
    if words in phrases:
        return
    for phrase, ratio in _find_close(words):
        for target, confidence in phrases[phrase]:
            yield Suggestion(target, round(ratio * confidence, 3), f"is spelled almost like “{phrase}”")
    texts = [str(row[column]) for row in rows if row.get(column)]
    if texts and all(map(is_email, texts)):
        yield Suggestion("email", _BY_VALUES, "holds email addresses")


def _find_close(words: str) -> list[tuple[str, float]]:
    """The phrases that are spelled almost so, with how alike they are, the closest first.

    Short ones have to be the same, where one letter makes another word. To compare two takes long, and a file may have
    hundreds of columns: only the few that have nearly the same letters are compared.
    """
    size = len(words)
    if size < _SHORTEST or size > _longest() + _FARTHEST:
        return []
    letters = _to_letters(words)
    near: list[tuple[int, str]] = []
    for length in range(max(_SHORTEST, size - _FARTHEST), size + _FARTHEST + 1):
        most = (1 - _CLOSEST) * (size + length)
        for phrase, others in _by_length().get(length, ()):
            if (apart := (letters ^ others).bit_count()) <= most:
                near.append((apart, phrase))
    near.sort(key=lambda one: one[0])
    close = [(phrase, SequenceMatcher(None, words, phrase).ratio()) for _, phrase in near[:_MOST_COMPARED]]
    return sorted((one for one in close if one[1] >= _CLOSEST), key=lambda one: -one[1])


def _to_letters(text: str) -> int:
    """A bit for each letter, and more for one that comes again: bits that differ are letters that find no other."""
    letters = 0
    for letter, count in Counter(ord(one) % 64 for one in text).items():
        letters |= ((1 << min(count, 4)) - 1) << (4 * letter)
    return letters


@cache
def _by_length() -> Mapping[int, Sequence[tuple[str, int]]]:
    """The phrases that may be misspelled, with their letters."""
    found: dict[int, list[tuple[str, int]]] = {}
    for phrase in _phrases():
        found.setdefault(len(phrase), []).append((phrase, _to_letters(phrase)))
    return found


@cache
def _longest() -> int:
    return max(_by_length())


def _to_words(text: str) -> str:
    """`BillingCity`, `billing_city` and `Billing - city` are `billing city`."""
    return _BETWEEN.sub(" ", _CAMEL.sub(" ", text).replace("#", " no ")).strip().lower()


@cache
def _phrases() -> Mapping[str, tuple[tuple[str, float], ...]]:
    """All phrases, each with the members that it may mean, the surest first."""
    found: dict[str, dict[str, float]] = {}

    def add(phrase: str, target: str, confidence: float) -> None:
        means = found.setdefault(phrase, {})
        means[target] = max(confidence, means.get(target, 0))

    for target in targets():
        add(_to_words(target), target, _NAMED)
    for target, names in synonyms.MEMBERS.items():
        for name in names:
            add(name, target, _SYNONYM)
    for owner, owner_names in synonyms.OWNERS.items():
        members = synonyms.CONTACT if owner == "primary_contact" else synonyms.ADDRESS
        for member, names in members.items():
            for name in (_to_words(member), *names):
                for prefix in owner_names:
                    add(f"{prefix} {name}", f"{owner}.{member}", _OWN_WORDS)
                    add(f"{name} {prefix}", f"{owner}.{member}", _OWN_WORDS)
                if owner == synonyms.PLAIN_OWNER and member in (
                    "line1",
                    "line2",
                    "city",
                    "state",
                    "postal_code",
                    "country",
                ):
                    add(name, f"{owner}.{member}", _OWN_WORDS)
    for owner in ("bill_to", "ship_to"):
        for prefix in synonyms.OWNERS[owner]:
            add(prefix if "address" in prefix else f"{prefix} address", f"{owner}.line1", _OWN_WORDS)
    return {phrase: tuple(sorted(means.items(), key=lambda one: -one[1])) for phrase, means in found.items()}
