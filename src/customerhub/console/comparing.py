"""Customers side by side, field by field: what differs, and of what one can say whose value survives a merge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from customerhub.console.desk import Desk
from customerhub.console.fields import to_label
from customerhub.console.wording import PLAIN, UNSETTABLE, Json, Names, to_entry_text, to_record
from customerhub.core.customers import Relatives, Wanted, Written, get_customer
from customerhub.core.duplicates import get_summaries
from customerhub.model.customer import Customer
from customerhub.model.error import NotFound
from customerhub.model.merge import SURVIVORS
from customerhub.model.replay import ENTRY_MEMBERS, LISTS

MOST: Final = 8
"""More cannot be read side by side; more of them are merged one after another."""
# So many of those below a customer are named.
_CHILDREN: Final = 20
_KEEP: Final = "keep."


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of a cell; `is_shared` says whether every other customer has it too."""

    text: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One member of the record: the pieces of each customer, in order.

    `can_choose` says whether one can say whose survives, `chosen` whose it shall be, if anybody's by name.
    """

    field: str
    label: str
    cells: tuple[tuple[Piece, ...], ...]
    differs: bool
    can_choose: bool
    chosen: UUID | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """The customers that shall be one: those that are there, who stays, and whose values survive by field.

    `lost` are ids that name nobody.
    """

    customers: tuple[Customer, ...]
    relatives: Mapping[UUID, Relatives | None]
    target: Customer
    survivors: Mapping[str, UUID]
    lost: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Customer, ...]:
        """Those that go into the one that stays."""
        return tuple(one for one in self.customers if one.id != self.target.id)

    @property
    def others(self) -> tuple[Customer, ...]:
        """All but the first, whose page it is."""
        return self.customers[1:]

    @property
    def children(self) -> tuple[Customer, ...]:
        """Those below the sources, as far as they are named."""
        goes = {one.id for one in self.customers}
        found = (self.relatives[one.id] for one in self.sources)
        return tuple(child for below in found if below for child in below.children if child.id not in goes)

    @property
    def keeps(self) -> list[tuple[str, UUID]]:
        """The choices by the names of their fields in forms."""
        return [(f"{_KEEP}{field}", survivor) for field, survivor in self.survivors.items()]


async def read_party(desk: Desk, ids: Sequence[str], sent: Sequence[tuple[str, str]]) -> Party:
    """The customers of these ids, as far as they are there; `into` says who stays, `keep.<field>` whose value survives.

    Raises NotFound where nobody is there.
    """
    asked = list(dict.fromkeys(ids))[:MOST]
    found: list[Written] = []
    lost: list[str] = []
    for text in asked:
        try:
            found.append(await get_customer(desk.hub, desk.caller, UUID(text), Wanted(children=_CHILDREN)))
        except (NotFound, ValueError):
            lost.append(text)
    if not found:
        raise NotFound("customer", asked[0] if asked else "")
    customers = tuple(one.customer for one in found)
    by_id = {str(one.id): one for one in customers}
    into = next((value for name, value in reversed(sent) if name == "into"), "")
    survivors = {
        name.removeprefix(_KEEP): by_id[value].id
        for name, value in sent
        if name.startswith(_KEEP) and name.removeprefix(_KEEP) in SURVIVORS and value in by_id
    }
    target = by_id.get(into, customers[0])
    return Party(customers, {one.customer.id: one.relatives for one in found}, target, survivors, tuple(lost))


async def learn_party(desk: Desk, customers: Iterable[Customer]) -> Names:
    """What everything is called that these customers hold."""
    customers = tuple(customers)
    above = {one.parent for one in customers if one.parent is not None}
    summaries = await get_summaries(desk.hub, desk.caller, above)
    named = {str(one.id): one.name for one in customers} | {str(key): one.name for key, one in summaries.items()}
    names = Names(desk.catalogue, named)
    for one in customers:
        names.learn_record(to_record(one))
    return names


def to_rows(party: Party, names: Names) -> list[Row]:
    """Everything that any of them holds."""
    records = [to_record(one) for one in party.customers]
    fields = [field for field in PLAIN if field not in (*UNSETTABLE, "credit_limit_unit")]
    rows = [_to_row(field, [_to_texts(field, record, names) for record in records], party) for field in fields]
    rows += [_to_row(field, [_to_entries(field, record) for record in records], party) for field in LISTS]
    custom = [[f"{one['name']}: {one['value']}" for one in record["attributes"]] for record in records]
    rows.append(_to_row("attributes", custom, party))
    return [row for row in rows if any(row.cells)]


def _to_texts(field: str, record: Json, names: Names) -> list[str]:
    value = record[field]
    if field == "credit_limit" and value is not None:
        return [f"{value} {names.text('/credit_limit_unit', record['credit_limit_unit'])}".strip()]
    values = value if isinstance(value, list) else [value]
    return [text for text in (names.text(f"/{field}", one) for one in values) if text]


def _to_entries(field: str, record: Json) -> list[str]:
    return [to_entry_text(field, entry) for entry in record[field]]


def _to_row(field: str, texts: Sequence[Sequence[str]], party: Party) -> Row:
    shared = set(texts[0]).intersection(*texts[1:])
    cells = tuple(tuple(Piece(text, text in shared) for text in own) for own in texts)
    differs = any(list(own) != list(texts[0]) for own in texts[1:])
    can_choose = differs and field in SURVIVORS
    return Row(field, to_label(field), cells, differs, can_choose, party.survivors.get(field))


def to_kept_apart(source: Customer, after: Customer, names: Names) -> list[tuple[str, str]]:
    """What a source held that the merged record does not: it stays in the source's history alone."""
    own, whole = to_record(source), to_record(after)
    found: list[tuple[str, str]] = []
    for field in PLAIN:
        if field in (*UNSETTABLE, "credit_limit_unit", "parent"):
            continue
        there = set(_to_texts(field, whole, names))
        found += ((to_label(field), text) for text in _to_texts(field, own, names) if text not in there)
    for field in LISTS:
        kept = {_content(field, entry) for entry in whole[field]}
        found += (
            (to_label(field), to_entry_text(field, entry)) for entry in own[field] if _content(field, entry) not in kept
        )
    values = {one["name"]: one["value"] for one in whole["attributes"]}
    found += (
        (f"Attribute “{one['name']}”", one["value"])
        for one in own["attributes"]
        if values.get(one["name"]) != one["value"]
    )
    return found


def _content(field: str, entry: Json) -> tuple[object, ...]:
    texts = (entry.get(member) for member in ENTRY_MEMBERS[field])
    return (*texts, frozenset((one["name"], one["value"]) for one in entry.get("attributes") or ()))
