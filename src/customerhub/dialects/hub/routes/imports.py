"""Imports: the routes."""

from typing import Final

from customerhub.dialects.hub import import_wire as wire
from customerhub.dialects.hub import imports
from customerhub.dialects.hub.auth import READ, WRITE
from customerhub.dialects.hub.imports import IMPORTS, MAX_BODY
from customerhub.dialects.hub.models import Page
from customerhub.web.operation import Handler, Operation
from customerhub.web.upload import JSON

CSV: Final = "text/csv"
JSON_LINES: Final = ("application/jsonl", "application/x-ndjson")
WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TAGS: Final = ("Files",)
_IMPORT: Final = f"{IMPORTS}/{{id}}"
_LINE: Final = '{"name": "Kestrel Coffee Roasters", "email": "ap@kestrel.example"}\n'
_FILES: Final[dict[str, tuple[object, object]]] = {
    CSV: (str, "name,email\nKestrel Coffee Roasters,ap@kestrel.example\n"),
    **dict.fromkeys(JSON_LINES, (str, _LINE)),
    WORKBOOK: (bytes, ""),
    JSON: (object, {"name": "Kestrel Coffee Roasters", "email": "ap@kestrel.example"}),
}


def _action(verb: str, handler: Handler, name: str, summary: str, description: str) -> Operation:
    return Operation(
        method="POST",
        path=f"{_IMPORT}/{verb}",
        name=name,
        summary=summary,
        description=description,
        handler=handler,
        answer=wire.ImportRecord,
        errors=(409, 422),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
    )


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=IMPORTS,
        name="listImports",
        summary="List imports",
        description="The newest first.",
        handler=imports.list_page,
        query=wire.ImportListQuery,
        answer=Page[wire.ImportRecord],
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=IMPORTS,
        name="createImport",
        summary="Stage a file of customers",
        description="The body is the file: CSV, JSON Lines or XLSX, of up to 64 MB; what it is tells the file itself, "
        "not its media type. Exports of the APIs of this hub are recognised, for other columns a mapping is suggested. "
        "Nothing becomes of it before it is run.",
        handler=imports.stage,
        status=201,
        bodies=_FILES,
        media_types=tuple(_FILES),
        max_body=MAX_BODY,
        query=wire.StageQuery,
        answer=wire.ImportRecord,
        errors=(400, 422),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        creates=True,
    ),
    Operation(
        method="GET",
        path=_IMPORT,
        name="getImport",
        summary="Get an import",
        handler=imports.get,
        answer=wire.ImportWithSample,
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=_IMPORT,
        name="updateImport",
        summary="Say how a file is read",
        description="As long as it was not started.",
        handler=imports.update,
        body=wire.OptionsBody,
        answer=wire.ImportRecord,
        errors=(409, 422),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"mapping": {"Company": "name", "Mail": "email"}, "match": "email", "mode": "update"}},
    ),
    Operation(
        method="DELETE",
        path=_IMPORT,
        name="deleteImport",
        summary="Delete an import",
        description="With its rows; what it wrote stays. 409 while it runs.",
        handler=imports.delete,
        answer=wire.ImportRecord,
        errors=(409,),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
    ),
    _action(
        "try",
        imports.try_out,
        "tryImport",
        "Try an import",
        "Nothing is written but what would come of each row: `results?trial=true`.",
    ),
    _action(
        "run", imports.run, "runImport", "Run an import", "Or let it go on where it was paused, cancelled or failed."
    ),
    _action("pause", imports.pause, "pauseImport", "Pause an import", "Behind the rows that are done."),
    _action("cancel", imports.cancel, "cancelImport", "Cancel an import", "What is done stays; a trial is given up."),
    Operation(
        method="GET",
        path=f"{_IMPORT}/results",
        name="listImportResults",
        summary="List what came of rows",
        description="In the order of the file; a row that was refused has one result for each of its errors.",
        handler=imports.list_results,
        query=wire.ResultsQuery,
        answer=wire.ResultPage,
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="GET",
        path=f"{_IMPORT}/failed",
        name="getFailedRows",
        summary="Get the rows that were refused, as a file",
        description="Like the file that was sent, with the reasons in one more column: to be mended and sent again.",
        handler=imports.list_failed,
        query=wire.FailedQuery,
        answer=str,
        answer_types=(CSV, JSON_LINES[0]),
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
)
