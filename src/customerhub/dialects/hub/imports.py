"""`/hub/v1/imports`: files of customers, staged, tried, run, and what came of each row."""

import asyncio
import re
from contextlib import ExitStack
from functools import cache
from io import BytesIO
from typing import Final, get_args
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from pydantic import TypeAdapter

from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.imports import orders
from customerhub.core.imports.failed import open_failed_rows
from customerhub.core.imports.keys import settle_key
from customerhub.dialects.base import find_dialects
from customerhub.dialects.forms import find_form, open_upload
from customerhub.dialects.hub.administration.common import get_id, read_body
from customerhub.dialects.hub.answers import VERSION, respond
from customerhub.dialects.hub.canonical import Shown, to_changes, to_time
from customerhub.dialects.hub.errors import InvalidQuery
from customerhub.dialects.hub.import_wire import OptionsBody, ResultsQuery
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page, to_scope
from customerhub.model.answer import Answer
from customerhub.model.error import HubError, Invalid
from customerhub.store.imports import (
    OUTCOMES,
    Counts,
    EmptyCells,
    Import,
    MatchBy,
    Mode,
    Options,
    Outcome,
    Result,
)
from customerhub.web import query
from customerhub.web.download import to_download, to_stream
from customerhub.web.operation import Call

IMPORTS: Final = f"{VERSION}/imports"
KIND: Final = "import"
CANONICAL: Final = "canonical"
"""What stands for the canonical form by a mapping, where the name of an API stands for a shape."""
MAX_BODY: Final = 64 * 1_048_576
_MATCHES: Final[tuple[MatchBy, ...]] = get_args(MatchBy)
_MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_EMPTY: Final[tuple[EmptyCells, ...]] = get_args(EmptyCells)
_LONGEST: Final = 255
_SAMPLE: Final = 5
_PLACE: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,4})", re.ASCII)
_CHECK: Final[TypeAdapter[object]] = TypeAdapter(OptionsBody)


class _Wishes(Struct, frozen=True):
    """How whoever brings a file wants it read; None is for the file to say. `shape` "" is by mapping."""

    name: str
    shape: str | None
    match_by: MatchBy | None
    mode: Mode
    empty_cells: EmptyCells
    sheet: str | None


async def stage(call: Call) -> Answer:
    """`POST /hub/v1/imports`: 201 with the import, read as was asked, or else as the file itself suggests."""
    try:
        wishes = _read_wishes(call)
        with ExitStack() as stack:
            # A file can be made so that to look at its columns takes seconds: others are answered meanwhile.
            opening = open_upload(BytesIO(call.raw_body), wishes.name, sheet=wishes.sheet, shape=wishes.shape)
            opened = await asyncio.to_thread(stack.enter_context, opening)
            settled = await settle_key(call.hub, call.caller, opened)
            upload = msgspec.structs.replace(settled, options=_to_options(settled, wishes))
            return await orders.stage_import(call.hub, call.command, upload, _render_staged(call))
    except HubError as error:
        return await _refuse(call, error)


def _to_options(upload: orders.Upload, wishes: _Wishes) -> Options:
    return msgspec.structs.replace(
        upload.options,
        match_by=wishes.match_by or upload.options.match_by,
        mode=wishes.mode,
        empty_cells=wishes.empty_cells,
    )


def _render_staged(call: Call) -> orders.Render:
    return lambda one: respond(call, 201, to_shown(one), one.version, ("location", f"{IMPORTS}/{one.id}"))


async def _refuse(call: Call, error: HubError) -> Answer:
    """The refusal, behind the look at the key: a request that was done before is answered as it was then."""

    async def work(_: Work) -> Done:
        raise error

    return await write_guarded(call.hub, call.command, work)


def _read_wishes(call: Call) -> _Wishes:
    reader = query.QueryReader(call.query)
    shape = reader.choice("shape", _shapes(), "") if "shape" in call.query else None
    wishes = _Wishes(
        name=reader.text("file_name", _LONGEST) or _find_name(call) or "rows",
        shape="" if shape == CANONICAL else shape,
        match_by=reader.choice("match", _MATCHES, "number") if "match" in call.query else None,
        mode=reader.choice("mode", _MODES, "both"),
        empty_cells=reader.choice("empty", _EMPTY, "keep"),
        sheet=reader.text("sheet", _LONGEST),
    )
    try:
        reader.check()
    except Invalid as error:
        raise InvalidQuery(error.errors) from error
    return wishes


@cache
def _shapes() -> tuple[str, ...]:
    return (CANONICAL, *(dialect.name for dialect in find_dialects()))


def _find_name(call: Call) -> str | None:
    """The name in `Content-Disposition` (RFC 6266, 4.3), without directories."""
    header = call.incoming.headers.get("content-disposition", "")
    found = re.search(r"filename\*=UTF-8''([^;]+)", header, re.IGNORECASE)
    if found is not None:
        return unquote(found[1]).rpartition("/")[2]
    found = re.search(r'filename="?([^";]+)', header, re.IGNORECASE)
    return found[1].rpartition("/")[2] if found is not None else None


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/imports`: 200 with a page, the newest first."""
    reader, scope = QueryReader(call.query, ("after", "limit")), to_scope(call, "imports")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    reader.check()
    window = await orders.list_imports(call.hub, call.caller, position, limit)
    return respond(call, 200, to_page(scope, [to_shown(one) for one in window.items], window.after))


async def get(call: Call) -> Answer:
    """`GET /hub/v1/imports/{id}`: 200 with the import and its first rows, as long as they are kept."""
    preview = await orders.get_preview(call.hub, call.caller, get_id(call, KIND), _SAMPLE)
    one = preview.one
    sample = [{"line": row.line, "cells": orders.to_cells(row.cells, one.columns)} for row in preview.rows]
    return respond(call, 200, {**to_shown(one), "sample": sample}, one.version)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/imports/{id}`: 200 with the import, whose rows are read so from now on."""

    def decide(one: Import) -> Options:
        reading = read_body(call, OptionsBody, _CHECK)
        if reading.errors:
            raise Invalid(reading.errors)
        values, now = reading.values, one.options
        # Whoever says where columns go means them to go there, also where the file was taken for an API's.
        shape = values.get("shape", "" if values.get("mapping") else now.shape)
        return Options(
            shape="" if shape == CANONICAL else shape,
            mapping=values.get("mapping", now.mapping),
            match_by=values.get("match", now.match_by),
            mode=values.get("mode", now.mode),
            empty_cells=values.get("empty", now.empty_cells),
        )

    return await orders.change_options(call.hub, call.command, get_id(call, KIND), decide, find_form, _render(call))


async def try_out(call: Call) -> Answer:
    """`POST /hub/v1/imports/{id}/try`: 200 with the import, which is tried from now on."""
    return await orders.start_import(
        call.hub, call.command, get_id(call, KIND), find_form, _render(call), is_trial=True
    )


async def run(call: Call) -> Answer:
    """`POST /hub/v1/imports/{id}/run`: 200 with the import, which runs from now on."""
    return await orders.start_import(call.hub, call.command, get_id(call, KIND), find_form, _render(call))


async def pause(call: Call) -> Answer:
    """`POST /hub/v1/imports/{id}/pause`: 200 with the import, which rests."""
    return await orders.pause_import(call.hub, call.command, get_id(call, KIND), _render(call))


async def cancel(call: Call) -> Answer:
    """`POST /hub/v1/imports/{id}/cancel`: 200 with the import, which ends here."""
    return await orders.cancel_import(call.hub, call.command, get_id(call, KIND), _render(call))


async def delete(call: Call) -> Answer:
    """`DELETE /hub/v1/imports/{id}`: 200 with the import as it was."""
    return await orders.delete_import(call.hub, call.command, get_id(call, KIND), _render(call))


def _render(call: Call) -> orders.Render:
    return lambda one: respond(call, 200, to_shown(one), one.version)


async def list_results(call: Call) -> Answer:
    """`GET /hub/v1/imports/{id}/results`: 200 with a page of what came of rows, in the order of the file."""
    reader = QueryReader(call.query, tuple(ResultsQuery.__annotations__))
    limit, is_trial = reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT), reader.flag("trial") or False
    outcomes: tuple[Outcome, ...] = reader.choices("outcome", OUTCOMES) or OUTCOMES
    behind = _read_place(reader, call.query.get("after"))
    reader.check()
    found = await orders.list_results(
        call.hub,
        call.caller,
        get_id(call, KIND),
        is_trial=is_trial,
        outcomes=outcomes,
        behind=behind or (-1, 0),
        limit=limit,
    )
    last = found[-1] if len(found) == limit else None
    end = f"{last.line}.{last.number}" if last is not None else None
    return respond(call, 200, {"data": [_to_result(one) for one in found], "next": end})


def _read_place(reader: QueryReader, sent: str | None) -> tuple[int, int] | None:
    if not sent:
        return None
    found = _PLACE.fullmatch(sent)
    if found is None:
        reader.refuse("after", "must be what a page of this list has given as next")
        return None
    return int(found[1]), int(found[2])


async def list_failed(call: Call) -> Answer:
    """`GET /hub/v1/imports/{id}/failed`: 200 with the rows that were refused, as a file to be mended and sent again."""
    reader = QueryReader(call.query, ("trial",))
    is_trial = reader.flag("trial") or False
    reader.check()
    name, pieces = await open_failed_rows(call.hub, call.caller, get_id(call, KIND), is_trial=is_trial)
    return to_download(name, to_stream(pieces))


def to_shown(one: Import) -> Shown:
    """An import, member for member."""
    options = one.options
    return {
        "id": str(one.id),
        "version": one.version,
        "file_name": one.file_name,
        "format": one.format,
        "columns": list(one.columns),
        "shape": options.shape or CANONICAL,
        "mapping": dict(options.mapping),
        "match": options.match_by,
        "mode": options.mode,
        "empty": options.empty_cells,
        "status": one.status,
        "is_trial": one.is_trial,
        "is_kept": one.is_kept,
        "reason": one.reason,
        "rows": one.rows,
        "counts": _to_counts(one.counts),
        "trial": {"at": to_time(one.trial.at), **_to_counts(one.trial.counts)} if one.trial is not None else None,
        **{
            name: to_time(at) if at is not None else None
            for name, at in (
                ("created_at", one.created_at),
                ("updated_at", one.updated_at),
                ("started_at", one.started_at),
                ("ended_at", one.ended_at),
            )
        },
    }


def _to_counts(counts: Counts) -> Shown:
    return {name: getattr(counts, name) for name in counts.__struct_fields__}


def _to_result(one: Result) -> Shown:
    return {
        "line": one.line,
        "outcome": one.outcome,
        "key": one.key,
        "customer": str(one.customer) if one.customer is not None else None,
        "pointer": one.pointer,
        "column": one.column_name,
        "code": one.code,
        "reason": one.reason,
        "changes": to_changes(one.changes),
    }
