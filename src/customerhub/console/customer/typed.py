"""What somebody typed into a form of a customer: read by its inputs, compared with the record, made into a patch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from customerhub.console.customer.sheet import CUSTOM, Input, Json, Sheet, custom_names, to_key
from customerhub.console.desk import Desk
from customerhub.core.search import Found, search_customers
from customerhub.model.error import FieldError, Path

SHOWN: Final = "with"
"""The form's field that names what a browser says nothing of where it is empty: boxes, and lists of them."""
MAKE: Final = "make"
"""The form's field that says which pointers are to name a new entry."""
MORE: Final = ("more.name", "more.value")
_POINTERS: Final = {"addresses": ("bill_to", "ship_to"), "contacts": ("primary_contact",)}
_CANDIDATES: Final = 5
_ITEMS: Final = "items"
# An error inside an entry: the list, `items`, the item's place, and what follows.
_INNER: Final = 3


@dataclass(slots=True)
class Typed:
    """`values` are JSON by the inputs' keys, for those that the form had; `errors` are reasons, by keys too.

    `candidates` are customers that may have been meant as the parent. `make` are pointers for a new entry.
    """

    values: dict[str, object] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    candidates: tuple[Found, ...] = ()
    more: tuple[str, str] = ("", "")
    make: tuple[str, ...] = ()

    def edits(self, sheet: Sheet) -> dict[str, object]:
        """Those values that are other than the record's, by key."""
        return {
            key: value
            for key, value in self.values.items()
            if (one := sheet.find(key)) is not None and not is_same(value, one.now)
        }


def named_custom(desk: Desk) -> list[str]:
    """The custom values that the form has, with the one that it names anew."""
    name, value = (desk.form.get(key, "") for key in MORE)
    return [*custom_names(desk.form), *([name] if name and value else [])]


async def read_typed(desk: Desk, sheet: Sheet, names: Mapping[str, str]) -> Typed:
    """What the form has for the inputs of a sheet; `names` are numbers of customers by id, as the form shows them."""
    typed, shown = Typed(), set(desk.values(SHOWN))
    for one in sheet.inputs:
        if one.field.kind == "flag":
            if one.key in shown:
                typed.values[one.key] = one.key in desk.form
        elif one.field.kind in ("entries", "users"):
            if one.key in shown:
                typed.values[one.key] = _in_order(desk.values(one.key), one.now)
        elif one.field.kind == "amount":
            _read_amount(desk, one, typed)
        elif one.key in desk.form:
            typed.values[one.key] = _to_value(one, desk.form[one.key])
            if one.field.kind == "customer":
                await _find_customer(desk, one, typed, names)
    _read_more(desk, sheet, typed)
    typed.make = tuple(one for one in desk.values(MAKE) if one in _POINTERS.get(sheet.member or "", ()))
    return typed


def _to_value(one: Input, text: str) -> object:
    """The text as it is, lines ended by line feeds; nothing where nothing is typed and may stand.

    A custom value may hold an empty text, and keeps it.
    """
    text = _lines(text)
    return None if text == "" and one.is_nullable and one.now != "" else text


def _lines(text: str) -> str:
    """Browsers end lines with two characters, whatever the record has."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _in_order(sent: list[str], now: object) -> list[str]:
    """What stays in the order that it has, then what is new."""
    before = list(map(str, now)) if isinstance(now, list) else []
    return [*(one for one in before if one in sent), *(one for one in dict.fromkeys(sent) if one not in before)]


def _read_amount(desk: Desk, one: Input, typed: Typed) -> None:
    key = f"{one.key}.value"
    if key not in desk.form:
        return
    value, unit = desk.form[key], desk.form.get(f"{one.key}.unit", "")
    if not value:
        typed.values[one.key] = None
    else:
        typed.values[one.key] = {"value": value, **({"unit": unit} if unit else {})}


def _read_more(desk: Desk, sheet: Sheet, typed: Typed) -> None:
    """One more custom value, by its name."""
    if not sheet.has_custom:
        return
    name, value = (desk.form.get(key, "") for key in MORE)
    if value and name:
        typed.values[to_key(name)] = _lines(value)
    elif value or name:
        typed.more = (name, value)
        typed.errors[MORE[0] if value else MORE[1]] = "Both are needed: a name and a value."


async def _find_customer(desk: Desk, one: Input, typed: Typed, names: Mapping[str, str]) -> None:
    """From the number, the id or a part of the name to the customer that is meant."""
    text = typed.values[one.key]
    if not isinstance(text, str):
        return
    known = next((own for own, number in names.items() if number == text), None)
    if known is None:
        try:
            known = str(UUID(text))
        except ValueError:
            found = await search_customers(desk.hub, desk.caller, text, _CANDIDATES)
            known = next((str(other.id) for other in found if other.number == text.strip()), None)
            if known is None:
                typed.candidates = found
                typed.errors[one.key] = "No customer has this number." + (" Is it one of these?" if found else "")
                return
    typed.values[one.key] = known


def is_same(value: object, now: object) -> bool:
    """Whether a value is typed as it stands: a browser cannot tell all ends of lines apart."""
    if isinstance(value, str) and isinstance(now, str):
        return _lines(value) == _lines(now)
    return type(value) is type(now) and value == now


def to_patch(sheet: Sheet, edits: Mapping[str, object], make: Iterable[str] = ()) -> Json:
    """The list-aware patch of the canonical record that these edits ask for, and nothing else."""
    plain: Json = {}
    custom: Json = {}
    for key, value in edits.items():
        one = sheet.find(key)
        if one is not None:
            target = custom if CUSTOM in one.place[:-1] else plain
            target[str(one.place[-1])] = value
    if custom:
        plain[CUSTOM] = {"mode": "merge", _ITEMS: custom}
    if sheet.member is None:
        return plain
    item = plain if sheet.is_new else {"id": sheet.entry, **plain}
    pointers = dict.fromkeys(make, f"/{sheet.member}/{_ITEMS}/0")
    return {sheet.member: {"mode": "merge", _ITEMS: [item]}, **pointers}


def to_removal(sheet: Sheet) -> Json:
    """The patch that takes the sheet's address or contact away."""
    return {str(sheet.member): {"mode": "remove", _ITEMS: [sheet.entry]}}


def sort_errors(sheet: Sheet, errors: Iterable[FieldError]) -> tuple[dict[str, str], list[str]]:
    """Reasons by the keys of inputs, and those that belong to none."""
    by_key: dict[str, str] = {}
    others: list[str] = []
    for error in errors:
        key, reason = _to_key(sheet, error.path), error.reason[:1].upper() + error.reason[1:]
        if key is None:
            others.append(f"{error.dotted()}: {error.reason}" if error.path else reason)
        else:
            by_key[key] = f"{by_key[key]}; {reason}" if key in by_key else reason
    return by_key, others


def _to_key(sheet: Sheet, path: Path) -> str | None:
    if sheet.member is not None and path[:1] == (sheet.member,):
        path = path[_INNER:]
    match path:
        case ("attributes", "items", str(name), *_) | ("attributes", str(name), *_):
            key = to_key(name)
        case (str(name), "unit", *_):
            return f"{name}.unit" if sheet.find(name) else None
        case (str(key), *_):
            pass
        case _:
            return None
    return key if sheet.find(key) else None
