"""Where the columns of a file go: what can be chosen for each of them, and what was chosen."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, get_args

from msgspec import Struct

from customerhub.console.desk import Desk
from customerhub.console.fields import to_label
from customerhub.core.imports.orders import Preview, to_cells
from customerhub.model.suggest import suggest, to_targets
from customerhub.model.targets import targets
from customerhub.store.imports import EmptyCells, Import, MatchBy, Mode, Options

Choices = tuple[tuple[str, str], ...]
MATCHES: Final[Choices] = (
    ("number", "Number"),
    ("reference_id", "Reference"),
    ("email", "Email"),
    ("id", "Id"),
)
MODES: Final[Choices] = (
    ("both", "Make new customers, and change those that are found"),
    ("create", "Only make new customers"),
    ("update", "Only change customers that are found"),
)
EMPTY: Final[Choices] = (
    ("keep", "Leave the value as it is"),
    ("clear", "Take the value away"),
)
_SAMPLES: Final = 3
_LONGEST: Final = 60
_ATTRIBUTE: Final = "attributes."
_LONGEST_ATTRIBUTE: Final = 255
Word = TypeVar("Word", bound=str)


class Line(Struct, frozen=True):
    """One column of the file: the field of the form, what stands in its first rows, where it goes and could go."""

    field: str
    column: str
    samples: tuple[str, ...]
    target: str
    options: Choices


def to_target_label(target: str) -> str:
    """What a place of the record is called: `Bill to: City`."""
    owner, _, member = target.partition(".")
    if target.startswith(_ATTRIBUTE):
        return f"Attribute “{target.removeprefix(_ATTRIBUTE)}”"
    name, _, place = owner.partition("[")
    title = f"{to_label(name)} {int(place.rstrip(']')) + 1}" if place.rstrip("]").isdigit() else to_label(owner)
    return f"{title}: {to_label(member)}" if member else title


def to_lines(preview: Preview) -> list[Line]:
    """Every column with what can be chosen for it."""
    one = preview.one
    rows = [to_cells(row.cells, one.columns) for row in preview.rows]
    known = [(target, to_target_label(target)) for target in targets()]
    names = {target for target, _ in known}
    mapping = one.options.mapping
    if one.options.shape:
        # For who would rather map it: as if nobody had recognised it.
        mapping = to_targets(suggest(one.columns, rows))
    lines: list[Line] = []
    for place, column in enumerate(one.columns):
        target = mapping.get(column) or ""
        own = f"{_ATTRIBUTE}{column}"
        more = [] if len(column) > _LONGEST_ATTRIBUTE or not column.strip() else [own]
        if target and target not in names and target != own:
            more.append(target)
        options = (("", "Leave out"), *known, *((text, to_target_label(text)) for text in more))
        lines.append(Line(f"c{place}", column, _to_samples(column, rows), target, options))
    return lines


def _to_samples(column: str, rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    found = dict.fromkeys(str(row[column]) for row in rows if row.get(column) not in (None, ""))
    return tuple(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in list(found)[:_SAMPLES])


def read_options(desk: Desk, one: Import) -> Options:
    """What the form asks for; what it does not name, or names strangely, stays."""
    form, now = desk.form, one.options
    shape = form.get("shape", now.shape)
    sent = {column: form.get(f"c{place}") for place, column in enumerate(one.columns)}
    mapping = {column: text or None for column, text in sent.items() if text is not None}
    return Options(
        shape=shape,
        mapping={} if shape else mapping or now.mapping,
        match_by=_choose(form.get("match"), get_args(MatchBy), now.match_by),
        mode=_choose(form.get("mode"), get_args(Mode), now.mode),
        empty_cells=_choose(form.get("empty"), get_args(EmptyCells), now.empty_cells),
    )


def _choose(text: str | None, choices: Sequence[Word], default: Word) -> Word:
    return next((one for one in choices if one == text), default)
