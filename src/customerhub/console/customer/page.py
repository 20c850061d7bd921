"""The page of one customer: its cards, one of which may be a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from customerhub.console.customer.abroad import Place, to_places
from customerhub.console.customer.meeting import Meeting, to_text
from customerhub.console.customer.sheet import NEW, Input, Json, Options, Sheet, to_options, to_sheet
from customerhub.console.customer.subject import Subject, to_path
from customerhub.console.customer.typed import Typed
from customerhub.console.desk import Desk
from customerhub.console.fields import GROUPS
from customerhub.console.origins import Origin, to_origins
from customerhub.console.wording import Names
from customerhub.core.abroad import list_abroad
from customerhub.core.customers import Wanted
from customerhub.core.duplicates import find_duplicates
from customerhub.core.search import Found
from customerhub.core.timeline import get_history
from customerhub.model.answer import Answer
from customerhub.model.error import HistoryGone, NotFound
from customerhub.model.history import HistoryEntry

WANTED: Final = Wanted(parent=True, children=10)
_LISTS: Final = (("address", "addresses", ("bill_to", "ship_to")), ("contact", "contacts", ("primary_contact",)))


@dataclass(frozen=True, slots=True)
class InputView:
    """An input as it is shown: with what was typed, if anything, what is wrong with it, what can be chosen.

    `other` is the customer that has this value already.
    """

    one: Input
    id: str
    value: Any  # Any: JSON, of the input's kind
    error: str | None
    unit_error: str | None
    options: Options
    other: Found | None = None

    @property
    def is_long(self) -> bool:
        """Whether the text has, or may have, several lines."""
        return self.one.field.kind == "long" or (
            isinstance(self.value, str) and not {"\n", "\r"}.isdisjoint(self.value)
        )


@dataclass(slots=True)
class Editing:
    """A card that is a form. `anchor` is the card that it takes the place of; `sheet.key` is where it is sent.

    `edits` are values by key that are shown instead of the record's; `errors` are reasons by key.
    """

    sheet: Sheet
    version: int
    edits: Mapping[str, object] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[str] = ()
    typed: Typed = field(default_factory=Typed)
    others: Mapping[str, Found] = field(default_factory=dict)
    meeting: Meeting | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One card: what stands on it in words, and, while it is edited, its inputs."""

    sheet: Sheet
    texts: list[tuple[Input, str]]
    flags: tuple[str, ...] = ()
    inputs: list[InputView] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page of a customer shows."""

    subject: Subject
    cards: list[Card]
    addresses: list[Card]
    contacts: list[Card]
    attributes: Card
    defaults: Card
    primary: Card
    names: Names
    editing: Editing | None
    fresh: Card | None
    origin: Origin | None
    places: list[Place]
    duplicates: int
    can_change: bool


def to_body(desk: Desk, subject: Subject) -> Json:
    """The record in its canonical form."""
    return cast("Json", dict(desk.canonical().show(subject.customer, subject.catalogue)))


def to_names(subject: Subject, body: Json) -> Names:
    """What ids in the record stand for."""
    names = Names(subject.catalogue, to_numbers(subject))
    names.learn_record(body)
    return names


def to_numbers(subject: Subject) -> dict[str, str]:
    """The numbers of customers that forms show, by their ids."""
    parent = subject.relatives.parent if subject.relatives is not None else None
    return {str(parent.id): parent.number} if parent is not None else {}


async def render_page(desk: Desk, subject: Subject, editing: Editing | None = None, status: int = 200) -> Answer:
    """The page of a live customer."""
    page = await _to_page(desk, subject, editing)
    return desk.render("customer.html", status, page=page, subject=subject, tab=None, to_path=to_path, Typed=Typed)


async def _to_page(desk: Desk, subject: Subject, editing: Editing | None) -> Page:
    body = to_body(desk, subject)
    names = to_names(subject, body)

    def card(key: str, flags: tuple[str, ...] = ()) -> Card:
        sheet = to_sheet(key, body, subject.catalogue, is_edited=False)
        texts = [(one, to_text(one, one.now, names)) for one in sheet.inputs]
        return Card(sheet, texts, flags, inputs(editing) if editing and editing.anchor == key else None)

    def inputs(shown: Editing) -> list[InputView]:
        return [_to_view(one, shown, body, subject) for one in shown.sheet.inputs]

    lists = {
        member: [
            card(f"{kind}-{entry['id']}", tuple(pointer for pointer in pointers if body[pointer] == entry["id"]))
            for entry in body[member]
        ]
        for kind, member, pointers in _LISTS
    }
    fresh = None
    keys = {f"{kind}-{entry['id']}" for kind, member, _ in _LISTS for entry in body[member]}
    if editing is not None and editing.sheet.member is not None and editing.anchor not in keys:
        fresh = Card(editing.sheet, [], (), inputs(editing))
    history = await _find_last(desk, subject)
    return Page(
        subject=subject,
        cards=[card(group.name) for group in GROUPS],
        addresses=_by_default(lists["addresses"]),
        contacts=_by_default(lists["contacts"]),
        attributes=card("attributes"),
        defaults=card("defaults"),
        primary=card("primary"),
        names=names,
        editing=editing,
        fresh=fresh,
        origin=(await to_origins(desk, [history]))[history.version] if history is not None else None,
        places=to_places(await list_abroad(desk.hub, desk.caller, subject.customer.id), subject.customer),
        duplicates=await _count_duplicates(desk, subject),
        can_change=desk.may("customers:update"),
    )


def _by_default(cards: list[Card]) -> list[Card]:
    """Defaults first, where bills go before where goods go; the others as they stand."""
    return sorted(cards, key=lambda one: one.flags or ("~",))


def _to_view(one: Input, editing: Editing, body: Json, subject: Subject) -> InputView:
    value = editing.edits.get(one.key, one.now)
    options = to_options(one, value, body, subject.catalogue)
    if one.field.kind == "customer" and isinstance(value, str):
        value = to_numbers(subject).get(value, value)
    place = editing.sheet.inputs.index(one)
    return InputView(
        one,
        f"in-{editing.anchor}-{place}",
        value,
        editing.errors.get(one.key),
        editing.errors.get(f"{one.key}.unit"),
        options,
        editing.others.get(one.key),
    )


async def _find_last(desk: Desk, subject: Subject) -> HistoryEntry | None:
    """The newest version's entry in the history, as long as it is kept."""
    try:
        found = await get_history(desk.hub, desk.caller, subject.customer.id, None, 1)
    except (HistoryGone, NotFound):
        return None
    return found.items[0] if found.items and found.items[0].version == subject.customer.version else None


async def _count_duplicates(desk: Desk, subject: Subject) -> int:
    try:
        return len((await find_duplicates(desk.hub, desk.caller, subject.customer.id)).candidates)
    except NotFound:
        # It was deleted a moment ago.
        return 0


def to_new(kind: str) -> str:
    """The key of the form for one more address or contact."""
    return f"{kind}-{NEW}"
