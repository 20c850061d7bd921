"""Which door belongs to which dialect; a dialect that is not installed is never asked for its own."""

from customerhub.dialects.base import find_dialects
from tests.end_to_end.door import Door
from tests.end_to_end.recipes import ROUTES, Route
from tests.end_to_end.recipes_augno import AugnoDoor
from tests.end_to_end.recipes_count import CountDoor
from tests.end_to_end.recipes_hub import HubDoor
from tests.end_to_end.recipes_wizcommerce import WizCommerceDoor

DOORS: dict[str, type[Door]] = {
    "augno": AugnoDoor,
    "count": CountDoor,
    "hub": HubDoor,
    "wizcommerce": WizCommerceDoor,
}
DIALECTS = frozenset(dialect.name for dialect in find_dialects())


def door_of(route: Route) -> type[Door]:
    """The door of a route's dialect."""
    return DOORS[route.dialect.name]


def routes_of(name: str) -> tuple[Route, ...]:
    """One dialect's routes; none where it is not installed."""
    return tuple(route for route in ROUTES if route.dialect.name == name)


def is_guarded(route: Route) -> bool:
    """Whether the route refuses everybody who shows no living credential."""
    if not route.operation.is_public:
        return True
    return route.operation.writes and DOORS[route.dialect.name].signs_all
