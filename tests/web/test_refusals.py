"""What a request gets that cannot be served, and that nothing it holds is a fault of ours."""

import asyncio
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope
from typing_extensions import override

from customerhub.model.answer import Answer
from customerhub.model.error import Busy, HubError, Invalid, RateLimited, Unauthenticated, Unavailable
from customerhub.web.limit import Limits
from customerhub.web.operation import Call
from customerhub.web.origin import Origin
from customerhub.web.serve import Site
from tests.web.fake import READ, WRITE, FakeDialect, FakeHub, Messages, echo, raising, recording, to_client, to_site

REQUEST_ID = "req_01kdyak3se00000000000aqkff"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/fake/nothing", 404, "NoSuchRoute"),
        ("GET", "/fake/things/1/", 404, "NoSuchRoute"),
        ("DELETE", "/fake/things/1", 405, "MethodNotAllowed"),
    ],
)
async def test_failures_before_routing_take_the_shape_of_the_prefix(
    method: str, path: str, status: int, code: str
) -> None:
    """404 and 405 look like the dialect that owns the path, and need no credential."""
    async with to_client(to_site(), **{"x-key": "bad"}) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["request-id"] == REQUEST_ID
    assert answer.headers.get("allow") == ("GET, HEAD, PATCH" if status == 405 else None)


async def test_a_path_of_nobody_is_refused_plainly() -> None:
    """Where no dialect's shape fits, the failure is problem details."""
    async with to_client(to_site()) as client:
        answer = await client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {"title": "Not Found", "status": 404, "request_id": REQUEST_ID}


async def test_the_caller_is_asked_for_before_the_record() -> None:
    """401 comes before anything of the record or the guards is known."""
    calls: list[Call] = []
    site = to_site(replace(WRITE, handler=recording(calls)))
    async with to_client(site, **{"x-key": "bad", "if-match": "broken"}) as client:
        answer = await client.patch("/fake/things/1", content=b"no json")
    assert (answer.status_code, answer.json(), calls) == (
        401,
        {"code": "Unauthenticated", "message": "the credential is unknown"},
        [],
    )


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"if-match": "7"}, 400, "InvalidHeader"),
        ({"idempotency-key": ""}, 400, "InvalidHeader"),
        ({"customerhub-dry-run": "maybe"}, 400, "InvalidHeader"),
        ({"content-type": "text/plain"}, 415, "UnsupportedMediaType"),
        ({"content-encoding": "gzip"}, 415, "UnsupportedMediaType"),
    ],
)
async def test_a_broken_write_does_not_reach_its_handler(headers: dict[str, str], status: int, code: str) -> None:
    """What cannot be read safely is refused before anything is done."""
    calls: list[Call] = []
    async with to_client(to_site(replace(WRITE, handler=recording(calls))), **headers) as client:
        answer = await client.patch("/fake/things/1", content=b"{}")
    assert (answer.status_code, answer.json()["code"], calls) == (status, code, [])


@pytest.mark.parametrize(
    ("query", "names"), [("a=%00", ["a"]), ("a=1&b=x%00y&c%00=1&b=%00", ["b", "c\ufffd"]), ("a=\\u0000", None)]
)
async def test_no_nul_gets_in_through_the_query(query: str, names: list[str] | None) -> None:
    """No column can hold NUL, so no handler gets to see one."""
    errors: list[HubError] = []

    class Listening(FakeDialect):
        @override
        def to_answer(self, error: HubError, origin: Origin) -> Answer:
            errors.append(error)
            return super().to_answer(error, origin)

    async with to_client(Site(FakeHub(), [Listening((READ,))], limits=Limits())) as client:
        answer = await client.get(f"/fake/things/1?{query}")
    assert answer.status_code == (200 if names is None else 400)
    found = [error.dotted() for failure in errors if isinstance(failure, Invalid) for error in failure.errors]
    assert found == (names or [])


@pytest.mark.parametrize(
    ("error", "status", "seconds"), [(RateLimited(7), 429, "7"), (Busy(), 503, "1"), (Unavailable(2), 503, "2")]
)
async def test_who_must_wait_is_told_how_long(error: HubError, status: int, seconds: str) -> None:
    """Retry-After is there whatever the dialect's shape."""
    async with to_client(to_site(replace(READ, handler=raising(error)))) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, seconds)


async def test_a_fault_is_told_in_the_dialects_shape_without_its_text() -> None:
    """A fault of ours shows nothing of itself."""
    async with to_client(to_site(replace(READ, handler=raising(KeyError("hunter2"))))) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.status_code, answer.json()) == (500, {"code": "Internal", "message": ""})


async def test_a_fault_in_the_shape_of_failures_still_has_an_answer() -> None:
    """Even a dialect that cannot say what is wrong does not take the connection down."""

    class Mute(FakeDialect):
        @override
        def to_answer(self, error: HubError, origin: Origin) -> Answer:
            raise RuntimeError

    async with to_client(Site(FakeHub(), [Mute((READ,))], limits=Limits())) as client:
        answer = await client.get("/fake/nothing")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")


async def test_a_failure_with_a_header_that_cannot_be_sent_still_has_an_answer() -> None:
    """A dialect's failure is held to the same rule as any answer."""

    class Careless(FakeDialect):
        @override
        def to_answer(self, error: HubError, origin: Origin) -> Answer:
            return Answer(404, b"{}", (("x-note", "a\nb"),))

    async with to_client(Site(FakeHub(), [Careless((READ,))], limits=Limits())) as client:
        answer = await client.get("/fake/nothing")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")


@pytest.mark.parametrize(
    ("ended", "status", "code"),
    [
        (None, 400, "InvalidHeader"),
        (Unauthenticated("revoked"), 401, "Unauthenticated"),
        (Unavailable(), 503, "Unavailable"),
        (KeyError("x"), 500, "Internal"),
    ],
)
async def test_an_ended_credential_learns_nothing_else(ended: Exception | None, status: int, code: str) -> None:
    """Before a refusal is told, the credential is looked at again; where even that fails, the answer is still ours."""
    async with to_client(to_site(hub=FakeHub(ended=ended)), **{"if-match": "broken"}) as client:
        answer = await client.patch("/fake/things/1", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=1", "a\nb", "é", "\ud800", "a\0"])
async def test_no_header_can_be_smuggled_into_an_answer(value: str) -> None:
    """A header that would not arrive as one header is a fault, and the client sees nothing of it."""

    async def handler(call: Call) -> Answer:
        return Answer(200, b"{}", (("x-note", value),))

    async with to_client(to_site(replace(READ, handler=handler))) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.status_code, answer.json()["code"], "x-note" in answer.headers) == (500, "Internal", False)


async def test_being_cancelled_is_no_fault() -> None:
    """Cancelling passes through: it is the server that ends the request."""
    async with to_client(to_site(replace(READ, handler=raising(asyncio.CancelledError())))) as client:
        with pytest.raises(asyncio.CancelledError):
            await client.get("/fake/things/1")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1,"a":2}', b'{"a":"\\u0000"}', b"[" * 100_000, b'"\xff"'])
async def test_a_body_that_is_no_object_is_the_clients_fault(body: bytes) -> None:
    """Whatever comes instead of an object is refused as such, never as a fault of ours."""
    async with to_client(to_site(replace(WRITE, handler=echo))) as client:
        answer = await client.patch("/fake/things/1", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "Malformed")


HEADER_NAMES = [b"content-type", b"content-length", b"content-encoding", b"expect", b"if-match", b"idempotency-key"]


@given(
    path=st.binary().map(lambda path: b"/fake/things/" + path) | st.binary(),
    query=st.binary(),
    headers=st.lists(st.tuples(st.sampled_from([*HEADER_NAMES, b"customerhub-dry-run"]), st.binary())),
    body=st.binary(),
    method=st.sampled_from(["GET", "PATCH", "HEAD", "OPTIONS"]),
)
async def test_no_request_is_a_fault_of_ours(
    path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes, method: str
) -> None:
    """Whatever bytes a client sends, it gets one whole answer, and none that says it was our fault."""
    sent: list[Message] = []
    scope: Scope = {
        "type": "http",
        "http_version": "2",
        "method": method,
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"x-key", b"good"), *headers],
        "client": None,
    }

    async def send(message: Message) -> None:
        sent.append(message)

    await to_site()(scope, Messages([{"type": "http.request", "body": body}]), send)
    start, end = sent
    assert start["status"] in (200, 201, 400, 404, 405, 413, 415)
    assert method == "HEAD" or dict(start["headers"])[b"content-length"] == str(len(end["body"])).encode()
