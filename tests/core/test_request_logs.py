"""The request log: every entry that was promised is there, and nobody waits for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from customerhub.core.access import find_caller
from customerhub.core.hub import Hub
from customerhub.core.request_logs import LogFilter, RequestLog, get_request_log, walk_request_logs
from customerhub.model.answer import Caller
from customerhub.model.base32 import from_base32
from customerhub.model.error import NotFound, Unauthenticated
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.request_id import to_request_number
from customerhub.web.serve import Site
from tests.support.fixtures import SECRET_KEY
from tests.support.logs import AT, LATER, Logged, count_entries, last_use, locked_log, to_entry
from tests.support.world import DIALECT, World
from tests.web.fake import to_client


async def test_the_link_of_a_failure_opens_at_once(logged: httpx.AsyncClient, caller: Caller) -> None:
    """A client that follows the link of a failure finds the very request, with all that is known of it."""
    answer = await logged.get(
        "/fake/missing/a%2Fb?x=1&x=%20y", headers={"user-agent": "test/1", "referer": "http://r.test"}
    )
    opened = await logged.get(answer.json()["log_url"])
    found = msgspec.json.decode(opened.content, type=RequestLog)
    assert answer.headers["request-id"].startswith("fk_")
    assert found == RequestLog(
        team=caller.team,
        id=from_base32(answer.headers["request-id"].removeprefix("fk_")) or UUID(int=0),
        at=found.at,
        dialect=DIALECT,
        credential=caller.credential,
        credential_name="test key",
        actor=caller.actor,
        method="GET",
        host="test",
        path="/fake/missing/a%2Fb",
        route="/fake/missing/{id}",
        query=(("x", "1"), ("x", " y")),
        status=404,
        latency_us=found.latency_us,
        api_version=None,
        client_ip="127.0.0.1",
        user_agent="test/1",
        referrer="http://r.test",
        idempotency_key=None,
        error_code="NotFound",
        error_message="no such thing: 1",
        request_body=None,
        response_body=None,
    )
    assert timedelta() <= datetime.now(UTC) - found.at < timedelta(seconds=20)
    assert 0 < found.latency_us < 20_000_000


async def test_the_link_opens_through_another_process(
    logged: httpx.AsyncClient, caller: Caller, database_url: str
) -> None:
    """Whichever process the link leads to, it waits a moment for the one that has the entry."""
    other = Hub(Database(database_url), Settings(secret_key=SECRET_KEY))
    try:
        async with to_client(Site(other, [Logged(caller)], limits=Limits())) as twin:
            for _ in range(20):
                answer = await logged.get("/fake/missing/1")
                assert (await twin.get(answer.json()["log_url"])).status_code == 200
            success = await logged.get("/fake/things/1")
            assert (await twin.get(f"/fake/logs/{success.headers['request-id']}")).status_code == 200
    finally:
        await other.close()


async def test_an_entry_that_never_was_is_not_waited_for(world: World, caller: Caller) -> None:
    """An old id, and one of another team, are not found; the answer does not tell them apart."""
    for log_id in (UUID(int=0), from_base32("01" + "0" * 24)):
        with pytest.raises(NotFound):
            await get_request_log(world.hub, caller, log_id or UUID(int=1))


async def test_a_team_sees_its_own_entries(
    world: World, other_world: World, caller: Caller, logged: httpx.AsyncClient
) -> None:
    """Another team's entry is not found, by id or in the list."""
    stranger = await find_caller(other_world.hub, DIALECT, other_world.api_key)
    answer = await logged.get("/fake/things/1")
    log_id = from_base32(answer.headers["request-id"].removeprefix("fk_")) or UUID(int=0)
    assert (await get_request_log(world.hub, caller, log_id)).id == log_id
    with pytest.raises(NotFound):
        await get_request_log(world.hub, stranger, log_id)
    assert (await walk_request_logs(world.hub, stranger, None, 10)).items == ()


async def test_an_ended_credential_reads_nothing(world: World, caller: Caller) -> None:
    """Reading asks first whether the credential is alive."""
    async with world.hub.database.lease() as connection:
        await connection.execute(
            "update credential set revoked_at = now() where team = $1 and id = $2", caller.team, caller.credential
        )
    with pytest.raises(Unauthenticated):
        await get_request_log(world.hub, caller, UUID(int=0))
    with pytest.raises(Unauthenticated):
        await walk_request_logs(world.hub, caller, None, 1)


async def test_a_log_that_hangs_slows_no_answer(
    logged: httpx.AsyncClient, world: World, caller: Caller, database_url: str
) -> None:
    """With the log's table held by somebody, reads and failures are answered as ever, and stand in the log later."""
    async with locked_log(database_url):
        for _ in range(50):
            # Whoever waited for the table would wait for as long as a statement waits for a lock: five seconds.
            async with asyncio.timeout(4):
                assert (await logged.get("/fake/things/1")).status_code == 200
                assert (await logged.get("/fake/missing/1")).json()["log_url"]
        # The team's other work goes on too: nothing that it needs is held by the recorder.
        async with asyncio.timeout(4):
            await world.create()
    await world.hub.recorder.flush()
    assert await count_entries(world.hub, caller) == 100


async def test_without_the_setting_there_is_no_log(database_url: str, world: World, caller: Caller) -> None:
    """Nothing is kept or promised; when credentials were used is noted all the same."""
    hub = Hub(Database(database_url), Settings(request_logs=False), now=lambda: LATER)
    hub.recorder.start()
    try:
        async with to_client(Site(hub, [Logged(caller)], limits=Limits())) as client:
            answer = await client.get("/fake/missing/1")
        assert "log_url" not in answer.json()
    finally:
        await hub.close()
    assert await count_entries(world.hub, caller) == 0
    assert await last_use(world.hub, caller) == LATER


async def test_a_walk_meets_every_entry_once_both_ways(world: World, caller: Caller) -> None:
    """Newest first, entries of one moment too; the pages back are those of the way there."""
    for number in range(10):
        world.hub.recorder.record(to_entry(caller, AT + timedelta(seconds=number // 4)))
    pages, position = [], None
    while True:
        page = await walk_request_logs(world.hub, caller, position, 3)
        pages.append(page)
        if page.after is None:
            break
        position = page.after
    logs = [log for page in pages for log in page.items]
    assert [len(page.items) for page in pages] == [3, 3, 3, 1]
    assert [(log.at, log.id) for log in logs] == sorted(((log.at, log.id) for log in logs), reverse=True)
    assert len({log.id for log in logs}) == 10
    back = [pages[-1].items]
    position = pages[-1].before
    while position is not None:
        page = await walk_request_logs(world.hub, caller, position, 3)
        back.append(page.items)
        position = page.before
    assert back == [page.items for page in reversed(pages)]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (LogFilter(), "abcde"),
        (LogFilter(methods=("POST", "PATCH")), "bc"),
        (LogFilter(status_codes=(404, 409)), "cd"),
        (LogFilter(methods=("PATCH",), status_codes=(409,)), "c"),
        (LogFilter(methods=()), ""),
        (LogFilter(path="/fake/things/2"), "b"),
        (LogFilter(route="/fake/other"), "e"),
        (LogFilter(since=AT + timedelta(seconds=1), until=AT + timedelta(seconds=3)), "bcd"),
        (LogFilter(since=AT + timedelta(seconds=1, microseconds=1)), "cde"),
        (LogFilter(until=AT - timedelta(microseconds=1)), ""),
        (LogFilter(credential=UUID(int=5)), "d"),
        (LogFilter(text="THINGS/2"), "b"),
        (LogFilter(text="taken"), "c"),
        (LogFilter(text="%"), ""),
    ],
)
async def test_filters_choose_entries(world: World, caller: Caller, which: LogFilter, expected: str) -> None:
    """Each filter alone and together; times are included at both ends."""
    other = Caller(caller.team, UUID(int=5), UUID(int=6), "other", caller.dialect)
    entries = {
        "a": to_entry(caller),
        "b": to_entry(caller, method="POST", path="/fake/things/2"),
        "c": to_entry(caller, method="PATCH", status=409, error=("conflict", "It is taken.")),
        "d": to_entry(other, status=404),
        "e": to_entry(caller, route="/fake/other"),
    }
    names = {}
    for second, (name, entry) in enumerate(entries.items()):
        at = AT + timedelta(seconds=second)
        timed = msgspec.structs.replace(entry, at=at, number=to_request_number(at, uuid4()))
        names[UUID(int=timed.number)] = name
        world.hub.recorder.record(timed)
    found = (await walk_request_logs(world.hub, caller, None, 10, which)).items
    assert "".join(names[log.id] for log in reversed(found)) == expected
