"""Which bodies are taken in at all."""

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from customerhub.model.error import BodyTooLarge, InvalidHeader, RequestTimeout, UnsupportedMediaType
from customerhub.web.upload import MAX_DRAIN, ClientGone, check_declaration, drain, read_body
from tests.web.fake import Messages


def part(body: bytes, *, more: bool = False) -> Message:
    """One message of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=us-ascii",
        "application/json; profile=x",
        "application/merge-patch+json",
        "application/problem+json; charset=utf-8",
        "",
    ],
)
def test_json_under_any_of_its_names_is_taken(content_type: str) -> None:
    """JSON, declared as such in any way, is taken, and its length told."""
    headers = Headers({"content-type": content_type, "content-length": "12"})
    assert check_declaration(headers, 100) == 12


def test_a_body_need_not_say_what_it_is() -> None:
    """A body without a type is taken as JSON; one without a length has none that is known."""
    assert check_declaration(Headers({}), 100) is None
    assert check_declaration(Headers({"content-encoding": "identity"}), 100) is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("content-type", "text/plain", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("content-type", "application/jsonx", "application/jsonx"),
        ("content-type", "text/vnd.api+json", "text/vnd.api+json"),
        ("content-type", "application/json; charset=latin1", "application/json; charset=latin1"),
        ("content-type", "application/json;charset=utf-16", "application/json;charset=utf-16"),
        ("content-encoding", "gzip", "content-encoding gzip"),
        ("content-encoding", "identity, br", "content-encoding identity, br"),
    ],
)
def test_what_we_do_not_read_is_refused(name: str, value: str, reason: str) -> None:
    """Another type, charset or coding is refused by name, before a byte of it is read."""
    with pytest.raises(UnsupportedMediaType) as caught:
        check_declaration(Headers({name: value, "content-length": "12"}), 100)
    assert caught.value.media_type == reason


def test_a_type_says_nothing_of_no_body() -> None:
    """A client that sets its type on every request may leave the body out."""
    assert check_declaration(Headers({"content-type": "text/plain", "content-length": "0"}), 100) == 0


def test_a_route_may_take_another_type() -> None:
    """What a route takes is its own choice; JSON is taken only where it is named."""
    form = Headers({"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert check_declaration(form, 100, ("application/x-www-form-urlencoded",)) is None
    with pytest.raises(UnsupportedMediaType):
        check_declaration(Headers({"content-type": "application/a+json"}), 100, ("text/csv",))


async def test_a_body_is_read_and_nothing_of_it_kept() -> None:
    """Up to its end, or to where there is too much of it; what is too slow is given up."""
    messages = Messages([part(b"x" * 10, more=True), part(b"y")])
    await drain(messages, 5, 1)
    with pytest.raises(ClientGone):
        await drain(Messages([part(b"x", more=True), {"type": "http.disconnect"}]), 5, 1)


def test_a_length_that_is_no_number_is_refused() -> None:
    """Content-Length holds digits alone."""
    with pytest.raises(InvalidHeader, match=r"^Content-Length: must be a number$"):
        check_declaration(Headers({"content-length": "-1"}), 100)


def test_a_client_that_asks_first_is_told_before_it_sends() -> None:
    """With `Expect: 100-continue` a body that is too long is refused by its declared length."""
    with pytest.raises(BodyTooLarge) as caught:
        check_declaration(Headers({"content-length": "101", "expect": "100-Continue"}), 100)
    assert caught.value.limit == 100


async def test_a_body_is_put_together() -> None:
    """A body in several messages is one body."""
    receive = Messages([part(b"ab", more=True), part(b"", more=True), part(b"c")])
    assert await read_body(receive, 3, 1) == b"abc"


async def test_a_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    """The limit itself is allowed, one byte more is not."""
    assert await read_body(Messages([part(b"abc")]), 3, 1) == b"abc"
    with pytest.raises(BodyTooLarge) as caught:
        await read_body(Messages([part(b"abcd")]), 3, 1)
    assert caught.value.limit == 3


async def test_too_long_a_body_is_read_to_its_end_first() -> None:
    """All of it is taken in, so that the client gets to read the refusal."""
    receive = Messages([part(b"x" * 1000, more=True)] * 9 + [part(b"x" * 1000)])
    with pytest.raises(BodyTooLarge):
        await read_body(receive, 100, 1, declared=10_000)
    assert receive.waiting == []


async def test_what_is_thrown_away_is_bounded() -> None:
    """After 8 MB the refusal goes out, whether or not the client is done."""
    receive = Messages([part(b"x" * 1_048_576, more=True)] * 20)
    with pytest.raises(BodyTooLarge):
        await read_body(receive, 100, 1)
    assert receive.taken == MAX_DRAIN // 1_048_576 + 1


async def test_a_declared_length_over_the_limit_is_refused_though_less_came() -> None:
    """A client that announces too much and stops early is told that it is too much, not that it was slow."""

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(BodyTooLarge):
        await read_body(receive, 100, 0.01, declared=101)


async def test_a_slow_client_is_not_waited_for() -> None:
    """The time is for the whole body, so that a byte now and then does not hold a place for ever."""
    sent = 0

    async def receive() -> Message:
        nonlocal sent
        await asyncio.sleep(0.005)
        sent += 1
        return part(b"x", more=True)

    with pytest.raises(RequestTimeout):
        await read_body(receive, 1_000_000, 0.05)
    assert sent < 100


async def test_a_client_that_hangs_up_is_no_failure_of_the_request() -> None:
    """Half a body is never handed on as a whole one."""
    with pytest.raises(ClientGone):
        await read_body(Messages([part(b'{"a":1', more=True), {"type": "http.disconnect"}]), 100, 1)
