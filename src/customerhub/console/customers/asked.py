"""What a list of customers is asked for, read from its address: a text, filters, an order and a place."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, get_args
from uuid import UUID

import msgspec
from starlette.datastructures import QueryParams

from customerhub.core.browse import ORDERS, BrowseOrder, CustomerFilter, Place, Question
from customerhub.model.catalogue import AccountGroupDetails, Catalogue, Kind
from customerhub.model.customer import Standing, Status

PAGE: Final = 50
_LONGEST: Final = 255
_PAGE_NUMBER: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_ADDRESS: Final = ("city", "state", "postal_code")
# The filter's members: how the address calls them, and what of the record they are about.
_IDS: Final[Mapping[str, str]] = {
    "payment_term": "payment_terms",
    "shipping_term": "shipping_terms",
    "carrier": "carriers",
    "sales_rep": "default_sales_reps",
    "price_group": "price_groups_any",
    "type_group": "type_groups",
}
_DATES: Final[Mapping[str, str]] = {
    "created_from": "created_from",
    "created_to": "created_before",
    "changed_from": "updated_from",
    "changed_to": "updated_before",
}
TITLES: Final[Mapping[str, str]] = {
    "status": "Status",
    "standing": "Standing",
    "payment_term": "Payment term",
    "shipping_term": "Shipping term",
    "carrier": "Carrier",
    "sales_rep": "Default sales rep",
    "price_group": "Price group",
    "type_group": "Type group",
    "city": "City",
    "state": "State",
    "postal_code": "Postal code",
    "created_from": "Created from",
    "created_to": "Created to",
    "changed_from": "Changed from",
    "changed_to": "Changed to",
}
"""Every filter by its name in the address, in the order of the form."""
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {"status": get_args(Status), "standing": get_args(Standing)}
_KINDS: Final[Mapping[str, Kind]] = {
    "payment_term": "payment_term",
    "shipping_term": "shipping_term",
    "carrier": "carrier",
}
_GROUPS: Final[Mapping[str, str]] = {"price_group": "pricing_group", "type_group": "type_group"}
_FIRST_DOWN: Final = ("created_at", "updated_at")
_read_token = msgspec.json.Decoder(tuple[str, str, UUID, bool, bool]).decode


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: `filters` as they stand in it, those that can be understood; `sort` as `-name`.

    `problems` are names of filters that cannot.
    """

    text: str
    filters: Mapping[str, str]
    sort: str | None
    chosen: CustomerFilter
    place: Place | None
    page: int
    problems: tuple[str, ...] = ()

    @property
    def query(self) -> dict[str, str]:
        """What of it the next address holds, but for the place."""
        kept = {**({"q": self.text} if self.text else {}), **self.filters}
        return kept | ({"sort": self.sort} if self.sort else {})

    def to_question(self, default_sort: str | None, *, with_nested: bool) -> Question:
        """The same for the use case; a default order is for lists, not for what a text finds."""
        sort = self.sort or ("" if self.text else default_sort) or ""
        return Question(
            text=self.text,
            filter=self.chosen,
            order=to_order(sort),
            is_descending=sort.startswith("-") or not sort,
            place=self.place if self.place is None or _fits(self.place, sort) else None,
            page=self.page,
            limit=PAGE,
            with_nested=with_nested,
        )


def to_order(sort: str | None) -> BrowseOrder | None:
    """The order that `-name` and the like name."""
    return next((order for order in ORDERS if order == (sort or "").removeprefix("-")), None)


def is_sort(text: str) -> bool:
    """Whether a text names an order."""
    return to_order(text) is not None


def to_next_sort(order: BrowseOrder, sort: str) -> str:
    """What a click on a column asks for: the order, or the other way round where it is the order already."""
    first, other = (f"-{order}", order) if order in _FIRST_DOWN else (order, f"-{order}")
    return other if sort == first else first


def read_asked(query: QueryParams) -> Asked:
    """Read the address of a list; what cannot be understood is left out, and named."""
    reader = _Reader(query)
    chosen = reader.read()
    sort = query.get("sort", "")
    page = query.get("page", "")
    return Asked(
        text=query.get("q", "").strip()[:_LONGEST],
        filters=reader.filters,
        sort=sort if is_sort(sort) else None,
        chosen=chosen,
        place=from_token(query.get("at", "")),
        page=max(1, int(page)) if _PAGE_NUMBER.fullmatch(page) else 1,
        problems=tuple(reader.problems),
    )


@dataclass(slots=True)
class _Reader:
    query: QueryParams
    filters: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def read(self) -> CustomerFilter:
        # Any: each member of the filter has a type of its own.
        found: dict[str, Any] = {}
        address: dict[str, str] = {}
        for name in TITLES:
            text = self.query.get(name, "").strip()[:_LONGEST]
            if not text:
                continue
            value = _read(name, text)
            if value is None:
                self.problems.append(name)
                continue
            self.filters[name] = text
            if name in _ADDRESS:
                address[name] = text
            else:
                found[_IDS.get(name) or _DATES.get(name) or ("standings" if name == "standing" else name)] = value
        return CustomerFilter(**found, address=address or None)  # type: ignore[arg-type] # its keys are those


def _read(name: str, text: str) -> object | None:
    """The value of one filter; None for what cannot be understood."""
    try:
        if name in _WORDS:
            return (text if name == "status" else (text,)) if text in _WORDS[name] else None
        if name in _IDS:
            return (UUID(text),)
        if name in _DATES:
            day = date.fromisoformat(text) + timedelta(days=name.endswith("_to"))
            return datetime.combine(day, time(), UTC)
    except (ValueError, OverflowError):
        return None
    return text


def _fits(place: Place, sort: str) -> bool:
    """Whether a place is one of this order: times stand among times."""
    is_time = to_order(sort) in (None, *_FIRST_DOWN)
    return isinstance(place.key, datetime) == is_time


def to_token(place: Place) -> str:
    """A place as it stands in addresses."""
    kind, key = ("time", place.key.isoformat()) if isinstance(place.key, datetime) else ("text", place.key)
    return base64.urlsafe_b64encode(msgspec.json.encode((kind, key, place.id, place.is_backward, place.takes))).decode(
        "ascii"
    )


def from_token(token: str) -> Place | None:
    """The place of a token; None, which is the beginning, for anything else."""
    try:
        kind, key, customer, is_backward, takes = _read_token(base64.urlsafe_b64decode(token.encode("ascii")))
        at: datetime | str = key if kind == "text" else datetime.fromisoformat(key).astimezone(UTC)
        key.encode()
    except (ValueError, OverflowError, msgspec.DecodeError):
        return None
    if "\0" in key:
        return None
    return Place(at, customer, is_backward, takes)


def to_choices(catalogue: Catalogue, none: str = "Any") -> dict[str, list[tuple[str, str]]]:
    """What each filter that is chosen from a list can be: values and texts, what stands for no choice first."""
    found = {name: [(word, word.replace("_", " ").capitalize()) for word in words] for name, words in _WORDS.items()}
    for name, kind in _KINDS.items():
        found[name] = _in_order((str(entry.id), entry.name) for entry in catalogue.entries(kind))
    for name, group in _GROUPS.items():
        found[name] = _in_order(
            (str(entry.id), entry.name)
            for entry in catalogue.entries("account_group")
            if isinstance(entry.details, AccountGroupDetails) and entry.details.type == group
        )
    found["sales_rep"] = _in_order((str(user.id), user.name or user.email or "") for user in catalogue.users())
    return {name: [("", none), *options] for name, options in found.items()}


def _in_order(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: (pair[1].casefold(), pair[0]))


def to_chips(asked: Asked, choices: Mapping[str, list[tuple[str, str]]]) -> list[tuple[str, str, dict[str, str]]]:
    """Each filter as people read it: its title, its value, and the query without it."""
    return [
        (
            TITLES[name],
            dict(choices[name]).get(value, value) if name in choices else value,
            {key: text for key, text in asked.query.items() if key != name},
        )
        for name, value in asked.filters.items()
    ]
