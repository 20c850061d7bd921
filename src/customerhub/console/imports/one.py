"""`/console/{team}/imports/{id}`: one file, how it is read, how far it is, and what came of its rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.console.apis import to_api_title
from customerhub.console.desk import Desk, signed_in
from customerhub.console.fields import to_label
from customerhub.console.imports.bringing import IMPORTS, STATES, TONES, WRITE
from customerhub.console.imports.mapping import EMPTY, MATCHES, MODES, read_options, to_lines
from customerhub.console.reader import NOTHING, Refusal
from customerhub.console.wording import Line, Names
from customerhub.console.wording import to_lines as to_change_lines
from customerhub.core.imports import orders
from customerhub.core.imports.failed import open_failed_rows
from customerhub.core.imports.looking import list_refused
from customerhub.core.overview import name_customers
from customerhub.model.answer import Answer
from customerhub.store.imports import Import, Outcome, Result
from customerhub.web.download import to_download, to_stream
from customerhub.web.screens import Screen

KIND: Final = "import"
_SAMPLE: Final = 20
_PAGE: Final = 50
_FEW: Final = 10
_PLACE: Final = re.compile(r"(\d{1,15})\.(\d{1,6})", re.ASCII)


class Refused(Struct, frozen=True):
    """One reason why a row was refused: where in the file, and what stands there."""

    line: int
    column: str
    value: str
    reason: str


class Done(Struct, frozen=True):
    """What came of a row that was not refused; `changes` are in words."""

    line: int
    key: str
    name: str
    url: str | None
    changes: tuple[Line, ...]


class Part(Struct, frozen=True):
    """Some of the rows of which the same came."""

    title: str
    rows: tuple[Done, ...]
    has_more: bool


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/imports/{id}`: 200 with the import as it stands."""
    return await render_one(desk, NOTHING)


async def render_one(desk: Desk, refusal: Refusal) -> Answer:
    """The page of an import, with the reasons where something was refused. Raises NotFound."""
    import_id = desk.get_id(kind=KIND)
    preview = await orders.get_preview(desk.hub, desk.caller, import_id, _SAMPLE)
    if refusal is not NOTHING and "match" in desk.form:
        # What was chosen stays chosen.
        asked = msgspec.structs.replace(preview.one, options=read_options(desk, preview.one))
        preview = msgspec.structs.replace(preview, one=asked)
    one = preview.one
    is_open = one.status == "staged"
    # Of an import that was not run the last trial is shown.
    is_trial = is_open or one.is_trial
    is_shown = one.status != "running" and (one.trial is not None if is_trial else one.counts.done > 0)
    refused, after = await _list_refused(desk, one, is_trial=is_trial) if is_shown else ([], None)
    parts = await _list_parts(desk, one, is_trial=is_trial) if is_shown else []
    shapes = [(dialect.name, to_api_title(dialect)) for dialect in desk.dialects()]
    return desk.render(
        "import.html",
        refusal.status,
        one=one,
        counts=one.trial.counts if is_trial and one.trial is not None else one.counts,
        tone=TONES.get(one.status, "plain"),
        state=STATES[one.status],
        is_open=is_open,
        is_trial=is_trial,
        is_shown=is_shown,
        lines=to_lines(preview) if is_open else [],
        shapes=[("", "The columns below"), *((name, f"An export of {title}") for name, title in shapes)],
        shape=dict(shapes).get(one.options.shape),
        matches=MATCHES,
        modes=MODES,
        empty=EMPTY,
        refused=refused,
        after=desk.url("imports", one.id, behind=after) if after else None,
        parts=parts,
        errors=refusal.errors,
        notice=refusal.notice,
        columns=set(one.columns),
        may_write=all(map(desk.may, WRITE)),
    )


async def _list_refused(desk: Desk, one: Import, *, is_trial: bool) -> tuple[list[Refused], str | None]:
    """A page of reasons with the cells that they are about, and where the next page begins."""
    found = _PLACE.fullmatch(desk.visit.query.get("behind", ""))
    behind = (int(found[1]), int(found[2])) if found is not None else (-1, 0)
    results = await _list(desk, one, ("refused",), _PAGE + 1, is_trial=is_trial, behind=behind)
    shown = results[:_PAGE]
    if not shown:
        return [], None
    number = len({result.line for result in shown})
    rows = await list_refused(desk.hub, desk.caller, one.id, is_trial=is_trial, behind=shown[0].line - 1, limit=number)
    cells = {row.line: orders.to_cells(row.cells, one.columns) for row in rows}
    refused = [_to_refused(result, cells.get(result.line, {})) for result in shown]
    last = shown[-1] if len(results) > _PAGE else None
    return refused, f"{last.line}.{last.number}" if last is not None else None


def _to_refused(result: Result, cells: Mapping[str, object]) -> Refused:
    value = cells.get(result.column_name) if result.column_name else None
    # What a row lacks comes from no column.
    member = (result.pointer or "").split("/")[1:2]
    column = result.column_name or "".join(map(to_label, member))
    return Refused(result.line, column, "" if value is None else str(value), result.reason or result.code or "")


async def _list_parts(desk: Desk, one: Import, *, is_trial: bool) -> list[Part]:
    wanted: tuple[tuple[Outcome, str], ...] = (("created", "New"), ("changed", "Changed"), ("equal", "Unchanged"))
    found: list[tuple[str, list[Result]]] = [
        (title, await _list(desk, one, (outcome,), _FEW + 1, is_trial=is_trial)) for outcome, title in wanted
    ]
    names = await _find_names(desk, (result for _, results in found for result in results))
    return [
        Part(title, tuple(_to_done(desk, result, names) for result in results[:_FEW]), len(results) > _FEW)
        for title, results in found
        if results
    ]


async def _find_names(desk: Desk, results: Iterable[Result]) -> Mapping[UUID, str]:
    ids = {result.customer for result in results if result.customer is not None}
    return await name_customers(desk.hub, desk.caller, ids)


def _to_done(desk: Desk, result: Result, names: Mapping[UUID, str]) -> Done:
    words = Names(desk.catalogue)
    words.learn_changes(result.changes)
    customer = result.customer
    is_there = customer is not None and customer in names
    return Done(
        result.line,
        result.key or "",
        names.get(customer, "") if customer is not None else "",
        desk.url("customers", customer) if is_there else None,
        tuple(to_change_lines(result.changes, words)),
    )


async def _list(
    desk: Desk,
    one: Import,
    outcomes: Sequence[Outcome],
    limit: int,
    *,
    is_trial: bool,
    behind: tuple[int, int] = (-1, 0),
) -> list[Result]:
    return await orders.list_results(
        desk.hub, desk.caller, one.id, is_trial=is_trial, outcomes=outcomes, behind=behind, limit=limit
    )


async def download_failed(desk: Desk) -> Answer:
    """`GET …/failed`: 200 with the rows that were refused, as a file to be mended and sent again."""
    is_trial = bool(desk.visit.query.get("trial"))
    name, pieces = await open_failed_rows(desk.hub, desk.caller, desk.get_id(kind=KIND), is_trial=is_trial)
    return to_download(name, to_stream(pieces), for_browser=True)


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    f"{IMPORTS}/{{id}}": {"GET": signed_in(show, permission="customers:read")},
    f"{IMPORTS}/{{id}}/failed": {"GET": signed_in(download_failed, permission="customers:read")},
}
