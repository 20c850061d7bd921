"""The columns of the list: which there are, what stands in them, and which a browser has chosen to keep."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import Struct

from customerhub.console.customers.asked import is_sort
from customerhub.core.browse import BrowseOrder
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.web.browser import is_secure
from customerhub.web.screens import Visit

COOKIE: Final = "customerhub-list"
TONES: Final[Mapping[str, str]] = {"active": "good", "preferred": "good", "hold_shipment": "warn", "hold_all": "bad"}
_YEAR_SECONDS: Final = 365 * 86_400
# Columns, then the order: `name.number.email~-created_at`.
_KEPT: Final = re.compile(r"([a-z_.]{0,400})(?:~(-?[a-z_]{1,20}))?", re.ASCII)


class Column(Struct, frozen=True):
    """One column; `order` is the order of the list that it stands for. `kind` is text, badge or time."""

    key: str
    title: str
    read: Callable[[Customer, Catalogue], object]
    order: BrowseOrder | None = None
    kind: str = "text"
    is_default: bool = False


class Kept(Struct, frozen=True):
    """What a browser keeps: columns beside the name, and an order."""

    columns: tuple[str, ...]
    sort: str | None = None


def _of(field: str) -> Callable[[Customer, Catalogue], object]:
    return lambda customer, _: getattr(customer, field)


def _price_groups(customer: Customer, catalogue: Catalogue) -> str:
    names = (catalogue.name_of("account_group", group) for group in customer.price_groups)
    return ", ".join(name for name in names if name)


def _sales_rep(customer: Customer, catalogue: Catalogue) -> str:
    user = catalogue.find_user(customer.default_sales_rep)
    return (user.name or user.email or "") if user is not None else ""


def _city(customer: Customer, _: Catalogue) -> str:
    """Where it is: the city of its billing address, otherwise of its shipping address, otherwise of any."""
    pointers = (customer.find_address(customer.bill_to), customer.find_address(customer.ship_to))
    return next((one.city for one in (*pointers, *customer.addresses) if one is not None and one.city), "")


COLUMNS: Final = (
    Column("display_name", "Display name", _of("display_name")),
    Column("number", "Number", _of("number"), "number", is_default=True),
    Column("reference_id", "Reference", _of("reference_id")),
    Column("email", "Email", _of("email"), is_default=True),
    Column("phone", "Phone", _of("phone"), is_default=True),
    Column("city", "City", _city),
    Column("status", "Status", _of("status"), kind="badge", is_default=True),
    Column("standing", "Standing", _of("standing"), kind="badge", is_default=True),
    Column("payment_term", "Payment term", lambda one, of: of.name_of("payment_term", one.payment_term)),
    Column("shipping_term", "Shipping term", lambda one, of: of.name_of("shipping_term", one.shipping_term)),
    Column("carrier", "Carrier", lambda one, of: of.name_of("carrier", one.carrier)),
    Column("sales_rep", "Default sales rep", _sales_rep),
    Column("price_list", "Price list", lambda one, of: of.name_of("price_list", one.price_list)),
    Column("price_groups", "Price groups", _price_groups),
    Column("type_group", "Type group", lambda one, of: of.name_of("account_group", one.type_group)),
    Column("created_at", "Created", _of("created_at"), "created_at", "time"),
    Column("updated_at", "Changed", _of("updated_at"), "updated_at", "time", is_default=True),
)
"""All but the name, which is always there and leads to the customer."""
NESTED: Final = frozenset(("city",))
"""What needs all of a record."""
_DEFAULT: Final = tuple(column.key for column in COLUMNS if column.is_default)


def choose(keys: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these keys, in the order in which they stand."""
    wanted = set(keys)
    return tuple(column for column in COLUMNS if column.key in wanted)


def read_kept(visit: Visit) -> Kept:
    """What the browser has kept; as it comes where it has kept nothing, or nothing that we know."""
    for line in visit.headers.getlist("cookie"):
        for name, _, value in (part.partition("=") for part in line.split(";")):
            found = _KEPT.fullmatch(value.strip()) if name.strip() == COOKIE else None
            if found is not None:
                columns = tuple(column.key for column in choose(found[1].split(".")))
                return Kept(columns, found[2] if found[2] and is_sort(found[2]) else None)
    return Kept(_DEFAULT)


def with_kept(visit: Visit, answer: Answer, kept: Kept) -> Answer:
    """The answer that lets the browser keep it, for its pages of the console alone."""
    value = ".".join(kept.columns) + (f"~{kept.sort}" if kept.sort else "")
    secure = "; Secure" if is_secure(visit) else ""
    return answer.with_header(
        "set-cookie", f"{COOKIE}={value}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={_YEAR_SECONDS}{secure}"
    )
