"""What one form of a customer is about: its inputs, what each stands for in the record, and what can be chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import UUID

from customerhub.console.fields import ADDRESS, CONTACT, DEFAULTS, GROUPS, PRIMARY, Field, Group, to_label
from customerhub.console.wording import to_title, to_user_name
from customerhub.model.catalogue import AccountGroupDetails, Catalogue, CatalogueEntry, Entity, UnitDetails
from customerhub.model.catalogue import ServiceLevelDetails as Level
from customerhub.model.error import NotFound, Path
from customerhub.model.nested import pointer_step

Json = dict[str, Any]  # Any: decoded JSON
Options = list[tuple[str, str]]

NEW: Final = "new"
CUSTOM: Final = "attributes"
_CUSTOM_PREFIX: Final = "custom."
_GROUPS: Final[Mapping[str, Group]] = {group.name: group for group in (*GROUPS, DEFAULTS, PRIMARY)}
_LISTS: Final[Mapping[str, tuple[str, tuple[Field, ...], Entity]]] = {
    "address": ("addresses", ADDRESS, "address"),
    "contact": ("contacts", CONTACT, "contact"),
}
_OWN_LISTS: Final = {"address": "addresses", "contact": "contacts"}


@dataclass(frozen=True, slots=True)
class Input:
    """One value in a form: `key` is its name there, `place` its steps in the record, `now` what it is, as JSON."""

    field: Field
    key: str
    label: str
    place: Path
    now: object

    @property
    def pointer(self) -> str:
        """Its place as changes have it."""
        return "".join(f"/{pointer_step(str(step))}" for step in self.place)

    @property
    def is_nullable(self) -> bool:
        """Whether nothing may stand there."""
        return not self.field.is_required


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form: `key` names it in paths.

    `member` is the list that its entry is in, `entry` the entry's id if it has one.
    `has_custom`: custom values stand in it, and new ones may be named.
    """

    key: str
    title: str
    inputs: tuple[Input, ...]
    member: str | None = None
    entry: str | None = None
    has_custom: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it makes an address or a contact that there is not yet."""
        return self.member is not None and self.entry is None

    def find(self, key: str) -> Input | None:
        """The input of this name."""
        return next((one for one in self.inputs if one.key == key), None)


def to_key(name: str) -> str:
    """How a form calls a custom value."""
    return _CUSTOM_PREFIX + quote(name, safe="")


def custom_names(keys: Iterable[str]) -> list[str]:
    """The custom values that the names of a form's fields speak of."""
    return [unquote(key.removeprefix(_CUSTOM_PREFIX)) for key in keys if key.startswith(_CUSTOM_PREFIX)]


def find_entry(body: Json, member: str, entry_id: str | None) -> Json | None:
    """An address or a contact of the canonical form by its id."""
    return next((entry for entry in body[member] if entry["id"] == entry_id), None)


def to_sheet(key: str, body: Json, catalogue: Catalogue, names: Iterable[str] = (), *, is_edited: bool = True) -> Sheet:
    """The form of this key on a record in its canonical form, with custom values of these names too.

    Only what is edited has room for values that there are only definitions of. Raises NotFound where there is no such
    form, or no such address or contact.
    """

    def offered(entity: Entity) -> Iterable[str]:
        return sorted(catalogue.attribute_definitions(entity), key=str.casefold) if is_edited else ()

    if key == CUSTOM:
        return Sheet(key, "Attributes", tuple(_custom(body[CUSTOM], (), offered("customer"), names)), has_custom=True)
    if key in _GROUPS:
        group = _GROUPS[key]
        inputs = (Input(one, one.name, to_label(one.name), (one.name,), body[one.name]) for one in group.fields)
        return Sheet(key, group.title, tuple(inputs))
    kind, _, entry_id = key.partition("-")
    if kind not in _LISTS:
        raise NotFound("form", key)
    member, fields, entity = _LISTS[kind]
    entry: Json | None = {CUSTOM: {}} if entry_id == NEW else find_entry(body, member, entry_id)
    if entry is None:
        raise NotFound(kind, entry_id)
    owner: Path = (member, entry_id)
    blank = {one.name: False if one.kind == "flag" else None for one in fields}
    values = {**blank, **entry}
    inputs = (Input(one, one.name, to_label(one.name), (*owner, one.name), values[one.name]) for one in fields)
    title = f"New {kind}" if entry_id == NEW else to_title(member, entry)
    return Sheet(
        key,
        title,
        (*inputs, *_custom(entry[CUSTOM], owner, offered(entity), names)),
        member,
        None if entry_id == NEW else entry_id,
        has_custom=True,
    )


def _custom(values: Mapping[str, str], owner: Path, offered: Iterable[str], names: Iterable[str]) -> Iterable[Input]:
    """Custom values that are there, that the team has definitions for, and that are named."""
    for name in dict.fromkeys((*values, *offered, *names)):
        yield Input(Field(name), to_key(name), name, (*owner, CUSTOM, name), values.get(name))


def to_options(one: Input, value: object, body: Json, catalogue: Catalogue) -> Options:
    """What can be chosen: what is in use, by name, and what the record and the form have anyway."""
    field, chosen = one.field, {str(own) for own in (one.now, value) if isinstance(own, str)}
    for own in (one.now, value):
        chosen |= set(map(str, own)) if isinstance(own, list) else set()
    if field.kind == "amount":
        chosen = {str(own["unit"]) for own in (one.now, value) if isinstance(own, dict) and own.get("unit")}
    match field.kind:
        case "choice":
            found = [(word, to_words(word)) for word in field.choices]
        case "entry" | "entries" | "amount":
            found = _entry_options(field, chosen, catalogue)
        case "user" | "users":
            found = _user_options(chosen, catalogue)
        case "address" | "contact":
            member = _OWN_LISTS[field.kind]
            found = [(entry["id"], to_title(member, entry)) for entry in body[member]]
        case _:
            return []
    is_optional = field.kind in ("choice", "entry", "user", "address", "contact", "amount") and one.is_nullable
    return [("", "–"), *found] if is_optional else found


def to_words(word: str) -> str:
    """A word of the API for people: `hold_shipment` is `Hold shipment`."""
    return word.replace("_", " ").capitalize()


def _entry_options(field: Field, chosen: set[str], catalogue: Catalogue) -> Options:
    if field.source is None:
        return []
    found = {
        str(entry.id): entry
        for entry in catalogue.entries(field.source)
        if entry.status == "active" and _is_of(entry, field.only)
    }
    for own in chosen - found.keys():
        entry = catalogue.find_entry(field.source, _to_uuid(own))
        if entry is not None:
            found[own] = entry
    named = [(own, _to_entry_name(entry, catalogue)) for own, entry in found.items()]
    return sorted(named, key=lambda pair: (pair[1].casefold(), pair[0]))


def _is_of(entry: CatalogueEntry, only: str | None) -> bool:
    details = entry.details
    return only is None or (isinstance(details, AccountGroupDetails | UnitDetails) and details.type == only)


def _to_entry_name(entry: CatalogueEntry, catalogue: Catalogue) -> str:
    name = entry.name
    if isinstance(entry.details, Level):
        carrier = catalogue.name_of("carrier", entry.details.carrier)
        name = f"{carrier}: {name}" if carrier else name
    return name if entry.status == "active" and entry.deleted_at is None else f"{name} (inactive)"


def _user_options(chosen: set[str], catalogue: Catalogue) -> Options:
    found = [
        (str(user.id), (to_user_name(catalogue, user.id) or "") + ("" if user.status == "active" else " (inactive)"))
        for user in catalogue.users()
        if user.status == "active" or str(user.id) in chosen
    ]
    return sorted(found, key=lambda pair: (pair[1].casefold(), pair[0]))


def _to_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
