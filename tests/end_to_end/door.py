"""One team through one dialect: what a test of every route needs to know of the dialect that a route is of."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import httpx
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.store.access import Team
from customerhub.web.serve import Site
from tests.end_to_end.answers import code_of, fields_of
from tests.end_to_end.recipes import Recipe, Route
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.world import Json

Failure = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Status and code that a dialect has for each failure; `nowhere` has one for each kind of record."""

    malformed: Failure
    invalid: Failure
    header: Failure
    media_type: Failure
    too_large: Failure
    nowhere: tuple[Failure, ...]
    gone: Failure
    stale: Failure
    mismatch: Failure
    needs_tag: Failure


@dataclass(frozen=True)
class Furniture:
    """A team's records; `tags` and `records` by a part of the paths that name them.

    In a path a parameter stands for `shared` if that has it, and for the path's own record if not; `words` are
    parameters that name no record and mean the same to every team.
    """

    records: Mapping[str, str]
    tags: Mapping[str, str]
    shared: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def ids(self, template: str) -> dict[str, str]:
        """What the parameters of a route's path stand for."""
        record = self._of(template, self.records)
        return {"id": record, "uuid": record, **self.shared, **self.words}

    def fill(self, template: str) -> str:
        """A route's path with this team's ids."""
        return template.format_map(self.ids(template))

    def tag(self, template: str) -> str:
        """The ETag of the record that a path names."""
        return self._of(template, self.tags)

    @staticmethod
    def _of(template: str, values: Mapping[str, str]) -> str:
        return next((value for part, value in values.items() if part in template), "")


@asynccontextmanager
async def stranger_to(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client in process that shows no credential by itself."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://hub") as api:
        yield api


class Sent(httpx.Auth):
    """Adds header lines as they are."""

    def __init__(self, *lines: tuple[bytes, bytes]) -> None:
        self.lines = lines

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers = httpx.Headers([*request.headers.raw, *self.lines])
        yield request


@dataclass
class Door(ABC):
    """One team; `api` is a client without a credential, `auth` adds the door's to a request.

    `ends` are the ways in which the credential can be ended, each with the failure that it is told by from then on.
    `signs_all`: public writes show a credential too, and are refused without. `unknown_member`: what a member that
    nobody knows is refused with, None where it is ignored. `reads_as_empty`: broken bodies that count as an empty one.
    `keeps_absence`: a key keeps that there is no such record, as any other refusal. `keyless` methods take no key.
    `tags_what_is_gone`: what can be brought back keeps its tag, and is answered with it.
    """

    hub: Hub
    team: Team
    api: httpx.AsyncClient
    auth: httpx.Auth

    failures: ClassVar[Failures]
    ends: ClassVar[dict[str, Failure]]
    expired: ClassVar[Failure]
    recipes: ClassVar[Mapping[str, Callable[[Any], Awaitable[Recipe]]]]  # Any: each for its own kind of door
    signs_all: ClassVar[bool] = False
    unknown_member: ClassVar[Failure | None] = None
    reads_as_empty: ClassVar[frozenset[str]] = frozenset()
    keeps_absence: ClassVar[bool] = False
    keyless: ClassVar[frozenset[str]] = frozenset()
    tags_what_is_gone: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def open(cls, hub: Hub, site: Site) -> AbstractAsyncContextManager[Self]:
        """A new team with a living credential, in process."""

    @abstractmethod
    async def furnish(self, template: str = "") -> Furniture:
        """New records of every kind that a path can name, or at least of those that this one names."""

    @abstractmethod
    async def another(self, *, requires_precondition: bool = False) -> Self:
        """The same team with another credential, one that has an end."""

    @abstractmethod
    async def end(self, how: str) -> None:
        """End this door's credential in one of `ends`."""

    @abstractmethod
    async def expire(self) -> None:
        """Let this door's credential, made by `another`, come to its end by itself."""

    @abstractmethod
    def strangers(self, *, is_public: bool) -> list[tuple[httpx.Auth, Failure]]:
        """Requests that nobody living could have made, with their refusals; of public routes or of the others."""

    async def cook(self, route: Route) -> Recipe:
        """The route's recipe in this team; KeyError where nobody wrote one."""
        return await self.recipes[str(route)](self)

    def showing(self, auth: httpx.Auth) -> Self:
        """The same door for somebody who shows something else."""
        return replace(self, auth=auth)

    async def send(self, route: Route, path: str, body: Json | None, **headers: str) -> httpx.Response:
        """One request; `if_match`, `idempotency_key`, `customerhub_dry_run` are headers of these names."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.request(route.operation.method, path, json=body, headers=named, auth=self.auth)

    def head(self, method: str, path: str) -> list[str]:
        """The header lines that show the credential for a request without a body."""
        request = httpx.Request(method, f"http://hub{path}")
        before = set(request.headers)
        signed = next(self.auth.sync_auth_flow(request))
        return [f"{name}: {value}" for name, value in signed.headers.items() if name not in before]

    def refuses(self, answer: httpx.Response, path: str) -> bool:
        """Whether a body was refused for its member at a dotted path."""
        return code_of(answer) == self.failures.invalid and path in fields_of(answer)

    def gives_secrets(self, route: Route) -> bool:
        """Whether the answer is shown once, so that a replay of it is refused as gone."""
        return route.operation.is_public

    async def fingerprint(self) -> Fingerprint:
        """What all tables hold."""
        return await take_fingerprint(self.hub)
