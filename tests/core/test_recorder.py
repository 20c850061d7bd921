"""What a process has not written yet: kept in order, bounded, written before its end."""

import asyncio
from datetime import timedelta

import httpx
import pytest
import structlog

from customerhub.core import recorder as module
from customerhub.core.entry import Entry, to_log
from customerhub.core.recorder import MOST_BODY, Recorder
from customerhub.core.request_logs import RequestLog, walk_request_logs
from customerhub.model.answer import Caller
from customerhub.model.base32 import from_base32
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.logs import AT, LATER, count_entries, last_use, locked_log, to_entry
from tests.support.waiting import wait_until
from tests.support.world import World


async def test_entries_wait_for_a_database_that_is_away(
    logged: httpx.AsyncClient, world: World, caller: Caller
) -> None:
    """What could not be written is written in its order once the server is back."""
    url, database = world.hub.database.url, Database("postgresql://127.0.0.1:1/gone", size=1)
    world.hub.recorder._database = database
    ids = [(await logged.get("/fake/missing/1")).headers["request-id"].removeprefix("fk_") for _ in range(3)]
    recorder = world.hub.recorder

    async def has_failed() -> bool:
        return recorder._is_waiting

    await wait_until(has_failed, "the recorder notices")
    database.url = url
    await recorder.flush()
    found = (await walk_request_logs(world.hub, caller, None, 10)).items
    assert [log.id for log in reversed(found)] == [from_base32(text) for text in sorted(ids)]


async def test_only_successes_are_dropped_when_too_many_wait(
    world: World, caller: Caller, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is bounded for what nobody was promised; failures keep their entries, as long as links are promised."""
    monkeypatch.setattr(module, "MOST_SUCCESSES", 5)
    monkeypatch.setattr(module, "MOST_ENTRIES", 8)
    recorder = world.hub.recorder
    async with locked_log(database_url):
        for _ in range(10):
            recorder.record(to_entry(caller))
        promises = [recorder.promises_logs]
        for _ in range(3):
            recorder.record(to_entry(caller, status=404))
        promises.append(recorder.promises_logs)
        for _ in range(20):
            recorder.record(to_entry(caller, status=404))
        assert (len(recorder._entries), recorder._dropped) == (16, 17)
    await recorder.flush()
    assert [*promises, recorder.promises_logs] == [True, False, True]
    found = (await walk_request_logs(world.hub, caller, None, 100)).items
    assert sorted(log.status for log in found) == [200] * 5 + [404] * 11


async def test_closing_writes_what_is_left(database_url: str, world: World, caller: Caller) -> None:
    """A process that is told to stop loses nothing, and takes nothing afterwards."""
    recorder = Recorder(Database(database_url, size=1), Settings(), lambda: LATER)
    assert not recorder.is_running
    recorder.record(to_entry(caller))
    recorder.start()
    for _ in range(250):
        recorder.record(to_entry(caller))
    recorder.note_use(caller, 0)
    await recorder.close()
    assert (recorder.is_running, recorder.promises_logs) == (False, False)
    recorder.record(to_entry(caller))
    await recorder.close()
    assert await count_entries(world.hub, caller) == 250
    assert await last_use(world.hub, caller) == LATER


async def test_closing_does_not_wait_for_ever(
    database_url: str, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that hangs does not keep a process from its end."""
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.1)
    recorder = Recorder(Database(database_url, size=1), Settings(), lambda: LATER)
    recorder.start()
    async with locked_log(database_url):
        recorder.record(to_entry(caller, status=404))
        async with asyncio.timeout(20):
            await recorder.close()


async def test_uses_are_noted_once_a_minute(database_url: str, world: World, caller: Caller) -> None:
    """A busy credential costs one small write a minute."""
    times = iter(LATER + timedelta(seconds=second) for second in range(10))
    recorder = Recorder(Database(database_url, size=1), Settings(), lambda: next(times))
    recorder.start()
    found = []
    for started in (1000.0, 1001.0, 1059.9, 1060.0):
        recorder.note_use(caller, started)
        recorder.record(to_entry(caller))
        await recorder.flush()
        found.append(await last_use(world.hub, caller))
    await recorder.close()
    assert found == [LATER, LATER, LATER, LATER + timedelta(seconds=1)]


async def test_an_entry_stands_once(world: World, caller: Caller) -> None:
    """A batch whose commit was not heard of is written again without a second copy."""
    entry = to_entry(caller)
    for _ in range(2):
        world.hub.recorder.record(entry)
        await world.hub.recorder.flush()
    assert await count_entries(world.hub, caller) == 1


async def test_an_entry_that_cannot_be_stored_holds_up_no_other(world: World, caller: Caller) -> None:
    """What the server refuses for its own sake is left out, and everything around it stands."""
    for status in (200, 99_999, 404):
        world.hub.recorder.record(to_entry(caller, status=status))
    await world.hub.recorder.flush()
    found = (await walk_request_logs(world.hub, caller, None, 10)).items
    assert sorted(log.status for log in found) == [200, 404]


async def test_texts_are_made_fit_to_be_stored(caller: Caller) -> None:
    """No NUL gets into a column, the first of two headers counts, and long ones are cut."""
    headers = [
        (b"user-agent", b"a\0b"),
        (b"user-agent", b"second"),
        (b"fake-version", b"2"),
        (b"referer", b"\xff" * 5000),
    ]
    log = to_log(
        to_entry(
            caller,
            headers=headers,
            path="/a\0",
            query=b"a=%00&b=%FF&c",
            error=("code", "x" * 5000),
            request_body=b"\xff\0{}",
        )
    )
    assert (log.user_agent, log.api_version, log.host, log.path) == ("a\ufffdb", "2", "", "/a\ufffd")
    assert log.query == (("a", "\ufffd"), ("b", "\ufffd"), ("c", ""))
    assert (len(log.referrer or ""), len(log.error_message or "")) == (2000, 2000)
    assert (log.request_body, log.response_body) == ("\ufffd\ufffd{}", None)


async def test_bodies_are_cut_and_bounded(
    world: World, caller: Caller, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """256 KB of each are kept; while too much waits, entries go without theirs."""
    monkeypatch.setattr(module, "MOST_WAITING_BODIES", MOST_BODY + 1)
    recorder = world.hub.recorder
    long = b"x" * (MOST_BODY + 10)
    entries = [to_entry(caller, at=AT + timedelta(seconds=second), request_body=long) for second in range(3)]
    async with locked_log(database_url):
        for entry in entries:
            recorder.record(entry)
    await recorder.flush()
    found = (await walk_request_logs(world.hub, caller, None, 10)).items
    assert [len(log.request_body or "") for log in found] == [0, MOST_BODY, MOST_BODY]
    assert recorder._body_bytes == 0


async def test_a_fault_of_the_recorder_stops_no_request(
    logged: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told to the operator once, and from then on no entry is promised that nobody would write."""
    assert (await logged.get("/fake/missing/1")).json()["log_url"]
    await world.hub.recorder.flush()

    def fail(entry: Entry) -> RequestLog:
        raise RuntimeError

    monkeypatch.setattr(module, "to_log", fail)
    with structlog.testing.capture_logs() as lines:
        assert (await logged.get("/fake/missing/1")).status_code == 404
        await world.hub.recorder.flush()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["recorder ended"]
    answer = await logged.get("/fake/missing/1")
    assert (answer.status_code, "log_url" in answer.json()) == (404, False)


async def test_what_was_dropped_is_told(
    world: World, caller: Caller, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator reads how many entries were dropped, once they are written again."""
    monkeypatch.setattr(module, "MOST_SUCCESSES", 2)
    with structlog.testing.capture_logs() as lines:
        async with locked_log(database_url):
            for _ in range(5):
                world.hub.recorder.record(to_entry(caller))
        await world.hub.recorder.flush()
    assert {line["event"]: line.get("entries") for line in lines} == {"request log entries dropped": 3}
