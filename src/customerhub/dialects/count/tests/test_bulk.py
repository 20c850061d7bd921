"""Bulk: every row on its own, 201 for all of them together, one key for the batch."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.store.customers import QUERIES
from tests.support.count import Json, Partner
from tests.support.world import World

BULK = "/partners/customers/bulk"


async def post(partner: Partner, rows: object, **headers: str) -> httpx.Response:
    """Create rows."""
    return await partner.api.post(BULK, json={"customers": rows}, headers=headers)


async def patch(partner: Partner, rows: object, **headers: str) -> httpx.Response:
    """Update rows."""
    return await partner.api.patch(BULK, json={"customers": rows}, headers=headers)


def errors_of(answer: httpx.Response) -> list[str | None]:
    """The rows' errors, None for one that was done."""
    assert answer.status_code == 201, answer.text
    return [result.get("error") for result in answer.json()["data"]["results"]]


async def test_rows_stand_for_themselves(partner: Partner) -> None:
    """A refused row says why in plain text and stops no other."""
    taken = await partner.create(email="taken@a.example")
    answer = await post(
        partner,
        [
            {"customer": "Aster & Co", "email": "ap@aster.example", "nickname": "A"},
            {"customer": "", "email": "x@y.example"},
            {"customer": "Taken", "email": "TAKEN@a.example"},
            7,
            {"status": "gone"},
            {"customer": "Last", "email": "last@a.example"},
        ],
    )
    body = answer.json()
    assert errors_of(answer) == [
        None,
        "customer must not be empty",
        "A customer with this email already exists in the team.",
        "row must be an object",
        "customer is required; email is required; status must be active or inactive",
        None,
    ]
    assert (body["status"], body["message"]) == ("success", "Batch accepted")
    assert (body["data"]["successCount"], body["data"]["errorCount"]) == (2, 4)
    results = body["data"]["results"]
    assert [(result["index"], result["success"]) for result in results] == [
        (0, True),
        (1, False),
        (2, False),
        (3, False),
        (4, False),
        (5, True),
    ]
    first = dict(results[0]["customer"])
    assert [item["field"] for item in first.pop("_partnerWarnings")] == ["nickname"]
    assert answer.headers["customerhub-ignored"] == "customers[0].nickname"
    assert await partner.get(first["uuid"]) == first
    assert (await partner.get(taken["uuid"])) == taken


async def test_rows_are_updated_by_their_ids(partner: Partner, other_partner: Partner) -> None:
    """201 too; a missing, malformed, unknown or foreign id fails its row alone."""
    one, two = await partner.create(), await partner.create()
    foreign = await other_partner.create()
    answer = await patch(
        partner,
        [
            {"uuid": one["uuid"], "status": "inactive"},
            {"status": "inactive"},
            {"uuid": "17"},
            {"uuid": str(uuid4())},
            {"uuid": foreign["uuid"], "status": "inactive"},
            {"uuid": str(uuid4()), "status": "gone"},
            {"uuid": two["uuid"], "email": one["email"].upper()},
            {"uuid": two["uuid"], "customer": "Two", "contacts": []},
        ],
    )
    assert errors_of(answer) == [
        None,
        "uuid is required",
        "uuid must be a UUID",
        "No such customer in this team.",
        "No such customer in this team.",
        "status must be active or inactive",
        "A customer with this email already exists in the team.",
        None,
    ]
    assert (await partner.get(one["uuid"]))["status"] == "inactive"
    assert (await partner.get(two["uuid"]))["customer"] == "Two"
    assert await other_partner.get(foreign["uuid"]) == foreign


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"customers": None}, "not_nullable"),
        ({"customers": {}}, "invalid_type"),
        ({"customers": []}, "too_short"),
        ({"customers": [{}] * 101}, "too_long"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_bad_envelope_is_refused_whole(partner: Partner, method: str, body: Json, code: str) -> None:
    """400 and nothing done; too many rows are told in the words that clients look for."""
    answer = await partner.api.request(method, BULK, json=body)
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("customers", code)]
    assert ("Bulk requests are capped at 100" in answer.json()["message"]) == (code == "too_long")


async def test_a_hundred_rows_are_taken(partner: Partner) -> None:
    """The cap is a hundred."""
    answer = await post(partner, [partner.customer_body() for _ in range(100)])
    assert errors_of(answer) == [None] * 100
    data = (await partner.api.get("/partners/customers")).json()["data"]
    assert data["totalRecords"] == 100


async def test_a_key_replays_the_whole_batch(partner: Partner, world: World) -> None:
    """The same bytes again, failed rows included, and nothing is written; another request is refused."""
    rows = [partner.customer_body(), {"customer": ""}, partner.customer_body(email=None)]
    first = await post(partner, rows, **{"Idempotency-Key": "batch"})
    before = await world.fingerprint()
    again = await post(partner, rows, **{"Idempotency-Key": "batch"})
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = await post(partner, rows[:1], **{"Idempotency-Key": "batch"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert await world.fingerprint() == before


async def test_a_batch_that_broke_off_goes_on(partner: Partner, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were done are not done again; the retry's answer is the one that the first would have had."""
    rows = [{"customer": f"Row {number}", "email": f"{number}@a.example"} for number in range(4)]
    insert = QUERIES["insert"]
    taken = 0

    class Broken(dict[str, str]):
        @override
        def __getitem__(self, name: str) -> str:
            nonlocal taken
            taken += name == "insert"
            return "select 1/0; {columns}{values}{pieces}" if taken == 3 else super().__getitem__(name)

    monkeypatch.setattr("customerhub.store.customers.QUERIES", Broken(QUERIES))
    broken = await post(partner, rows, **{"Idempotency-Key": "batch"})
    monkeypatch.undo()
    assert QUERIES["insert"] == insert
    assert (broken.status_code, broken.json()["code"]) == (500, "internal_error")
    other = await post(partner, rows[1:], **{"Idempotency-Key": "batch"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    answer = await post(partner, rows, **{"Idempotency-Key": "batch"})
    assert errors_of(answer) == [None] * 4
    data = (await partner.api.get("/partners/customers")).json()["data"]
    assert [row["customer"] for row in data["records"]] == [f"Row {number}" for number in range(4)]
    for result in answer.json()["data"]["results"]:
        assert await world.versions(result["customer"]["uuid"]) == [1]


async def test_the_same_batch_at_once_is_done_once(partner: Partner) -> None:
    """Two requests with one key: the rows exist once, and both answers are the same."""
    rows = [partner.customer_body() for _ in range(10)]
    headers = {"Idempotency-Key": "batch"}
    one, two = await asyncio.gather(post(partner, rows, **headers), post(partner, rows, **headers))
    assert (errors_of(one), one.json()["data"]) == ([None] * 10, two.json()["data"])
    data = (await partner.api.get("/partners/customers")).json()["data"]
    assert data["totalRecords"] == 10


async def test_a_dry_run_sees_what_it_would_write(partner: Partner, world: World) -> None:
    """Rows meet each other as they would, and nothing is stored."""
    made = await partner.create()
    before = await world.fingerprint()
    headers = {"Customerhub-Dry-Run": "true", "Idempotency-Key": "batch"}
    rows = [partner.customer_body(email="one@a.example"), partner.customer_body(email="ONE@a.example")]
    tried = await post(partner, rows, **headers)
    assert errors_of(tried) == [None, "A customer with this email already exists in the team."]
    changes = [{"uuid": made["uuid"], "customer": "x"}, {"uuid": made["uuid"], "website": "y"}, {"uuid": "z"}]
    tried = await patch(partner, changes, **headers)
    assert errors_of(tried) == [None, None, "uuid must be a UUID"]
    second = tried.json()["data"]["results"][1]["customer"]
    assert (second["customer"], second["website"]) == ("x", "y")
    counters = {"number_counter"}
    after = await world.fingerprint()
    assert {name: value for name, value in after.items() if name not in counters} == {
        name: value for name, value in before.items() if name not in counters
    }


async def test_a_tag_names_no_batch(partner: Partner) -> None:
    """If-Match is 412: a batch has no version, and running it unguarded is not what was meant."""
    made = await partner.create()
    answer = await patch(partner, [{"uuid": made["uuid"], "customer": "x"}], **{"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert await partner.get(made["uuid"]) == made


async def test_a_contended_row_is_left_for_the_retry(partner: Partner, hub: Hub) -> None:
    """Its error is not kept: under the same key the retry does that row and repeats the others."""
    made, other = await partner.create(), await partner.create()
    rows = [{"uuid": other["uuid"], "customer": "o"}, {"uuid": made["uuid"], "customer": "x"}]
    headers = {"Idempotency-Key": "batch"}
    hub.turns._patience = 0.05
    async with hub.turns.turn((partner.team.id, UUID(made["uuid"]))):
        answer = await patch(partner, rows, **headers)
    assert errors_of(answer) == [None, "The record is being changed by others, try again."]
    again = await patch(partner, rows, **headers)
    assert errors_of(again) == [None, None]
    assert again.json()["data"]["results"][0] == answer.json()["data"]["results"][0]
    kept = await patch(partner, rows, **headers)
    assert kept.content == again.content


async def test_a_dry_run_leaves_nothing_in_memory(partner: Partner, hub: Hub) -> None:
    """A term that a tried row brought along is unknown afterwards, whatever version the catalogue then reaches."""
    rows = [partner.customer_body(paymentTerm="PHANTOM"), partner.customer_body(paymentTerm="phantom")]
    tried = await post(partner, rows, **{"Customerhub-Dry-Run": "true"})
    assert errors_of(tried) == [None, None]
    known = hub._catalogues.get(partner.team.id)
    assert known is None or known.find_named("payment_term", "phantom") is None
    made = await partner.create(paymentTerm="phantom")
    assert made["paymentTerm"] == "phantom"


async def test_what_stands_beside_the_rows_is_named(partner: Partner) -> None:
    """A member of the envelope that means nothing is ignored, and the answer says so, its replay too."""
    body = {"customers": [{"customer": "Aster & Co", "email": "ap@aster.example"}], "surprise": 1}
    for _ in range(2):
        answer = await partner.api.post(BULK, json=body, headers={"Idempotency-Key": "beside"})
        assert errors_of(answer) == [None]
        assert answer.headers["customerhub-ignored"] == "surprise"
