"""Files of customers, staged and run by somebody of a team."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import msgspec

from customerhub.core.exports import ExportOrder, Format, export_customers
from customerhub.core.imports import orders
from customerhub.core.imports.keys import settle_key
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form, open_upload
from customerhub.dialects.views import find_views
from customerhub.model.answer import Answer
from customerhub.store.imports import Import, Options, Result, Row
from tests.support.office import Office

COLUMNS = {"Company": "name", "No": "number", "Email": "email", "Ref": "reference_id", "Note": "note"}
"""The columns of these files, and where they go."""


@dataclass
class Files:
    """What somebody in an office does with files."""

    office: Office
    made: list[Import] = field(default_factory=list)

    def keep(self, one: Import) -> Answer:
        """An answer, with the import put aside."""
        self.made.append(one)
        return Answer(200)

    async def stage(
        self, rows: Iterable[Sequence[str] | Row], columns: Mapping[str, str] | None = None, **options: Any
    ) -> Import:
        """A CSV file with these rows, behind a header; `options` are members of Options."""
        columns = COLUMNS if columns is None else columns
        staged = (
            row if isinstance(row, Row) else Row(line, [*row, *[""] * (len(columns) - len(row))])
            for line, row in enumerate(rows, 2)
        )
        chosen = Options(**{"mapping": columns, **options})
        upload = orders.Upload("customers.csv", "csv", tuple(columns), staged, chosen)
        await orders.stage_import(self.office.hub, self.office.command(), upload, self.keep)
        return self.made[-1]

    async def send(self, content: bytes, name: str = "file", **options: Any) -> Import:
        """A file, staged to be read as it says itself but for `options`."""
        with open_upload(BytesIO(content), name) as opened:
            settled = await settle_key(self.office.hub, self.office.caller, opened)
            upload = msgspec.structs.replace(settled, options=msgspec.structs.replace(settled.options, **options))
            await orders.stage_import(self.office.hub, self.office.command(), upload, self.keep)
        return self.made[-1]

    async def start(self, one: Import, *, is_trial: bool = False, **guards: Any) -> None:
        """Let it be run; `guards` are members of Guards."""
        await orders.start_import(
            self.office.hub, self.office.command(**guards), one.id, find_form, self.keep, is_trial=is_trial
        )

    async def run(self, one: Import, *, is_trial: bool = False, **guards: Any) -> Import:
        """Start it, and run it."""
        await self.start(one, is_trial=is_trial, **guards)
        return await self.again(one)

    async def again(self, one: Import) -> Import:
        """Run what was started, from where it is."""
        done = await run_import(self.office.hub, one.team, one.id, find_form)
        assert done is not None
        return done

    async def load(self, rows: Iterable[Sequence[str] | Row], **options: Any) -> Import:
        """Stage and run."""
        return await self.run(await self.stage(rows, **options))

    async def results(self, one: Import, *, is_trial: bool = False, **which: Any) -> list[Result]:
        """What came of its rows."""
        return await orders.list_results(
            self.office.hub, self.office.caller, one.id, is_trial=is_trial, limit=1000, **which
        )

    async def told(self, one: Import, *, is_trial: bool = False) -> list[tuple[int, str, str | None, str | None]]:
        """Line, outcome, column and code of all that came of it."""
        return [
            (result.line, result.outcome, result.column_name, result.code)
            for result in await self.results(one, is_trial=is_trial)
        ]


class _Place:
    """What takes an export."""

    def __init__(self) -> None:
        self.content = b""

    def add_header(self, name: str, value: str) -> None:
        """Nobody looks."""

    async def write(self, piece: bytes) -> None:
        """Keep it."""
        self.content += piece


async def export(files: Files, shape: str, form: Format) -> bytes:
    """All customers of a team as an API shows them."""
    place = _Place()
    await export_customers(files.office.hub, files.office.caller, ExportOrder(find_views()[shape], form), place)
    return place.content
