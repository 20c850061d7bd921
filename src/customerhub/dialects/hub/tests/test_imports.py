"""Imports over HTTP: a file is staged, read as is said, tried, run, told row by row; exports come back unchanged."""

from uuid import UUID

import httpx
import pytest

from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.dialects.views import find_views
from tests.support.hub import CUSTOMERS, Desk, Json

IMPORTS = "/hub/v1/imports"
EXPORT = "/hub/v1/exports/customers"
FILE = "Company,Mail,Code\nKestrel,ap@kestrel.example,K-1\nHeron,no address,K-2\n'=Aster,aster@aster.example,K-3\n"
MAPPING = {"Company": "name", "Mail": "email", "Code": "number"}


async def stage(desk: Desk, content: str | bytes = FILE, **query: str) -> Json:
    """An import of this file, staged."""
    disposition = f'attachment; filename="spring/customers.{"csv" if content is FILE else "txt"}"'
    headers = {"content-type": "text/csv", "content-disposition": disposition}
    answer = await desk.api.post(IMPORTS, content=content, params=query, headers=headers)
    assert answer.status_code == 201, answer.text
    staged: Json = answer.json()
    assert answer.headers["location"] == f"{IMPORTS}/{staged['id']}"
    return staged


async def act(desk: Desk, one: Json, verb: str) -> httpx.Response:
    """One of its actions."""
    return await desk.api.post(f"{IMPORTS}/{one['id']}/{verb}")


async def done(desk: Desk, one: Json, verb: str = "run") -> Json:
    """The import once it is run, or tried, which is a worker's to do."""
    answer = await act(desk, one, verb)
    assert (answer.status_code, answer.json()["status"]) == (200, "running"), answer.text
    await run_import(desk.hub, desk.team.id, UUID(one["id"]), find_form)
    found: Json = (await desk.api.get(f"{IMPORTS}/{one['id']}")).json()
    return found


async def results(desk: Desk, one: Json, **query: str) -> list[Json]:
    """What came of its rows, page by page."""
    found: list[Json] = []
    after: str | None = ""
    while after is not None:
        answer = await desk.api.get(f"{IMPORTS}/{one['id']}/results", params={"after": after, "limit": "2", **query})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["data"]
        after = page["next"]
    return found


async def test_odd_names_and_rows_are_taken_in(desk: Desk) -> None:
    """A file's name may hold anything, a row what no record can keep; neither is a fault of the server."""
    odd = {"content-type": "text/csv", "content-disposition": "attachment; filename*=UTF-8''a%00b%0A.csv"}
    answer = await desk.api.post(IMPORTS, content=b"name\n\xff\x81\nAster\n", headers=odd)
    assert (answer.status_code, answer.json()["file_name"], answer.json()["rows"]) == (201, "a_b_.csv", 2)
    page = await desk.api.get(f"{IMPORTS}/{answer.json()['id']}/results", params={"after": f"{'9' * 18}.9999"})
    assert page.json() == {"data": [], "next": None}
    page = await desk.api.get(f"{IMPORTS}/{answer.json()['id']}/results", params={"after": "1.99999"})
    assert page.status_code == 400


async def test_a_mapping_means_that_rows_are_read_by_it(desk: Desk) -> None:
    """Also where the file was taken for an API's export, unless the shape is said beside it."""
    staged = await stage(desk, "id,version,name,standing,credit_limit.unit\n,1,Aster,active,\n", shape="hub")
    place, mapping = f"{IMPORTS}/{staged['id']}", {"name": "note"}
    both = await desk.api.patch(place, json={"mapping": mapping, "shape": "hub"})
    assert (both.json()["shape"], both.json()["mapping"]) == ("hub", mapping)
    alone = await desk.api.patch(place, json={"mapping": mapping})
    assert (alone.json()["shape"], alone.json()["mapping"]) == ("canonical", mapping)


async def test_a_file_is_staged_mapped_tried_and_run(desk: Desk) -> None:
    """Each step tells what there is; a trial leaves no customer; refused rows come back as a file."""
    staged = await stage(desk, mode="create")
    told = {name: staged[name] for name in ("file_name", "format", "columns", "shape", "mode", "status", "rows")}
    columns = ["Company", "Mail", "Code"]
    assert list(told.values()) == ["customers.csv", "csv", columns, "canonical", "create", "staged", 3]
    changed = await desk.api.patch(f"{IMPORTS}/{staged['id']}", json={"mapping": MAPPING, "match": "number"})
    assert (changed.status_code, changed.json()["mapping"], changed.headers["etag"]) == (200, MAPPING, '"2"')
    sample = (await desk.api.get(f"{IMPORTS}/{staged['id']}")).json()["sample"]
    assert sample[2] == {"line": 4, "cells": {"Company": "=Aster", "Mail": "aster@aster.example", "Code": "K-3"}}
    tried = await done(desk, staged, "try")
    counts = {"done": 3, "created": 2, "changed": 0, "equal": 0, "refused": 1}
    assert {name: tried["trial"][name] for name in counts} == counts
    assert (tried["status"], (await desk.api.get(CUSTOMERS)).json()["data"]) == ("staged", [])
    assert [one["outcome"] for one in await results(desk, staged, trial="true")] == ["created", "refused", "created"]
    ran = await done(desk, staged)
    assert (ran["status"], ran["counts"]) == ("done", counts)
    made = (await desk.api.get(CUSTOMERS)).json()["data"]
    assert sorted((one["number"], one["name"]) for one in made) == [("K-1", "Kestrel"), ("K-3", "=Aster")]
    (refused,) = await results(desk, staged, outcome="refused")
    assert (refused["line"], refused["key"], refused["pointer"], refused["column"]) == (3, "K-2", "/email", "Mail")
    failed = await desk.api.get(f"{IMPORTS}/{staged['id']}/failed")
    header, row, end = failed.text.split("\n")
    assert (header, row.endswith(",Heron,no address,K-2"), end) == ("import_error,Company,Mail,Code", True, "")
    assert failed.headers["content-disposition"] == 'attachment; filename="customers-failed.csv"'


async def test_what_cannot_be_done_is_refused(desk: Desk, other_desk: Desk) -> None:
    """By its reason, with nothing changed; another team has no such import."""
    before = await desk.fingerprint()
    wrong = {
        ("", ""): (400, "malformed"),
        ("PK\3\4", ""): (400, "malformed"),
        ("a,b\n", ""): (422, "invalid"),
        (FILE, "mode=sideways"): (400, "query"),
        (FILE, "shape=nobody"): (400, "query"),
    }
    for (content, query), expected in wrong.items():
        answer = await desk.api.post(f"{IMPORTS}?{query}", content=content, headers={"content-type": "text/csv"})
        assert refusal(answer)[:2] == expected, (content, query)
    assert await desk.fingerprint() == before
    staged = await stage(desk, match="number")
    before = await desk.fingerprint()
    for body in ({"mapping": {"Company": "colour"}}, {"mapping": {"Nobody": "name"}}, {"mode": 1}, {"colour": "red"}):
        answer = await desk.api.patch(f"{IMPORTS}/{staged['id']}", json=body)
        assert refusal(answer)[:2] == (422, "invalid"), body
    assert refusal(await act(desk, staged, "pause"))[:2] == (409, "conflict")
    for path in ("", "/results", "/failed"):
        answer = await other_desk.api.get(f"{IMPORTS}/{staged['id']}{path}")
        assert refusal(answer)[:2] == (404, "not-found")
    assert (await other_desk.api.get(IMPORTS)).json() == {"data": [], "next": None}
    assert await desk.fingerprint() == before
    cancelled = await act(desk, staged, "cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await desk.api.delete(f"{IMPORTS}/{staged['id']}")).status_code == 200
    assert refusal(await desk.api.get(f"{IMPORTS}/{staged['id']}"))[:2] == (404, "not-found")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("shape", find_views())
async def test_an_export_that_comes_back_changes_nothing(desk: Desk, shape: str, form: str) -> None:
    """In every shape and format."""
    for number in range(3):
        await desk.create(desk.full_body() | {"name": f'-{number}, "and" \'=1', "note": "one\ntwo"})
    await desk.create(phone="+4722334455")
    content = (await desk.api.get(EXPORT, params={"shape": shape, "format": form})).content
    staged = await stage(desk, content, shape=shape, match="id")
    assert (staged["shape"], staged["format"], staged["match"]) == (shape, form, "id")
    before = (await desk.api.get(CUSTOMERS)).json()
    ran = await done(desk, staged)
    counts = {"done": 4, "created": 0, "changed": 0, "equal": 4, "refused": 0}
    assert (ran["status"], ran["counts"]) == ("done", counts), await results(desk, staged)
    assert (await desk.api.get(CUSTOMERS)).json() == before
