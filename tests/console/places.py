"""Every page of the console by its route, with something of a team's at each place of its path."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from typing_extensions import override

from customerhub.console.routes import SCREENS, UPLOADS

_HEAD = "/console/{team}"
_PLACE = re.compile(r"\{(\w+)\}")
Things = Mapping[str, object]
"""What stands at a place, by the route up to it: `customers/{id}` is the id of a customer."""

Asked = Mapping[str, tuple[str, ...]]
"""Where a route says too little: all that its pages are asked for by, behind the team, with ids and query."""


@dataclass(frozen=True)
class Route:
    """One way of asking for one page of a team."""

    method: str
    template: str

    @override
    def __str__(self) -> str:
        """For the names of tests and the messages of failures."""
        return f"{self.method} {self.template}"

    @property
    def section(self) -> str:
        """The part of the console: the first segment after the team."""
        return self.template.removeprefix(_HEAD).lstrip("/").split("/")[0]

    @property
    def takes_file(self) -> bool:
        """Whether its form comes with a file."""
        return self.template in UPLOADS

    @property
    def places(self) -> list[str]:
        """The route up to each of its places behind the team's, as in Things."""
        rest = self.template.removeprefix(f"{_HEAD}/")
        return [rest[: place.end()] for place in _PLACE.finditer(rest)] if rest != self.template else []

    def to_path(self, team: str, things: Things) -> str:
        """The address for a team and things; what nobody has said anything about fails the test."""
        path = self.template.replace("{team}", team)
        for place in self.places:
            assert place in things, f"what is at {place!r} of {self}? tests/console/scene.py makes one of each"
            _, _, name = place.rpartition("{")
            path = path.replace("{" + name, str(things[place]), 1)
        return path

    def to_paths(self, team: str, things: Things, asked: Asked) -> list[str]:
        """The addresses under which the page has something to show, with what is asked for."""
        head = _HEAD.replace("{team}", team)
        rest = self.template.removeprefix(f"{_HEAD}/")
        return [f"{head}/{one}" for one in asked.get(rest, ())] or [self.to_path(team, things)]


def list_routes(*methods: str) -> list[Route]:
    """All routes of teams with these methods, in the order of their paths."""
    found: Iterator[Route] = (
        Route(method, template)
        for template, screens in sorted(SCREENS.items())
        for method in sorted(screens)
        if template.startswith(_HEAD)
    )
    return [route for route in found if route.method in methods]
