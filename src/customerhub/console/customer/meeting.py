"""When somebody else was faster: the record as it was, what was typed, and what stands there now, value by value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from customerhub.console.customer.sheet import Input
from customerhub.console.desk import Desk
from customerhub.console.origins import to_origins
from customerhub.console.wording import Names, to_lines
from customerhub.core.timeline import get_history
from customerhub.model.change import FieldChange, touches
from customerhub.model.customer import CREDIT_LIMIT, Customer
from customerhub.model.history import HistoryEntry
from customerhub.model.replay import differences

# So many versions since are looked through for who changed what.
_MOST_VERSIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Word:
    """Who changed a value last, and when; nothing where it is not known."""

    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A value that was typed, in words: as it was, as typed, as it is now. `is_clash`: both changed it, not alike."""

    one: Input
    base: str
    mine: str
    theirs: str
    is_clash: bool
    word: Word


@dataclass(frozen=True, slots=True)
class Theirs:
    """A value that only others changed."""

    label: str
    old: str
    new: str
    word: Word


@dataclass(slots=True)
class Meeting:
    """What became of a record between the versions `base` and `now`, beside what was typed.

    `picked` are choices so far. `is_own`: nobody but the one who asks has changed anything.
    """

    base: int
    now: int
    is_own: bool
    rows: list[Row] = field(default_factory=list)
    others: list[Theirs] = field(default_factory=list)
    picked: Mapping[str, str] = field(default_factory=dict)
    last: Word = field(default_factory=Word)

    @property
    def clashes(self) -> list[Row]:
        """The values that both changed."""
        return [row for row in self.rows if row.is_clash]

    @property
    def ready(self) -> list[Row]:
        """The values that can be saved as they were typed."""
        return [row for row in self.rows if not row.is_clash]


@dataclass(frozen=True, slots=True)
class Since:
    """What happened to a record since a version."""

    changes: tuple[FieldChange, ...]
    entries: Sequence[HistoryEntry]
    words: Mapping[int, Word]

    def touches(self, pointer: str) -> bool:
        """Whether something at, in or around a place is other than it was."""
        return any(_touches(change.path, pointer) for change in self.changes)

    def word(self, pointer: str) -> Word:
        """Who changed a place last."""
        found = (
            entry.version for entry in self.entries if any(_touches(change.path, pointer) for change in entry.changes)
        )
        return self.words.get(next(found, 0), Word())


async def look_back(desk: Desk, base: Customer, now: Customer) -> Since:
    """What happened between two versions of a customer, and by whom."""
    window = await get_history(desk.hub, desk.caller, now.id, None, _MOST_VERSIONS)
    entries = [entry for entry in window.items if base.version < entry.version <= now.version]
    origins = await to_origins(desk, entries)
    words = {entry.version: Word(origins[entry.version].who, entry.at) for entry in entries}
    return Since(differences(base, now), entries, words)


def meet(
    actor: UUID, base: Customer, now: Customer, since: Since, edits: Iterable[tuple[Input, Input, object]], names: Names
) -> Meeting:
    """Lay what was typed beside what became of the record; `edits` are inputs then and now, with the value typed."""
    is_known = len(since.entries) == now.version - base.version
    is_own = is_known and all(entry.actor == actor for entry in since.entries)
    last = since.words.get(now.version, Word())
    meeting = Meeting(base.version, now.version, is_own, last=last)
    mine: set[str] = set()
    for then, present, value in edits:
        mine.add(then.pointer)
        is_clash = since.touches(then.pointer) and value != present.now
        before, typed, after = (to_text(then, shown, names) for shown in (then.now, value, present.now))
        meeting.rows.append(Row(present, before, typed, after, is_clash, since.word(then.pointer)))
    for line in to_lines(since.changes, names):
        if not any(_touches(line.path, pointer) for pointer in mine):
            meeting.others.append(Theirs(line.label, line.old, line.new, since.word(line.path)))
    return meeting


def to_text(one: Input, value: object, names: Names) -> str:
    """A value of the canonical form in words; empty for none."""
    if value is None or "attributes" in one.place[:-1]:
        return "" if value is None else str(value)
    try:
        if isinstance(value, dict):
            unit = names.text("/credit_limit_unit", value.get("unit"))
            return f"{value.get('value', '')} {unit}".strip()
        return names.text(one.pointer, value)
    except ValueError:
        # Whoever writes forms of their own may send ids that are none.
        return str(value)


def _touches(one: str, other: str) -> bool:
    return touches(_whole(one), _whole(other))


def _whole(path: str) -> str:
    """Amount and unit are one thing to whoever edits them."""
    return f"/{CREDIT_LIMIT[0]}" if path[1:] in CREDIT_LIMIT else path
