"""Query parameters read one by one, with everything that is wrong told at once, in each dialect's own words."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar, TypeVar
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import QueryParams

from customerhub.model.error import FieldError, Invalid
from customerhub.model.page import Position
from customerhub.web.cursor import from_cursor

Value = TypeVar("Value")
Word = TypeVar("Word", bound=str)
_WHOLE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class Words(Struct, frozen=True):
    """What a dialect calls what is wrong with a parameter: a code for each kind, `{}` in a reason is what may stand.

    `takes_brackets` says whether a list may also be spelled `name[]`.
    """

    out_of_range: str = "query"
    not_a_choice: str = "query"
    too_long: str = "query"
    malformed: str = "query"
    one_of: str = "must be one of {}"
    between_choices: str = ", "
    takes_brackets: bool = False


class QueryReader:
    """Reads the parameters of one request; those that nobody asks for are left alone.

    Each reader gives its default, or None, for what is absent and for what is wrong; `check` then raises.
    """

    words: ClassVar[Words] = Words()

    def __init__(self, query: QueryParams) -> None:
        self._query = query
        self._errors: list[FieldError] = []

    def integer(self, name: str, default: int, highest: int) -> int:
        """A whole number from 1 on."""
        text = self._query.get(name)
        if text is None:
            return default
        if _WHOLE.fullmatch(text) and int(text) <= highest:
            return int(text)
        self.refuse(name, f"must be a whole number from 1 to {highest}", self.words.out_of_range)
        return default

    def choice(self, name: str, choices: tuple[Word, ...], default: Word) -> Word:
        """One of a few words."""
        found = self._find_choice(name, self._query.get(name, default), choices)
        return default if found is None else found

    def flag(self, name: str) -> bool | None:
        """A truth value."""
        text = self._query.get(name)
        found = None if text is None else self._find_choice(name, text, ("true", "false"))
        return None if found is None else found == "true"

    def text(self, name: str, longest: int) -> str | None:
        """A text; an empty one is none."""
        text = self._query.get(name) or None
        if text is not None and len(text) > longest:
            self.refuse(name, f"must be at most {longest} characters", self.words.too_long)
            return None
        return text

    def time(self, name: str) -> datetime | None:
        """A time in UTC; one without a zone is taken as such."""
        text = self._query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(name, "must be a UTC time, for example 2025-03-04T09:10:11Z", self.words.malformed)
            return None

    def texts(self, name: str, most: int = 100) -> tuple[str, ...] | None:
        """Texts separated by commas, repeated, or both; blanks and doubles are dropped."""
        sent = [text for spelling in self._spellings(name) for text in self._query.getlist(spelling)]
        if not sent:
            return None
        parts = (part.strip() for text in sent for part in text.split(","))
        texts = tuple(dict.fromkeys(part for part in parts if part))
        if len(texts) > most:
            self.refuse(name, f"must name at most {most}", self.words.out_of_range)
            return None
        return texts

    def choices(self, name: str, choices: tuple[Word, ...]) -> tuple[Word, ...] | None:
        """Any of a few words."""
        texts = self.texts(name, most=max(100, len(choices)))
        if texts is None:
            return None
        found = [self._find_choice(name, text, choices) for text in texts]
        return tuple(word for word in found if word is not None)

    def ids(self, name: str, find_id: Callable[[str], UUID | None], most: int = 100) -> tuple[UUID, ...] | None:
        """Ids, as texts; what is no id is one of nothing (`find_id` None), so that it matches no record."""
        texts = self.texts(name, most)
        return None if texts is None else tuple(find_id(text) or UUID(int=0) for text in texts)

    def position(self, scope: str, name: str = "cursor") -> Position | None:
        """Where a page begins, from a cursor that this list gave; an empty one is none."""
        text = self._query.get(name)
        if not text:
            return None
        try:
            return from_cursor(scope, text)
        except ValueError:
            self.refuse(name, "must be a cursor that this list has given", self.words.malformed)
            return None

    def refuse(self, name: str, reason: str, code: str | None = None) -> None:
        """Note that a parameter is wrong; the code is the one for malformed ones unless another is given."""
        sent = next((spelling for spelling in self._spellings(name) if spelling in self._query), name)
        self._errors.append(FieldError((sent,), code or self.words.malformed, reason))

    def check(self) -> None:
        """Raise Invalid with everything that was wrong."""
        if self._errors:
            raise Invalid(tuple(self._errors))

    def _find_choice(self, name: str, text: str, choices: tuple[Word, ...]) -> Word | None:
        found = next((choice for choice in choices if choice == text), None)
        if found is None:
            allowed = self.words.between_choices.join(choices)
            self.refuse(name, self.words.one_of.format(allowed), self.words.not_a_choice)
        return found

    def _spellings(self, name: str) -> tuple[str, ...]:
        return (name, f"{name}[]") if self.words.takes_brackets else (name,)
