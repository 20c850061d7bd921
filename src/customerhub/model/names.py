"""What people write in a file where the record has an id: names, email addresses, abbreviations."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from msgspec import Struct

from customerhub.model.catalogue import (
    AccountGroupDetails,
    Catalogue,
    CatalogueEntry,
    Kind,
    PriceListDetails,
    ServiceLevelDetails,
    UnitDetails,
)
from customerhub.model.customer import email_key, name_key

_KINDS: Final[dict[str, Kind]] = {
    "service_level": "service_level",
    "price_list": "price_list",
    "type_group": "account_group",
    "price_groups": "account_group",
    "credit_limit.unit": "unit",
}
_USERS: Final = ("sales_reps", "default_sales_rep")
_NOUNS: Final = {
    "service_level": "service level",
    "price_list": "price list",
    "type_group": "account group of this type",
    "price_groups": "account group of this type",
    "credit_limit.unit": "currency",
    "sales_reps": "sales rep",
    "default_sales_rep": "sales rep",
}


class Unclear(Struct, frozen=True):
    """Why a name leads to no one entry."""

    code: str
    reason: str


class Names:
    """The entries of one catalogue by what people call them; made member by member as they are asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._found: dict[str, dict[str, list[UUID]]] = {}

    def find(self, member: str, text: str, carrier: UUID | None = None) -> UUID | Unclear:
        """The id that a text stands for: itself, or the one entry of this name; `carrier` is whose level is meant."""
        if (own := find_uuid(text)) is not None:
            return own
        if member not in _NOUNS:
            return Unclear("uuid", "must be an id")
        found = self._of(member).get(name_key(text), [])
        if len(found) > 1:
            found = list(self._only_usable(found, carrier))
        if len(found) == 1:
            return found[0]
        noun = _NOUNS[member]
        if found:
            return Unclear("ambiguous", f"is the name of {len(found)} records: give the id of the {noun}")
        return Unclear("unknown_name", f"no such {noun}")

    def _of(self, member: str) -> dict[str, list[UUID]]:
        if member not in self._found:
            names: dict[str, list[UUID]] = {}
            for text, found in self._pairs(member):
                known = names.setdefault(name_key(text), [])
                if found not in known:
                    known.append(found)
            self._found[member] = names
        return self._found[member]

    def _pairs(self, member: str) -> Iterator[tuple[str, UUID]]:
        if member in _USERS:
            for user in self.catalogue.users():
                yield from ((text, user.id) for text in (email_key(user.email), user.name) if text)
            return
        for entry in self.catalogue.entries(_KINDS[member]):
            yield from ((text, entry.id) for text in _names_of(member, entry))

    def _only_usable(self, ids: Iterable[UUID], carrier: UUID | None) -> Iterator[UUID]:
        """Those of several that are active; of service levels those of the carrier."""
        for one in ids:
            level = self.catalogue.find_entry("service_level", one)
            if level is not None and isinstance(level.details, ServiceLevelDetails):
                if level.details.carrier == carrier:
                    yield one
                continue
            user = self.catalogue.find_user(one)
            others = (self.catalogue.find_entry(kind, one) for kind in dict.fromkeys(_KINDS.values()))
            entry = user or next((found for found in others if found is not None), None)
            if entry is None or entry.status == "active":
                yield one


def find_uuid(text: str) -> UUID | None:
    """The id that a text is, in the usual form of 36 characters; None for any other text."""
    if len(text) != 36 or text.count("-") != 4:  # noqa: PLR2004 - RFC 9562, 4
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def _names_of(member: str, entry: CatalogueEntry) -> tuple[str, ...]:
    match entry.details:
        case AccountGroupDetails(type=kind):
            wanted = "type_group" if member == "type_group" else "pricing_group"
            return (entry.name,) if kind == wanted else ()
        case UnitDetails(type=kind, abbreviation=abbreviation):
            return (entry.name, abbreviation) if kind == "currency" else ()
        case ServiceLevelDetails(token=token):
            return (entry.name, token)
        case PriceListDetails():
            return tuple(text for text in (entry.name, entry.reference_id) if text)
    return (entry.name,)
