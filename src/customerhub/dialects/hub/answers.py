"""Answers as they go out: the record with its tag, or what a write has changed, left equal and ignored."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from customerhub.core.customers import Written
from customerhub.dialects.hub.canonical import Shown, to_body, to_changes
from customerhub.dialects.hub.errors import to_pointer
from customerhub.model.answer import Answer
from customerhub.model.error import Path
from customerhub.web.guards import etag, ignored_header, is_known
from customerhub.web.operation import Call

VERSION: Final = "/hub/v1"
CUSTOMERS: Final = f"{VERSION}/customers"
CUSTOMER: Final = f"{CUSTOMERS}/{{id}}"
# What routes answer that is neither success nor failure.
MOVED: Final = {301: "The customer went into another one, which `Location` and `merged_into` name."}
NOT_MODIFIED: Final = {304: "The record still is at a version that `If-None-Match` names."}


class Report(Struct):
    """What the last look at a request found: the values that it names, by their places in the record, and what of it
    is ignored, by its places in the request.
    """

    named: Sequence[Path] = ()
    ignored: Sequence[Path] = ()


def respond(call: Call, status: int, body: object, version: int | None = None, *more: tuple[str, str]) -> Answer:
    """A success; `version` is that of the one record that it is about."""
    headers: list[tuple[str, str]] = [("content-type", "application/json"), *more]
    if version is not None:
        headers.append(("etag", etag(version)))
    ignored = ignored_header(call.command.ignored)
    if ignored is not None:
        headers.append(("customerhub-ignored", ignored))
    return Answer(status, msgspec.json.encode(body), tuple(headers))


def respond_record(call: Call, body: object, version: int) -> Answer:
    """A record that was read; 304 where `If-None-Match` says that the reader has this version (RFC 9110, 13.1.2)."""
    if is_known(call.incoming.headers.getlist("if-none-match"), version):
        return Answer(304, b"", (("etag", etag(version)),))
    return respond(call, 200, body, version)


def respond_written(call: Call, status: int, written: Written, report: Report, *more: tuple[str, str]) -> Answer:
    """A record that was written, and what came of it."""
    return respond(call, status, to_envelope(written, report), written.customer.version, *more)


def to_envelope(written: Written, report: Report) -> Shown:
    """The record, what changed in it, which named values it had already, and what was ignored."""
    return {"customer": to_body(written.customer), **to_report(written, report)}


def to_report(written: Written, report: Report) -> Shown:
    """The same without the record."""
    changed = list(dict.fromkeys(str(change["path"]) for change in to_changes(written.changes)))
    return {
        "changed": changed,
        "equal": list(_equal(map(to_pointer, report.named), changed)),
        "ignored": list(dict.fromkeys(map(to_pointer, report.ignored))),
    }


def _equal(named: Iterable[str], changed: Sequence[str]) -> Iterator[str]:
    """Those named pointers at which, above which and beneath which nothing changed, each once."""
    at = frozenset(changed)
    above = frozenset(place for pointer in changed for place in _line(pointer))
    for pointer in dict.fromkeys(named):
        if pointer not in above and at.isdisjoint(_line(pointer)):
            yield pointer


def _line(pointer: str) -> Iterator[str]:
    """A pointer and all above it, up to the whole."""
    yield pointer
    while pointer:
        pointer = pointer.rpartition("/")[0]
        yield pointer
