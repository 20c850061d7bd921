"""Forms read field by field, everything that is wrong collected by its field, and refusals of use cases made so too."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from customerhub.console.desk import Desk
from customerhub.core.access import OPERATOR
from customerhub.model.answer import Answer
from customerhub.model.error import (
    Conflict,
    FieldError,
    Forbidden,
    HubError,
    Invalid,
    KeyGone,
    PreconditionFailed,
    PreconditionRequired,
)
from customerhub.model.text import EMAIL_LENGTH, is_email

SHORT: Final = 255
"""So many characters a field of one line has at most, unless it says otherwise."""
_STALE_STATUS: Final = 412
_LONGEST_JSON: Final = 10_000
_WHOLE_DIGITS: Final = 18
_STALE: Final = (
    "Somebody else has changed this meanwhile. Here it is as it stands now: look, and repeat what you wanted."
)
_DONE: Final = (
    "This form was sent before, and was done then: what it made is on the list. Its secret was shown once, and nobody "
    "can show it again. Sending the form once more makes another one."
)
_OPERATORS: Final = "Only those who run this hub may do this."
_TOO_MUCH: Final = "You may not do this: it would give away more than you may do yourself."
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was changed: `errors` by the first step of their field's path, or a `notice` about all of it."""

    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str | None = None
    status: int = 200
    cause: HubError | None = None

    @property
    def keeps_form(self) -> bool:
        """Whether the form is shown as it was sent, to be mended; not where the record has changed meanwhile."""
        return self.cause is not None and self.status != _STALE_STATUS


NOTHING: Final = Refusal()
"""Nothing was refused yet."""


async def attempt(write: Awaitable[Answer], then: Callable[[Refusal], Awaitable[Answer]]) -> Answer:
    """The answer of a use case; where it refuses, what `then` makes of the reasons."""
    try:
        return await write
    except (Invalid, Conflict, Forbidden, KeyGone, PreconditionFailed, PreconditionRequired) as error:
        return await then(to_refusal(error))


def to_refusal(error: HubError) -> Refusal:
    """A refusal as a page tells it."""
    match error:
        case Invalid():
            return Refusal(to_reasons(error.errors), _find_general(error.errors), 400, error)
        case Conflict():
            return Refusal({}, f"{_capital(error.reason)}.", 409, error)
        case Forbidden():
            told = _OPERATORS if error.permission == OPERATOR else _TOO_MUCH
            return Refusal({}, told, 403, error)
        case KeyGone():
            return Refusal({}, _DONE, 409, error)
        case _:
            return Refusal({}, _STALE, _STALE_STATUS, error)


def to_reasons(errors: Iterable[FieldError]) -> dict[str, str]:
    """What is wrong by field; of several things in one field all of them, each once."""
    found: dict[str, dict[str, None]] = {}
    for error in errors:
        if error.path:
            found.setdefault(str(error.path[0]), {})[_capital(error.reason)] = None
    return {name: "; ".join(reasons) for name, reasons in found.items()}


def _find_general(errors: Iterable[FieldError]) -> str | None:
    return next((f"{_capital(error.reason)}." for error in errors if not error.path), None)


def _capital(text: str) -> str:
    # A name of somebody else's stays as it is written.
    return text[:1].upper() + text[1:] if "_" not in text.partition(" ")[0] else text


class Reader:
    """Reads the form of a request; each method gives None, or its like, for what is empty and for what is wrong."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._errors: list[FieldError] = []

    def refuse(self, name: str, reason: str, code: str = "invalid") -> None:
        """Note that a field is wrong."""
        self._errors.append(FieldError((name,), code, reason))

    def found(self) -> tuple[FieldError, ...]:
        """Everything that was wrong."""
        return tuple(self._errors)

    def with_errors(self, others: Iterable[FieldError]) -> tuple[FieldError, ...]:
        """The same with what others found in fields that could be read."""
        wrong = {error.path[:1] for error in self._errors}
        return (*self._errors, *(error for error in others if error.path[:1] not in wrong))

    def text(self, name: str, longest: int = SHORT, *, required: bool = False) -> str | None:
        """A text without blanks around it."""
        text = self._desk.form.get(name, "").strip()
        if len(text) > longest:
            self.refuse(name, f"must be at most {longest} characters", "too_long")
            return None
        if not text and required:
            self.refuse(name, "is required", "required")
        return text or None

    def key(self, name: str, longest: int = 1000) -> str | None:
        """A secret of somebody else's, in printable ASCII characters."""
        text = self.text(name, longest)
        if text is not None and (not text.isascii() or not text.isprintable() or " " in text):
            self.refuse(name, "must be printable ASCII characters without blanks", "characters")
            return None
        return text

    def email(self, name: str) -> str | None:
        """An email address."""
        text = self.text(name, EMAIL_LENGTH)
        if text is not None and not is_email(text):
            self.refuse(name, f"must be an email address of at most {EMAIL_LENGTH} characters", "email")
            return None
        return text

    def flag(self, name: str) -> bool:
        """Whether a box is checked."""
        return bool(self._desk.form.get(name))

    def choice(self, name: str, choices: Collection[Word], default: Word) -> Word:
        """One of a few words."""
        text = self._desk.form.get(name) or default
        found = next((one for one in choices if one == text), None)
        if found is None:
            self.refuse(name, f"must be one of {', '.join(choices)}", "enum")
            return default
        return found

    def id(self, name: str) -> UUID | None:
        """The id of what was chosen."""
        text = self._desk.form.get(name, "")
        try:
            return UUID(text) if text else None
        except ValueError:
            self.refuse(name, "must be one of those that can be chosen", "unknown_id")
            return None

    def ids(self, name: str, most: int) -> tuple[UUID, ...]:
        """The ids of what was checked."""
        try:
            found = tuple(map(UUID, self._desk.values(name)))
        except ValueError:
            self.refuse(name, "must be some of those that can be chosen", "unknown_id")
            return ()
        if len(found) > most:
            self.refuse(name, f"must be at most {most}", "too_many")
        return found

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number."""
        text = self.text(name, _WHOLE_DIGITS)
        if text is None:
            return None
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= number <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}", "range")
            return None
        return number

    def lines(self, name: str, longest: int, most: int) -> tuple[str, ...]:
        """The lines of a text, without blank ones."""
        found = tuple(line.strip() for line in self._desk.form.get(name, "").splitlines() if line.strip())
        if len(found) > most or any(len(line) > longest for line in found):
            self.refuse(name, f"must be at most {most} lines of at most {longest} characters", "too_long")
            return ()
        return found

    def words(self, name: str, most: int = 100) -> tuple[str, ...]:
        """What was checked of a list of words."""
        found = tuple(dict.fromkeys(self._desk.values(name)))
        if len(found) > most or any(len(word) > SHORT for word in found):
            self.refuse(name, f"must be at most {most} words of at most {SHORT} characters", "too_many")
            return ()
        return found

    def json_object(self, name: str) -> dict[str, Any]:  # Any: JSON
        """A JSON object; empty for none."""
        text = self.text(name, _LONGEST_JSON)
        if text is None:
            return {}
        try:
            found = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            found = None
        # Whatever is stored as JSON must do without NUL.
        if not isinstance(found, dict) or b"\\u0000" in msgspec.json.encode(found):
            self.refuse(name, 'must be a JSON object, such as {"name": "value"}', "json")
            return {}
        return found

    def time(self, name: str) -> datetime | None:
        """A time as a browser's own field sends it, in UTC."""
        text = self.text(name, SHORT)
        found = find_time(text or "")
        if text is not None and found is None:
            self.refuse(name, "must be a time in UTC, such as 2027-03-02T15:04", "time")
        return found

    def version(self) -> int | None:
        """The version that the form was made for."""
        text = self._desk.form.get("version", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _WHOLE_DIGITS else None


def find_time(text: str) -> datetime | None:
    """The time that a text is, in UTC where it has no zone; None for a text that is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
