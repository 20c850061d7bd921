"""What holds for every route of every dialect: without a live credential there is one answer, and it says nothing."""

import httpx
import pytest

from tests.end_to_end.answers import code_of, fields_of
from tests.end_to_end.door import Door, Failure
from tests.end_to_end.doors import door_of, is_guarded
from tests.end_to_end.recipes import ROUTES, Route
from tests.support.world import Json

GUARDED = [route for route in ROUTES if is_guarded(route)]
# A public route that shows a credential is about no team yet, so only the end of all of it closes the route.
ENDS = [
    (route, how)
    for route in GUARDED
    for how in door_of(route).ends
    if not route.operation.is_public or how == [*door_of(route).ends][-1]
]

guarded = pytest.mark.parametrize("route", GUARDED, ids=str)
refusing = pytest.mark.parametrize("route", [route for route in GUARDED if not route.operation.is_public], ids=str)
ended = pytest.mark.parametrize(("route", "how"), ENDS, ids=str)


async def prepare(route: Route, door: Door) -> tuple[str, Json | None]:
    """Path and body with which a live credential gets what the route promises."""
    if route.operation.writes:
        recipe = await door.cook(route)
        return recipe.path, recipe.body
    path = route.operation.path
    return (await door.furnish(path)).fill(path), None


def is_refused(answer: httpx.Response, refusal: Failure) -> bool:
    """Whether it is the one answer for all who have no live credential, whatever else is wrong."""
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    assert fields_of(answer) == []
    return code_of(answer) == refusal


@guarded
async def test_without_a_credential_every_route_refuses(route: Route, door: Door) -> None:
    """Whoever shows none, or one that nobody has, or half of one, is refused; nothing happens."""
    path, body = await prepare(route, door)
    before = await door.fingerprint()
    strangers = door.strangers(is_public=route.operation.is_public)
    assert strangers
    for auth, refusal in strangers:
        for headers in ({}, {"customerhub_dry_run": "true"}, {"idempotency_key": "key"}):
            assert is_refused(await door.showing(auth).send(route, path, body, **headers), refusal)
    assert await door.fingerprint() == before


def living(route: Route) -> Route:
    """A route of the same dialect that only reads, for which a credential must be alive."""
    return next(one for one in ROUTES if one.dialect is route.dialect and one.operation.method == "GET")


@ended
async def test_a_revoked_credential_is_refused_at_the_very_next_request(route: Route, how: str, door: Door) -> None:
    """A credential that has just been used and is then revoked gets one refusal, and does nothing.

    It learns nothing either: not whether a record exists, nor whether its request would have been valid.
    """
    dying = await door.another()
    path, body = await prepare(route, dying)
    reading = living(route)
    assert (await dying.send(reading, reading.operation.path, None)).status_code == 200
    await dying.end(how)
    before = await door.fingerprint()
    await check_all_refused(route, dying, path, body, dying.ends[how])
    assert await door.fingerprint() == before


@refusing
async def test_an_expired_credential_is_refused_at_the_very_next_request(route: Route, door: Door) -> None:
    """A credential that has been used and then expires gets one refusal, and does nothing."""
    dying = await door.another()
    path, body = await prepare(route, dying)
    reading = living(route)
    assert (await dying.send(reading, reading.operation.path, None)).status_code == 200
    await dying.expire()
    before = await door.fingerprint()
    await check_all_refused(route, dying, path, body, dying.expired)
    assert await door.fingerprint() == before


async def check_all_refused(route: Route, door: Door, path: str, body: Json | None, refusal: Failure) -> None:
    """The right request and wrong ones, each refused for its credential and not for what is wrong with it."""
    nowhere = route.operation.path.replace("{", "").replace("}", "")
    wrong = "page=0&sort=up&status=asleep&entity=x&limit=0&email=x&cursor=x&include=x&includes=x&type=x"
    for place in (path, f"{path}?{wrong}", nowhere):
        assert is_refused(await door.send(route, place, body), refusal), place
    if not route.operation.writes:
        return
    guards: list[dict[str, str]] = [{"if_match": '"999"'}, {"customerhub_dry_run": "true"}]
    if not route.operation.is_public:
        guards.append({"if_match": "1"})
    for headers in guards:
        assert is_refused(await door.send(route, path, body, **headers), refusal), headers
    assert is_refused(await door.send(route, path, {"email": 5}, idempotency_key="key"), refusal)
