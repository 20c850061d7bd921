"""Rows of an import on their way: what each claims, what was decided for it, what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from customerhub.core.imports.forms import Asked
from customerhub.core.versions import Proposal
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer, email_key
from customerhub.model.error import FieldError, Invalid, Malformed, Path
from customerhub.store.bulk import KeyColumn, Keys, Ready
from customerhub.store.customers import NewVersion
from customerhub.store.imports import Cells, Counts, MatchBy, Mode, Outcome, Result

COLUMNS: Final[dict[MatchBy, KeyColumn]] = {
    "email": "email_key",
    "number": "number",
    "reference_id": "reference_id",
    "id": "id",
}
"""The column of the record in which each key of rows is looked for."""
MOST_ERRORS: Final = 100
"""Of one row no more errors are told."""
_UNIQUE: Final = ("email", "number", "reference_id")


class Refused(Exception):
    """A row that is not written: all that is wrong with it."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__()
        self.errors = tuple(errors)


def refuse(match_by: MatchBy, code: str, reason: str) -> Refused:
    """A row that is refused for whom it is about."""
    return Refused((FieldError((match_by,), code, reason),))


@dataclass(slots=True)
class Item:
    """One row: `key` as the file has it, `sought` as it is looked for; `is_extra` where it is done again for a trial.
    Without `is_readable` nothing can be made of it.

    `version` is what is to be written where the row can be written with others, and `ready` its rows; `is_careful`
    where it stands for itself, since it may meet what another row writes; `brings` are the terms that it brings along,
    where nothing else keeps it from being written with others. `results` once it is done.
    """

    line: int
    cells: Cells | None
    key: str | None = None
    sought: str | UUID | None = None
    is_extra: bool = False
    is_readable: bool = True
    is_careful: bool = False
    version: NewVersion | None = None
    ready: Ready | None = None
    brings: frozenset[tuple[str, object]] = frozenset()
    results: tuple[Result, ...] = ()
    claims: set[tuple[str, object]] = field(default_factory=set)

    def forget(self) -> None:
        """Nothing came of it yet: it is decided once more, by what is there then, if it can be read at all."""
        if self.is_readable:
            self.results, self.version, self.brings, self.is_careful = (), None, frozenset(), True

    def end(self, outcome: Outcome, customer: UUID, changes: tuple[FieldChange, ...] = ()) -> None:
        """Note what came of it."""
        self.results = (Result(self.line, outcome, key=self.key, customer=customer, changes=changes),)

    def fail(self, errors: Iterable[FieldError], asked: Asked | None = None) -> None:
        """Note why it was refused."""
        own = asked.errors if asked is not None else ()
        named = [(None, str(error.path[0]), error) for error in own]
        found = [(to_pointer(error.path), asked.find_column(error.path) if asked else None, error) for error in errors]
        self.results = tuple(
            Result(
                self.line,
                "refused",
                number,
                self.key,
                None,
                pointer,
                column,
                error.code,
                _to_reason(error),
            )
            for number, (pointer, column, error) in enumerate([*named, *found][:MOST_ERRORS])
        )


def _to_reason(error: FieldError) -> str:
    """The reason; of a part that the row lacks, such as the unit of an amount, with that part's name."""
    part = error.path[-1] if len(error.path) > 1 else None
    return f"{part} {error.reason}" if error.code == "required" and isinstance(part, str) else error.reason


def to_pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def find_sought(match_by: MatchBy, key: str | None) -> str | UUID | None:
    """A key as it is looked for, None for none. Raises Refused for an id that is none."""
    if key is None:
        return None
    if match_by == "email":
        return email_key(key)
    if match_by != "id":
        return key
    try:
        return UUID(key)
    except ValueError:
        raise refuse("id", "uuid", "must be a UUID") from None


def choose(found: list[Customer], match_by: MatchBy, mode: Mode, *, has_key: bool) -> Customer | None:
    """The customer that a row changes, None where it makes one. Raises Refused where it may do neither."""
    if len(found) > 1:
        raise refuse(match_by, "ambiguous", f"{len(found)} customers have this {match_by}")
    if found:
        if mode == "create":
            raise refuse(match_by, "exists", f"a customer has this {match_by}, and none is to be changed")
        return found[0]
    if mode == "update":
        reason = f"no customer has this {match_by}" if has_key else f"has no {match_by} to find a customer by"
        raise refuse(match_by, "not_found" if has_key else "no_key", reason)
    if match_by == "id" and has_key:
        raise refuse(match_by, "not_found", "no customer has this id, and new ones get theirs from the hub")
    return None


def claims_of(proposal: Proposal, before: Customer | None) -> set[tuple[str, object]]:
    """The unique values that a row brings or moves, and the customer that it changes."""
    claims: set[tuple[str, object]] = {("id", before.id)} if before is not None else set()
    patch = proposal.patch
    for name in _UNIQUE:
        value = getattr(patch, name)
        old = getattr(before, name) if before is not None else None
        if value is UNSET or value == old:
            continue
        claims |= {(name, _to_claim(name, one)) for one in (value, old) if one is not None}
    return claims


def _to_claim(name: str, value: str) -> object:
    return email_key(value) if name == "email" else value


def to_keys(versions: Iterable[NewVersion]) -> Keys:
    """The unique values that versions bring to their customers."""
    keys = Keys()
    for version in versions:
        before, after = version.before, version.after
        if version.emails_are_unique and after.email is not None and (before is None or before.email != after.email):
            keys.emails.add(email_key(after.email) or "")
        if before is None or before.number != after.number:
            keys.numbers.add(after.number)
        if after.reference_id is not None and (before is None or before.reference_id != after.reference_id):
            keys.references.add(after.reference_id)
    return keys


def is_taken(version: NewVersion, taken: dict[tuple[str, str], UUID]) -> bool:
    """Whether another customer has a value that this version brings."""
    after = version.after
    values = [("number", after.number), ("reference_id", after.reference_id)]
    if version.emails_are_unique:
        values.append(("email", email_key(after.email)))
    return any(
        value is not None and (owner := taken.get((name, value))) is not None and owner != after.id
        for name, value in values
    )


def errors_of(error: Invalid | Malformed | Refused) -> tuple[FieldError, ...]:
    """What is wrong with a row."""
    if isinstance(error, Malformed):
        return (FieldError((), "malformed", error.reason),)
    return error.errors


def count(items: Iterable[Item]) -> Counts:
    """How many rows of the file came to what."""
    outcomes = [item.results[0].outcome for item in items if not item.is_extra]
    created, changed, equal, refused = (outcomes.count(one) for one in ("created", "changed", "equal", "refused"))
    return Counts(len(outcomes), created, changed, equal, refused)


def add(one: Counts, other: Counts) -> Counts:
    """Both together."""
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Counts(*(a + b for a, b in pairs))
