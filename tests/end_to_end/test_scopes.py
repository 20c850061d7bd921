"""Credential by route by id: what a credential may not do it is refused before anybody looks whether there is a record.

The matrix is made from the route tables of all dialects whose credentials may do more or less.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import httpx
import pytest

from customerhub.core.access import OPERATOR
from customerhub.dialects.hub import auth
from tests.end_to_end.answers import code_of
from tests.end_to_end.door import Door, Furniture
from tests.end_to_end.doors import routes_of
from tests.end_to_end.recipes import ROUTES, Route, nobodys
from tests.end_to_end.recipes_hub import CUSTOMER, KNOWS_DELETED, HubDoor
from tests.end_to_end.test_isolation import same
from tests.support.world import Json

LIMITED = [route for route in ROUTES if route.operation.permissions]
# One route of each dialect, by which the test finds its door.
FIRST = [*{route.dialect.name: route for route in LIMITED}.values()]
HUB = routes_of("hub")
# What a key of the hub's own API may do, by the scope that it was made with; without any it may do nothing.
SCOPES = {"none": ()} | {scope: auth.SCOPES[: number + 1] for number, scope in enumerate(auth.SCOPES)}
BROKEN = {"surprise": ["nobody", {"knows": "this"}]}
every_dialect = pytest.mark.parametrize("route", FIRST, ids=lambda route: route.dialect.name)
hub_only = pytest.mark.parametrize("route", HUB[:1], ids=lambda route: route.dialect.name)


async def limited(door: Door, scopes: Iterable[str]) -> Door:
    """The same team through a credential that has these scopes and no others."""
    other: Door = await door.another()
    credential = str(other.credential["id"])  # type: ignore[attr-defined] # all that have scopes have it
    async with door.hub.database.lease() as connection:
        await connection.execute(
            "update credential set scopes = $3 where team = $1 and id = $2", door.team.id, UUID(credential), [*scopes]
        )
    return other


def paths_of(route: Route, own: Furniture, foreign: Furniture) -> dict[str, str]:
    """The route's path with the team's own id, with another team's, with nobody's and with what is no id."""
    template = route.operation.path
    ids = own.ids(template)
    fake = {name: value if name in own.words else nobodys(value) for name, value in ids.items()}
    none = {name: value if name in own.words else "x" for name, value in ids.items()}
    named = {"own": ids, "foreign": foreign.ids(template), "nobody's": fake, "no id": none}
    return {name: template.format_map(values) for name, values in named.items()}


async def ask_all(door: Door, route: Route, path: str, body: Json | None) -> list[httpx.Response]:
    """The route as it should be asked, and with a body of nobody's under guards that do not fit."""
    if not route.operation.writes:
        return [await door.send(route, path, None)]
    return [
        await door.send(route, path, body),
        await door.send(route, path, BROKEN, if_match='"1"', customerhub_dry_run="true"),
        await door.send(route, path, BROKEN, idempotency_key="key"),
    ]


def check_alike(told: Mapping[str, list[httpx.Response]], status: int, about: object) -> None:
    """Whatever was asked for, each request was answered so, in the same words."""
    for answers in zip(*told.values(), strict=True):
        seen = [(answer.status_code, answer.text) for answer in answers]
        assert {code for code, _ in seen} == {status}, (about, seen)
        assert all(same(answer, answers[0]) for answer in answers), (about, seen)


@every_dialect
async def test_without_the_permission_every_request_is_refused_alike(
    route: Route, door: Door, other_door: Door
) -> None:
    """403 in the same words for its own id, another team's, nobody's and none, for any body and under any guards.

    Of each route of the dialect, whatever else the credential may do: nothing, or all but what the route needs.
    """
    own, foreign = await door.furnish(), await other_door.furnish()
    routes = [one for one in LIMITED if one.dialect is route.dialect]
    there_are = {one for other in routes for one in other.operation.permissions}
    doors = {scopes: await limited(door, scopes) for scopes in kinds_of_lack(routes, there_are)}
    before = await door.fingerprint()
    for one in routes:
        paths = paths_of(one, own, foreign)
        for scopes in (frozenset[str](), frozenset(there_are - set(one.operation.permissions))):
            told = {place: await ask_all(doors[scopes], one, path, None) for place, path in paths.items()}
            check_alike(told, 403, (str(one), scopes))
    assert await door.fingerprint() == before


def kinds_of_lack(routes: Iterable[Route], there_are: set[str]) -> set[frozenset[str]]:
    """No permission, and all but those of each route."""
    return {frozenset[str](), *(frozenset(there_are - set(route.operation.permissions)) for route in routes)}


@hub_only
async def test_each_scope_opens_its_routes_and_no_others(route: Route, door: Door) -> None:
    """Hub: a key with no scope, with `read`, `write` and so on gets through where the route names one that it has.

    Elsewhere the problem names the scope that is missing, as the challenge does (RFC 6750, 3.1).
    """
    own = await door.furnish()
    doors = {name: await limited(door, scopes) for name, scopes in SCOPES.items()}
    for one in (other for other in HUB if other.dialect is route.dialect):
        (needed,) = one.operation.permissions
        for name, scopes in SCOPES.items():
            if needed in scopes:
                continue
            answer = await doors[name].send(one, own.fill(one.operation.path), None)
            assert code_of(answer) == (403, "forbidden"), (str(one), name)
            assert answer.json()["detail"] == f"The credential lacks the scope {needed}."
            assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'
        recipe = await door.cook(one) if one.operation.writes else None
        path, body = (recipe.path, recipe.body) if recipe else (own.fill(one.operation.path), None)
        tried = {"customerhub_dry_run": "true"} if recipe else {}
        done = await doors[needed].send(one, path, body, **tried)
        # A list may need to be told what is looked for, or be about records of another kind.
        assert done.is_success or (done.status_code in (400, 409) and not recipe), (str(one), done.text)


@hub_only
async def test_no_scope_learns_of_what_it_cannot_have(route: Route, door: Door, other_door: Door) -> None:
    """Hub: another team's record, a deleted one of theirs, nobody's and what is no id get one answer, 404.

    So does the team's own deleted customer on all routes but those that are there for deleted ones. To those who run
    the hub no team is foreign.
    """
    del route
    assert isinstance(door, HubDoor)
    assert isinstance(other_door, HubDoor)
    own, foreign = await door.furnish(), await other_door.furnish()
    gone, theirs = await deleted(door), await deleted(other_door)
    doors = {name: await limited(door, scopes) for name, scopes in SCOPES.items()}
    for one in HUB:
        (needed,) = one.operation.permissions
        template = one.operation.path
        if "{id}" not in template or needed == OPERATOR:
            continue
        body = (await door.cook(one)).body if one.operation.writes else None
        paths = paths_of(one, own, foreign)
        del paths["own"]
        if template.startswith(CUSTOMER):
            paths["foreign and deleted"] = theirs.fill(template)
            if str(one) not in KNOWS_DELETED:
                paths["deleted"] = gone.fill(template)
        before = await door.fingerprint()
        for name in (needed, auth.SCOPES[-1]):
            told = {place: await ask_all(doors[name], one, path, body) for place, path in paths.items()}
            check_alike(told, 404, (str(one), name))
        assert await door.fingerprint() == before


async def deleted(door: HubDoor) -> Furniture:
    """A customer that has been there."""
    found = await door.furnish(CUSTOMER)
    assert (await door.desk.api.delete(found.fill(CUSTOMER))).status_code == 200
    return found
