"""Erasures while others write, read and log, and erasures that were killed: nothing of the person comes back."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customerhub.core.housekeeping import Housekeeper
from customerhub.core.hub import Hub
from customerhub.core.keys import find_kept, keep_answer
from customerhub.core.request_logs import walk_request_logs
from customerhub.core.settling import SETTLES
from customerhub.model.answer import Answer
from customerhub.model.base32 import to_base32
from customerhub.model.customer import Customer
from customerhub.model.error import Busy, HubError, NotFound
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.request_logs import RequestLog
from tests.cli.support import COMMAND, clean_environment
from tests.core.test_erasure import make, mark
from tests.support.eraser import Eraser, make_eraser
from tests.support.fixtures import SECRET_KEY
from tests.support.logs import locked_log, to_entry
from tests.support.office import key
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World

ROUNDS = sized(4, 60)
SECOND = timedelta(seconds=1)
STATES = "select customer, closed_at < 'infinity', settled_at is not null from erasure where team = $1"
OPEN = "update erasure set closed_at = 'infinity', at = at - interval '2 minutes' where team = $1"


@pytest.fixture
async def eraser(world: World) -> Eraser:
    """Somebody of the team."""
    return await make_eraser(world)


@pytest.fixture
async def second(world: World, database_url: str) -> AsyncIterator[Eraser]:
    """The same on another hub, which shares nothing with the first but the database."""
    hub = Hub(Database(database_url), Settings(secret_key=SECRET_KEY))
    hub.recorder.start()
    yield await make_eraser(world, hub)
    await hub.close()


@asynccontextmanager
async def keeper_at(url: str, when: datetime, **settings: float) -> AsyncIterator[Housekeeper]:
    """A housekeeper of another process, whose clock stands there."""
    database = Database(url, size=1)
    yield Housekeeper(database, Settings.model_validate(settings), lambda: when)
    await database.close()


async def log(eraser: Eraser, at: datetime, word: str) -> None:
    """A request of this time comes to be logged now, with the word wherever one can stand."""
    entry = to_entry(
        eraser.caller,
        at,
        path=f"/fake/things/{word}",
        query=f"q={word}".encode(),
        headers=[(b"referer", word.encode())],
        key=word,
        error=("code", f"says {word}"),
        request_body=word.encode(),
        response_body=word.encode(),
    )
    eraser.hub.recorder.record(entry)
    await eraser.hub.recorder.flush()


async def logged(eraser: Eraser) -> list[RequestLog]:
    """The team's log, the newest first."""
    return list((await walk_request_logs(eraser.hub, eraser.caller, None, 50)).items)


async def test_what_was_asked_before_and_is_logged_after_has_no_values(eraser: Eraser, second: Eraser) -> None:
    """Whatever process had it waiting, and whoever it was about; what is asked afterwards is logged as ever."""
    word, states = mark(), await make(eraser, mark())
    asked = datetime.now(UTC)
    await eraser.erase(states)
    for one in (eraser, second):
        await log(one, asked, word)
    assert await eraser.find(word) == set()
    assert {(entry.path, entry.query, entry.error_code) for entry in await logged(eraser)} == {
        ("/fake/things/{id}", (), "code")
    }
    await log(second, datetime.now(UTC) + SECOND, word)
    newest = (await logged(eraser))[0]
    assert (newest.path, newest.query, newest.request_body) == (f"/fake/things/{word}", (("q", word),), word)


async def test_entries_that_speak_of_the_person_lose_their_values(eraser: Eraser) -> None:
    """By an id in any form or by a value; the others are as they were, and all of them still count."""
    word, states = mark(), await make(eraser, mark())
    at = datetime.now(UTC)
    for text in (str(states.id), f"ac_{to_base32(states.id.int)}", (states.email or "").upper(), word):
        await log(eraser, at, text)
    await eraser.erase(states)
    found = [entry for entry in await logged(eraser) if entry.request_body is not None]
    assert [entry.path for entry in found] == [f"/fake/things/{word}"]
    assert len(await logged(eraser)) == 4
    assert {entry.path for entry in await logged(eraser)} == {
        f"/fake/things/{word}",
        f"/fake/things/{states.id}",
        f"/fake/things/ac_{to_base32(states.id.int)}",
        "/fake/things/{id}",
    }


async def test_an_answer_that_comes_late_is_not_kept(eraser: Eraser) -> None:
    """A key whose request read the record before remembers that it was done; others are kept as ever."""
    states = await make(eraser, mark())
    await eraser.erase(states)
    late, other = key("late"), key("other")
    told = Answer(200, f'{{"id": "{states.id}"}}'.encode())
    async with eraser.hub.database.lease() as connection:
        await keep_answer(eraser.hub, connection, eraser.caller, late, told)
        await keep_answer(eraser.hub, connection, eraser.caller, other, Answer(200, b"{}"))
        kept = await find_kept(eraser.hub, connection, eraser.caller, late)
        assert kept is not None
        assert kept.answer is None
        kept = await find_kept(eraser.hub, connection, eraser.caller, other)
        assert kept is not None
        assert kept.answer == Answer(200, b"{}")


async def test_what_a_killed_process_left_open_is_closed_and_settled(eraser: Eraser, database_url: str) -> None:
    """By whoever keeps house: what came in between by then is found by the ids that outlive the erasure."""
    word, states = mark(), await make(eraser, mark())
    await eraser.erase(states)
    await eraser.execute(OPEN)
    await log(eraser, datetime.now(UTC) + SECOND, word)
    assert await eraser.find(word) == set()
    now = datetime.now(UTC)
    async with keeper_at(database_url, now) as keeper:
        await keeper.sweep()
    assert await eraser.fetch(STATES) == [(states.id, True, False)]
    await log(eraser, now + SECOND, f"{word} {states.id}")
    assert await eraser.find(word) != set()
    async with keeper_at(database_url, now + SETTLES + SECOND) as keeper:
        await keeper.sweep()
    assert await eraser.fetch(STATES) == [(states.id, True, True)]
    assert {entry.request_body for entry in await logged(eraser)} == {None}


async def attempt(work: Any) -> Any:  # Any: a write, and what came of it or its refusal
    """What came of a write among others; only a refusal of ours may."""
    try:
        return await work
    except HubError as error:
        return error


async def test_writers_at_the_same_moment(eraser: Eraser, second: Eraser) -> None:
    """Whatever was written before or is refused after: nothing of it is left, and versions have no gap."""
    for round_ in range(ROUNDS):
        word = mark()
        states = await make(eraser, word)
        writes = [
            attempt(one.update(states, note=f"Note {word} {place}"))
            for place in range(round_ % 4 + 2)
            for one in (eraser, second)
        ]
        writes.insert(round_ % len(writes), attempt((eraser, second)[round_ % 2].erase(states)))
        results = await asyncio.gather(*writes)
        assert {type(one) for one in results} <= {Customer, NotFound, Busy}
        assert await eraser.find(word) == set()
        versions = [entry.version for entry in await eraser.history(states)]
        assert versions == list(range(len(versions), 0, -1))
        assert (await eraser.history(states))[0].action == "erased"


async def test_a_killed_erasure_has_done_nothing(eraser: Eraser, database_url: str) -> None:
    """Killed by -9 in the middle of it, and every table is as it was; the next one does all of it."""
    word = mark()
    states = await make(eraser, word)
    before, rows = await eraser.find(word), await eraser.fingerprint()
    arguments = ("erase", "--team", str(eraser.team), "--customer", str(states.id), "--yes")
    waits = "select count(*) from pg_locks where relation = 'request_log'::regclass and not granted"
    async with locked_log(database_url) as connection:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, "--database-url", database_url, env=clean_environment()
        )

        async def is_waiting() -> bool:
            return bool(await connection.fetchval(waits))

        await wait_until(is_waiting, "the erasure waits for the log", 30)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    idle = "select count(*) = 0 from pg_locks where relation = 'erasure'::regclass and not pid = pg_backend_pid()"

    async def is_over() -> bool:
        return bool((await eraser.fetch(f"{idle} and $1::uuid is not null"))[0][0])

    await wait_until(is_over, "the killed one is gone", 30)
    assert await eraser.find(word) == before
    assert await eraser.fingerprint() == rows
    await eraser.erase(states)
    assert await eraser.find(word) == set()
