"""The README's table of fields, cell by cell against a running hub."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import httpx
import pytest

from customerhub.dialects.augno import wire
from customerhub.dialects.augno.tests.helpers import failure, read_back, strange_id
from customerhub.model.error import FieldError
from tests.support.augno import ALL, CUSTOMERS, Account, Json

README = Path(__file__).parents[1] / "README.md"
HEADER = ["body", "field", "absent", "null", '`""`', "`[]`", "checks"]
# Body of the table: its wire model, and where it stands in the request.
BODIES: dict[str, tuple[type, tuple[str, ...]]] = {
    "PATCH customer": (wire.CustomerUpdate, ()),
    "PATCH customer: credit_limit": (wire.CreditLimitBody, ("credit_limit",)),
    "POST customer": (wire.CustomerBody, ()),
    "POST customer: ship_to_address": (wire.AddressBody, ("ship_to_address",)),
    "POST merge": (wire.MergeBody, ()),
}
ABSENT = object()
ANYTHING: tuple[object, ...] = (None, "", [], {"a": 1})
COLUMNS: tuple[tuple[str, object], ...] = (("absent", ABSENT), ("null", None), ("empty", ""), ("array", []))
PLACE = ("street_line_1", "street_line_2", "locality", "state", "postal_code", "country")
WORDS: dict[str, object] = {"false": False}


class Row(NamedTuple):
    """One row of the table."""

    body: str
    field: str
    absent: str
    null: str
    empty: str
    array: str
    checks: str


class Tried(NamedTuple):
    """An answer, and what there was before (nothing where it is only made)."""

    answer: httpx.Response
    before: Json


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
    """It has a row for each member that a model takes, and no other."""
    assert list(dict.fromkeys(row.body for row in TABLE)) == list(BODIES)
    for body, (model, _) in BODIES.items():
        assert sorted(name for name, _ in fields_of(body)) == sorted(get_type_hints(model))


async def send(account: Account, body: str, name: str, value: object) -> Tried:
    """A request with one member set or left out."""
    verb = body.partition(":")[0]
    before: Json = {}
    request: Json = {}
    if verb == "POST customer":
        request = account.full_body()
    else:
        before = await account.create(account.full_body(), include=ALL)
    if verb == "POST merge":
        request["source_customer_ids"] = [(await account.create())["id"]]
    if body.endswith("credit_limit"):
        request["credit_limit"] = {"value": "7.00", "unit_id": account.unit}
    place: Any = request
    for step in BODIES[body][1]:
        place = place[step]
    if value is ABSENT:
        place.pop(name, None)
    else:
        place[name] = copy.deepcopy(value)
    path = {"PATCH customer": f"/{before.get('id')}", "POST merge": f"/{before.get('id')}/actions/merge"}.get(verb, "")
    method = verb.partition(" ")[0]
    return Tried(await account.api.request(method, CUSTOMERS + path, json=request, params={"include": ALL}), before)


async def find(account: Account, body: str, name: str, shown: Json) -> object:
    """What a member is read as."""
    if body == "PATCH customer: credit_limit":
        return shown["credit_limit"]["value"]
    if body != "POST customer: ship_to_address":
        return read_back(shown, name)
    address = shown["ship_to_address"]
    if name in PLACE:
        address = (await account.api.get(f"/v1/sales/addresses/{address['id']}")).json()["geolocation"]
    return address[name]


async def fails(account: Account, cell: str, body: str, name: str, tried: Tried) -> bool:
    """Whether an answer is not what a cell says."""
    answer, before = tried
    if cell in ("400", "required"):
        wrong = FieldError((*BODIES[body][1], name), "", "").dotted()
        found = failure(answer) if answer.status_code == 400 else {"param": None, "code": None}
        return found["param"] != wrong or (cell == "required") != (found["code"] == "missing_field")
    if not answer.is_success:
        return True
    value = await find(account, body, name, answer.json())
    match cell:
        case "kept":
            return bool(value != read_back(before, name))
        case "none":
            return value not in (None, [])
        case "made":
            return not (isinstance(value, str) and value.startswith("C"))
    return bool(value != WORDS.get(cell, cell))


@pytest.mark.parametrize("body", BODIES)
async def test_every_cell(account: Account, body: str) -> None:
    """Absent, null, empty text and empty array do what the table says, for every field."""
    wrong: list[str] = []
    for name, row in fields_of(body):
        for column, value in COLUMNS:
            cell = getattr(row, column)
            tried = await send(account, body, name, value)
            if await fails(account, cell, body, name, tried):
                wrong.append(f"{name} {column}: not {cell}: {tried.answer.status_code} {tried.answer.text}")
    assert wrong == []


@pytest.mark.parametrize("body", BODIES)
async def test_unknown_members(account: Account, body: str) -> None:
    """Whatever they hold: refused by name, whether answers have such a member or not."""
    rows = [row for row in TABLE if row.body == body and row.field == "*unknown*"]
    assert [(row.absent, row.null, row.empty, row.array) for row in rows] == [("–", "400", "400", "400")]
    for name in ("id", "object", "nam", "created_at"):
        for value in ANYTHING:
            tried = await send(account, body, name, value)
            assert not await fails(account, "400", body, name, tried), (name, value, tried.answer.text)
            assert failure(tried.answer)["code"] == "parameter_unknown"


def misfits(check: str, taken: Json) -> list[object]:
    """Values that break a check."""
    if check.startswith("at most "):
        return ["x" * (int(check.rpartition(" ")[2]) + 1), 5, True, {}]
    if check.endswith(("_` id", "_` ids")):
        prefix = check.partition("_")[0].strip("`")
        wrong = ["x", strange_id(prefix), strange_id("xx"), taken["id"] if prefix != "ac" else "ac_", f"{prefix}_", 5]
        return wrong if check.endswith("id") else [[one] for one in wrong] + ["x", {}]
    if check.startswith("`") and " or " not in check:
        return [check.split(maxsplit=1)[0].strip("`").upper(), "x", 5, True, {}]
    values: dict[str, list[object]] = {
        "not blank": ["   ", "\n"],
        "email address": ["x", "a@b", "a@b@c.example", "a b@c.example", "a@b.", "a@.b", "@b.example", 5],
        "http or https": ["kestrel.example", "ftp://a.example", "https://", "http:// a", "//a.example", 5],
        "`true` or `false`": ["true", 0, 1],
        "object": [5, "x", True, {}],
        "decimal": ["x", "1,5", "-1", "NaN", "1e99", f"0.{'1' * 13}", 5, 1.5, True, {}],
        "two letters": ["U", "USA", "U ", "ÅÄ", 5, True],
        "not the target": [],
    }
    return values[check]


@pytest.mark.parametrize("body", BODIES)
async def test_every_check(account: Account, body: str) -> None:
    """What breaks a check is refused by the very field, with nothing stored; the longest text is taken."""
    taken = await account.create(account.full_body(), include=ALL)
    wrong: list[str] = []
    for name, row in fields_of(body):
        for check in row.checks.split("; "):
            for value in [read_back(taken, name)] if check == "unique" else misfits(check, taken):
                tried = await send(account, body, name, value)
                if check == "unique":
                    told = (tried.answer.status_code, failure(tried.answer)["param"])
                    failed = told != (409, name)
                else:
                    failed = not told_of(body, name, tried.answer)
                if failed or (tried.before and await account.get(tried.before["id"]) != tried.before):
                    wrong.append(f"{name} {value!r}: {tried.answer.status_code} {tried.answer.text}")
            if check.startswith("at most "):
                longest = longest_of(name, int(check.rpartition(" ")[2]))
                tried = await send(account, body, name, longest)
                if not tried.answer.is_success or await find(account, body, name, tried.answer.json()) != longest:
                    wrong.append(f"{name}: {len(longest)} characters: {tried.answer.status_code} {tried.answer.text}")
    assert wrong == []


def told_of(body: str, name: str, answer: httpx.Response) -> bool:
    """Whether the answer refuses the member, or something inside it."""
    place = FieldError((*BODIES[body][1], name), "", "").dotted()
    return answer.status_code == 400 and f"{failure(answer)['param']}.".startswith(f"{place}.")


def longest_of(name: str, length: int) -> str:
    """A text of this length that passes every other check of its member."""
    end = {"email": "@b.example", "url": ""}.get(name, "")
    start = {"url": "https://b.example/"}.get(name, "")
    return start + "x" * (length - len(start) - len(end)) + end
