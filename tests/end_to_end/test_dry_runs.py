"""What holds for every write route of every dialect: a dry run answers as the real thing and leaves no trace."""

import json

from tests.end_to_end.answers import code_of, fields_of, headers_of
from tests.end_to_end.recipes import RECIPES, WRITES, Route, every_body, every_write, send, without_generated
from tests.support.world import World


@every_write
async def test_a_dry_run_is_the_real_answer_and_leaves_every_table_as_it_was(route: Route, world: World) -> None:
    """Tried twice and then done: the same status, headers and body but for ids, numbers, times and the tag.

    After the trials every table has the rows and the checksum that it had, counters and catalogue too.
    """
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    tries = [await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="true") for _ in range(2)]
    assert await world.fingerprint() == before
    done = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="False")
    assert done.status_code == route.operation.status, done.text
    assert await world.fingerprint() != before
    for tried in tries:
        assert tried.status_code == done.status_code
        assert headers_of(tried) | {"etag": ""} == headers_of(done) | {"etag": ""}
        assert ("etag" in tried.headers) == ("etag" in done.headers)
        shown, real = without_generated(tried.text, done.text)
        assert shown == real


@every_write
async def test_a_dry_run_leaves_its_key_free(route: Route, world: World) -> None:
    """A trial under a key keeps nothing, so that the real request under the same key is done and then replayed."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    tried = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="true", idempotency_key="key")
    assert tried.status_code == route.operation.status
    assert await world.fingerprint() == before
    done = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (route.operation.status, False)
    after = await world.fingerprint()
    again = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="true", idempotency_key="key")
    assert again.status_code == (410 if route.operation.is_public else route.operation.status)
    assert await world.fingerprint() == after


@every_body
async def test_a_dry_run_of_an_invalid_request_is_its_real_refusal(route: Route, world: World) -> None:
    """What would be refused is refused in the same bytes, also under a key, and nothing is kept."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    real = await send(world.api, route, recipe.path, recipe.wrong)
    assert code_of(real) == (400, "VALIDATION_ERROR")
    assert fields_of(real) == [recipe.wrong_field]
    for headers in ({}, {"idempotency_key": "key"}):
        tried = await send(world.api, route, recipe.path, recipe.wrong, customerhub_dry_run="true", **headers)
        assert (tried.status_code, tried.content, headers_of(tried)) == (400, real.content, headers_of(real))
    assert await world.fingerprint() == before


@every_write
async def test_a_dry_run_is_asked_for_by_true_alone_and_heeds_the_tag(route: Route, world: World) -> None:
    """Any other word is 400, since taking it for no would do what was only to be tried; a stale tag is 412 here too."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    for value in ("maybe", "", "1", "yes", "true, true"):
        answer = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run=value)
        assert code_of(answer) == (400, "VALIDATION_ERROR"), value
        assert fields_of(answer) == ["Customerhub-Dry-Run"]
    stale = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="TRUE", if_match='"999"')
    assert code_of(stale) == (412, "PRECONDITION_FAILED")
    assert await world.fingerprint() == before


async def test_a_dry_run_of_signing_in_gives_no_key(world: World) -> None:
    """The key in a trial's answer opens nothing."""
    recipe = await RECIPES["POST /auth/token"](world)
    route = next(route for route in WRITES if str(route) == "POST /auth/token")
    tried = await send(world.api, route, recipe.path, recipe.body, customerhub_dry_run="true")
    token = json.loads(tried.text)["access_token"]
    answer = await world.api.get("/v1/customers", headers={"X-API-Key": token})
    assert code_of(answer) == (401, "UNAUTHORIZED")
