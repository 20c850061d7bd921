"""What holds for every route of every dialect: without a live credential there is one answer, and it says nothing."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from customerhub.core import admin
from customerhub.core.access import store_credential
from tests.end_to_end.answers import headers_of
from tests.end_to_end.recipes import RECIPES, ROUTES, Route, furnish, send
from tests.support.world import DIALECT, Json, World

guarded = pytest.mark.parametrize("route", [route for route in ROUTES if not route.operation.is_public], ids=str)

REFUSAL = {"code": "UNAUTHORIZED", "message": "The API key is missing or not valid", "details": []}


async def prepare(route: Route, world: World) -> tuple[str, Json | None]:
    """Path and body with which a live credential gets what the route promises."""
    if route.operation.writes:
        recipe = await RECIPES[str(route)](world)
        return recipe.path, recipe.body
    return (await furnish(world)).fill(route.operation.path), None


def is_refused(answer: httpx.Response) -> bool:
    """Whether it is the one answer for all who have no live credential."""
    expected = {"content-type": "application/json", "cache-control": "no-store"}
    assert {name: headers_of(answer).get(name) for name in expected} == expected
    assert "etag" not in answer.headers
    return (answer.status_code, answer.json()) == (401, REFUSAL)


@guarded
async def test_without_a_key_every_route_gives_the_same_refusal(route: Route, world: World) -> None:
    """No key, an empty, an unknown, a doubled one and one of the wrong header are refused alike; nothing happens."""
    path, body = await prepare(route, world)
    before = await world.fingerprint()
    method, key = route.operation.method, world.api_key.encode()
    async with httpx.AsyncClient(transport=world.api._transport, base_url="http://hub") as stranger:
        for headers in (
            [],
            [(b"X-API-Key", b"")],
            [(b"X-API-Key", b"api_prod_unknown")],
            [(b"X-API-Key", key[:-1])],
            [(b"X-API-Key", key + b"\xe9")],
            [(b"X-API-Key", key), (b"X-API-Key", key)],
            [(b"Authorization", b"Bearer " + key)],
        ):
            answer = await stranger.request(method, path, json=body, headers=headers)
            assert is_refused(answer), headers
    assert await world.fingerprint() == before


async def make_credential(world: World, life: timedelta) -> tuple[UUID, str]:
    """Id and secret of a credential of the team that lives so long."""
    hub = world.hub
    async with hub.database.transaction() as connection:
        credential, secret = await store_credential(
            hub,
            connection,
            admin.operator(world.team.id),
            name="short-lived",
            prefix="api_prod_",
            dialect=DIALECT,
            expires_at=hub.now() + life,
            request_id="test",
        )
    return credential.id, secret


@guarded
async def test_a_revoked_key_is_refused_at_the_very_next_request(route: Route, world: World) -> None:
    """A key that has just been used and is then revoked gets the refusal that an unknown one gets, and does nothing.

    It learns nothing either: not whether a record exists, nor whether its request would have been valid.
    """
    path, body = await prepare(route, world)
    credential, key = await make_credential(world, timedelta(days=1))
    assert (await world.api.get("/v1/customers", headers={"X-API-Key": key})).status_code == 200
    await admin.revoke_credential(world.hub, credential)
    before = await world.fingerprint()
    await check_all_refused(route, world, path, body, key)
    assert await world.fingerprint() == before


@guarded
async def test_an_expired_key_is_refused_at_the_very_next_request(route: Route, world: World) -> None:
    """A key that has been used and then expires gets the refusal that an unknown one gets, and does nothing."""
    path, body = await prepare(route, world)
    _, key = await make_credential(world, timedelta(days=1))
    assert (await world.api.get("/v1/customers", headers={"X-API-Key": key})).status_code == 200
    now = world.hub.now
    world.hub.now = lambda: now() + timedelta(days=1)
    before = await world.fingerprint()
    await check_all_refused(route, world, path, body, key)
    assert await world.fingerprint() == before


async def check_all_refused(route: Route, world: World, path: str, body: Json | None, key: str) -> None:
    """The right request and wrong ones, each refused for its credential and not for what is wrong with it."""
    assert is_refused(await send(world.api, route, path, body, x_api_key=key))
    assert is_refused(
        await send(world.api, route, f"{path}?page=0&sort=up&status=asleep&entity=x", body, x_api_key=key)
    )
    nowhere = route.operation.path.replace("{", "").replace("}", "")
    assert is_refused(await send(world.api, route, nowhere, body, x_api_key=key))
    if route.operation.writes:
        for guards in ({"if_match": '"999"'}, {"if_match": "1"}, {"customerhub_dry_run": "true"}):
            assert is_refused(await send(world.api, route, path, body, x_api_key=key, **guards)), guards
        assert is_refused(await send(world.api, route, path, {"email": 5}, x_api_key=key, idempotency_key="key"))
