"""Where a version came from: who made it, through which door, and by which request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from customerhub.console.apis import to_api_title
from customerhub.console.desk import Desk
from customerhub.console.wording import to_user_name
from customerhub.core.imports.orders import get_file_names
from customerhub.core.request_logs import find_logged
from customerhub.core.sinks import list_sinks
from customerhub.model.answer import COMMAND_LINE, CONSOLE, IMPORT
from customerhub.model.history import HistoryEntry

# What the history names a row of an import by.
_ROW: Final = re.compile(r"imp_([0-9a-f-]{36}):([0-9]{1,18})", re.ASCII)
_OWN: Final[Mapping[str, str]] = {CONSOLE: "Console", COMMAND_LINE: "Command line", IMPORT: "Import"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a version (`who`), with what (`by`, a credential's name, or nothing), through which door; and links.

    `source` is the file and the line of an import. `request_url` leads to the entry of the request log, where there is
    one, `who_url` to the sink whose other side changed something or to the credential that stands for nobody, `by_url`
    to the credential of somebody, `source_url` to the import.
    """

    who: str
    by: str
    door: str
    request_id: str
    source: str = ""
    source_url: str | None = None
    who_url: str | None = None
    by_url: str | None = None
    request_url: str | None = None


def to_doors(desk: Desk) -> dict[str, str]:
    """What doors are called that everybody has, by their names in the history."""
    return {**{one.name: to_api_title(one) for one in desk.dialects()}, **_OWN}


async def to_origins(desk: Desk, entries: Sequence[HistoryEntry]) -> dict[int, Origin]:
    """Where each version came from, by its number."""
    doors = to_doors(desk)
    sinks = await _find_sinks(desk, (entry for entry in entries if entry.dialect not in doors))
    logged = await _find_logged(desk, entries)
    files = await _find_files(desk, (entry for entry in entries if entry.dialect == IMPORT))
    apis = {one.name for one in desk.dialects()} if desk.is_admin else set[str]()
    found: dict[int, Origin] = {}
    for entry in entries:
        member = to_user_name(desk.catalogue, entry.actor)
        user = desk.catalogue.find_user(entry.actor)
        sink = sinks.get(entry.credential)
        who = member or entry.actor_name or "somebody unknown"
        is_named = entry.actor_name in (who, user.email if user is not None else None)
        log = logged.get(entry.request_id)
        credential_url = desk.url("credentials", entry.credential) if entry.dialect in apis else None
        source, import_id = files.get(entry.request_id, ("", None))
        found[entry.version] = Origin(
            who=f"Sync of {sink}" if sink is not None else who,
            by="" if is_named or sink is not None else entry.actor_name,
            door=doors.get(entry.dialect) or entry.dialect.replace("_", " ").capitalize(),
            request_id=entry.request_id,
            source=source,
            source_url=desk.url("imports", import_id) if import_id is not None else None,
            who_url=_find_who_url(desk, entry, sink) or (credential_url if member is None else None),
            by_url=credential_url,
            request_url=desk.url("requests", log) if log is not None else None,
        )
    return found


def _find_who_url(desk: Desk, entry: HistoryEntry, sink: str | None) -> str | None:
    return desk.url("sinks", entry.credential) if sink is not None and desk.is_admin else None


async def _find_sinks(desk: Desk, entries: Iterable[HistoryEntry]) -> dict[UUID, str]:
    """What sinks are called whose other side changed something."""
    if not any(True for _ in entries):
        return {}
    return {
        one.sink.id: one.sink.name or one.sink.url or one.sink.kind.capitalize()
        for one in await list_sinks(desk.hub, desk.caller)
    }


async def _find_logged(desk: Desk, entries: Sequence[HistoryEntry]) -> Mapping[str, UUID]:
    """The entries of the request log, by request, where the person may read it."""
    if not desk.may("request_logs:read"):
        return {}
    return await find_logged(desk.hub, desk.caller, {entry.request_id for entry in entries})


async def _find_files(desk: Desk, entries: Iterable[HistoryEntry]) -> dict[str, tuple[str, UUID]]:
    """The file and line of rows of imports, and the import, by what the history names the row by."""
    rows = {entry.request_id: found for entry in entries if (found := _ROW.fullmatch(entry.request_id))}
    if not rows:
        return {}
    ids = {request_id: UUID(found[1]) for request_id, found in rows.items()}
    names = await get_file_names(desk.hub, desk.caller, sorted(set(ids.values())))
    return {
        request_id: (f"{names[import_id]}, line {rows[request_id][2]}", import_id)
        for request_id, import_id in ids.items()
        if import_id in names
    }
