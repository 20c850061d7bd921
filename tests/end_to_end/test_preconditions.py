"""What holds for every write route of every dialect: `If-Match` decides, and a demanding credential insists on it."""

import pytest

from tests.end_to_end.answers import code_of, fields_of
from tests.end_to_end.door import Door
from tests.end_to_end.recipes import KEYED, WRITES, Route, every_write

creations = pytest.mark.parametrize("route", [route for route in WRITES if route.operation.creates], ids=str)
changes = pytest.mark.parametrize("route", [route for route in WRITES if not route.operation.creates], ids=str)


@every_write
async def test_a_tag_that_is_not_the_record_s_changes_nothing(route: Route, door: Door) -> None:
    """Another version's tag, a weak tag and a foreign tag are 412, and nothing has changed."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    weak = f"W/{recipe.tag}" if recipe.tag else 'W/"1"'
    for tag in ('"999"', weak, '"0"', '"01"', '"1-gzip"', '"999", W/"1", "abc"'):
        answer = await door.send(route, recipe.path, recipe.body, if_match=tag)
        assert code_of(answer) == door.failures.stale, tag
        assert fields_of(answer) in ([], ["If-Match"])
        assert "etag" not in answer.headers
    assert await door.fingerprint() == before


@every_write
async def test_a_broken_tag_is_refused(route: Route, door: Door) -> None:
    """A header that is no list of tags is 400, since writing without it would write over what it guards."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    for tag in ("1", "", '"1', "W/1", '*, "1"', '"1" "2"', "w/*"):
        answer = await door.send(route, recipe.path, recipe.body, if_match=tag)
        assert code_of(answer) == door.failures.header, tag
        assert fields_of(answer) == ["If-Match"]
    assert await door.fingerprint() == before


@creations
async def test_what_is_not_there_yet_matches_no_tag(route: Route, door: Door) -> None:
    """A creation under any tag, even `*`, is 412 and makes nothing."""
    recipe = await door.cook(route)
    assert recipe.tag is None
    before = await door.fingerprint()
    for tag in ("*", '"1"', '"0"'):
        answer = await door.send(route, recipe.path, recipe.body, if_match=tag)
        assert code_of(answer) == door.failures.stale, tag
    assert await door.fingerprint() == before


@changes
@pytest.mark.parametrize("form", ["{}", '"999", {}', "*"])
async def test_the_record_s_own_tag_lets_the_write_through_once(route: Route, form: str, door: Door) -> None:
    """The tag as read, alone or in a list, is right until the write has been done; after it the same tag is stale.

    Where the record is gone then, so is its tag; where nothing was written it is right again.
    """
    recipe = await door.cook(route)
    assert recipe.tag is not None
    done = await door.send(route, recipe.path, recipe.body, if_match=form.format(recipe.tag))
    assert done.status_code == route.operation.status, done.text
    after = await door.fingerprint()
    late = await door.send(route, recipe.path, recipe.other, if_match=recipe.tag)
    if recipe.changes_nothing:
        assert (late.status_code, late.headers["etag"], done.headers["etag"]) == (200, recipe.tag, recipe.tag)
    elif recipe.is_final:
        assert ("etag" in done.headers) == door.tags_what_is_gone
        assert code_of(late) in door.failures.nowhere
    else:
        if recipe.is_silent:
            assert "etag" not in done.headers
        else:
            assert int(done.headers["etag"].strip('"')) == int(recipe.tag.strip('"')) + 1
        assert code_of(late) == door.failures.stale
    assert await door.fingerprint() == after


@pytest.mark.parametrize("route", [route for route in KEYED if not route.operation.creates], ids=str)
async def test_a_retry_of_a_done_write_replays_though_its_tag_is_stale(route: Route, door: Door) -> None:
    """The key is looked up before the tag: whoever did not hear the answer asks again and hears it."""
    recipe = await door.cook(route)
    assert recipe.tag is not None
    first, again = [
        await door.send(route, recipe.path, recipe.body, if_match=recipe.tag, idempotency_key="key") for _ in range(2)
    ]
    assert (first.status_code, "idempotent-replayed" in first.headers) == (route.operation.status, False)
    if door.gives_secrets(route):
        assert code_of(again) == door.failures.gone
        return
    assert (again.status_code, again.headers["idempotent-replayed"]) == (route.operation.status, "true")
    assert again.content == first.content


@every_write
async def test_a_demanding_credential_writes_only_with_a_tag(route: Route, door: Door) -> None:
    """Marked so, a credential changes records only under `If-Match` (else 428, and nothing changes) but may create.

    A public route knows no credential that could demand anything. What changes many records at once can send no tag,
    and is always refused.
    """
    demanding = await door.another(requires_precondition=True)
    recipe = await demanding.cook(route)
    before = await door.fingerprint()
    if recipe.tag is not None or recipe.changes_untagged:
        for headers in ({}, {"idempotency_key": "key"}, {"customerhub_dry_run": "true"}):
            answer = await demanding.send(route, recipe.path, recipe.body, **headers)
            assert code_of(answer) == door.failures.needs_tag
        assert await door.fingerprint() == before
    else:
        assert route.operation.creates
    if recipe.changes_untagged:
        return
    guards = {"if_match": recipe.tag} if recipe.tag else {}
    done = await demanding.send(route, recipe.path, recipe.body, idempotency_key="key", **guards)
    assert (done.status_code, "idempotent-replayed" in done.headers) == (route.operation.status, False)
