"""Batches: every operation is told on its own, in its order, by the rules of its own route."""

from typing import Any
from uuid import uuid4

import pytest

from customerhub.dialects.hub.operations import MAX_OPERATIONS
from customerhub.dialects.hub.tests.batches import BATCH, Failed, failures_of, results_of, run, send, update
from customerhub.dialects.hub.tests.helpers import invalid, refusal
from tests.support.hub import CUSTOMERS, Desk, Json, make_key


async def test_each_operation_has_its_own_outcome(desk: Desk) -> None:
    """What is done says what it changed, what is not done says why, by the place in the request; none stops another."""
    one, two, gone = [await desk.create(desk.full_body()) for _ in range(3)]
    await desk.api.delete(f"{CUSTOMERS}/{gone['id']}")
    results = await run(
        desk,
        {"op": "create", "patch": {"name": "Kestrel", "email": "ap@kestrel.example"}},
        {"op": "create", "patch": {"email": "nobody", "nickname": "K"}},
        update(one, {"note": "Rings twice.", "status": "inactive", "addresses": {"mode": "merge", "items": []}}),
        update(one, {"standing": "normal", "attributes": {"Route": None}}, form="merge"),
        update(one, [{"op": "test", "path": "/standing", "value": "hold_all"}], form="json-patch"),
        update(one, [{"op": "replace", "path": "/note", "value": None}], form="json-patch", if_match=3),
        update(one, {"phone": "1"}, if_match=2),
        update(two, {"credit_limit": {"value": "1.00", "unit": str(uuid4())}}),
        {"op": "delete", "id": two["id"], "if_match": 1},
        {"op": "delete", "id": two["id"]},
        {"op": "restore", "id": gone["id"]},
        {"op": "restore", "id": str(uuid4())},
    )
    assert failures_of(results) == [
        201,
        (
            422,
            "invalid",
            [
                ("/operations/1/patch/email", "email"),
                ("/operations/1/patch/nickname", "unknown"),
                ("/operations/1/patch/name", "required"),
            ],
        ),
        200,
        200,
        (409, "test-failed", [("/operations/4/patch/0", "test_failed")]),
        200,
        (412, "stale", []),
        (422, "invalid", [("/operations/7/patch/credit_limit/unit", "unknown_id")]),
        200,
        (404, "not-found", []),
        200,
        (404, "not-found", []),
    ]
    made = await desk.get(results[0]["id"])
    assert (made["name"], made["version"]) == ("Kestrel", 1)
    assert results[2] == {
        "index": 2,
        "status": 200,
        "id": one["id"],
        "version": 2,
        "changed": ["/note"],
        "equal": ["/status", "/addresses"],
        "ignored": [],
    }
    assert (results[3]["changed"], results[3]["version"]) == (["/standing", "/attributes/Route"], 3)
    assert results[8]["changed"] == ["/deleted_at"]
    assert (results[10]["id"], results[10]["version"]) == (gone["id"], 3)


async def test_a_stale_operation_is_told_the_difference(desk: Desk) -> None:
    """As its own route tells it: what was read, what was asked, and what stands, also by the same batch."""
    customer = await desk.create(note="Rings twice.", phone="1")
    _, stale, deletion = await run(
        desk,
        update(customer, {"note": None}),
        update(customer, {"phone": "2"}, if_match=1),
        {"op": "delete", "id": customer["id"], "if_match": 1},
    )
    note = {"path": "/note", "base": "Rings twice.", "mine": "Rings twice.", "theirs": None}
    phone = {"path": "/phone", "base": "1", "mine": "2", "theirs": "1"}
    assert (stale["error"]["current"], stale["error"]["difference"]) == (2, [phone, note])
    assert (deletion["error"]["current"], deletion["error"]["difference"]) == (2, [note])
    assert (stale["id"], deletion["id"]) == (customer["id"], customer["id"])


async def test_operations_on_one_customer_are_done_in_their_order(desk: Desk) -> None:
    """Each of them sees what those before it did, also a deletion and what it sets free."""
    customer = await desk.create(email="a@kestrel.example")
    results = await run(
        desk,
        update(customer, {"note": "1"}),
        update(customer, {"note": "2"}, if_match=2),
        {"op": "create", "patch": {"name": "Early", "email": "a@kestrel.example"}},
        {"op": "delete", "id": customer["id"]},
        update(customer, {"note": "3"}),
        {"op": "create", "patch": {"name": "Late", "email": "A@kestrel.example"}},
        {"op": "create", "patch": {"name": "Later", "email": "a@KESTREL.example"}},
        {"op": "restore", "id": customer["id"]},
        {"op": "delete", "id": customer["id"], "if_match": 3},
    )
    taken = [(409, "taken", [(f"/operations/{place}/patch/email", "email_taken")]) for place in (2, 6)]
    assert failures_of(results) == [
        *(200, 200, taken[0], 200),
        *((404, "not-found", []), 201, taken[1]),
        *((409, "taken", [("/operations/7/patch/email", "email_taken")]), (404, "not-found", [])),
    ]
    history = (await desk.api.get(f"{CUSTOMERS}/{customer['id']}/history")).json()["data"]
    assert [entry["action"] for entry in history] == ["deleted", "updated", "updated", "created"]


@pytest.mark.parametrize(
    ("operation", "errors"),
    [
        (7, [("", "type")]),
        ({}, [("/op", "required")]),
        ({"op": "purge"}, [("/op", "enum")]),
        ({"op": 1, "id": 2}, [("/op", "type"), ("/id", "type")]),
        ({"op": "create"}, [("/patch", "required")]),
        ({"op": "create", "patch": []}, [("/patch", "type")]),
        ({"op": "create", "id": str(uuid4()), "patch": {}}, [("/id", "unknown")]),
        ({"op": "create", "if_match": 1, "patch": {}}, [("/if_match", "unknown")]),
        ({"op": "update"}, [("/id", "required"), ("/patch", "required")]),
        ({"op": "update", "id": "7", "patch": {}}, [("/id", "uuid")]),
        ({"op": "update", "id": str(uuid4()), "patch": [], "form": "merge"}, [("/patch", "type")]),
        ({"op": "update", "id": str(uuid4()), "patch": {}, "form": "json-patch"}, [("/patch", "type")]),
        ({"op": "update", "id": str(uuid4()), "patch": None, "form": "xml"}, [("/form", "enum")]),
        ({"op": "delete", "id": str(uuid4()), "if_match": 0}, [("/if_match", "greater_than_equal")]),
        ({"op": "delete", "id": str(uuid4()), "if_match": True}, [("/if_match", "type")]),
        ({"op": "delete", "id": None}, [("/id", "not_nullable")]),
        ({"op": "restore", "id": str(uuid4()), "patch": {}}, [("/patch", "unknown")]),
        ({"op": "delete", "id": str(uuid4()), "surprise": 1}, [("/surprise", "unknown")]),
    ],
)
async def test_an_operation_that_is_none_fails_alone(desk: Desk, operation: Any, errors: list[tuple[str, str]]) -> None:
    """422 of its own, naming every wrong member of it."""
    results = await run(desk, operation, {"op": "create", "patch": {"name": "Kestrel"}})
    places = [(f"/operations/0{pointer}", code) for pointer, code in errors]
    assert failures_of(results) == [(422, "invalid", places), 201]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("/operations", "required")),
        ({"operations": None}, ("/operations", "not_nullable")),
        ({"operations": {}}, ("/operations", "type")),
        ({"operations": []}, ("/operations", "too_short")),
        ({"operations": [{}] * (MAX_OPERATIONS + 1)}, ("/operations", "too_long")),
        ({"operations": [{}], "atomic": "true"}, ("/atomic", "type")),
        ({"operations": [{}], "surprise": 1}, ("/surprise", "unknown")),
    ],
)
async def test_a_bad_envelope_is_refused_whole(desk: Desk, body: Json, error: tuple[str, str]) -> None:
    """422 and nothing done; too many operations are told with their number."""
    before = await desk.fingerprint()
    answer = await desk.api.post(BATCH, json=body)
    assert refusal(answer) == invalid(error)
    assert ("at most 1000" in answer.json()["detail"]) == (error[1] == "too_long")
    assert await desk.fingerprint() == before


async def test_a_thousand_whole_customers_are_taken(desk: Desk) -> None:
    """So many fit, each with its own number and its own version."""
    bodies = [desk.full_body() for _ in range(MAX_OPERATIONS)]
    for body in bodies:
        del body["number"]
    results = await run(desk, *({"op": "create", "patch": body} for body in bodies))
    assert [(result["status"], result["version"]) for result in results] == [(201, 1)] * MAX_OPERATIONS
    async with desk.hub.database.lease() as connection:
        numbers = await connection.fetch("select number from customer where team = $1 order by number", desk.team.id)
    assert [row[0] for row in numbers] == [f"C{place:05}" for place in range(1, MAX_OPERATIONS + 1)]


async def test_a_typed_number_in_the_way_is_jumped_over(desk: Desk) -> None:
    """The numbers of a batch go on past it and past what was taken for the batch, and so do all after it."""
    await desk.create(name="Typed", number="C00003")
    results = await run(desk, *({"op": "create", "patch": {"name": f"K{place}"}} for place in range(4)))
    numbers = [(await desk.get(result["id"]))["number"] for result in results]
    assert numbers == ["C00001", "C00002", "C00005", "C00006"]
    assert (await desk.create())["number"] == "C00007"


async def test_a_merged_customer_is_told_with_the_one_it_went_into(desk: Desk) -> None:
    """As its own route answers 301."""
    one, two = await desk.create(), await desk.create()
    async with desk.hub.database.lease() as connection:
        statement = "update customer set deleted_at = now(), merged_into = $3 where team = $1 and id = $2"
        await connection.execute(statement, desk.team.id, one["id"], two["id"])
    results = await run(desk, update(one, {"note": "x"}), {"op": "delete", "id": one["id"]})
    told = {"status": 301, "id": one["id"], "merged_into": two["id"]}
    assert results == [{"index": 0, **told}, {"index": 1, **told}]


async def test_a_demanding_credential_needs_a_version_in_each_operation(desk: Desk) -> None:
    """428 for each that changes a customer without `if_match`; what is made has none."""
    one, two, gone = [await desk.create() for _ in range(3)]
    await desk.api.delete(f"{CUSTOMERS}/{gone['id']}")
    key = await make_key(desk.hub, desk.team, requires_precondition=True)
    desk.api.headers["Authorization"] = f"Bearer {key['api_key']}"
    results = await run(
        desk,
        {"op": "create", "patch": {"name": "Kestrel"}},
        update(one, {"note": "x"}),
        update(one, {"note": "x"}, if_match=1),
        {"op": "delete", "id": two["id"]},
        {"op": "delete", "id": two["id"], "if_match": 1},
        {"op": "restore", "id": gone["id"]},
        {"op": "restore", "id": gone["id"], "if_match": 2},
    )
    needed: Failed = (428, "precondition-required", [])
    assert failures_of(results) == [201, needed, 200, needed, 200, needed, 200]


async def test_a_tag_names_no_batch(desk: Desk) -> None:
    """If-Match is 412: a batch has no version, and running it unguarded is not what was meant."""
    customer = await desk.create()
    answer = await send(desk, [update(customer, {"note": "x"})], if_match='"1"')
    assert refusal(answer) == (412, "stale", [])
    assert await desk.get(customer["id"]) == customer


async def test_what_is_ignored_is_named_by_its_place(desk: Desk) -> None:
    """Where the team has unknown members ignored: in the result, in the header and in the customer's history."""
    async with desk.hub.database.lease() as connection:
        settings = """update team set settings = settings || '{"unknown_members": "ignore"}',
            catalogue_version = catalogue_version + 1 where id = $1"""
        await connection.execute(settings, desk.team.id)
    customer = await desk.create()
    operations = [{"op": "create", "patch": {"name": "K"}}, update(customer, {"nickname": "K", "note": "x"})]
    answer = await send(desk, operations)
    assert [result["ignored"] for result in results_of(answer)] == [[], ["/operations/1/patch/nickname"]]
    assert answer.headers["customerhub-ignored"] == "operations[1].patch.nickname"
    history = (await desk.api.get(f"{CUSTOMERS}/{customer['id']}/history")).json()["data"]
    assert history[0]["ignored"] == ["nickname"]


async def test_of_too_many_wrong_values_not_all_are_told(desk: Desk) -> None:
    """A thousand of them all in all; what goes beyond is told by its operation only."""
    operations = [{"op": "create", "patch": {"name": "K", "addresses": [7] * 600}} for _ in range(3)]
    results = await run(desk, *operations)
    errors = [result["error"]["errors"] for result in results]
    assert [len(one) for one in errors] == [600, 1, 1]
    assert [(one[0]["pointer"], one[0]["code"]) for one in errors[1:]] == [
        ("/operations/1", "too_many"),
        ("/operations/2", "too_many"),
    ]


async def test_each_team_changes_its_own(desk: Desk, other_desk: Desk) -> None:
    """Another team's customer is as unknown as one that there never was."""
    foreign = await other_desk.create()
    operations = [
        update(foreign, {"note": "x"}),
        {"op": "delete", "id": foreign["id"]},
        {"op": "restore", "id": foreign["id"]},
    ]
    assert failures_of(await run(desk, *operations)) == [(404, "not-found", [])] * 3
    assert await other_desk.get(foreign["id"]) == foreign
