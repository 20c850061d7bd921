"""`/console/{team}/customers`: find customers by a text, filters and an order, with the columns that one likes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from customerhub.console.apis import to_api_title
from customerhub.console.customers.asked import (
    TITLES,
    Asked,
    read_asked,
    to_chips,
    to_choices,
    to_next_sort,
    to_order,
    to_token,
)
from customerhub.console.customers.columns import (
    COLUMNS,
    NESTED,
    TONES,
    Column,
    Kept,
    choose,
    read_kept,
    with_kept,
)
from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.core.browse import MOST_COUNTED, MOST_MATCHES, BrowseOrder, Place, Sight, look
from customerhub.model.answer import Answer
from customerhub.model.customer import Customer
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

LIST: Final = f"{PREFIX}/{{team}}/customers"
_DATES: Final = tuple(name for name in TITLES if name.endswith(("_from", "_to")))
_TEXTS: Final = ("city", "state", "postal_code")
_USUAL: Final = "-updated_at"
_MOST_ASKED: Final = 50


class Cell(Struct, frozen=True):
    """What stands in one column of one customer."""

    column: Column
    text: str = ""
    at: datetime | None = None
    tone: str = "plain"


class Row(Struct, frozen=True):
    """One customer of the list."""

    name: str
    url: str
    cells: tuple[Cell, ...]


class Head(Struct, frozen=True):
    """The head of a column; with `url` it can be sorted by, and `direction` is how it is, as in `aria-sort`."""

    title: str
    url: str | None = None
    direction: str = "none"


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/customers`: 200 with a page of the list."""
    asked, kept = read_asked(desk.visit.query), read_kept(desk.visit)
    columns = choose(kept.columns)
    question = asked.to_question(kept.sort, with_nested=any(column.key in NESTED for column in columns))
    sight = await look(desk.hub, desk.caller, question)
    choices = to_choices(sight.catalogue)
    sort = "" if question.text and question.order is None else asked.sort or kept.sort or _USUAL
    answer = desk.render(
        "customers.html",
        asked=asked,
        sight=sight,
        rows=[_to_row(desk, customer, sight, columns) for customer in sight.customers],
        heads=_to_heads(desk, asked, columns, sort),
        sort=sort,
        columns=COLUMNS,
        shown={column.key for column in columns},
        choices=choices,
        chips=[(title, text, desk.url("customers", **query)) for title, text, query in to_chips(asked, choices)],
        titles=TITLES,
        texts=_TEXTS,
        dates=_DATES,
        problems=[TITLES[name] for name in asked.problems],
        summary=_to_summary(asked, sight),
        before=_to_page(desk, asked, sight.before),
        after=_to_page(desk, asked, sight.after),
        shapes=[(one.name, to_api_title(one)) for one in desk.dialects()],
        own_shape=desk.canonical().name,
        here=urlencode(list(desk.visit.query.multi_items())),
    )
    if asked.sort is not None and asked.sort != kept.sort and not asked.text:
        return with_kept(desk.visit, answer, Kept(kept.columns, asked.sort))
    return answer


async def keep_columns(desk: Desk) -> Answer:
    """`POST /console/{team}/customers/columns`: the browser keeps the columns that are checked; back to the list."""
    columns = choose(desk.values("column"))
    kept = Kept(tuple(column.key for column in columns), read_kept(desk.visit).sort)
    try:
        back = urlencode(parse_qsl(desk.form.get("back", ""), max_num_fields=_MOST_ASKED))
    except ValueError:
        back = ""
    url = desk.url("customers")
    return with_kept(desk.visit, redirect(f"{url}?{back}" if back else url), kept)


def _to_row(desk: Desk, customer: Customer, sight: Sight, columns: Iterable[Column]) -> Row:
    cells = tuple(_to_cell(column, column.read(customer, sight.catalogue)) for column in columns)
    return Row(customer.name, desk.url("customers", customer.id), cells)


def _to_cell(column: Column, value: object) -> Cell:
    if isinstance(value, datetime):
        return Cell(column, at=value)
    text = str(value or "")
    if column.kind == "badge":
        return Cell(column, text.replace("_", " ").capitalize(), tone=TONES.get(text, "plain"))
    return Cell(column, text)


def _to_heads(desk: Desk, asked: Asked, columns: Iterable[Column], sort: str) -> list[Head]:
    def head(title: str, order: BrowseOrder | None) -> Head:
        if order is None:
            return Head(title)
        query = asked.query | {"sort": to_next_sort(order, sort)}
        direction = "none" if to_order(sort) != order else "descending" if sort.startswith("-") else "ascending"
        return Head(title, desk.url("customers", **query), direction)

    return [head("Name", "name"), *(head(column.title, column.order) for column in columns)]


def _to_page(desk: Desk, asked: Asked, place: Place | int | None) -> str | None:
    """The address of another page of the same list."""
    match place:
        case None:
            return None
        case int():
            return desk.url("customers", **asked.query, page=place if place > 1 else None)
    return desk.url("customers", **asked.query, at=to_token(place))


def _to_summary(asked: Asked, sight: Sight) -> str:
    """How many there are, as far as anybody counted."""
    total = sight.total
    if total is None:
        return "Further on in the list."
    some = "1 customer" if total == 1 else f"{total:,} customers"
    if asked.text or asked.chosen.address:
        if asked.text and sight.is_more:
            among = f" of the {MOST_MATCHES:,} that answer best" if asked.filters else " that answer best"
            return f"{some}{among}; more than {MOST_MATCHES:,} have “{asked.text}”."
        if sight.looked is None:
            return f"{some} found."
    if sight.looked is not None:
        return f"{some} among the first {sight.looked:,} of this list; there may be more further on."
    if sight.is_more:
        return f"More than {MOST_COUNTED:,} customers."
    return f"{some}."


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    LIST: {"GET": signed_in(show, permission="customers:read")},
    f"{LIST}/columns": {"POST": signed_in(keep_columns, permission="customers:read")},
}
