"""`/console/{team}/imports`: the files that were brought, and one more."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.core.imports.keys import settle_key
from customerhub.core.imports.orders import list_imports, stage_import
from customerhub.dialects.forms import open_upload
from customerhub.model.answer import Answer
from customerhub.model.error import Invalid, Malformed, UnreadableFile
from customerhub.store.imports import Import
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

IMPORTS: Final = f"{PREFIX}/{{team}}/imports"
WRITE: Final = ("customers:create", "customers:update")
"""What one must be allowed to do to bring a file: its rows may do either."""
STATES: Final[Mapping[str, str]] = {
    "reading": "Being read",
    "staged": "Not run yet",
    "running": "Running",
    "paused": "Paused",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Stopped",
}
TONES: Final[Mapping[str, str]] = {"done": "good", "failed": "bad", "paused": "warn", "running": "warn"}
_MOST_BYTES: Final = 64 * 1_048_576
_PAGE: Final = 50
_LONGEST_SHEET: Final = 255


def check_write(desk: Desk) -> None:
    """Raise Forbidden for who may not make and change customers."""
    for permission in WRITE:
        desk.check(permission)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/imports`: 200 with a page of imports, the newest first, and the form for a file."""
    return await _render(desk)


async def bring(desk: Desk) -> Answer:
    """`POST /console/{team}/imports`: on to the import of the file; 400 with the reason where it cannot be read."""
    check_write(desk)
    upload = desk.visit.uploads.get("file")
    if upload is None or not upload.name:
        return await _render(desk, "Choose a file first.")
    sheet = desk.form.get("sheet", "").strip()[:_LONGEST_SHEET] or None
    name = upload.name.replace("\\", "/").rpartition("/")[2]

    def render(one: Import) -> Answer:
        return redirect(desk.url("imports", one.id))

    try:
        with ExitStack() as stack:
            # To look at the columns of a large file takes a while: others are answered meanwhile.
            opening = open_upload(upload.content, name, sheet=sheet)
            opened = await asyncio.to_thread(stack.enter_context, opening)
            settled = await settle_key(desk.hub, desk.caller, opened)
            return await stage_import(desk.hub, desk.command(), settled, render)
    except UnreadableFile as error:
        return await _render(desk, f"“{name}” cannot be read: {error}.")
    except Malformed as error:
        return await _render(desk, f"“{name}” cannot be read: {error.reason}.")
    except Invalid as error:
        return await _render(desk, f"“{name}”: {'; '.join(one.reason for one in error.errors)}.")


async def _render(desk: Desk, problem: str | None = None) -> Answer:
    scope = f"imports {desk.team}"
    window = await list_imports(desk.hub, desk.caller, to_position(scope, desk.visit.query.get("at")), _PAGE)
    before, after = to_token(scope, window.before), to_token(scope, window.after)
    return desk.render(
        "imports.html",
        200 if problem is None else 400,
        imports=window.items,
        problem=problem,
        tones=TONES,
        states=STATES,
        may_write=all(map(desk.may, WRITE)),
        before=desk.url("imports", at=before) if before else None,
        after=desk.url("imports", at=after) if after else None,
    )


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    IMPORTS: {
        "GET": signed_in(show, permission="customers:read"),
        "POST": signed_in(bring, permission="customers:update"),
    },
}
UPLOADS: Final = {IMPORTS: _MOST_BYTES}
