"""Where a person works on one team's pages: who they are there, what they sent, and how a page is answered."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from customerhub.console.shell import to_page
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.sessions import ADMINISTER, Person, Seat, take_seat
from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.model.answer import Answer, Caller, Guards, IdempotencyKey, IfMatch
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import Forbidden, HubError, NotFound, Unauthenticated
from customerhub.web.browser import check_csrf, find_secret, get_person, to_csrf, to_sign_in
from customerhub.web.dialect import Dialect
from customerhub.web.render import redirect
from customerhub.web.screens import Screen, Visit

PREFIX: Final = "/console"
MARK: Final = "once"
"""The field of a form that makes something, by which a form that is sent twice is known."""
_MARK_BYTES: Final = 18


# What stands in the menu: the first segment of the path, its title, what one must be allowed to do.
_MENU: Final = (
    ("", "Overview", None),
    ("customers", "Customers", "customers:read"),
    ("duplicates", "Duplicates", "customers:read"),
    ("imports", "Imports", "customers:read"),
    ("sinks", "Sinks", ADMINISTER),
    ("requests", "Requests", "request_logs:read"),
    ("credentials", "Credentials", ADMINISTER),
    ("users", "Users", ADMINISTER),
    ("settings", "Settings", ADMINISTER),
)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line of the menu."""

    title: str
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of a person who is signed in, on a page of one of their teams."""

    visit: Visit
    person: Person
    seat: Seat

    @property
    def hub(self) -> Hub:
        """The hub."""
        return self.visit.hub

    @property
    def caller(self) -> Caller:
        """Who asks, for use cases; the history shows their name."""
        return self.seat.caller

    @property
    def team(self) -> UUID:
        """Whose pages these are."""
        return self.seat.caller.team

    @property
    def catalogue(self) -> Catalogue:
        """The team's catalogue as the request found it."""
        return self.seat.catalogue

    @property
    def is_admin(self) -> bool:
        """Whether they administer the team."""
        return self.may(ADMINISTER)

    @property
    def form(self) -> Mapping[str, str]:
        """What was sent; the last value of each field."""
        return self.visit.form

    def may(self, permission: str) -> bool:
        """Whether they may do this: `customers:update` and the like, or ADMINISTER."""
        return permission in self.caller.scopes

    def check(self, permission: str) -> None:
        """Raise Forbidden where they may not do this."""
        if not self.may(permission):
            raise Forbidden(permission)

    def menu(self) -> list[MenuItem]:
        """The parts of the console that they may see."""
        steps = self.visit.path.removeprefix(self.url()).split("/")
        here = steps[1] if len(steps) > 1 else ""
        return [
            MenuItem(title, self.url(*filter(None, (segment,))), segment == here)
            for segment, title, permission in _MENU
            if permission is None or self.may(permission)
        ]

    def parameter(self, name: str) -> str:
        """A segment of the path."""
        return self.visit.parameters[name]

    def get_id(self, name: str = "id", kind: str = "record") -> UUID:
        """An id in the path; raises NotFound for what is none."""
        text = self.parameter(name)
        try:
            return UUID(text)
        except ValueError:
            raise NotFound(kind, text) from None

    def values(self, name: str) -> list[str]:
        """All values of a field of the form."""
        return [value for field, value in self.visit.fields if field == name]

    def url(self, /, *segments: object, **query: object) -> str:
        """The address of a page of this team: `url("customers", id, tab="timeline")`; what is None is left out."""
        return to_url(self.team, *segments, **query)

    def command(self, *, version: int | None = None, dry_run: bool = False) -> Command:
        """A write by this person; with a version, only if the record still is at it; once, if the form has a mark."""
        if_match = IfMatch(frozenset((version,))) if version is not None else None
        guards = Guards(if_match, self._find_key() if not dry_run else None, dry_run=dry_run)
        return Command(self.caller, self.visit.request_id, _to_answer, guards)

    def new_mark(self) -> str:
        """A mark for a form that makes something: sent twice as it is, it makes it once."""
        return secrets.token_urlsafe(_MARK_BYTES)

    def _find_key(self) -> IdempotencyKey | None:
        """The key of a form that has a mark; one that was filled in otherwise meanwhile is another wish."""
        if not self.form.get(MARK):
            return None
        sent = msgspec.json.encode((self.visit.path, self.visit.fields))
        digest = hashlib.sha256(sent)
        return IdempotencyKey(digest.hexdigest(), digest.digest())

    def render(self, template: str, status: int = 200, **values: object) -> Answer:
        """A page; templates know `desk`, `csrf` and these values."""
        secret = find_secret(self.visit)
        return to_page(template, status, desk=self, csrf=to_csrf(secret) if secret else "", **values)

    def go(self, /, *segments: object, **query: object) -> Answer:
        """On to another page of this team, by GET."""
        return redirect(self.url(*segments, **query))

    def dialects(self) -> tuple[Dialect, ...]:
        """How systems see the record, by name."""
        return find_dialects()

    def canonical(self) -> Dialect:
        """The dialect whose form is the record itself; raises NotFound where it is not there."""
        found = find_canonical(self.dialects())
        if found is None:
            raise NotFound("dialect", "canonical")
        return found


DeskScreen = Callable[[Desk], Awaitable[Answer]]


def to_url(team: UUID, /, *segments: object, **query: object) -> str:
    """The address of a page of a team."""
    path = "/".join((PREFIX, str(team), *(quote(str(segment), safe="") for segment in segments)))
    asked = [(name, str(value)) for name, value in query.items() if value is not None]
    return f"{path}?{urlencode(asked)}" if asked else path


def _to_answer(error: HubError) -> Answer:
    """Commands of the console have no key, so that no failure is ever kept."""
    raise error


def signed_in(screen: DeskScreen, *, permission: str | None = None) -> Screen:
    """A screen for members of the team in its path.

    Whoever is not signed in is led to do so, and back. Raises Forbidden for a form of somebody else's and for who lacks
    the permission, NotFound for a team that is not theirs.
    """

    async def show(visit: Visit) -> Answer:
        person = await get_person(visit)
        if person is None:
            return to_sign_in(visit)
        if visit.method == "POST":
            check_csrf(visit)
        team = visit.parameters["team"]
        try:
            seat = await take_seat(visit.hub, person, UUID(team))
        except ValueError:
            raise NotFound("team", team) from None
        except Unauthenticated:
            return to_sign_in(visit)
        desk = Desk(visit, person, seat)
        if permission is not None:
            desk.check(permission)
        return await screen(desk)

    return show
