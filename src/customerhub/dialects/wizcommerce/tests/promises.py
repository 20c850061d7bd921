"""What most tests of this dialect say of an answer: which fields it names, and that a refusal stored nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.support.world import Json, World


def fields(answer: httpx.Response) -> list[str]:
    """The fields that a refusal names, in order."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["code"] == "VALIDATION_ERROR"
    noun = "field" if len(body["details"]) == 1 else "fields"
    assert body["message"] == f"The request has {len(body['details'])} invalid {noun}"
    return [detail["field"] for detail in body["details"]]


def data(answer: httpx.Response, status: int = 201) -> Json:
    """The record in an answer."""
    assert answer.status_code == status, answer.text
    shown: Json = answer.json()["data"]
    return shown


async def patch(world: World, customer: Json, **members: object) -> httpx.Response:
    """Send a PATCH of a customer."""
    return await world.api.patch(f"/v1/customers/{customer['id']}", json=members)


async def patched(world: World, customer: Json, **members: object) -> Json:
    """The customer after a PATCH that must be accepted."""
    return data(await patch(world, customer, **members))


def defaults(customer: Json) -> Json:
    """The positions of the default addresses by type and of the default contact."""
    marked = {a["type"]: i for i, a in enumerate(customer["addresses"]) if a["is_default"]}
    contact = [i for i, c in enumerate(customer["contacts"]) if c["is_default"]]
    return {**marked, **({"contact": contact[0]} if contact else {})}


@asynccontextmanager
async def nothing_stored(world: World) -> AsyncIterator[None]:
    """What is done inside leaves every table as it was."""
    before = await world.fingerprint()
    yield
    after = await world.fingerprint()
    assert {table for table, print_ in after.items() if print_ != before[table]} == set()
