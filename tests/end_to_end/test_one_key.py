"""What holds for every write route that takes a key: however many ask with it at the same moment, it is done once."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.end_to_end.answers import changed_tables, code_of, headers_of
from tests.end_to_end.door import Door, stranger_to
from tests.end_to_end.doors import routes_of
from tests.end_to_end.recipes import KEYED, Recipe, Route
from tests.end_to_end.recipes_sinks import CARRIERS
from tests.support.fixtures import SECRET_KEY

MANY = 10
CROWD = 100
updates = pytest.mark.parametrize(
    "route", [route for route in routes_of("augno") if str(route) == "PATCH /v1/sales/customers/{id}"], ids=str
)


# One creation and one update of each dialect.
ONE_EACH = [
    *{
        (route.dialect.name, route.operation.creates): route
        for route in reversed(KEYED)
        if route.operation.body is not None and not route.operation.is_public
    }.values()
]


@pytest.fixture
async def twin_api(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another hub that shares nothing with the first but the database."""
    hub = Hub(Database(database_url), Settings(secret_key=SECRET_KEY))
    hub.carriers = CARRIERS
    async with stranger_to(Site(hub, find_dialects(), limits=Limits())) as api:
        yield api
    await hub.close()


async def ask_at_once(
    route: Route, door: Door, recipe: Recipe, twin_api: httpx.AsyncClient, count: int
) -> list[httpx.Response]:
    """The same request under the same key, half of them through each hub."""
    return await asyncio.gather(
        *(
            api.request(
                route.operation.method,
                recipe.path,
                json=recipe.body,
                headers={"Idempotency-Key": "one"},
                auth=door.auth,
            )
            for api in [door.api, twin_api] * (count // 2)
        )
    )


@pytest.mark.parametrize("route", [route for route in KEYED if not route.operation.is_public], ids=str)
async def test_a_key_is_done_once_whoever_else_asks(route: Route, door: Door, twin_api: httpx.AsyncClient) -> None:
    """Of ten requests over two hubs one is done, and the others get its bytes, or hear that those were shown once.

    Where the record is gone by it, they may also hear just that.
    """
    recipe = await door.cook(route)
    answers = await ask_at_once(route, door, recipe, twin_api, MANY)
    fresh = [answer for answer in answers if "idempotent-replayed" not in answer.headers and answer.is_success]
    assert [answer.status_code for answer in fresh] == [route.operation.status], answers[0].text
    for answer in answers:
        if answer is fresh[0]:
            continue
        if door.gives_secrets(route):
            assert code_of(answer) == door.failures.gone
        elif answer.is_success or not recipe.is_final:
            assert (answer.content, headers_of(answer)) == (fresh[0].content, headers_of(fresh[0]))
        else:
            assert code_of(answer) in door.failures.nowhere


@pytest.mark.parametrize("route", ONE_EACH, ids=str)
async def test_of_two_requests_under_one_key_one_is_done(route: Route, door: Door, twin_api: httpx.AsyncClient) -> None:
    """Asked at the same moment over two hubs, the other one is refused for its key, and nothing of it is done."""
    recipe = await door.cook(route)
    assert recipe.other is not None
    answers = await asyncio.gather(
        *(
            api.request(
                route.operation.method, recipe.path, json=body, headers={"Idempotency-Key": "one"}, auth=door.auth
            )
            for api, body in [(door.api, recipe.body), (twin_api, recipe.other)] * 3
        )
    )
    refused = [code_of(answer) for answer in answers if not answer.is_success]
    assert refused == [door.failures.mismatch] * (len(answers) // 2)
    done = {answer.content for answer in answers if answer.is_success}
    assert len(done) == 1


@updates
async def test_a_hundred_with_one_key_change_the_record_once(
    route: Route, door: Door, twin_api: httpx.AsyncClient
) -> None:
    """Augno: one version, one line of history, and a hundred times the same bytes."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    answers = await ask_at_once(route, door, recipe, twin_api, CROWD)
    after = await door.fingerprint()
    assert {(answer.status_code, answer.content, answer.headers["etag"]) for answer in answers} == {
        (200, answers[0].content, '"2"')
    }
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == ["", *["true"] * (CROWD - 1)]
    # What others look it up by is written anew, since its phone is another.
    looked_up = {"customer_search": 0, "duplicate_key": 0}
    written = {"change": 1, "customer": 0, "feed_waiting": 1, "idempotency_key": 1}
    assert changed_tables(before, after) == written | looked_up
