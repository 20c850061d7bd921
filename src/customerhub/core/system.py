"""What comes with every team and nobody changes: currencies, usual payment terms, roles, priorities, statuses."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID, uuid5

from msgspec import Struct

from customerhub.core.duplicates import fill_duplicates
from customerhub.core.search import fill_search
from customerhub.model.catalogue import (
    NOBODY,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    RoleDetails,
    UnitDetails,
)
from customerhub.model.customer import Priority, Standing
from customerhub.store import catalogue as store
from customerhub.store.db import Connection
from customerhub.store.migrate import migrate

_ANY_TIME: Final = datetime.fromtimestamp(0, UTC)
SystemRole = Literal["admin", "editor", "viewer"]

_READ: Final = ("read",)
_WRITE: Final = ("read", "create", "update", "delete")
# What a business keeps, and what may be done with it.
_BUSINESS: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": _WRITE,
    "account_groups": _WRITE,
    "addresses": _WRITE,
    "payment_terms": _WRITE,
    "shipping_terms": _WRITE,
    "carriers": _WRITE,
    "service_levels": _WRITE,
    "units": _WRITE,
    "priorities": _READ,
    "account_statuses": _READ,
}
# Who may do it, and who did.
_ADMINISTRATION: Final[Mapping[str, tuple[str, ...]]] = {
    "account_users": _WRITE,
    "roles": _READ,
    "api_keys": _WRITE,
    "request_logs": _READ,
    "audit_events": _READ,
}


def _to_permissions(resources: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{resource}:{action}" for resource, actions in resources.items() for action in actions)


PERMISSIONS: Final = _to_permissions({**_BUSINESS, **_ADMINISTRATION})
# Whoever edits a customer has to find its sales reps.
_EDITOR: Final = (*_to_permissions(_BUSINESS), "account_users:read")
ROLES: Final[Mapping[SystemRole, tuple[str, tuple[str, ...]]]] = {
    "admin": ("Admin", PERMISSIONS),
    "editor": ("Editor", _EDITOR),
    "viewer": ("Viewer", tuple(permission for permission in _EDITOR if permission.endswith(":read"))),
}
PAYMENT_TERMS: Final[Mapping[str, str]] = {
    "due_on_receipt": "Due on receipt",
    "net_15": "Net 15",
    "net_30": "Net 30",
    "net_45": "Net 45",
    "net_60": "Net 60",
    "net_90": "Net 90",
}
# The first is the base unit; what the others are worth in it changes by the hour and is nowhere.
CURRENCIES: Final[Mapping[str, tuple[str, str]]] = {
    "usd": ("US Dollar", "$"),
    "eur": ("Euro", "€"),
    "gbp": ("British Pound", "£"),
    "cad": ("Canadian Dollar", "CA$"),
    "aud": ("Australian Dollar", "A$"),
    "nzd": ("New Zealand Dollar", "NZ$"),
    "jpy": ("Japanese Yen", "¥"),
    "cny": ("Chinese Yuan", "CN¥"),
    "inr": ("Indian Rupee", "₹"),
    "chf": ("Swiss Franc", "CHF"),
    "sek": ("Swedish Krona", "SEK"),
    "nok": ("Norwegian Krone", "NOK"),
    "dkk": ("Danish Krone", "DKK"),
    "pln": ("Polish Zloty", "PLN"),
    "mxn": ("Mexican Peso", "MX$"),
    "brl": ("Brazilian Real", "R$"),
    "sgd": ("Singapore Dollar", "S$"),
    "zar": ("South African Rand", "ZAR"),
}
PRIORITIES: Final[Mapping[Priority, str]] = {"low": "Low", "normal": "Normal", "high": "High"}
ACCOUNT_STATUSES: Final[Mapping[Standing, str]] = {
    "normal": "Normal",
    "preferred": "Preferred",
    "hold_shipment": "Hold shipment",
    "hold_all": "Hold all",
}


class Choice(Struct, frozen=True):
    """One of a fixed set, the same in every team but for its id: a priority, or an account status (a standing).

    `created_at` is the team's.
    """

    id: UUID
    code: str
    name: str
    created_at: datetime


@lru_cache(maxsize=10_000)
def to_system_id(team: UUID, key: str) -> UUID:
    """The id of what comes with a team; `key` is the kind and a word, as `unit/usd`, `role/admin`, `priority/high`."""
    return uuid5(team, key)


def list_priorities(catalogue: Catalogue) -> tuple[Choice, ...]:
    """The priorities of a team's customers, the lowest first."""
    return _to_choices(catalogue, "priority", PRIORITIES.items())


def list_account_statuses(catalogue: Catalogue) -> tuple[Choice, ...]:
    """The standings of a team's customers, the freest first."""
    return _to_choices(catalogue, "account_status", ACCOUNT_STATUSES.items())


def get_priority(catalogue: Catalogue, code: Priority) -> Choice:
    """The priority of this code."""
    return _to_choice(catalogue, "priority", code, PRIORITIES[code])


def get_account_status(catalogue: Catalogue, code: Standing) -> Choice:
    """The standing of this code."""
    return _to_choice(catalogue, "account_status", code, ACCOUNT_STATUSES[code])


def _to_choices(catalogue: Catalogue, kind: str, names: Iterable[tuple[str, str]]) -> tuple[Choice, ...]:
    return tuple(_to_choice(catalogue, kind, code, name) for code, name in names)


def _to_choice(catalogue: Catalogue, kind: str, code: str, name: str) -> Choice:
    return Choice(to_system_id(catalogue.team, f"{kind}/{code}"), code, name, catalogue.team_created_at)


def to_role_id(team: UUID, role: SystemRole) -> UUID:
    """The id of one of the roles that every team has."""
    return to_system_id(team, f"role/{role}")


def to_entries(team: UUID, at: datetime) -> tuple[CatalogueEntry, ...]:
    """Every catalogue entry that comes with a team, as it stands when the team is made."""
    return tuple(
        CatalogueEntry(
            id=to_system_id(team, f"{kind}/{key}"),
            kind=kind,
            name=name,
            created_at=at,
            updated_at=at,
            created_by=NOBODY,
            updated_by=NOBODY,
            details=details,
            is_system=True,
        )
        for kind, key, name, details in _rows()
    )


def _rows() -> Iterator[tuple[Kind, str, str, Details]]:
    for key, (name, symbol) in CURRENCIES.items():
        yield "unit", key, name, UnitDetails(type="currency", abbreviation=symbol, is_base_unit=key == "usd")
    for key, name in PAYMENT_TERMS.items():
        yield "payment_term", key, name, NoDetails()
    for role, (name, permissions) in ROLES.items():
        yield "role", role, name, RoleDetails(permissions)


async def furnish_team(connection: Connection, team: UUID, at: datetime) -> int:
    """Give a team what comes with every team, as far as it has nothing of that name; how many entries were new."""
    return await store.insert_system_entries(connection, team, to_entries(team, at), at, NOBODY)


async def list_bare_teams(connection: Connection) -> list[tuple[UUID, str, datetime]]:
    """Id, name and birth of every team that lacks something of it, by name."""
    return await store.list_teams_without_entries(connection, to_entries(NOBODY, _ANY_TIME))


async def bring_up(connection: Connection) -> list[str]:
    """Apply missing migrations and give teams of older versions what came since: system rows, a search, duplicates.

    The names of the migrations. Any number of processes may do it at once, any number of times.
    """
    done = await migrate(connection)
    for team, _, created_at in await list_bare_teams(connection):
        async with connection.transaction():
            if await furnish_team(connection, team, created_at):
                await store.bump_catalogue(connection, team)
    if done:
        await fill_search(connection)
        await fill_duplicates(connection)
    return done
