"""What holds for every write route of every dialect: a dry run answers as the real thing and leaves no trace."""

import json

import pytest

from tests.end_to_end.answers import code_of, fields_of, headers_of
from tests.end_to_end.door import Door
from tests.end_to_end.recipes import WRITES, Route, every_body, every_keyed_write, every_write, without_generated
from tests.end_to_end.recipes_count import CountDoor, to_auth

TOKENS = ("/partners/grant-access-token", "/partners/refresh-user-access-token")


@every_write
async def test_a_dry_run_is_the_real_answer_and_leaves_every_table_as_it_was(route: Route, door: Door) -> None:
    """Tried twice and then done: the same status, headers and body but for ids, numbers, times and the tag.

    After the trials every table has the rows and the checksum that it had, counters and catalogue too.
    """
    recipe = await door.cook(route)
    before = await door.fingerprint()
    tries = [await door.send(route, recipe.path, recipe.body, customerhub_dry_run="true") for _ in range(2)]
    assert await door.fingerprint() == before
    done = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="False")
    assert done.status_code == route.operation.status, done.text
    assert (await door.fingerprint() == before) == recipe.changes_nothing
    for tried in tries:
        assert tried.status_code == done.status_code
        shown, real = without_generated(*(str(headers_of(answer) | {"etag": ""}) for answer in (tried, done)))
        assert shown == real
        assert ("etag" in tried.headers) == ("etag" in done.headers)
        shown, real = without_generated(tried.text, done.text)
        assert shown == real


@every_keyed_write
async def test_a_dry_run_leaves_its_key_free(route: Route, door: Door) -> None:
    """A trial under a key keeps nothing, so that the real request under the same key is done and then replayed."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    tried = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="true", idempotency_key="key")
    assert tried.status_code == route.operation.status
    assert await door.fingerprint() == before
    done = await door.send(route, recipe.path, recipe.body, idempotency_key="key")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (route.operation.status, False)
    after = await door.fingerprint()
    again = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="true", idempotency_key="key")
    assert again.status_code == (410 if door.gives_secrets(route) else route.operation.status)
    assert await door.fingerprint() == after


@every_body
async def test_a_dry_run_of_an_invalid_request_is_its_real_refusal(route: Route, door: Door) -> None:
    """What would be refused is refused alike, but for the request's own id, also under a key, and nothing is kept."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    real = await door.send(route, recipe.path, recipe.wrong)
    assert code_of(real) == door.failures.invalid
    assert fields_of(real) == [recipe.wrong_field]
    for headers in ({}, {"idempotency_key": "key"}):
        tried = await door.send(route, recipe.path, recipe.wrong, customerhub_dry_run="true", **headers)
        assert (tried.status_code, headers_of(tried)) == (real.status_code, headers_of(real))
        shown, told = without_generated(tried.text, real.text)
        assert shown == told
    assert await door.fingerprint() == before


@every_write
async def test_a_dry_run_is_asked_for_by_true_alone_and_heeds_the_tag(route: Route, door: Door) -> None:
    """Any other word is 400, since taking it for no would do what was only to be tried; a stale tag is 412 here too."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    for value in ("maybe", "", "1", "yes", "true, true"):
        answer = await door.send(route, recipe.path, recipe.body, customerhub_dry_run=value)
        assert code_of(answer) == door.failures.header, value
        assert fields_of(answer) == ["Customerhub-Dry-Run"]
    stale = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="TRUE", if_match='"999"')
    assert code_of(stale) == door.failures.stale
    assert await door.fingerprint() == before


@pytest.mark.parametrize("route", [route for route in WRITES if str(route) == "POST /auth/token"], ids=str)
async def test_a_dry_run_of_signing_in_gives_no_key(route: Route, door: Door) -> None:
    """WizCommerce: the key in a trial's answer opens nothing."""
    recipe = await door.cook(route)
    tried = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="true")
    token = json.loads(tried.text)["access_token"]
    answer = await door.api.get("/v1/customers", headers={"X-API-Key": token})
    assert code_of(answer) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("route", [route for route in WRITES if route.operation.path in TOKENS], ids=str)
async def test_a_dry_run_of_taking_tokens_gives_none(route: Route, door: Door) -> None:
    """COUNT: the tokens in a trial's answer open nothing, and those that the client has go on."""
    assert isinstance(door, CountDoor)
    recipe = await door.cook(route)
    tried = await door.send(route, recipe.path, recipe.body, customerhub_dry_run="true")
    token = json.loads(tried.text)["data"]["result"]["accessToken"]
    taken = to_auth(door.credential | {"access_token": token})
    assert code_of(await door.api.get("/partners/customers", auth=taken)) == (401, "invalid_token")
    assert (await door.api.get("/partners/customers", auth=door.auth)).status_code == 200
