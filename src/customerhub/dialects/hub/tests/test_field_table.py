"""The README's table of fields, cell by cell against a running hub."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints
from uuid import uuid4

import httpx
import pytest

from customerhub.dialects.hub import wire
from tests.support.hub import CUSTOMERS, LIST_AWARE, MERGE_PATCH, Desk, Json

README = Path(__file__).parents[1] / "README.md"
HEADER = ["body", "field", "absent", "null", '`""`', "`[]`", "checks"]
# Body of the table: its model, and where it stands in the request.
BODIES: dict[str, tuple[Any, tuple[str | int, ...]]] = {
    "customer": (wire.CustomerBody, ()),
    "addresses[]": (wire.AddressBody, ("addresses", 0)),
    "contacts[]": (wire.ContactBody, ("contacts", 0)),
}
ABSENT = object()
COLUMNS: tuple[tuple[str, object], ...] = (("absent", ABSENT), ("null", None), ("empty", ""), ("array", []))
WORDS: dict[str, object] = {"true": True, "false": False}


class Row(NamedTuple):
    """One row of the table."""

    body: str
    field: str
    absent: str
    null: str
    empty: str
    array: str
    checks: str


def read_table() -> list[Row]:
    """Every row, in order."""
    lines = [line for line in README.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    first = cells.index(HEADER) + 2
    return [Row(*row) for row in cells[first:] if len(row) == len(HEADER)]


TABLE = read_table()


def fields_of(body: str) -> Iterator[tuple[str, Row]]:
    """Names and rows of a body's fields."""
    return ((row.field.strip("`"), row) for row in TABLE if row.body == body)


def test_the_table_is_whole() -> None:
    """It has a row for each member that can be set, and no other."""
    assert list(dict.fromkeys(row.body for row in TABLE)) == list(BODIES)
    for body, (model, _) in BODIES.items():
        assert sorted(name for name, _ in fields_of(body)) == sorted(set(get_type_hints(model)) - {"id"})


def with_member(request: Json, body: str, name: str, value: object) -> Json:
    """The request with one member set or left out."""
    request = copy.deepcopy(request)
    place: Any = request
    for step in BODIES[body][1]:
        place = place[step]
    if value is ABSENT:
        place.pop(name, None)
    else:
        place[name] = value
    if name in ("addresses", "contacts"):
        for pointer in ("bill_to", "ship_to") if name == "addresses" else ("primary_contact",):
            request.pop(pointer, None)
    # What would be refused, or moved, by what is tried.
    request.pop({"sales_reps": "default_sales_rep", "carrier": "service_level"}.get(name, ""), None)
    return request


def find(shown: Json, body: str, sent: Json) -> Json:
    """The part of a record that a body is about; an entry is the one whose other members were sent."""
    if body == "customer":
        return shown
    member = body.removesuffix("[]")
    key = "last_name"
    found: Json = next(entry for entry in shown[member] if entry[key] == sent[member][0].get(key, entry[key]))
    return found


def fails(cell: str, name: str, body: str, answer: httpx.Response, sent: Json) -> bool:
    """Whether an answer is not what a cell says."""
    if cell in ("422", "required"):
        place = "".join(f"/{step}" for step in (*BODIES[body][1], name))
        return answer.status_code != 422 or [error["pointer"] for error in answer.json()["errors"]] != [place]
    if not answer.is_success:
        return True
    told = find(answer.json()["customer"], body, sent)[name]
    match cell:
        case "none" | "team":
            return told not in (None, [], {})
        case "first":
            return bool(told != sent["sales_reps"][0])
        case "made":
            return not told.startswith("C")
    return bool(told != WORDS.get(cell, cell))


@pytest.mark.parametrize("body", BODIES)
async def test_every_cell_of_a_creation(desk: Desk, body: str) -> None:
    """Absent, null, empty text and empty array do what the table says, for every field."""
    wrong: list[str] = []
    for name, row in fields_of(body):
        for column, value in COLUMNS:
            sent = with_member(desk.full_body(), body, name, value)
            answer = await desk.api.post(CUSTOMERS, json=sent)
            if fails(getattr(row, column), name, body, answer, sent):
                wrong.append(f"{name} {column}: {answer.status_code} {answer.text[:500]}")
    assert wrong == []


@pytest.mark.parametrize("form", [MERGE_PATCH, LIST_AWARE])
async def test_every_cell_of_a_patch(desk: Desk, customer: Json, form: str) -> None:
    """Null, empty text and empty array do what the table says, and a refusal changes nothing."""
    wrong: list[str] = []
    for name, row in fields_of("customer"):
        for column, value in COLUMNS[1:]:
            before = await desk.get(customer["id"])
            if form == LIST_AWARE and column == "array" and before[name] and name in ("addresses", "contacts"):
                continue
            answer = await desk.patch(customer, {name: value}, form)
            if fails(getattr(row, column), name, "customer", answer, {}):
                wrong.append(f"{name} {column}: {answer.status_code} {answer.text[:500]}")
            if not answer.is_success:
                assert await desk.get(customer["id"]) == before
            await desk.patch(customer, {name: before[name]})
    assert wrong == []


def misfits(check: str, taken: Json, name: str) -> list[object]:
    """Values that break a check."""
    if check.startswith("at most "):
        return ["x" * (int(check.rpartition(" ")[2]) + 1), 5, True, {}]
    strange = str(uuid4())
    values: dict[str, list[object]] = {
        "not blank": ["   ", "\n"],
        "email address": ["x", "a@b", " a@b.example", "a@b@c.example", f"{'x' * 64}@{'y' * 200}.example", 5],
        "id": ["x", "5F0F8A0E", strange, 5, {}],
        "id or name": ["x", strange, 5, {}, {"name": ""}, {"name": 5}, {"name": "N", "id": strange}],
        "id or place": ["x", strange, 5, "/addresses", "/addresses/9", "/contacts/01", "/5"],
        "ids": ["x", ["x"], [strange], [5], {"x": 1}, [None]],
        "entries": ["x", {}, [5], [[]], [{"id": strange}], [{"unknown": 1}]],
        "custom values": ["x", {"Name": 5}, {"": "x"}, {"x" * 256: "x"}, {"Name": {}}],
        "limit": [5, "5", {}, {"value": 5, "unit": strange}, {"value": "-1", "unit": strange}, {"value": "1e3"}],
        "`true` or `false`": ["true", 0, 1],
    }
    if check.startswith("`") and check not in values:
        return ["Active", "x", 5, {}]
    return [taken[name], taken[name].upper()] if check == "unique" and name == "email" else values.get(check, [])


@pytest.mark.parametrize("body", BODIES)
async def test_every_check(desk: Desk, customer: Json, body: str) -> None:
    """What breaks a check is refused at the very place or inside it, with nothing stored; the longest text is taken."""
    wrong: list[str] = []
    before = await desk.fingerprint()
    for name, row in fields_of(body):
        place = "".join(f"/{step}" for step in (*BODIES[body][1], name))
        for check in row.checks.split("; "):
            for value in misfits(check, customer, name):
                answer = await desk.api.post(CUSTOMERS, json=with_member(desk.full_body(), body, name, value))
                told = [error["pointer"] for error in answer.json().get("errors", ())]
                status = 409 if check == "unique" else 422
                if answer.status_code != status or not told or not all(at.startswith(place) for at in told):
                    wrong.append(f"{name} {value!r}: {answer.status_code} {answer.text[:500]}")
    assert wrong == []
    assert await desk.fingerprint() == before
    for name, row in fields_of(body):
        for check in row.checks.split("; "):
            if check.startswith("at most "):
                longest = uuid4().hex + "x" * (int(check.rpartition(" ")[2]) - 32)
                sent = with_member(desk.full_body(), body, name, longest)
                answer = await desk.api.post(CUSTOMERS, json=sent)
                assert answer.status_code == 201, (name, answer.text)
                assert longest in answer.text
