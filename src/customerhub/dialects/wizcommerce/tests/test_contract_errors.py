"""Failures: one shape, the same answer wherever a difference would tell too much, and nothing done."""

from collections.abc import Callable
from typing import get_args, get_type_hints
from uuid import uuid4

import httpx
import pytest

from customerhub.dialects.base import find_dialects
from customerhub.dialects.wizcommerce import answers, routes
from customerhub.dialects.wizcommerce.errors import to_answer
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import data, fields, nothing_stored, patched
from customerhub.model import error as errors
from customerhub.model.error import FieldError, HubError
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.world import Json, World, make_key

CODES = set(get_args(get_type_hints(answers.Error)["code"]))
ONE = (FieldError(("addresses", 1, "phone"), "phone", "must be E.164"),)
EVERY: dict[HubError, tuple[int, str]] = {
    errors.Malformed("the body is not JSON"): (400, "VALIDATION_ERROR"),
    errors.UnreadableFile("empty", "no rows"): (400, "VALIDATION_ERROR"),
    errors.UnsupportedMediaType("text/plain"): (400, "VALIDATION_ERROR"),
    errors.InvalidHeader("If-Match", "names no tag"): (400, "VALIDATION_ERROR"),
    errors.Invalid(ONE): (400, "VALIDATION_ERROR"),
    errors.Taken(ONE): (400, "VALIDATION_ERROR"),
    errors.RequestTimeout(): (400, "VALIDATION_ERROR"),
    errors.Unauthenticated(): (401, "UNAUTHORIZED"),
    errors.InvalidGrant("refresh token"): (401, "UNAUTHORIZED"),
    errors.Forbidden("anything"): (403, "FORBIDDEN"),
    errors.NotFound("customer", "x"): (404, "NOT_FOUND"),
    errors.NoSuchRoute(): (404, "NOT_FOUND"),
    errors.MethodNotAllowed(("GET",)): (405, "METHOD_NOT_ALLOWED"),
    errors.Conflict("the state forbids it"): (409, "CONFLICT"),
    errors.InTheWay(()): (409, "CONFLICT"),
    errors.EmailsShared(2, ()): (409, "CONFLICT"),
    errors.HistoryGone(3): (404, "NOT_FOUND"),
    errors.KeyGone(): (410, "GONE"),
    errors.PreconditionFailed(1): (412, "PRECONDITION_FAILED"),
    errors.BodyTooLarge(1): (413, "PAYLOAD_TOO_LARGE"),
    errors.KeyMismatch(): (422, "UNPROCESSABLE"),
    errors.PreconditionRequired(): (428, "PRECONDITION_REQUIRED"),
    errors.Busy(): (429, "TOO_MANY_REQUESTS"),
    errors.Full(): (429, "TOO_MANY_REQUESTS"),
    errors.RateLimited(7): (429, "TOO_MANY_REQUESTS"),
    errors.SecretKeyError("the key is another one"): (500, "INTERNAL_ERROR"),
    errors.Internal(): (500, "INTERNAL_ERROR"),
    errors.Unavailable(): (503, "INTERNAL_ERROR"),
}


def subclasses(base: type[HubError]) -> set[type[HubError]]:
    """The whole tree below, without what another dialect adds for itself."""
    children = (child for child in base.__subclasses__() if child.__module__ == HubError.__module__)
    return {base}.union(*map(subclasses, children))


def test_every_failure_has_its_status_and_code() -> None:
    """No failure of the tree is without a shape; every documented code is used, and no other."""
    assert {type(error) for error in EVERY} == subclasses(HubError) - {HubError}
    told = {}
    for error, expected in EVERY.items():
        answer = httpx.Response(to_answer(error, "req_1").status, content=to_answer(error, "req_1").body)
        told[error] = (answer.status_code, answer.json()["code"])
        assert set(answer.json()) == {"code", "message", "details"}
        assert not answer.json()["message"][0].islower()
        assert expected == told[error]
    assert {code for _, code in told.values()} == CODES


def test_what_to_wait_for_is_in_a_header() -> None:
    """Where waiting helps, `Retry-After` says how many seconds."""
    waits = {type(error): dict(to_answer(error, "").headers).get("retry-after") for error in EVERY}
    assert {kind for kind, wait in waits.items() if wait} == {
        errors.Busy,
        errors.Full,
        errors.RateLimited,
        errors.Unavailable,
    }
    assert waits[errors.RateLimited] == "7"


def test_a_fault_of_ours_tells_nothing_but_where_the_log_tells_more() -> None:
    """The request id is in the message, the fault is not."""
    body = to_answer(errors.Internal(), "req_42").body
    assert b"req_42" in body
    assert b'details":[]' in body


UNKNOWN = ("7b0c1e52-93d4-4b7e-8c7f-5a1d2e3f4a60", "x", "7B0C1E52-93D4-4B7E-8C7F-5A1D2E3F4A60", "%20", "7b0c1e52")


@pytest.mark.parametrize("path", sorted({op.path for op in routes.OPERATIONS if "{" in op.path}))
async def test_an_id_that_leads_nowhere_is_not_found(world: World, other_world: World, path: str) -> None:
    """Unknown, no UUID, or another team's: 404 with one same body, for every method, and nothing is done."""
    foreign = await other_world.create(other_world.full_body())
    named = {"customers": foreign["id"], "price-lists": other_world.price_lists[0]}
    methods = [op.method for op in routes.OPERATIONS if op.path == path]
    answered: set[tuple[int, bytes]] = set()
    async with nothing_stored(world):
        for method in methods:
            for owner in (*UNKNOWN, named[path.split("/")[2]]):
                url = path.replace("{id}", owner).replace("{customer_id}", owner)
                url = url.replace("{address_id}", str(uuid4())).replace("{contact_id}", str(uuid4()))
                answer = await world.api.request(method, url, json={} if method in ("POST", "PATCH", "PUT") else None)
                answered.add((answer.status_code, answer.content))
    assert answered == {(404, b'{"code":"NOT_FOUND","message":"No such record","details":[]}')}


async def test_another_teams_ids_in_a_body_are_unknown_ones(world: World, other_world: World) -> None:
    """Reps, price lists and nested records of another team are refused in the words for unknown ones."""
    customer, foreign = await world.create(world.full_body()), await other_world.create(other_world.full_body())
    strangers = {
        "rep": other_world.reps[0],
        "list": other_world.price_lists[0],
        "address": foreign["addresses"][0]["id"],
    }
    nobody = dict.fromkeys(strangers, str(uuid4()))

    def request(ids: Json) -> Json:
        return {
            "assigned_sales_rep_ids": [ids["rep"]],
            "assigned_price_list_id": ids["list"],
            "default_billing_address_id": ids["address"],
            "addresses": [{"id": ids["address"]}],
        }

    path = f"/v1/customers/{customer['id']}"
    async with nothing_stored(world):
        told = [await world.api.patch(path, json=request(ids)) for ids in (strangers, nobody)]
    assert len(fields(told[0])) == 4
    assert told[0].content == told[1].content


async def test_every_way_to_have_no_key_is_told_the_same(timed: World, clock: Clock) -> None:
    """Missing, empty, unknown, twice, in another header, of another length: one 401 with one body."""
    key = timed.api_key
    ways: list[list[tuple[str, str]]] = [
        [],
        [("X-API-Key", "")],
        [("X-API-Key", f"{key}x")],
        [("X-API-Key", key.upper())],
        [("X-API-Key", key), ("X-API-Key", key)],
        [("Authorization", f"Bearer {key}")],
    ]
    transport = timed.api._transport
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as nobody:
        told = {(await nobody.get("/v1/customers", headers=way)).content for way in ways}
        statuses = {(await nobody.get("/v1/customers", headers=way)).status_code for way in ways}
        lower = await nobody.get("/v1/customers", headers={"x-api-key": key})
    assert statuses == {401}
    assert told == {b'{"code":"UNAUTHORIZED","message":"The API key is missing or not valid","details":[]}'}
    assert lower.status_code == 200


async def test_a_key_over_its_limit_waits(world: World) -> None:
    """429 with `Retry-After` once the limit is reached, for this key alone, and nothing is done."""
    customer = await world.create()
    times = [1000.0]
    site = Site(world.hub, find_dialects(), limits=Limits(rate_limit="2/minute", clock=lambda: times[0]))
    other_key = await make_key(world.hub, world.team)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://hub", headers={"X-API-Key": world.api_key}
    ) as api:
        path = f"/v1/customers/{customer['id']}"
        assert [(await api.get(path)).status_code for _ in range(2)] == [200, 200]
        times[0] += 15
        async with nothing_stored(world):
            answer = await api.patch(path, json={"phone": "+12"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "45")
        assert answer.json() == {"code": "TOO_MANY_REQUESTS", "message": "Too many requests", "details": []}
        assert (await api.get(path, headers={"X-API-Key": other_key})).status_code == 200
        times[0] += 46
        data(await api.patch(path, json={"phone": "+12"}))


async def test_a_thousand_wrong_fields_are_told_and_more_are_counted(world: World) -> None:
    """Each of the first thousand has its detail; beyond, none has, and nothing is stored either way."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    async with nothing_stored(world):
        told = await world.api.patch(path, json={"attributes": [5] * 1000})
        counted = await world.api.patch(path, json={"attributes": [5] * 1001})
    assert fields(told) == [f"attributes[{place}]" for place in range(1000)]
    assert (counted.status_code, counted.json()) == (
        400,
        {"code": "VALIDATION_ERROR", "message": "The body has more than 1000 invalid fields", "details": []},
    )


BODIES = {
    "none": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "twice": b'{"phone":"","phone":""}',
    "two": b"{}{}",
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_must_be_one_json_object(world: World, name: str) -> None:
    """Missing, broken, something else than an object: 400 without a field, nothing done."""
    customer = await world.create()
    async with nothing_stored(world):
        answer = await world.api.patch(
            f"/v1/customers/{customer['id']}",
            content=BODIES[name],
            headers={"Content-Type": "application/json"},
        )
    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "VALIDATION_ERROR", [])


WRONG: list[object] = [None, True, 5, 1.5, "x", [], {}, [[]], [None], [5], ["x"], [{}], {"a": 1}]


@pytest.mark.parametrize("path", ["addresses[0]", "contacts[0]", "addresses[0].attributes[0]", "attributes[0]", ""])
async def test_no_wrong_type_anywhere_is_a_fault(world: World, path: str) -> None:
    """Every member of every object with a value of every wrong type: refused or accepted, never a 500."""
    customer = await world.create(world.full_body())
    address, contact = customer["addresses"][0]["id"], customer["contacts"][0]["id"]
    whole: Json = {
        "addresses[0]": {"id": address, "type": "billing", "is_default": True, "attributes": [], "phone": "+12"},
        "contacts[0]": {"id": contact, "is_default": True, "attributes": [], "email": "a@b.example"},
        "addresses[0].attributes[0]": {"name": "Dock", "value": "4"},
        "attributes[0]": {"name": "Region", "value": "x"},
        "": {"addresses": [], "contacts": [], "attributes": [], "assigned_sales_rep_ids": [], "phone": "+12"},
    }[path]
    wrappers: dict[str, Callable[[object], object]] = {
        "addresses[0]": lambda item: {"addresses": [item]},
        "contacts[0]": lambda item: {"contacts": [item]},
        "addresses[0].attributes[0]": lambda item: {"addresses": [{"id": address, "attributes": [item]}]},
        "attributes[0]": lambda item: {"attributes": [item]},
        "": lambda item: item,
    }
    wrapped = wrappers[path]
    requests = [wrapped({**whole, name: value}) for name in whole for value in WRONG]
    requests += [wrapped(value) for value in WRONG if path]
    statuses = [
        (await world.api.patch(f"/v1/customers/{customer['id']}", json=request)).status_code for request in requests
    ]
    assert set(statuses) <= {201, 400}
    await patched(world, customer)
