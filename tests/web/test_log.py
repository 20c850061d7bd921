"""What the log says, and what it never says."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from customerhub.model.answer import Answer
from customerhub.model.error import Unauthenticated
from customerhub.web.limit import Limits
from customerhub.web.log import get_logger, set_up_logging, to_trace
from customerhub.web.operation import Call
from customerhub.web.page import to_page
from customerhub.web.serve import Site
from tests.web.fake import WRITE, FakeDialect, FakeHub, to_client, to_site

Line = dict[str, object]


class Log(io.StringIO):
    """A stream that can be read back line by line."""

    def lines(self) -> list[Line]:
        """Every line as an object, the time and the duration checked and left out."""
        found: list[Line] = [json.loads(line) for line in self.getvalue().splitlines()]
        for line in found:
            assert str(line.pop("timestamp")).endswith("Z")
            assert isinstance(line.pop("ms", 0.5), float)
        return found


@pytest.fixture
def log() -> Iterator[Log]:
    """What is logged as JSON; the libraries' loggers are put back afterwards."""
    root = logging.getLogger()
    handlers = root.handlers
    loggers = {logger: logger.level for logger in (root, *map(logging.getLogger, ("customerhub", "uvicorn.error")))}
    stream = Log()
    set_up_logging("info", "json", stream)
    yield stream
    root.handlers = handlers
    for logger, level in loggers.items():
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


REQUEST_ID = "req_01kdyak3se00000000000aqkff"


async def test_one_line_for_a_request(log: Log) -> None:
    """A request is one line: who, what, how it ended; the route's template instead of the path, and no query."""
    async with to_client(to_site()) as client:
        await client.get("/fake/things/secret-id?email=secret@x.test")
    assert log.lines() == [
        {
            "event": "request",
            "level": "info",
            "request_id": REQUEST_ID,
            "method": "GET",
            "route": "/fake/things/{id}",
            "dialect": "fake",
            "team": "00000000-0000-0000-0000-000000000001",
            "credential": "ERP sync",
            "status": 200,
        }
    ]


async def test_a_refused_credential_is_logged_with_its_cause(log: Log) -> None:
    """Operators see why a client is refused; the credential itself is not there."""
    async with to_client(to_site(), **{"x-key": "secret-key"}) as client:
        await client.get("/fake/things/1")
    assert log.lines() == [
        {
            "event": "request",
            "level": "info",
            "request_id": REQUEST_ID,
            "method": "GET",
            "route": "/fake/things/{id}",
            "dialect": "fake",
            "status": 401,
            "error": "Unauthenticated",
            "cause": "unknown",
        }
    ]


async def test_a_path_that_leads_nowhere_is_not_repeated(log: Log) -> None:
    """What a client writes into a path that is none of ours stays out of the log."""
    async with to_client(to_site()) as client:
        await client.get("/secret/path?secret=1")
    assert log.lines() == [
        {
            "event": "request",
            "level": "info",
            "request_id": REQUEST_ID,
            "method": "GET",
            "route": None,
            "status": 404,
            "error": "NoSuchRoute",
        }
    ]


async def test_a_page_is_logged_by_its_path(log: Log) -> None:
    """Pages have no template and need none."""
    site = Site(FakeHub(), [FakeDialect()], limits=Limits(), pages={"/page": to_page(b"x", "text/plain")})
    async with to_client(site) as client:
        await client.get("/page?secret=1")
    assert [(line["route"], line["status"]) for line in log.lines()] == [("/page", 200)]


async def test_a_fault_is_logged_with_its_places_and_not_its_text(log: Log) -> None:
    """The trace names types and places under the request's name; texts of errors may quote the client's values."""

    async def handler(call: Call) -> Answer:
        try:
            int(call.raw_body)
        except ValueError as error:
            raise LookupError("secret-text") from error
        raise AssertionError

    async with to_client(to_site(replace(WRITE, handler=handler))) as client:
        await client.patch("/fake/things/1", content=b"secret-body")
    fault, request = log.lines()
    assert (fault["event"], fault["level"], fault["request_id"]) == ("fault", "error", REQUEST_ID)
    trace = str(fault["exception"])
    assert trace.index("builtins.ValueError") < trace.index("builtins.LookupError")
    assert "test_log.py" in trace
    assert "int(call.raw_body)" in trace
    assert (request["status"], request["error"]) == (500, "Internal")
    assert '"secret-' not in log.getvalue().replace('LookupError(\\"secret-text\\")', "")
    assert "secret-body" not in log.getvalue()


async def test_nothing_of_a_request_gets_into_the_log(log: Log) -> None:
    """Neither key, path, query, body nor headers are in any line, however the request ends."""

    async def handler(call: Call) -> Answer:
        raise {"a": Unauthenticated("expired"), "b": KeyError(call.raw_body)}[call.query["end"]]

    site = to_site(replace(WRITE, handler=handler))
    async with to_client(site, **{"idempotency-key": "SECRET", "cookie": "SECRET"}) as client:
        for end in ("a", "b", "missing"):
            await client.patch(f"/fake/things/SECRET?end={end}&x=SECRET", content=b'{"password": "SECRET"}')
        await client.patch("/fake/things/SECRET?x=SECRET", headers={"x-key": "SECRET"}, content=b"SECRET")
        await client.request("SECRET", "/SECRET")
    assert [line["status"] for line in log.lines() if line["event"] == "request"] == [401, 500, 500, 401, 404]
    assert "SECRET" not in log.getvalue().replace('"method":"SECRET"', "")


def test_a_careless_line_is_blotted_out(log: Log) -> None:
    """A value under a name that means a secret does not get out."""
    get_logger().info("made", password="hunter2", api_key="k", query="a=1", name="shown")
    assert log.lines() == [
        {
            "event": "made",
            "level": "info",
            "password": "[hidden]",
            "api_key": "[hidden]",
            "query": "[hidden]",
            "name": "shown",
        }
    ]


def test_what_json_does_not_know_is_written_as_text(log: Log) -> None:
    """A value of any type can be logged."""
    get_logger().info("made", value=Limits, at=asyncio.Lock)
    assert [str(line["value"]) for line in log.lines()] == [str(Limits)]


def test_libraries_log_in_the_same_form(log: Log) -> None:
    """Lines of the server and of libraries are JSON too, without the text of their errors."""
    logging.getLogger("uvicorn.error").info("Started on %s", "port 1")
    logging.getLogger("uvicorn.access").info("GET /?secret=1")
    logging.getLogger("library").info("GET https://x.test/?secret=1")
    try:
        raise ValueError("secret")
    except ValueError:
        logging.getLogger("library").exception("failed")
    started, failed = log.lines()
    assert started == {"event": "Started on port 1", "level": "info"}
    assert (failed["event"], failed["level"]) == ("failed", "error")
    assert str(failed["exception"]).endswith("\nbuiltins.ValueError")


def test_the_level_is_a_setting(log: Log) -> None:
    """Below the level nothing is written."""
    set_up_logging("warning", "json", log)
    get_logger().info("quiet")
    get_logger().warning("loud")
    logging.getLogger("uvicorn.error").info("quiet")
    assert [line["event"] for line in log.lines()] == ["loud"]


def test_people_get_text(log: Log) -> None:
    """The format `text` is for reading; `auto` is JSON where the stream is no terminal."""
    stream = Log()
    set_up_logging("info", "text", stream)
    get_logger().info("made", name="x")
    assert stream.getvalue().rstrip().endswith("[info     ] made                           name=x")
    set_up_logging("info", "auto", log)
    get_logger().info("made")
    assert log.lines() == [{"event": "made", "level": "info"}]


@pytest.mark.parametrize(("level", "log_format"), [("loud", "json"), ("INFO", "json"), ("info", "xml")])
def test_settings_that_are_none_are_refused(level: str, log_format: str) -> None:
    """A misspelt setting is not taken for another."""
    with pytest.raises(ValueError, match=r"^log_level is one of debug, info, warning, error, log_format one of "):
        set_up_logging(level, log_format)


def test_a_trace_shows_causes_groups_and_sql_states() -> None:
    """Causes and parts come first; a database's error shows its state, one in code its text, others only their type."""

    class DatabaseError(Exception):
        sqlstate = "23505"

    group = ExceptionGroup("secret", [DatabaseError("secret"), AttributeError("no attribute x")])
    group.__cause__ = KeyError("secret")
    assert to_trace(group).splitlines() == [
        "builtins.KeyError",
        f"{__name__}.{DatabaseError.__qualname__} (SQLSTATE 23505)",
        "builtins.AttributeError: no attribute x",
        "builtins.ExceptionGroup",
    ]
    assert to_trace(None) == ""
