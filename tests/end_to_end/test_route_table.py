"""What holds for every write route of every dialect: a key is done once, and a replay is the same bytes."""

from uuid import uuid4

from tests.end_to_end.answers import changed_tables, code_of, fields_of, headers_of
from tests.end_to_end.recipes import RECIPES, UUID, WRITES, Route, every_body, every_write, send
from tests.support.world import World


def test_every_write_route_has_a_recipe() -> None:
    """A write route that nobody wrote a recipe for fails here, so that no promise below can pass it by."""
    assert sorted(RECIPES) == sorted(map(str, WRITES))
    assert [str(route) for route in WRITES if not route.operation.takes_key] == []


@every_write
async def test_a_replay_is_the_same_bytes_and_does_nothing(route: Route, world: World) -> None:
    """The same request under the same key, bare or quoted, gets the first answer again, marked, and stores nothing."""
    recipe = await RECIPES[str(route)](world)
    first = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key 1")
    assert first.status_code == route.operation.status, first.text
    assert "idempotent-replayed" not in first.headers
    after = await world.fingerprint()
    for key in ("key 1", '"key 1"'):
        again = await send(world.api, route, recipe.path, recipe.body, idempotency_key=key)
        if route.operation.is_public:
            assert code_of(again) == (410, "GONE")
            continue
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert headers_of(again) == headers_of(first)
        assert again.headers["idempotent-replayed"] == "true"
    assert await world.fingerprint() == after


@every_write
async def test_a_key_belongs_to_one_request(route: Route, world: World) -> None:
    """Under a used key another body or another query is refused with 422, and nothing changes."""
    recipe = await RECIPES[str(route)](world)
    first = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key")
    assert first.status_code == route.operation.status, first.text
    after = await world.fingerprint()
    for path, body in ((recipe.path, recipe.other or {"other": 1}), (f"{recipe.path}?other=1", recipe.body)):
        answer = await send(world.api, route, path, body, idempotency_key="key")
        assert code_of(answer) == (422, "UNPROCESSABLE")
    assert await world.fingerprint() == after


@every_body
async def test_a_refusal_is_replayed_too(route: Route, world: World) -> None:
    """Under a key an invalid request gets the same 400 again, and the right request then needs a key of its own.

    Before somebody has signed in there is no team that could keep a key: there the refusal is made anew.
    """
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    first = await send(world.api, route, recipe.path, recipe.wrong, idempotency_key="key")
    assert code_of(first) == (400, "VALIDATION_ERROR")
    assert fields_of(first) == [recipe.wrong_field]
    after = await world.fingerprint()
    assert changed_tables(before, after) == ({} if route.operation.is_public else {"idempotency_key": 1})
    again = await send(world.api, route, recipe.path, recipe.wrong, idempotency_key="key")
    assert (again.status_code, again.content, headers_of(again)) == (400, first.content, headers_of(first))
    if not route.operation.is_public:
        assert again.headers["idempotent-replayed"] == "true"
        mended = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key")
        assert code_of(mended) == (422, "UNPROCESSABLE")
    assert await world.fingerprint() == after


@every_write
async def test_a_broken_key_is_refused(route: Route, world: World) -> None:
    """A key outside its rule is 400, since running without it would run twice what was meant to run once."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    for key in ("", '""', "x" * 256, '"unclosed', "ключ"):
        headers = {b"Idempotency-Key": key.encode()}
        answer = await world.api.request(route.operation.method, recipe.path, json=recipe.body, headers=headers)
        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert fields_of(answer) == ["Idempotency-Key"]
    assert await world.fingerprint() == before


@every_write
async def test_only_what_is_settled_is_kept(route: Route, world: World) -> None:
    """Refusals that may come out otherwise next time (401, 404, 412) leave the key free for the real request."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    stale = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key", if_match='"999"')
    assert stale.status_code == 412
    if not route.operation.is_public:
        stranger = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key", x_api_key="wrong")
        assert stranger.status_code == 401
    if "{" in route.operation.path:
        nowhere = UUID.sub(str(uuid4()), recipe.path)
        assert (await send(world.api, route, nowhere, recipe.body, idempotency_key="key")).status_code == 404
    assert await world.fingerprint() == before
    done = await send(world.api, route, recipe.path, recipe.body, idempotency_key="key")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (route.operation.status, False)


@every_write
async def test_a_team_has_its_own_keys(route: Route, world: World, other_world: World) -> None:
    """Another team's key of the same name is another key."""
    for team in (world, other_world):
        recipe = await RECIPES[str(route)](team)
        answer = await send(team.api, route, recipe.path, recipe.body, idempotency_key="shared")
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (route.operation.status, False)
