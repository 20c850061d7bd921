"""The README's table of fields, cell by cell against a running hub."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import httpx
import pytest

from customerhub.dialects.count import wire
from customerhub.model.error import FieldError
from tests.support.count import Json, Partner
from tests.support.world import World

README = Path(__file__).parents[1] / "README.md"
HEADER = ["body", "field", "absent", "null", '`""`', "`[]`", "checks"]
# Body of the table: its wire model, and where it stands in the request.
BODIES: dict[str, tuple[type, tuple[str | int, ...]]] = {
    "POST customer": (wire.CustomerBody, ()),
    "POST customer: contacts[]": (wire.ContactBody, ("contacts", 0)),
    "PUT customer": (wire.CustomerUpdate, ()),
    "PUT customer: billingAddress": (wire.AddressBody, ("billingAddress",)),
}
ABSENT = object()
ANYTHING: tuple[object, ...] = (None, "", [], {"a": 1})
COLUMNS: tuple[tuple[str, object], ...] = (("absent", ABSENT), ("null", None), ("empty", ""), ("array", []))


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
    """Names and rows of a body's own fields."""
    return ((row.field.strip("`"), row) for row in TABLE if row.body == body and row.field.startswith("`"))


def test_the_table_is_whole() -> None:
    """It has a row for each member that a model takes, and no other; `name` is told in words."""
    assert list(dict.fromkeys(row.body for row in TABLE)) == list(BODIES)
    for body, (model, _) in BODIES.items():
        assert sorted(name for name, _ in fields_of(body)) == sorted(set(get_type_hints(model)) - {"name"})


async def send(partner: Partner, body: str, name: str, value: object) -> tuple[httpx.Response, Json]:
    """A full request with one member set or left out, and the record that it finds (none for a new one)."""
    request: Json = partner.full_body()
    before: Json = {}
    if body.startswith("PUT"):
        before = await partner.create(request)
        request = {**request, "billingAddress": {**request["billingAddress"], "city": "Moved"}}
    place: Any = request
    for step in BODIES[body][1]:
        place = place[step]
    if value is ABSENT:
        place.pop(name, None)
    else:
        place[name] = copy.deepcopy(value)
    if before:
        return await partner.api.put(f"/partners/customers/{before['uuid']}", json=request), before
    return await partner.api.post("/partners/customers", json=request), before


def at(body: str, name: str) -> str:
    """The path that an error or a warning gives to a member."""
    return FieldError((*BODIES[body][1], name), "", "").dotted()


def place_of(body: str, data: Json) -> Json:
    """Where a body's members are read back."""
    place: Any = data
    for step in BODIES[body][1]:
        place = place[step]
    found: Json = place
    return found


def fails(cell: str, name: str, body: str, answer: httpx.Response, before: Json) -> bool:
    """Whether an answer is not what a cell says."""
    told = answer.json()
    if cell in ("400", "required"):
        return answer.status_code != 400 or [error["field"] for error in told["errors"]] != [at(body, name)]
    if not answer.is_success:
        return True
    data = told["data"]
    warned = [item["field"] for item in data.get("_partnerWarnings", [])]
    match cell:
        case "alone":
            return data["contacts"] != before["contacts"] or "contacts" not in warned
        case "ignored":
            return at(body, name) not in warned
        case "kept":
            return bool(data[name] != before[name])
        case "none":
            return place_of(body, data)[name] not in (None, [])
    return bool(place_of(body, data)[name] != {"active": "active", "false": False}[cell])


@pytest.mark.parametrize("body", BODIES)
async def test_every_cell(partner: Partner, body: str) -> None:
    """Absent, null, empty text and empty array do what the table says, for every field."""
    wrong: list[str] = []
    for name, row in fields_of(body):
        for column, value in COLUMNS:
            cell = getattr(row, column)
            answer, before = await send(partner, body, name, value)
            if fails(cell, name, body, answer, before):
                wrong.append(f"{name} {column}: not {cell}: {answer.status_code} {answer.text}")
    assert wrong == []


@pytest.mark.parametrize("body", BODIES)
async def test_unknown_and_read_only_members(partner: Partner, body: str) -> None:
    """Whatever they hold: accepted, with a warning and without effect."""
    rows = [row for row in TABLE if row.body == body and row.field.startswith("*")]
    assert {(row.absent, row.null, row.empty, row.array) for row in rows} == {("–", *["ignored"] * 3)}
    names = [
        name for row in rows for name in (row.checks.replace("`", "").split() if "read" in row.field else ["Nick"])
    ]
    for name in names:
        for value in ANYTHING:
            answer, before = await send(partner, body, name, value)
            assert not fails("ignored", name, body, answer, before), (name, value, answer.text)


def misfits(check: str, taken: str) -> list[object]:
    """Values that break a check."""
    if check.startswith("at most "):
        return ["x" * (int(check.rpartition(" ")[2]) + 1), 5, True, {}]
    values: dict[str, list[object]] = {
        "not blank": ["   "],
        "email address": ["x", "a@b", "a@b@c.example", f"{'x' * 64}@{'y' * 200}.example", 5],
        "unique": [taken, taken.upper()],
        "`active` or `inactive`": ["Active", "deleted", 5],
        "`true` or `false`": ["true", 0, 1],
        "address": [5, "x", True],
        "contacts": ["x", {}, 5],
        "any array": ["x", {}, 5],
    }
    return values[check]


@pytest.mark.parametrize("body", BODIES)
async def test_every_check(partner: Partner, world: World, body: str) -> None:
    """What breaks a check is refused by the very field, with nothing stored; the longest text is taken."""
    taken = (await partner.create())["email"]
    wrong: list[str] = []
    for name, row in fields_of(body):
        for check in row.checks.split("; "):
            for value in misfits(check, taken):
                answer, before = await send(partner, body, name, value)
                if check == "unique":
                    failed = (answer.status_code, answer.json().get("code")) != (409, "email_already_exists")
                else:
                    failed = fails("400", name, body, answer, before)
                if failed or (before and await partner.get(before["uuid"]) != before):
                    wrong.append(f"{name} {value!r}: {answer.status_code} {answer.text}")
            if check.startswith("at most "):
                longest = "x" * int(check.rpartition(" ")[2])
                answer, _ = await send(partner, body, name, longest)
                if not answer.is_success or place_of(body, answer.json()["data"])[name] != longest:
                    wrong.append(f"{name}: {len(longest)} characters: {answer.status_code} {answer.text}")
    assert wrong == []
