"""The way in: `/console` leads to the team, or asks which; a team's first page."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from customerhub.console.charts import Chart, Series, to_columns, to_rows, to_series
from customerhub.console.desk import PREFIX, Desk, signed_in, to_url
from customerhub.console.imports.bringing import STATES
from customerhub.console.origins import to_doors
from customerhub.console.shell import to_page
from customerhub.console.wording import Names, to_lines, to_user_name
from customerhub.core.imports.orders import list_imports
from customerhub.core.overview import ACTIVITY_DAYS, DELIVERY_DAYS, Counted, Overview, get_overview
from customerhub.model.answer import Answer
from customerhub.web.browser import find_secret, get_person, to_csrf, to_sign_in
from customerhub.web.render import redirect
from customerhub.web.screens import Screen, Visit

_LATEST: Final = 10
_MOST_PLACES: Final = 4
_OUTCOMES: Final = {
    "delivered": ("Delivered", "good"),
    "waiting": ("Waiting", "warn"),
    "superseded": ("Superseded by a newer one", "s0"),
    "skipped": ("Left out", "s7"),
    "dead": ("Failed for good", "bad"),
}
_STATUSES: Final = {"active": ("Active", "s0"), "inactive": ("Inactive", "s7")}
_STANDINGS: Final = {
    "normal": "Normal",
    "preferred": "Preferred",
    "hold_shipment": "Hold shipment",
    "hold_all": "Hold all",
}


class Happened(Struct, frozen=True):
    """One change as a line of the page: when, what was done to whom, what of it changed, by whom through which door."""

    at: datetime
    action: str
    name: str
    url: str
    what: str
    who: str
    door: str


class Picture(Struct, frozen=True):
    """A chart and how its figures came about."""

    chart: Chart
    counted: Counted


async def choose_team(visit: Visit) -> Answer:
    """`GET /console`: on to the one team there is, or the teams to choose from."""
    person = await get_person(visit)
    if person is None:
        return to_sign_in(visit)
    if len(person.memberships) == 1 and "all" not in visit.query:
        return redirect(to_url(person.memberships[0].team))
    teams = [(one.name, to_url(one.team)) for one in person.memberships]
    return to_page("teams.html", desk=None, csrf=to_csrf(find_secret(visit) or ""), person=person, teams=teams)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}`: the team at a glance; nothing of it for who may not see its customers."""
    if not desk.may("customers:read"):
        return desk.render("start_bare.html")
    overview = await get_overview(desk.hub, desk.caller, _LATEST)
    imports = await list_imports(desk.hub, desk.caller, None, 1)
    figures, today = overview.figures, desk.hub.now().astimezone(UTC).date()
    doors = to_doors(desk)
    customers = figures.customers
    return desk.render(
        "start.html",
        activity=Picture(_to_activity(figures.changes, doors, today), figures.changes),
        customers=Picture(_to_customers(customers), customers),
        deliveries=Picture(_to_deliveries(figures.deliveries, today), figures.deliveries),
        is_counting=any(
            one.is_counting for one in (figures.changes, customers, figures.deliveries, figures.duplicates)
        ),
        total=_sum(customers.numbers.values()),
        sinks=overview.sinks,
        duplicates=figures.duplicates,
        days=ACTIVITY_DAYS,
        delivery_days=DELIVERY_DAYS,
        last_import=next(iter(imports.items), None),
        states=STATES,
        latest=_to_happened(desk, overview, doors),
    )


def _sum(rows: Iterable[Mapping[str, int]]) -> int:
    return sum(sum(row.values()) for row in rows)


def _to_totals(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        for word, number in row.items():
            totals[word] = totals.get(word, 0) + number
    return totals


def _to_days(counted: Counted, today: date, number: int) -> list[tuple[str, Mapping[str, int]]]:
    days = [today - timedelta(days=back) for back in reversed(range(number))]
    return [(f"{day.day} {day:%b}", counted.numbers.get(day.isoformat(), {})) for day in days]


def _to_activity(counted: Counted, doors: Mapping[str, str], today: date) -> Chart:
    lines = _to_days(counted, today, ACTIVITY_DAYS)
    series = to_series(doors, _to_totals(row for _, row in lines))
    title = f"Changes of customers in {ACTIVITY_DAYS} days, by the door that they came through"
    return to_columns("activity", title, "Day", lines, series)


def _to_customers(counted: Counted) -> Chart:
    by_standing: dict[str, dict[str, int]] = {standing: {} for standing in _STANDINGS}
    for status, row in counted.numbers.items():
        for standing, number in row.items():
            by_standing.setdefault(standing, {})[status] = number
    lines = [(_STANDINGS.get(standing, standing), row) for standing, row in by_standing.items()]
    series = _to_known_series(_STATUSES, by_standing.values())
    return to_rows("customers", "Customers by standing and status", "Standing", lines, series)


def _to_deliveries(counted: Counted, today: date) -> Chart:
    lines = _to_days(counted, today, DELIVERY_DAYS)
    series = _to_known_series(_OUTCOMES, (row for _, row in lines))
    return to_columns("deliveries", f"Deliveries to sinks in {DELIVERY_DAYS} days, by outcome", "Day", lines, series)


def _to_known_series(known: Mapping[str, tuple[str, str]], rows: Iterable[Mapping[str, int]]) -> list[Series]:
    totals = _to_totals(rows)
    return [Series(key, title, tone) for key, (title, tone) in known.items() if totals.get(key)]


def _to_happened(desk: Desk, overview: Overview, doors: Mapping[str, str]) -> list[Happened]:
    names = Names(desk.catalogue)
    found: list[Happened] = []
    for event in overview.latest:
        lines = [] if event.action == "created" else to_lines(event.changes, names)
        places = list(dict.fromkeys(line.label for line in lines))
        more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
        found.append(
            Happened(
                event.at,
                event.action.capitalize(),
                overview.names.get(event.subject) or "Erased customer",
                desk.url("customers", event.subject),
                ", ".join(places[:_MOST_PLACES]) + more,
                to_user_name(desk.catalogue, event.actor) or event.actor_name or "somebody unknown",
                doors.get(event.dialect) or event.dialect.replace("_", " ").capitalize(),
            )
        )
    return found


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    PREFIX: {"GET": choose_team},
    f"{PREFIX}/{{team}}": {"GET": signed_in(show)},
}
