"""Whatever is sent as a body, the answer is a refusal in the contract's shape, and nothing is stored."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from customerhub.web.upload import MAX_DRAIN
from tests.cli.support import Serving
from tests.end_to_end.answers import code_of, fields_of
from tests.end_to_end.bodies import Model, broken_bodies, with_member, wrong_declarations
from tests.end_to_end.door import Door
from tests.end_to_end.doors import routes_of
from tests.end_to_end.recipes import WITH_BODY, Recipe, Route, every_body, every_write
from tests.end_to_end.recipes_wizcommerce import WizCommerceDoor
from tests.support.world import address_body

MEBIBYTE = 1_048_576

# The texts whose length the contract does not limit.
UNLIMITED = ("value", "label")

Ask = Callable[..., Awaitable[httpx.Response]]

INVALID = 400
# One route of each dialect.
LARGEST = [*{route.dialect.name: route for route in reversed(WITH_BODY) if route.operation.creates}.values()]
wizcommerce = pytest.mark.parametrize(
    "route", [route for route in routes_of("wizcommerce") if str(route) == "PATCH /v1/customers/{id}"], ids=str
)


def asker(line: Door, route: Route, recipe: Recipe) -> Ask:
    """Sends bytes to the route."""

    async def ask(content: bytes | AsyncIterator[bytes], headers: dict[str, str] | None = None) -> httpx.Response:
        declared = {"content-type": "application/json"} | (headers or {})
        return await line.api.request(
            route.operation.method, recipe.path, content=content, headers=declared, auth=line.auth
        )

    return ask


@every_body
async def test_broken_bodies_are_refused(route: Route, line: Door) -> None:
    """Every fault in how a valid body is written is refused, and nothing is stored; without the fault it is done."""
    recipe = await line.cook(route)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await line.fingerprint()
    bodies = broken_bodies(recipe.body).items()
    answers = {name: await ask(content) for name, content in bodies if name not in line.reads_as_empty}
    assert {name: code_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        answers, line.failures.malformed
    )
    assert await line.fingerprint() == before
    fine = with_member(recipe.body, '"deep": ' + "[" * 60 + '"\\ud83d\\ude00 \\\\u0000", 1e308' + "]" * 60)
    done = await ask(b"\xef\xbb\xbf" + fine)
    if line.unknown_member is not None:
        assert (code_of(done), fields_of(done)) == (line.unknown_member, ["deep"])
        done = await ask(b"\xef\xbb\xbf" + json.dumps(recipe.body).encode())
    assert done.status_code == route.operation.status, done.text


@every_body
async def test_bodies_declared_as_something_else_are_refused(route: Route, line: Door) -> None:
    """Another type, charset or coding is refused, naming Content-Type where it is 400; nothing is stored."""
    recipe = await line.cook(route)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await line.fingerprint()
    for name, (content, headers) in wrong_declarations(recipe.body).items():
        answer = await ask(content, headers)
        assert code_of(answer) == line.failures.media_type, name
        assert fields_of(answer) == (["Content-Type"] if answer.status_code == INVALID else []), name
    assert await line.fingerprint() == before
    done = await ask(json.dumps(recipe.body).encode(), {"content-type": 'Application/JSON; charset="UTF-8"'})
    assert done.status_code == route.operation.status, done.text


@every_body
async def test_values_of_another_type_are_refused_by_name(route: Route, line: Door) -> None:
    """Each member of each model, given a number, a boolean, an object, an array or null instead, is refused by name.

    Where any member may come the model names none.
    """
    recipe = await line.cook(route)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await line.fingerprint()
    model, tried = Model(route.operation.body, recipe), 0
    for path, body in model.wrong_types(recipe.body):
        answer = await ask(json.dumps(body).encode())
        assert line.refuses(answer, path), (path, body, answer.text)
        tried += 1
    assert tried >= model.count
    assert await line.fingerprint() == before


@pytest.mark.parametrize("route", [route for route in WITH_BODY if not route.operation.is_public], ids=str)
async def test_very_long_texts_are_refused_by_name(route: Route, line: Door) -> None:
    """900,000 characters in any text that has a rule are refused by its name, and nothing is stored."""
    recipe = await line.cook(route)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await line.fingerprint()
    for path, body in Model(route.operation.body, recipe).long_texts(recipe.body, "x" * 900_000):
        if path.endswith(UNLIMITED):
            continue
        answer = await ask(json.dumps(body).encode())
        assert line.refuses(answer, path), (path, answer.text)
    assert await line.fingerprint() == before


@every_body
async def test_a_body_may_be_a_mebibyte_long_and_no_byte_longer(route: Route, line: Door) -> None:
    """One byte or many too many are 413, sent whole or in chunks, and store nothing; the limit itself is met.

    A route that takes many records has room for more.
    """
    limit = route.operation.max_body or MEBIBYTE
    recipe = await line.cook(route)
    ask = asker(line, route, recipe)
    whole = json.dumps(recipe.body).encode()
    before = await line.fingerprint()
    for length in (limit + 1, limit + MEBIBYTE, limit + 4 * MEBIBYTE):
        answer = await ask(whole.ljust(length))
        assert code_of(answer) == line.failures.too_large, length
        answer = await ask(in_chunks(whole.ljust(length)))
        assert code_of(answer) == line.failures.too_large, length
    assert await line.fingerprint() == before
    done = await ask(whole.ljust(limit))
    assert done.status_code == route.operation.status, done.text


async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
    """A body of undeclared length."""
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


@wizcommerce
async def test_thousands_of_records_are_edited_in_one_request(route: Route, line: Door) -> None:
    """WizCommerce: 3,000 addresses, each named in one PATCH, are all changed within the time a client waits."""
    assert isinstance(line, WizCommerceDoor)
    customer = await line.world.create(addresses=[address_body() for _ in range(3_000)])
    edits = [{"id": address["id"], "city": "Narvik", "type": "shipping"} for address in customer["addresses"]]
    done = await line.send(route, f"/v1/customers/{customer['id']}", {"addresses": edits})
    assert (done.status_code, done.headers["etag"]) == (201, '"2"')
    shown = done.json()["data"]["addresses"]
    assert {(address["city"], address["type"]) for address in shown} == {("Narvik", "shipping")}
    assert [address["id"] for address in shown] == [address["id"] for address in customer["addresses"]]


@every_write
async def test_a_body_that_nobody_waits_for_is_refused_before_it_is_sent(
    route: Route, live: Serving, door: Door
) -> None:
    """A client that asks first whether it may send 20 MB too many is told 413 at once and can keep its megabytes."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    length = 20 * MEBIBYTE + (route.operation.max_body or 0)
    async with connected(live) as (reader, writer):
        writer.write(head(route, recipe, door, f"content-length: {length}", "expect: 100-continue"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    assert await door.fingerprint() == before


@every_write
async def test_twenty_megabytes_do_no_harm(route: Route, live: Serving, door: Door) -> None:
    """A client that sends 20 MB without asking is cut off after 8; if it listens then it hears 413. Others go on.

    A route that takes files takes them up to its own limit before.
    """
    recipe = await door.cook(route)
    before = await door.fingerprint()
    limit = route.operation.max_body or MEBIBYTE
    async with connected(live) as (reader, writer):
        writer.write(head(route, recipe, door, f"content-length: {20 * MEBIBYTE + limit}"))
        writer.write(b" " * (max(limit, MAX_DRAIN) + 1))
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        assert door.failures.too_large[1].encode() in await reader.read()
    assert await door.fingerprint() == before


@pytest.mark.parametrize("route", LARGEST, ids=str)
async def test_a_client_that_never_stops_sending_is_hung_up_on(route: Route, live: Serving, line: Door) -> None:
    """20 MB sent without listening end in a closed connection at worst; nothing is stored and others are answered."""
    recipe = await line.cook(route)
    before = await line.fingerprint()
    async with connected(live) as (reader, writer):
        with suppress(ConnectionError):
            writer.write(head(route, recipe, line, f"content-length: {20 * MEBIBYTE}"))
            for _ in range(20):
                writer.write(b" " * MEBIBYTE)
                await writer.drain()
            await reader.read()
    assert await line.fingerprint() == before
    assert (await line.send(route, recipe.path, recipe.body)).status_code == route.operation.status


def head(route: Route, recipe: Recipe, door: Door, *lines: str) -> bytes:
    """The head of a request."""
    first = f"{route.operation.method} {recipe.path} HTTP/1.1"
    common = ("host: hub", *door.head(route.operation.method, recipe.path), "content-type: application/json")
    return "\r\n".join((first, *common, *lines, "", "")).encode()


@asynccontextmanager
async def connected(live: Serving) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of its own to the server, that fails rather than waits for ever."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.mark.parametrize(
    "member",
    [
        '"addresses": [' + ",".join(["{}"] * 2_000) + "]",
        '"addresses": [' + ",".join(["1"] * 100_000) + "]",
        '"assigned_sales_rep_ids": [' + ",".join(['"x"'] * 100_000) + "]",
        '"attributes": [' + ",".join(['{"name": "A", "value": "1"}'] * 20_000) + "]",
    ],
    ids=["objects", "numbers", "ids", "attributes"],
)
@wizcommerce
async def test_more_errors_than_anybody_reads_are_counted_only(member: str, route: Route, door: Door) -> None:
    """WizCommerce: a body with thousands of wrong fields gets one short 400 and nothing is stored."""
    recipe = await door.cook(route)
    before = await door.fingerprint()
    answer = await asker(door, route, recipe)(f"{{{member}}}".encode())
    assert code_of(answer) == door.failures.invalid
    assert answer.json()["message"] == "The body has more than 1000 invalid fields"
    assert answer.json()["details"] == []
    assert await door.fingerprint() == before
