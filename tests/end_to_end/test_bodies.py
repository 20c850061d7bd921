"""Whatever is sent as a body, the answer is 400 or 413 in the contract's shape, and nothing is stored."""

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
from tests.end_to_end.recipes import RECIPES, WITH_BODY, Recipe, Route, every_body, every_write
from tests.support.world import World, address_body

MEBIBYTE = 1_048_576
REFUSED = (400, "VALIDATION_ERROR")
TOO_LARGE = (413, "PAYLOAD_TOO_LARGE")

# The texts whose length the contract does not limit.
UNLIMITED = ("value", "label")

Ask = Callable[..., Awaitable[httpx.Response]]


def asker(line: httpx.AsyncClient, route: Route, recipe: Recipe) -> Ask:
    """Sends bytes to the route."""

    async def ask(content: bytes | AsyncIterator[bytes], headers: dict[str, str] | None = None) -> httpx.Response:
        declared = {"content-type": "application/json"} | (headers or {})
        return await line.request(route.operation.method, recipe.path, content=content, headers=declared)

    return ask


@every_body
async def test_broken_bodies_are_refused(route: Route, line: httpx.AsyncClient, world: World) -> None:
    """Every fault in how a valid body is written gets 400, and nothing is stored; without the fault it is done."""
    recipe = await RECIPES[str(route)](world)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await world.fingerprint()
    answers = {name: await ask(content) for name, content in broken_bodies(recipe.body).items()}
    assert {name: code_of(answer) for name, answer in answers.items()} == dict.fromkeys(answers, REFUSED)
    assert await world.fingerprint() == before
    fine = with_member(recipe.body, '"deep": ' + "[" * 60 + '"\\ud83d\\ude00 \\\\u0000", 1e308' + "]" * 60)
    done = await ask(b"\xef\xbb\xbf" + fine)
    assert done.status_code == route.operation.status, done.text


@every_body
async def test_bodies_declared_as_something_else_are_refused(
    route: Route, line: httpx.AsyncClient, world: World
) -> None:
    """Another type, charset or coding gets 400 naming Content-Type, and nothing is stored."""
    recipe = await RECIPES[str(route)](world)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await world.fingerprint()
    for name, (content, headers) in wrong_declarations(recipe.body).items():
        answer = await ask(content, headers)
        assert (code_of(answer), fields_of(answer)) == (REFUSED, ["Content-Type"]), name
    assert await world.fingerprint() == before
    done = await ask(json.dumps(recipe.body).encode(), {"content-type": 'Application/JSON; charset="UTF-8"'})
    assert done.status_code == route.operation.status, done.text


def ids_in(recipe: Recipe) -> dict[str, str]:
    """The records that items of the recipe's body may name."""
    body = recipe.body or {}
    return {
        member: body[member][0]["id"]
        for member in ("addresses", "contacts")
        if member in body and "id" in body[member][0]
    }


@every_body
async def test_values_of_another_type_are_refused_by_name(route: Route, line: httpx.AsyncClient, world: World) -> None:
    """Each member of each model, given a number, a boolean, an object, an array or null instead, is named in a 400."""
    recipe = await RECIPES[str(route)](world)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await world.fingerprint()
    tried = 0
    for path, body in Model(route.operation.body).wrong_types(recipe.body, ids_in(recipe)):
        answer = await ask(json.dumps(body).encode())
        assert code_of(answer) == REFUSED, (path, body)
        assert path in fields_of(answer), (path, body, answer.text)
        tried += 1
    assert tried >= len(recipe.body)
    assert await world.fingerprint() == before


@pytest.mark.parametrize("route", [route for route in WITH_BODY if not route.operation.is_public], ids=str)
async def test_very_long_texts_are_refused_by_name(route: Route, line: httpx.AsyncClient, world: World) -> None:
    """900,000 characters in any text that has a rule get 400 naming it, and nothing is stored."""
    recipe = await RECIPES[str(route)](world)
    assert recipe.body is not None
    ask = asker(line, route, recipe)
    before = await world.fingerprint()
    for path, body in Model(route.operation.body).long_texts(recipe.body, ids_in(recipe), "x" * 900_000):
        if path.endswith(UNLIMITED):
            continue
        answer = await ask(json.dumps(body).encode())
        assert code_of(answer) == REFUSED, path
        assert path in fields_of(answer), (path, answer.text)
    assert await world.fingerprint() == before


@every_body
async def test_a_body_may_be_a_mebibyte_long_and_no_byte_longer(
    route: Route, line: httpx.AsyncClient, world: World
) -> None:
    """One byte or many too many are 413, sent whole or in chunks, and store nothing; the limit itself is met."""
    recipe = await RECIPES[str(route)](world)
    ask = asker(line, route, recipe)
    whole = json.dumps(recipe.body).encode()
    before = await world.fingerprint()
    for length in (MEBIBYTE + 1, 2 * MEBIBYTE, 5 * MEBIBYTE):
        answer = await ask(whole.ljust(length))
        assert code_of(answer) == TOO_LARGE, length
        answer = await ask(in_chunks(whole.ljust(length)))
        assert code_of(answer) == TOO_LARGE, length
    assert await world.fingerprint() == before
    done = await ask(whole.ljust(MEBIBYTE))
    assert done.status_code == route.operation.status, done.text


async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
    """A body of undeclared length."""
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


async def test_thousands_of_records_are_edited_in_one_request(line: httpx.AsyncClient, world: World) -> None:
    """3,000 addresses of one customer, each named in one PATCH, are all changed, within the time a client waits."""
    customer = await world.create(addresses=[address_body() for _ in range(3_000)])
    edits = [{"id": address["id"], "city": "Narvik", "type": "shipping"} for address in customer["addresses"]]
    done = await line.patch(f"/v1/customers/{customer['id']}", json={"addresses": edits})
    assert (done.status_code, done.headers["etag"]) == (201, '"2"')
    shown = done.json()["data"]["addresses"]
    assert {(address["city"], address["type"]) for address in shown} == {("Narvik", "shipping")}
    assert [address["id"] for address in shown] == [address["id"] for address in customer["addresses"]]


@every_write
async def test_a_body_that_nobody_waits_for_is_refused_before_it_is_sent(
    route: Route, live: Serving, world: World
) -> None:
    """A client that asks first whether it may send 20 MB is told 413 at once and can keep its megabytes."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    async with connected(live) as (reader, writer):
        writer.write(head(route, recipe, world, f"content-length: {20 * MEBIBYTE}", "expect: 100-continue"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    assert await world.fingerprint() == before


@every_write
async def test_twenty_megabytes_do_no_harm(route: Route, live: Serving, world: World) -> None:
    """A client that sends 20 MB without asking is cut off after 8; if it listens then it hears 413. Others go on."""
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    async with connected(live) as (reader, writer):
        writer.write(head(route, recipe, world, f"content-length: {20 * MEBIBYTE}"))
        writer.write(b" " * (MAX_DRAIN + 1))
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        assert b"PAYLOAD_TOO_LARGE" in await reader.read()
    assert await world.fingerprint() == before


async def test_a_client_that_never_stops_sending_is_hung_up_on(
    line: httpx.AsyncClient, live: Serving, world: World
) -> None:
    """20 MB sent without listening end in a closed connection at worst; nothing is stored and others are answered."""
    route = next(route for route in WITH_BODY if route.operation.creates)
    recipe = await RECIPES[str(route)](world)
    before = await world.fingerprint()
    async with connected(live) as (reader, writer):
        with suppress(ConnectionError):
            writer.write(head(route, recipe, world, f"content-length: {20 * MEBIBYTE}"))
            for _ in range(20):
                writer.write(b" " * MEBIBYTE)
                await writer.drain()
            await reader.read()
    assert await world.fingerprint() == before
    assert (await line.get("/v1/customers")).status_code == 200


def head(route: Route, recipe: Recipe, world: World, *lines: str) -> bytes:
    """The head of a request."""
    first = f"{route.operation.method} {recipe.path} HTTP/1.1"
    common = ("host: hub", f"x-api-key: {world.api_key}", "content-type: application/json")
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
async def test_more_errors_than_anybody_reads_are_counted_only(member: str, world: World) -> None:
    """A body with thousands of wrong fields gets one short 400 and nothing is stored."""
    customer = await world.create()
    before = await world.fingerprint()
    path = f"/v1/customers/{customer['id']}"
    headers = {"content-type": "application/json"}
    answer = await world.api.patch(path, content="{" + member + "}", headers=headers)
    assert code_of(answer) == REFUSED
    assert answer.json()["message"] == "The body has more than 1000 invalid fields"
    assert answer.json()["details"] == []
    assert await world.fingerprint() == before
