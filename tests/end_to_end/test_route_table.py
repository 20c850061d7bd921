"""What holds for every write route of every dialect: a key is done once, and a replay is the same bytes."""

import pytest

from tests.end_to_end.answers import changed_tables, code_of, fields_of, headers_of
from tests.end_to_end.door import Door
from tests.end_to_end.doors import DIALECTS, DOORS, is_guarded, routes_of
from tests.end_to_end.recipes import (
    KEYED,
    WRITES,
    Route,
    every_keyed_body,
    every_keyed_write,
    to_nowhere,
    without_generated,
)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_write_route_has_a_recipe(dialect: str) -> None:
    """A write route that nobody wrote a recipe for fails here, so that no promise below can pass it by."""
    writes = [route for route in routes_of(dialect) if route.operation.writes]
    assert sorted(DOORS[dialect].recipes) == sorted(map(str, writes))
    keyless = [route for route in writes if route.operation.method in DOORS[dialect].keyless]
    assert [str(route) for route in writes if not route.operation.takes_key] == [str(route) for route in keyless]


@every_keyed_write
async def test_a_replay_is_the_same_bytes_and_does_nothing(route: Route, door: Door) -> None:
    """The same request under the same key, bare or quoted, gets the first answer again, marked, and stores nothing."""
    recipe = await door.cook(route)
    first = await door.send(route, recipe.path, recipe.body, idempotency_key="key 1")
    assert first.status_code == route.operation.status, first.text
    assert "idempotent-replayed" not in first.headers
    after = await door.fingerprint()
    for key in ("key 1", '"key 1"'):
        again = await door.send(route, recipe.path, recipe.body, idempotency_key=key)
        if door.gives_secrets(route):
            assert code_of(again) == door.failures.gone
            continue
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert headers_of(again) == headers_of(first)
        assert again.headers["idempotent-replayed"] == "true"
    assert await door.fingerprint() == after


@pytest.mark.parametrize("route", [route for route in WRITES if route not in KEYED], ids=str)
async def test_a_key_without_effect_has_none(route: Route, door: Door) -> None:
    """Where the contract gives keys no effect, a broken one does no harm and a used one brings no answer back."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    done = await door.send(route, recipe.path, recipe.body, idempotency_key="x" * 256)
    assert done.status_code == route.operation.status, done.text
    after = await door.fingerprint()
    assert "idempotency_key" not in changed_tables(before, after)
    again = await door.send(route, recipe.path, recipe.body, idempotency_key="x" * 256)
    assert "idempotent-replayed" not in again.headers
    if recipe.is_final:
        assert code_of(again) in door.failures.nowhere
    assert await door.fingerprint() == after


@every_keyed_write
async def test_a_key_belongs_to_one_request(route: Route, door: Door) -> None:
    """Under a used key another body or another query is refused, and nothing changes."""
    recipe = await door.cook(route)
    first = await door.send(route, recipe.path, recipe.body, idempotency_key="key")
    assert first.status_code == route.operation.status, first.text
    after = await door.fingerprint()
    others = [] if recipe.body is None else [(recipe.path, recipe.other)]
    for path, body in (*others, (f"{recipe.path}?other=1", recipe.body)):
        answer = await door.send(route, path, body, idempotency_key="key")
        assert code_of(answer) == door.failures.mismatch
    assert await door.fingerprint() == after


@every_keyed_body
async def test_a_refusal_is_replayed_too(route: Route, door: Door) -> None:
    """Under a key an invalid request gets the same refusal again, and the right request then needs a key of its own.

    Before somebody has signed in there is no team that could keep a key: there the refusal is made anew.
    """
    recipe = await door.cook(route)
    before = await door.fingerprint()
    first = await door.send(route, recipe.path, recipe.wrong, idempotency_key="key")
    assert code_of(first) == door.failures.invalid
    assert fields_of(first) == [recipe.wrong_field]
    after = await door.fingerprint()
    assert changed_tables(before, after) == ({} if route.operation.is_public else {"idempotency_key": 1})
    again = await door.send(route, recipe.path, recipe.wrong, idempotency_key="key")
    assert (again.status_code, headers_of(again)) == (first.status_code, headers_of(first))
    if route.operation.is_public:
        shown, told = without_generated(again.text, first.text)
        assert shown == told
    else:
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
        mended = await door.send(route, recipe.path, recipe.body, idempotency_key="key")
        assert code_of(mended) == door.failures.mismatch
    assert await door.fingerprint() == after


@every_keyed_write
async def test_a_broken_key_is_refused(route: Route, door: Door) -> None:
    """A key outside its rule is 400, since running without it would run twice what was meant to run once."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    for key in ("", '""', "x" * 256, '"unclosed', "ключ"):
        headers = {b"Idempotency-Key": key.encode()}
        answer = await door.api.request(
            route.operation.method, recipe.path, json=recipe.body, headers=headers, auth=door.auth
        )
        assert code_of(answer) == door.failures.header
        assert fields_of(answer) == ["Idempotency-Key"]
    assert await door.fingerprint() == before


@every_keyed_write
async def test_only_what_is_settled_is_kept(route: Route, door: Door) -> None:
    """Refusals that may come out otherwise next time (401, 412) leave the key free for the real request.

    So does 404, unless the contract calls it settled.
    """
    recipe = await door.cook(route)
    before = await door.fingerprint()
    stale = await door.send(route, recipe.path, recipe.body, idempotency_key="key", if_match='"999"')
    assert stale.status_code == 412
    if is_guarded(route):
        stranger, refusal = door.strangers(is_public=route.operation.is_public)[-1]
        answer = await door.showing(stranger).send(route, recipe.path, recipe.body, idempotency_key="key")
        assert code_of(answer) == refusal
    if "{" in route.operation.path and not door.keeps_absence:
        nowhere = to_nowhere(recipe.path)
        assert (await door.send(route, nowhere, recipe.body, idempotency_key="key")).status_code == 404
    assert await door.fingerprint() == before
    done = await door.send(route, recipe.path, recipe.body, idempotency_key="key")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (route.operation.status, False)


@pytest.mark.parametrize(
    "route", [r for r in KEYED if "{" in r.operation.path and DOORS[r.dialect.name].keeps_absence], ids=str
)
async def test_where_absence_is_settled_it_is_replayed(route: Route, door: Door) -> None:
    """Under a key a request for a record that nobody has gets the same 404 again, and the right one needs another."""
    recipe = await door.cook(route)
    nowhere = to_nowhere(recipe.path)
    before = await door.fingerprint()
    first = await door.send(route, nowhere, recipe.body, idempotency_key="key")
    assert code_of(first) in door.failures.nowhere
    after = await door.fingerprint()
    assert changed_tables(before, after) == {"idempotency_key": 1}
    again = await door.send(route, nowhere, recipe.body, idempotency_key="key")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    mended = await door.send(route, recipe.path, recipe.body, idempotency_key="key")
    assert code_of(mended) == door.failures.mismatch
    assert await door.fingerprint() == after


@every_keyed_write
async def test_a_team_has_its_own_keys(route: Route, door: Door, other_door: Door) -> None:
    """Another team's key of the same name is another key."""
    for team in (door, other_door):
        recipe = await team.cook(route)
        answer = await team.send(route, recipe.path, recipe.body, idempotency_key="shared")
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (route.operation.status, False)
