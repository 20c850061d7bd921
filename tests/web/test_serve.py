"""What happens to every request, in order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Scope

from customerhub.model.answer import Answer, Guards, IfMatch
from customerhub.model.error import NotFound
from customerhub.settings import Settings
from customerhub.web import serve
from customerhub.web.guards import to_fingerprint
from customerhub.web.limit import Limits
from customerhub.web.operation import Call, Operation
from customerhub.web.page import to_page
from customerhub.web.serve import Site
from tests.web.fake import (
    CALLER,
    READ,
    WRITE,
    FakeDialect,
    FakeHub,
    Messages,
    recording,
    show,
    to_client,
    to_site,
)

REQUEST_ID = "req_01kdyak3se00000000000aqkff"


async def test_an_answer_carries_what_every_answer_carries() -> None:
    """A body goes out with its type and length, the request's name, and a ban on keeping it."""
    async with to_client(to_site()) as client:
        answer = await client.get("/fake/things/a%2Fb?x=1&x=2")
    assert (answer.status_code, answer.json()) == (200, {"path": {"id": "a/b"}, "query": [["x", "1"], ["x", "2"]]})
    assert dict(answer.headers) == {
        "content-type": "application/json",
        "content-length": str(len(answer.content)),
        "request-id": REQUEST_ID,
        "cache-control": "no-store",
    }


async def test_an_empty_answer_has_neither_type_nor_length() -> None:
    """204 goes out bare (RFC 9110, 8.6)."""
    async with to_client(to_site(replace(WRITE, handler=recording([])))) as client:
        answer = await client.patch("/fake/things/1", json={})
    assert (answer.status_code, answer.content) == (204, b"")
    assert dict(answer.headers) == {"request-id": REQUEST_ID, "cache-control": "no-store"}


async def test_what_an_answer_says_itself_is_left_alone() -> None:
    """An answer's own type and caching win."""

    async def handler(call: Call) -> Answer:
        return Answer(200, b"x", (("content-type", "text/csv"), ("cache-control", "no-cache"), ("etag", '"7"')))

    async with to_client(to_site(replace(READ, handler=handler))) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.headers["content-type"], answer.headers["cache-control"], answer.headers["etag"]) == (
        "text/csv",
        "no-cache",
        '"7"',
    )


async def test_head_is_get_without_the_body() -> None:
    """HEAD has GET's headers, its length too."""
    async with to_client(to_site()) as client:
        get, head = await client.get("/fake/things/1"), await client.head("/fake/things/1")
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)


async def test_a_write_arrives_with_its_guards() -> None:
    """The handler is given the caller, the guards, the parameters and the body as sent."""
    calls: list[Call] = []
    headers = {"if-match": '"7"', "idempotency-key": '"k"', "customerhub-dry-run": "true"}
    async with to_client(to_site(replace(WRITE, handler=recording(calls))), **headers) as client:
        await client.patch("/fake/things/1?b=2&a=1", content=b'{"a": 1}')
    [call] = calls
    assert call.caller == CALLER
    assert call.json_object() == {"a": 1}
    assert (call.path, call.query.multi_items(), call.client_address) == (
        {"id": "1"},
        [("b", "2"), ("a", "1")],
        "127.0.0.1",
    )
    guards = call.command.guards
    assert (guards.if_match, guards.dry_run) == (IfMatch(frozenset([7])), True)
    assert guards.key is not None
    assert (guards.key.key, guards.key.fingerprint) == (
        "k",
        to_fingerprint("PATCH", "/fake/things/1", "a=1&b=2", b'{"a": 1}'),
    )
    assert json.loads(call.command.to_answer(NotFound("thing", "1")).body)["code"] == "NotFound"
    assert call.command.request_id == REQUEST_ID


async def test_a_read_takes_no_guards() -> None:
    """A broken guard is no reason to refuse a read."""
    calls: list[Call] = []
    async with to_client(to_site(replace(READ, handler=recording(calls))), **{"if-match": "broken"}) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.status_code, calls[0].command.guards) == (204, Guards())


async def test_the_dialect_sees_the_whole_request_before_it_knows_the_caller() -> None:
    """A dialect that checks signatures is given path, query, headers and body."""
    dialect = FakeDialect((WRITE,))
    async with to_client(Site(FakeHub(), [dialect], limits=Limits())) as client:
        await client.patch("/fake/things/%41?x=%31", content=b"{}")
    [incoming] = dialect.seen
    assert (incoming.method, incoming.path, incoming.raw_query, incoming.body, incoming.headers["x-key"]) == (
        "PATCH",
        "/fake/things/A",
        "x=%31",
        b"{}",
        "good",
    )


async def test_a_public_route_asks_nobody() -> None:
    """A public route is served without a credential, to a caller who is nobody."""
    calls: list[Call] = []
    dialect = FakeDialect((replace(WRITE, handler=recording(calls), is_public=True),))
    async with to_client(Site(FakeHub(), [dialect], limits=Limits()), **{"x-key": "bad"}) as client:
        answer = await client.patch("/fake/things/1", json={})
    assert (answer.status_code, dialect.seen) == (204, [])
    assert (calls[0].caller.team.int, calls[0].caller.dialect) == (0, "fake")


async def test_a_route_may_have_its_own_limit() -> None:
    """The setting bounds a body unless the route says otherwise, and the answer closes the connection."""
    hub = FakeHub(Settings(max_body=1024))
    wide = replace(WRITE, method="PUT", name="replace", max_body=2048)
    async with to_client(to_site(WRITE, wide, hub=hub)) as client:
        body = b'{"a": "' + b"x" * 1500 + b'"}'
        refused, accepted = (
            await client.patch("/fake/things/1", content=body),
            await client.put("/fake/things/1", content=body),
        )
    assert (refused.status_code, refused.json()) == (
        413,
        {"code": "BodyTooLarge", "message": "the body is larger than 1024 bytes"},
    )
    assert refused.headers["connection"] == "close"
    assert accepted.status_code == 201


async def test_nobody_keeps_a_large_body_in_memory_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a route takes more than others, whoever is refused is so before anything is kept, and is told so."""
    kept: list[object] = []
    monkeypatch.setattr(serve, "read_body", lambda *arguments, **named: kept.append(arguments))
    wide = replace(WRITE, method="PUT", name="replace", max_body=2048)
    async with to_client(to_site(WRITE, wide), **{"x-key": "bad"}) as client:
        answer = await client.put("/fake/things/1", content=b"x" * 2000, headers={"content-type": "text/plain"})
    assert (answer.status_code, kept) == (401, [])


async def test_a_slow_body_is_given_up() -> None:
    """The setting's seconds bound how long a body may take."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    await call_site(to_site(hub=FakeHub(Settings(body_seconds=0.01))), receive, sent, b"content-length", b"5")
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_nothing_is_sent_to_a_client_that_is_gone() -> None:
    """Half a request has no answer and changes nothing."""
    sent: list[Message] = []
    calls: list[Call] = []
    site = to_site(replace(WRITE, handler=recording(calls)))
    await call_site(site, Messages([{"type": "http.disconnect"}]), sent, b"content-length", b"5")
    assert (sent, calls) == ([], [])


async def test_a_body_may_come_without_a_length() -> None:
    """HTTP/2 needs neither a length nor a transfer coding."""
    sent: list[Message] = []
    receive = Messages([{"type": "http.request", "body": b'{"a":1}'}])
    await call_site(to_site(), receive, sent, b"x-other", b"1", http_version="2")
    assert [sent[0]["status"], sent[1]["body"]] == [201, b'{"a":1}']


async def call_site(
    site: Site,
    receive: Callable[[], object],
    sent: list[Message],
    name: bytes,
    value: bytes,
    http_version: str = "1.1",
) -> None:
    """One PATCH straight into the site; what it sends is kept in `sent`."""
    scope: Scope = {
        "type": "http",
        "http_version": http_version,
        "method": "PATCH",
        "path": "/fake/things/1",
        "raw_path": b"/fake/things/1",
        "query_string": b"",
        "headers": [(b"x-key", b"good"), (name, value)],
        "client": None,
    }

    async def send(message: Message) -> None:
        sent.append(message)

    await site(scope, receive, send)  # type: ignore[arg-type]  # any callable will do for receive


async def test_a_credential_over_its_limit_is_told_so() -> None:
    """The setting's limit is per credential, and failures to authenticate do not count against anybody's."""
    limits = Limits(rate_limit="2/minute", clock=lambda: 1000.0)
    site = to_site(limits=limits)
    async with to_client(site) as client:
        for _ in range(3):
            await client.get("/fake/things/1", headers={"x-key": "bad"})
        answers = [await client.get("/fake/things/1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"


async def test_pages_are_served_beside_the_dialects() -> None:
    """A page answers GET and HEAD, knows whether a copy is still good, and nothing else."""
    site = Site(FakeHub(), [FakeDialect((READ,))], limits=Limits(), pages={"/page": to_page(b"hello", "text/plain")})
    async with to_client(site) as client:
        get = await client.get("/page")
        again = await client.get("/page", headers={"if-none-match": f'"x", W/{get.headers["etag"]}'})
        other = await client.get("/page", headers={"if-none-match": '"x"'})
        head = await client.head("/page")
        post = await client.post("/page")
    assert (get.status_code, get.text, get.headers["content-type"]) == (200, "hello", "text/plain")
    assert get.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", get.headers["etag"])
    assert (other.status_code, head.status_code, head.content) == (200, 200, b"")
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


def test_a_page_may_not_hide_a_route() -> None:
    """A page on a route's path is refused at the start."""
    with pytest.raises(ValueError, match=r"^/fake/things/docs is a page and matches /fake/things/\{id\} of fake$"):
        Site(
            FakeHub(), [FakeDialect((READ,))], limits=Limits(), pages={"/fake/things/docs": to_page(b"", "text/plain")}
        )


@pytest.mark.parametrize("fails", [None, "startup", "shutdown"])
async def test_the_life_of_the_process_is_the_lifespans(fails: str | None) -> None:
    """What lives as long as the process is entered first and left last; a failure of it is told to the server."""
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if fails == "startup":
            raise RuntimeError
        seen.append("entered")
        yield
        if fails == "shutdown":
            raise RuntimeError
        seen.append("left")

    async def send(message: Message) -> None:
        seen.append(message["type"])

    site = Site(FakeHub(), [FakeDialect()], limits=Limits(), lifespan=lifespan)
    await site({"type": "lifespan"}, Messages([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]), send)
    begun = ["entered", "lifespan.startup.complete"]
    assert (
        seen
        == {
            None: [*begun, "left", "lifespan.shutdown.complete"],
            "startup": ["lifespan.startup.failed"],
            "shutdown": [*begun, "lifespan.shutdown.failed"],
        }[fails]
    )


async def test_a_web_socket_is_refused() -> None:
    """There is nothing to talk about on a web socket."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await to_site()({"type": "websocket"}, Messages([]), send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_requests_do_not_wait_for_each_other() -> None:
    """Two requests are served at the same time, each with its own caller and path."""
    both = asyncio.Barrier(2)

    async def handler(call: Call) -> Answer:
        async with asyncio.timeout(5):
            await both.wait()
        return await show(call)

    async with to_client(to_site(replace(READ, handler=handler))) as client:
        answers = await asyncio.gather(client.get("/fake/things/1"), client.get("/fake/things/2"))
    assert [answer.json()["path"]["id"] for answer in answers] == ["1", "2"]


def test_operations_are_data() -> None:
    """A route table can be made without a server; what a route takes by default is JSON within the setting's limit."""
    operation = Operation(method="GET", path="/x", name="x", summary="", handler=show)
    assert (operation.media_types, operation.max_body, operation.writes) == (("application/json",), None, False)
    assert Headers({}) == Headers(raw=[])
