"""The README's table of fields is true: complete against the wire models, and every cell tried on the running site."""

import re
from typing import get_type_hints
from uuid import UUID

import pytest

from customerhub.dialects.wizcommerce import routes
from customerhub.dialects.wizcommerce.tests.field_benches import ABSENT, BENCHES, Bench
from customerhub.dialects.wizcommerce.tests.field_checks import to_cases
from customerhub.dialects.wizcommerce.tests.field_table import MODELS, READ_ONLY, UNKNOWN, Row, members, read_table
from customerhub.dialects.wizcommerce.tests.promises import nothing_stored
from tests.support.world import Json, World

TABLE = read_table()
BODIES = list(MODELS)
NOTHING: tuple[object, ...] = ("", [], {}, None)
SUCCESS = {"POST": 201, "PATCH": 201, "PUT": 201}
# What null, an empty string and an empty array are as JSON; `absent` is no value at all.
COLUMNS: dict[str, object] = {"absent": ABSENT, "null": None, "empty": "", "array": []}


def rows_of(body: str) -> list[Row]:
    """The rows of one body."""
    return [row for row in TABLE if row.body == body]


def test_the_table_lists_exactly_the_fields_of_the_wire_models() -> None:
    """Every member of every request model has one row, and no row tells of another."""
    listed = {body: sorted(row.field for row in rows_of(body) if row.is_field) for body in BODIES}
    assert listed == {body: members(model) for body, (model, _) in MODELS.items()}
    assert {row.body for row in TABLE} == set(BODIES)
    assert set(BENCHES) == set(BODIES)


def test_every_body_that_a_route_takes_is_in_the_table() -> None:
    """No route has a body whose model the table does not tell of."""
    models = {model for model, _ in MODELS.values()}
    assert [operation.name for operation in routes.OPERATIONS if operation.body not in {None, *models}] == []


def test_the_table_names_every_read_only_member() -> None:
    """Read-only is what an answer has and its request does not."""
    named = {row.body: sorted(row.names) for row in TABLE if row.field == READ_ONLY}
    assert named == {
        body: sorted(set(get_type_hints(answer)) - set(get_type_hints(model)))
        for body, (model, answer) in MODELS.items()
        if answer is not None
    }
    assert {row.body for row in TABLE if row.field == UNKNOWN} == set(BODIES)


async def refused(bench: Bench, request: Json, place: str, status: int = 400) -> list[str]:
    """What is wrong with the refusal of a request for one field; nothing if it is as promised."""
    answer = await bench.send(request)
    details = [detail["field"] for detail in answer.json().get("details", [])]
    expected = [place] if status == 400 else []
    if (answer.status_code, details) == (status, expected):
        return []
    return [f"{place}: {answer.status_code} naming {details} instead of {status} naming {expected}: {answer.text}"]


async def accepted(bench: Bench, request: Json, place: str) -> tuple[Json | None, list[str]]:
    """The record after a request, as its request would say it."""
    answer = await bench.send(request)
    if answer.status_code != SUCCESS[bench.method]:
        return None, [f"{place}: {answer.status_code} {answer.text}"]
    return await bench.view(answer.json()["data"]), []


def came_true(cell: str, name: str, value: object, view: Json, bench: Bench) -> bool:
    """Whether a field is what an accepting cell says."""
    match cell:
        case "kept" | "no change":
            return steady(view[name]) == steady(bench.before[name])
        case "cleared" | "empty":
            return view[name] in NOTHING and view[name] is not False
        case "false":
            return view[name] is False
        case "stored":
            return bool(view[name] == value)
        case "made":
            return re.fullmatch(r"WC_[0-9]{10}", view[name]) is not None
        case "company_name" | "display_name":
            return bool(view[name] == bench.request[cell])
    return bool(view[name] == cell)


def steady(value: object) -> object:
    """A list of records without what moves when other members of the request choose other defaults."""
    if not isinstance(value, list):
        return value
    return [
        {k: v for k, v in item.items() if k not in ("is_default", "updated_at")} if isinstance(item, dict) else item
        for item in value
    ]


def cells(body: str) -> list[tuple[str, object, str]]:
    """Field, value and promise of every cell about a field."""
    return [
        (row.field, value, getattr(row, column))
        for row in rows_of(body)
        if row.is_field
        for column, value in COLUMNS.items()
    ]


@pytest.mark.parametrize("body", BODIES)
async def test_every_refusing_cell(world: World, body: str) -> None:
    """Required, 400 and 401: refused by the very field, and nothing stored."""
    wrong: list[str] = []
    for make in BENCHES[body]:
        bench = await make(world)
        async with nothing_stored(world):
            for name, value, cell in cells(body):
                if cell in ("400", "401", "required"):
                    status = 401 if cell == "401" else 400
                    wrong += await refused(bench, bench.altered(name, value), bench.at(name), status)
    assert wrong == []


@pytest.mark.parametrize("body", BODIES)
async def test_every_accepting_cell(world: World, body: str) -> None:
    """Kept, cleared, empty, made …: accepted, and the field is what the cell says."""
    wrong: list[str] = []
    for make in BENCHES[body]:
        bench = await make(world)
        for name, value, cell in cells(body):
            if cell in ("400", "401", "required"):
                continue
            bench = bench.another() if bench.method == "POST" else await make(world)
            view, failed = await accepted(bench, bench.altered(name, value), bench.at(name))
            wrong += failed
            if view is not None and not came_true(cell, name, value, view, bench):
                wrong.append(f"{bench.at(name)} sent as {value!r} is {view[name]!r} and not {cell}")
    assert wrong == []


@pytest.mark.parametrize("body", [body for body in BODIES if any("no change" in row for row in rows_of(body))])
async def test_no_change_is_no_new_version(world: World, body: str) -> None:
    """Where a cell says that nothing changes, no table has another row or another value."""
    bench = await BENCHES[body][0](world)
    async with nothing_stored(world):
        for name, value, cell in cells(body):
            if cell == "no change":
                answer = await bench.send(bench.altered(name, value, least=True))
                assert (answer.status_code, answer.headers["etag"]) == (201, '"1"'), answer.text


@pytest.mark.parametrize("body", BODIES)
async def test_unknown_and_read_only_members_are_ignored(world: World, body: str) -> None:
    """Whatever they hold: accepted, named in the answer's header, and without effect."""
    wrong: list[str] = []
    extra = [row for row in rows_of(body) if not row.is_field]
    assert {(row.absent, row.null, row.empty, row.array) for row in extra} == {("–", *["ignored"] * 3)}
    values: tuple[object, ...] = (None, "", [], {"a": 1})
    names = [name for row in extra for name in (row.names if row.field == READ_ONLY else ["companyName"])]
    for make in BENCHES[body]:
        bench = await make(world)
        for name in names:
            for value in values:
                bench = bench.another()
                answer = await bench.send(bench.altered(name, value, least=True))
                ignored = answer.headers.get("customerhub-ignored")
                if not answer.is_success or ignored != bench.at(name):
                    wrong.append(f"{bench.at(name)}: {answer.status_code}, ignored {ignored}")
                elif bench.least is not None and answer.headers["etag"] != '"1"':
                    wrong.append(f"{bench.at(name)} changed something")
    assert wrong == []


@pytest.mark.parametrize("body", [body for body in BODIES if body != "POST token"])
async def test_every_check(world: World, body: str) -> None:
    """Each phrase of the last column: what breaks it is refused by the very field, what fits is read back."""
    await add_inactive(world)
    wrong: list[str] = []
    bench = await BENCHES[body][0](world)
    phrases = [(row.field, phrase) for row in rows_of(body) if row.is_field for phrase in row.checks]
    cases = [(name, *to_cases(phrase, name, bench)) for name, phrase in phrases]
    async with nothing_stored(world):
        for name, bad, _ in cases:
            for case in bad:
                request = bench.altered(name, case.value, case.also)
                wrong += await refused(bench, request, bench.at(name) + case.at)
    for name, _, good in cases:
        for fit in good:
            bench = bench.another()
            view, failed = await accepted(bench, bench.altered(name, fit.value), bench.at(name))
            wrong += failed
            if view is not None and view[name] != fit.expected:
                wrong.append(f"{bench.at(name)}: {fit.value!r} is read back as {view[name]!r}")
    assert wrong == []


async def add_inactive(world: World) -> None:
    """A third rep and a third price list, both inactive."""
    async with world.hub.database.lease() as connection:
        gone = await connection.fetchval(
            """
            insert into team_user
            select team, gen_random_uuid(), null, 'gone@team.example', 'gone@team.example', 'Gone', 'Rep', null, null,
                null, role, 'inactive', 1, created_at, updated_at, created_by, updated_by
            from team_user where team = $1 and id = $2 returning id
            """,
            world.team.id,
            UUID(world.reps[0]),
        )
    world.reps.append(str(gone))
    answer = await world.api.post(
        "/v1/price-lists", json={"reference_id": "PL-GONE", "name": "Gone", "status": "inactive"}
    )
    world.price_lists.append(answer.json()["data"]["id"])
