"""What requests and answers about imports hold, as they travel."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core.tables.rows import Format
from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.wire import CONFIG, Id
from customerhub.store.imports import EmptyCells, ImportStatus, MatchBy, Mode, Outcome

Shape = Annotated[
    str, Field(max_length=50, description="`canonical`, by the mapping, or the name of an API whose export it is.")
]
Match = Annotated[MatchBy, Field(description="What a row's customer is found by.")]
Ways = Annotated[Mode, Field(description="Whether rows may make customers, change them, or both.")]
Empty = Annotated[EmptyCells, Field(description="What an empty cell does to a value that there is.")]


class StageQuery(TypedDict, total=False):
    """How the file is to be read; what is left out is suggested by the file itself, and can be changed later."""

    file_name: Annotated[str, Field(max_length=255, description="Instead of that in `Content-Disposition`.")]
    shape: Shape
    match: Match
    mode: Ways
    empty: Empty
    sheet: Annotated[str, Field(max_length=255, description="Of a workbook; its first one if absent.")]


class OptionsBody(TypedDict, total=False):
    """How rows become customers; what is left out stays."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    shape: Shape
    mapping: Annotated[
        dict[str, str | None],
        Field(
            description="Where each column goes: a member of the canonical form, `bill_to.city`; null is nowhere. "
            "Without a shape beside it, rows are read by it."
        ),
    ]
    match: Match
    mode: Ways
    empty: Empty


class ImportListQuery(TypedDict, total=False):
    """Which page of imports."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]


class ResultsQuery(TypedDict, total=False):
    """Which results."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    outcome: Annotated[list[Outcome], Field(json_schema_extra={"x-explode": False})]
    trial: Annotated[bool, Field(description="Of the last trial, not of the run.")]


class FailedQuery(TypedDict, total=False):
    """Which rows."""

    trial: Annotated[bool, Field(description="That the last trial refused, not the run.")]


class ImportCounts(TypedDict):
    """How many rows are done, and what came of them."""

    done: int
    created: int
    changed: int
    equal: int
    refused: int


class ImportTrial(ImportCounts):
    """What the last trial found, and when."""

    at: str


class ImportRecord(TypedDict):
    """One file on its way."""

    id: Id
    version: int
    file_name: str
    format: Format
    columns: list[str]
    shape: str
    mapping: dict[str, str | None]
    match: MatchBy
    mode: Mode
    empty: EmptyCells
    status: ImportStatus
    is_trial: bool
    is_kept: bool
    reason: str | None
    rows: int
    counts: ImportCounts
    trial: ImportTrial | None
    created_at: str
    updated_at: str
    started_at: str | None
    ended_at: str | None


class SampleRow(TypedDict):
    """A row of the file."""

    line: int
    cells: dict[str, Any]  # Any: texts, or JSON


class ImportWithSample(ImportRecord):
    """An import, and its first rows as long as they are kept."""

    sample: list[SampleRow]


class ImportResult(TypedDict):
    """What came of a row, or one of the errors for which it was refused; `pointer` is the place in the customer."""

    line: int
    outcome: Outcome
    key: str | None
    customer: Id | None
    pointer: str | None
    column: str | None
    code: str | None
    reason: str | None
    changes: list[Shown]


class ResultPage(TypedDict):
    """A page of results in the order of the file."""

    data: list[ImportResult]
    next: str | None
