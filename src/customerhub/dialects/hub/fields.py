"""From what a request asks of a customer to a patch of the record: values, pointers, lists, custom values."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, cast, get_args, get_type_hints
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct
from pydantic import TypeAdapter

from customerhub.dialects.hub import wire
from customerhub.dialects.hub.canonical import READ_ONLY, SETS, Shown
from customerhub.dialects.hub.custom import CustomValues
from customerhub.dialects.hub.entries import Entries, ListEdit
from customerhub.dialects.hub.read import Body, Draft, Proposed, is_same, strangers
from customerhub.model.catalogue import Catalogue, UnitDetails
from customerhub.model.customer import POINTERS, Customer
from customerhub.model.error import Path
from customerhub.model.patch import CustomerPatch, Named

# Any: canonical fields by name, each of its own type; CustomerPatch is built from them.
Fields = dict[str, Any]

_HINTS: Final = get_type_hints(wire.CustomerValues)
NULLABLE: Final = frozenset(
    (*(member for member, hint in _HINTS.items() if type(None) in get_args(hint)), "credit_limit", *READ_ONLY)
)
_LIMIT: Final = tuple(wire.LimitBody.__annotations__)
TERMS: Final = ("payment_term", "shipping_term", "carrier")
_IDS: Final = frozenset((*TERMS, *POINTERS, "service_level", "default_sales_rep", "price_list", "type_group", "parent"))
_CONVERTED: Final = _IDS.union(SETS)
# What must be said along with another value where both are sent, even if it stands already: alone, the other one would
# move it.
_TOGETHER: Final[Mapping[str, str]] = {"service_level": "carrier", "default_sales_rep": "sales_reps", **POINTERS}
_CHECK: Final[TypeAdapter[object]] = TypeAdapter(wire.CustomerValues)
_CHECK_LIMIT: Final[TypeAdapter[object]] = TypeAdapter(wire.LimitPatch)
_CHECK_TERM: Final[TypeAdapter[object]] = TypeAdapter(wire.TermByName)


class Asked(Struct):
    """What a request says the record is to have: `values` by member, what becomes of lists, custom values.

    `custom` stands for all custom values where `is_whole`, otherwise it changes those that it names.
    """

    values: Body
    lists: dict[str, ListEdit]
    custom: object = UNSET
    is_whole: bool = True


class Reading(Struct, frozen=True):
    """What came of a request: a proposal, the places in the record that it names, those in it that are ignored."""

    proposal: Proposed
    named: tuple[Path, ...]
    ignored: tuple[Path, ...]


def to_reading(
    draft: Draft, asked: Asked, shown: Shown, customer: Customer | None, catalogue: Catalogue, mint: Callable[[], UUID]
) -> Reading:
    """The proposal for a record, which is `shown` as it is; for a new one where there is none."""
    fields: Fields = {}
    ids: dict[str, tuple[UUID | None, ...]] = {}
    for member, edit in asked.lists.items():
        current = getattr(customer, member) if customer is not None else ()
        edited = Entries(draft, member, current, catalogue, mint).read(edit)
        fields[member], ids[member] = edited.patch, edited.ids
    if asked.custom is not UNSET:
        custom = CustomValues(draft, ("attributes",), shown.get("attributes", {}), "customer", catalogue)
        read = custom.read_whole if asked.is_whole else custom.read_merged
        fields["attributes"] = read(asked.custom)
    _check_read_only(draft, asked.values, shown)
    _resolve_pointers(draft, asked.values, ids)
    if "credit_limit" in asked.values:
        fields |= _read_limit(draft, asked.values["credit_limit"], shown.get("credit_limit"), catalogue)
    fields |= _read_values(draft, asked.values, shown, set(fields))
    patch = CustomerPatch(**fields)
    proposal = Proposed(patch, draft.found(), sent=draft.sent, places=draft.places)
    return Reading(proposal, tuple(draft.named), tuple(draft.ignored))


def _check_read_only(draft: Draft, values: Body, shown: Shown) -> None:
    """What nobody sets may be sent as it stands."""
    for member in READ_ONLY:
        if member in values and not is_same(member, values[member], shown) and (shown or values[member] is not None):
            reason = "cannot be set, and is another by now" if shown else "is given by the hub: leave it out"
            draft.refuse((member,), "read_only", reason)


def _resolve_pointers(draft: Draft, values: Body, ids: Mapping[str, tuple[UUID | None, ...]]) -> None:
    """Put the id in place of a pointer that names an entry by its place in this request."""
    for member, field in POINTERS.items():
        value = values.get(member)
        if value is None:
            continue
        if draft.is_wrong(field):
            # Which entries there will be cannot be told.
            values.pop(member, None)
        elif isinstance(value, str) and value.startswith("/"):
            found = _find_item(value, field, ids.get(field, ()))
            if found is None:
                told = f"must be an id, or the place of an entry in this request, such as /{field}/0"
                draft.refuse((member,), "pointer", told)
                del values[member]
            else:
                values[member] = str(found)


def _find_item(pointer: str, field: str, ids: tuple[UUID | None, ...]) -> UUID | None:
    """The entry at a place such as `/addresses/0`, in an edit `/addresses/items/0` too; None where there is none."""
    prefix, _, index = pointer.rpartition("/")
    if prefix not in (f"/{field}", f"/{field}/items") or not wire.INDEX.fullmatch(index):
        return None
    return ids[int(index)] if int(index) < len(ids) else None


def _read_values(draft: Draft, values: Body, shown: Shown, moved: set[str]) -> Fields:
    """Those values that differ from what is shown, as canonical fields; `moved` are fields that move anyway."""
    sent = {member: value for member, value in values.items() if member in _HINTS}
    if shown:
        differing = {member: value for member, value in sent.items() if not is_same(member, value, shown)}
        moved = moved | differing.keys()
        differing |= {member: sent[member] for member, other in _TOGETHER.items() if member in sent and other in moved}
    else:
        differing = sent
    fields: Fields = {}
    for member in TERMS:
        if isinstance(term := differing.get(member), dict):
            del differing[member]
            for name in strangers(term, ("name",)):
                draft.note_unknown((member, name))
            if "name" in draft.check(_CHECK_TERM, term, (member,)):
                fields[member] = Named(cast("str", term["name"]))
    checked = draft.check(_CHECK, differing)
    if draft.is_wrong("carrier"):
        # Whose level it is cannot be told without the carrier that was meant.
        checked = {member: value for member, value in checked.items() if member != "service_level"}
    return fields | {
        member: _to_field(draft, member, value) if member in _CONVERTED else value for member, value in checked.items()
    }


def _to_field(draft: Draft, member: str, value: object) -> object:
    if value is None:
        return None
    if member in _IDS:
        return msgspec.convert(value, UUID)
    if member in SETS:
        return _to_set(draft, member, cast("list[str]", value))
    return value


def _to_set(draft: Draft, member: str, texts: list[str]) -> tuple[UUID, ...]:
    """The ids, each once, where it stands first; errors are told by the places in the request."""
    places: dict[UUID, int] = {}
    for place, text in enumerate(texts):
        places.setdefault(UUID(text), place)
    for position, place in enumerate(places.values()):
        if position != place:
            draft.places.setdefault((member, position), (member, place))
    return tuple(places)


def _read_limit(draft: Draft, sent: object, now: Mapping[str, object] | None, catalogue: Catalogue) -> Fields:
    """A limit's amount and unit; each may stay as it is shown, whatever has become of it."""
    if sent is None:
        return {"credit_limit": None, "credit_limit_unit": None}
    path: Path = ("credit_limit",)
    if not isinstance(sent, dict):
        draft.refuse(path, "type", "must be an object with value and unit")
        return {}
    for name in strangers(sent, _LIMIT):
        draft.note_unknown((*path, name))
    differing = [name for name in _LIMIT if now is None or not is_same(name, sent.get(name), now)]
    for name in differing:
        if name not in sent:
            draft.refuse((*path, name), "required", "is required")
    checked = draft.check(_CHECK_LIMIT, {name: sent[name] for name in differing if name in sent}, path)
    if "unit" in checked:
        _check_currency(draft, UUID(cast("str", checked["unit"])), catalogue)
    if draft.is_wrong(*path):
        return {}
    unit = sent.get("unit")
    return {
        "credit_limit": Decimal(cast("str", sent["value"])),
        "credit_limit_unit": UUID(cast("str", unit)) if unit is not None else None,
    }


def _check_currency(draft: Draft, unit: UUID, catalogue: Catalogue) -> None:
    """A limit is money; a unit that there is none of is told with the other references."""
    entry = catalogue.find_live("unit", unit)
    if entry is not None and isinstance(entry.details, UnitDetails) and entry.details.type != "currency":
        draft.refuse(("credit_limit", "unit"), "wrong_type", "must name a unit of type currency")
