"""Batches as a whole: all or nothing, tried, under a key, broken off in the middle, beside others."""

import asyncio
from uuid import UUID, uuid4

import pytest
from typing_extensions import override

from customerhub.dialects.hub.tests.batches import TYPE, Failed, failures_of, results_of, run, send, update
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.store.customers import QUERIES
from customerhub.store.db import connect
from tests.end_to_end.answers import changed_tables
from tests.support.hub import CUSTOMERS, Desk, Json

# A number that was taken for a creation is not given again, whatever becomes of that.
COUNTER = {"number_counter"}
DRY_RUN: Json = {"customerhub_dry_run": "true"}
KEY: Json = {"idempotency_key": "batch"}


def creations(count: int) -> list[Json]:
    """As many customers to make."""
    return [{"op": "create", "patch": {"name": f"Kestrel {number}"}} for number in range(count)]


async def names(desk: Desk) -> list[str]:
    """Of all customers, in the order in which they were made."""
    async with desk.hub.database.lease() as connection:
        rows = await connection.fetch("select name from customer where team = $1 order by created_at, id", desk.team.id)
    return [row[0] for row in rows]


async def test_all_or_nothing_does_all(desk: Desk) -> None:
    """Where nothing fails it is answered like any other batch."""
    customer = await desk.create(email="a@kestrel.example")
    operations = [
        update(customer, {"email": None}),
        {"op": "create", "patch": {"name": "Kestrel", "email": "a@kestrel.example"}},
        update(customer, {"note": "x"}, if_match=2),
        {"op": "delete", "id": customer["id"]},
        {"op": "restore", "id": customer["id"]},
    ]
    answer = await send(desk, operations, atomic=True)
    assert answer.status_code == 200, answer.text
    results = results_of(answer)
    assert [(result["status"], result["version"]) for result in results] == [
        *((200, 2), (201, 1), (200, 3), (200, 4), (200, 5)),
    ]
    assert (await desk.get(results[1]["id"]))["email"] == "a@kestrel.example"
    assert (await desk.get(customer["id"]))["note"] == "x"


async def test_all_or_nothing_does_nothing(desk: Desk) -> None:
    """The first failure is that of the whole, with an outcome of each; nothing is stored."""
    one, two = await desk.create(), await desk.create(email="a@kestrel.example")
    gone = str(uuid4())
    before = await desk.fingerprint()
    undone: Failed = (424, "undone", [])
    for failing, status, outcome in (
        (update(one, {"email": "x", "note": 1}), 422, (422, "invalid", ["email", "note"])),
        (update(one, {"email": "A@kestrel.example"}), 409, (409, "taken", ["email"])),
        (update(one, {"note": "y"}, if_match=1), 409, (412, "stale", [])),
        ({"op": "delete", "id": gone}, 409, (404, "not-found", [])),
        ({"op": "purge"}, 422, (422, "invalid", None)),
    ):
        operations = [update(one, {"note": "x"}), *creations(2), failing, update(two, {"email": 7})]
        for headers in ({}, DRY_RUN):
            answer = await send(desk, operations, atomic=True, **headers)
            problem = answer.json()
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
            assert (problem["status"], problem["type"]) == (status, f"{TYPE}batch-undone")
            assert problem["detail"].startswith("Operation 3: ")
            *others, last = failures_of(results_of(answer))[:3], failures_of(results_of(answer))[4]
            assert (others, last) == ([[undone] * 3], undone)
            code, kind, members = outcome
            told = failures_of(results_of(answer))[3]
            assert isinstance(told, tuple)
            assert told[:2] == (code, kind)
            assert [error["pointer"] for error in problem["errors"]] == [place for place, _ in told[2]]
            if members is not None:
                assert [place for place, _ in told[2]] == [f"/operations/3/patch/{member}" for member in members]
    assert set(changed_tables(before, await desk.fingerprint())) <= COUNTER


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_dry_run_sees_what_it_would_write(desk: Desk, atomic: bool) -> None:  # noqa: FBT001 - a parameter
    """Operations meet each other as they would, and nothing is stored, not even a number."""
    customer = await desk.create(email="a@kestrel.example")
    before = await desk.fingerprint()
    operations = [
        update(customer, {"email": None, "payment_term": {"name": "PHANTOM"}}),
        {"op": "create", "patch": {"name": "K", "email": "A@kestrel.example", "payment_term": {"name": "phantom"}}},
        {"op": "delete", "id": customer["id"], "if_match": 2},
        {"op": "create", "patch": {"name": "K"}},
    ]
    answer = await send(desk, operations, atomic=atomic, **DRY_RUN, **KEY)
    assert failures_of(results_of(answer)) == [200, 201, 200, 201]
    assert await desk.fingerprint() == before
    done = await send(desk, operations, atomic=atomic, **KEY)
    assert failures_of(results_of(done)) == [200, 201, 200, 201]
    assert "idempotent-replayed" not in done.headers


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_key_replays_the_whole_batch(desk: Desk, atomic: bool) -> None:  # noqa: FBT001 - a parameter
    """The same bytes again, failures included, and nothing is written; another batch under it is refused."""
    customer = await desk.create()
    operations = [*creations(2), update(customer, {"note": "x"}, if_match=1), update(customer, {"email": "x"})]
    if atomic:
        operations.pop()
    first = await send(desk, operations, atomic=atomic, **KEY)
    assert first.status_code == 200
    before = await desk.fingerprint()
    again = await send(desk, operations, atomic=atomic, **KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    for other in (operations[:1], operations):
        answer = await send(desk, other, atomic=not atomic, **KEY)
        assert refusal(answer) == (422, "key-reused", [])
    assert await desk.fingerprint() == before


async def test_a_key_keeps_a_refusal_of_all_that_would_not_change(desk: Desk) -> None:
    """Wrong values are wrong for ever; a customer that is not there may come back, so that is asked anew."""
    customer = await desk.create()
    wrong = [*creations(1), update(customer, {"email": "x"})]
    first, again = [await send(desk, wrong, atomic=True, **KEY) for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (422, 422, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    await desk.api.delete(f"{CUSTOMERS}/{customer['id']}")
    missing = [*creations(1), update(customer, {"note": "x"})]
    refused = await send(desk, missing, atomic=True, idempotency_key="other")
    assert refused.status_code == 409
    await desk.api.post(f"{CUSTOMERS}/{customer['id']}/restore")
    done = await send(desk, missing, atomic=True, idempotency_key="other")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (200, False)


class BreaksAt(dict[str, str]):
    """The statements of the store, in which the insertion of this number is none."""

    def __init__(self, number: int) -> None:
        super().__init__(QUERIES)
        self.left = number

    @override
    def __getitem__(self, name: str) -> str:
        self.left -= name == "insert"
        broken = name == "insert" and not self.left
        return "select 1/0; {columns}{values}{pieces}" if broken else super().__getitem__(name)


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_batch_that_broke_off_goes_on(
    desk: Desk,
    atomic: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was done is not done again, what was not is; all or nothing has done nothing."""
    operations = creations(7)
    monkeypatch.setattr("customerhub.core.batch.GROUP_SIZE", 3)
    monkeypatch.setattr("customerhub.store.customers.QUERIES", BreaksAt(5))
    broken = await send(desk, operations, atomic=atomic, **KEY)
    monkeypatch.undo()
    assert broken.status_code == 500
    assert await names(desk) == ([] if atomic else [f"Kestrel {number}" for number in range(3)])
    if not atomic:
        other = await send(desk, operations[1:], **KEY)
        assert refusal(other) == (422, "key-reused", [])
    done = await send(desk, operations, atomic=atomic, **KEY)
    assert failures_of(results_of(done)) == [201] * len(operations)
    assert await names(desk) == [f"Kestrel {number}" for number in range(len(operations))]
    ids = {result["id"] for result in results_of(done)}
    assert len(ids) == len(operations)


@pytest.mark.parametrize("atomic", [False, True])
async def test_the_same_batch_at_once_is_done_once(desk: Desk, atomic: bool) -> None:  # noqa: FBT001 - a parameter
    """Requests with one key: the rows exist once, and all answers are the same."""
    customer = await desk.create()
    operations = [*creations(20), update(customer, {"note": "x"})]
    answers = await asyncio.gather(*(send(desk, operations, atomic=atomic, **KEY) for _ in range(4)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert len(await names(desk)) == len(operations)
    assert (await desk.get(customer["id"]))["version"] == 2


async def test_batches_across_each_other_are_all_done(desk: Desk) -> None:
    """Several that change the same customers in other orders, and single changes between them, wait for no end."""
    customers = [await desk.create() for _ in range(6)]
    orders = [customers, customers[::-1], [*customers[3:], *customers[:3]]]
    batches = [
        send(desk, [update(customer, {"note": f"{mark}"}) for customer in order * 2], atomic=mark % 2 == 0)
        for mark, order in enumerate(orders)
    ]
    singles = [desk.patch(customer, {"attributes": {"Route": "7"}}) for customer in customers]
    answers = await asyncio.gather(*batches, *singles)
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for answer in answers[: len(batches)]:
        assert failures_of(results_of(answer)) == [200] * 12
    for customer in customers:
        history = (await desk.api.get(f"{CUSTOMERS}/{customer['id']}/history")).json()["data"]
        assert [entry["version"] for entry in history] == list(range(len(history), 0, -1))
        assert len(history) == 5


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_contended_row_is_left_for_the_retry(desk: Desk, atomic: bool) -> None:  # noqa: FBT001 - a parameter
    """What somebody else holds fails alone, for the moment: under the same key that row is tried again.

    All or nothing is 503 of the whole.
    """
    one, two = await desk.create(), await desk.create()
    operations = [update(one, {"note": "x"}), update(two, {"note": "x"}), *creations(1)]
    desk.hub.turns._patience = 0.05
    async with desk.hub.turns.turn((desk.team.id, UUID(two["id"]))):
        answer = await send(desk, operations, atomic=atomic, **KEY)
    if atomic:
        assert refusal(answer) == (503, "busy", [])
        assert (await desk.get(one["id"]))["version"] == 1
    else:
        assert failures_of(results_of(answer)) == [200, (503, "busy", []), 201]
    again = await send(desk, operations, atomic=atomic, **KEY)
    assert failures_of(results_of(again)) == [200, 200, 201]
    if not atomic:
        assert [results_of(again)[place] for place in (0, 2)] == [results_of(answer)[place] for place in (0, 2)]
    kept = await send(desk, operations, atomic=atomic, **KEY)
    assert (kept.content, kept.headers["idempotent-replayed"]) == (again.content, "true")


async def test_what_another_process_holds_keeps_no_other_row_waiting_for_ever(desk: Desk) -> None:
    """A customer whose row a session of its own holds is told to be busy; the others are changed."""
    one, two = await desk.create(), await desk.create()
    other = await connect(desk.hub.database.url)
    try:
        async with desk.hub.database.lease() as connection:
            await connection.execute("set lock_timeout = '100ms'")
        async with other.transaction():
            statement = "select from customer where team = $1 and id = $2 for update"
            await other.execute(statement, desk.team.id, UUID(two["id"]))
            results = await run(desk, update(one, {"note": "x"}), update(two, {"note": "x"}))
        assert failures_of(results) == [200, (503, "busy", [])]
    finally:
        await other.close()
        async with desk.hub.database.lease() as connection:
            await connection.execute("reset lock_timeout")
