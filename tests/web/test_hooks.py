"""Doors for messages of other systems: found by path, given the very bytes, refused in plain problem details."""

from collections.abc import AsyncIterator

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import Answer
from customerhub.model.error import Busy
from customerhub.web.hooks import Hook, Hooks, Message
from customerhub.web.limit import Limits
from customerhub.web.serve import Site

PATH = "/other/{place}/messages/{kind}"
GOT: list[Message] = []


async def take(message: Message) -> Answer:
    """Write it down."""
    GOT.append(message)
    if message.body == b'"busy"':
        raise Busy
    return Answer(200, b"{}")


@pytest.fixture
async def client(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows no credential."""
    GOT.clear()
    site = Site(hub, find_dialects(), limits=Limits(), hooks=Hooks([Hook(PATH, take, max_body=1000)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://hub") as opened:
        yield opened


async def test_a_message_arrives_with_its_very_bytes(client: httpx.AsyncClient) -> None:
    """The handler gets what the sender signed, the path's parameters and the headers, and needs no credential."""
    body = b'{"a":  1,\n"b": "\xc3\xb8"}'
    answer = await client.post(
        "/other/oslo/messages/x%20y", content=body, headers={"Signature": "s", "Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["request-id"] == GOT[0].request_id
    assert (GOT[0].body, GOT[0].parameters, GOT[0].headers["signature"]) == (
        body,
        {"place": "oslo", "kind": "x%20y"},
        "s",
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/other/oslo/messages/x", b"", 405),
        ("POST", "/other/oslo/messages/x", b"1" * 1001, 413),
        ("POST", "/other/oslo/messages/", b"{}", 404),
        ("POST", "/other//messages/x", b"{}", 404),
        ("POST", "/other/oslo/messages/x/y", b"{}", 404),
        ("POST", "/other/oslo", b"{}", 404),
        ("POST", "/other/oslo/messages/x", b'"busy"', 503),
    ],
)
async def test_what_is_refused_is_refused_in_plain_words(
    client: httpx.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    """Another method, too long a body, another path, a hub that is busy: problem details, each with its status."""
    answer = await client.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert len(GOT) == (1 if status == 503 else 0)


async def test_another_type_than_json_is_refused(client: httpx.AsyncClient) -> None:
    """Nobody signs a form."""
    answer = await client.post("/other/oslo/messages/x", data={"a": "b"})
    assert (answer.status_code, GOT) == (415, [])


async def test_two_owners_of_one_path_are_a_mistake(hub: Hub) -> None:
    """A hook on a dialect's path, or without a beginning of its own, is refused before anything is served."""
    route = next(
        operation for dialect in find_dialects() for operation in dialect.operations if operation.method == "POST"
    )
    with pytest.raises(ValueError, match="is a page and matches"):
        Site(hub, find_dialects(), limits=Limits(), hooks=Hooks([Hook(route.path, take)]))
    with pytest.raises(ValueError, match="a segment of its own"):
        Hooks([Hook("/{anything}", take)])
