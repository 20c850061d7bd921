"""What every dialect guarantees around its writes, as a page: asked of the dialects' own tables, shapes and rules."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from customerhub.core.customers import Proposal
from customerhub.dialects.base import find_dialects
from customerhub.model.catalogue import Catalogue, TeamSettings
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Busy,
    Conflict,
    Forbidden,
    HubError,
    Internal,
    Invalid,
    InvalidHeader,
    KeyGone,
    KeyMismatch,
    Malformed,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Taken,
    Unauthenticated,
    Unavailable,
)
from customerhub.settings import Settings
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Operation
from customerhub.web.origin import Origin

Line = Sequence[str]
_ORIGIN: Final = Origin("req_00000000000000000000000000")
_NONE: Final = "–"
_AT: Final = datetime(2025, 3, 4, tzinfo=UTC)
_ID: Final = UUID(int=1)
_BLANK: Final = Customer(_ID, _ID, 1, _AT, _AT, _ID, _ID, "Name", "C1")
_FAILURES: Final[tuple[tuple[str, HubError], ...]] = (
    ("no living credential", Unauthenticated()),
    ("the credential lacks a permission", Forbidden("x")),
    ("no such record in the team", NotFound("customer", "x")),
    ("`If-Match` names another version, or a record that is being created", PreconditionFailed(2)),
    ("no `If-Match` from a credential that demands it", PreconditionRequired()),
    ("a guard's header breaks its rule", InvalidHeader("If-Match", "x")),
    ("the key was used for another request", KeyMismatch()),
    ("the key's answer held a secret", KeyGone()),
    ("the body cannot be read", Malformed("x")),
    ("values break rules", Invalid(())),
    ("a unique value is another record's", Taken(())),
    ("the record's state forbids it", Conflict("x")),
    ("the body did not arrive in time", RequestTimeout()),
    ("over a limit", RateLimited(1)),
    ("the record is contended for longer than `CUSTOMERHUB_PATIENCE_SECONDS`", Busy()),
    ("the database cannot be reached", Unavailable()),
    ("a fault of the hub", Internal()),
)
_TEXT: Final = """\
# What is guaranteed around every write

Read off the code; `python -m tests.support.documents` writes it anew, and `tests/end_to_end` holds every dialect to
it, route by route.

**The order** in which a write is looked at is one for all: its body has arrived and is of a type that is read there
(408, 413, 415), credential (401), limits (429), permission (403), the guards' headers (400), key, record (404),
precondition (412, 428), what the body says, what is unique. So a retry of a write that was done replays, though its
tag is stale by now; and whoever may not write learns of no record.

**`If-Match`** takes `*` and lists of strong tags; the tag is the record's version, the same in every dialect. A weak
or a foreign tag matches nothing. A record that is being created matches no tag, not even `*`. With `If-Match` a lost
race is refused at once; without it the write is made on the newer version. A credential (`--precondition-required`),
or a team in its settings (`requires_precondition`), may demand it; creating stays free.

**`If-None-Match`** works where an answer holds nothing but the record itself: other answers show names of what it
refers to, which change without it. Lists, weak tags and `*` count; `HEAD` as `GET`.

**`Idempotency-Key`** is 1 to 255 printable ASCII characters, bare or quoted (RFC 8941, 3.3.3): `k` and `"k"` are one
key. It belongs to a team, a dialect and one request: method, path, query and body, and in the hub's own patches their
form. Under a used key another request is refused, whatever else may be said of it. There is no state "in progress":
whoever sends the same request at the same moment gets the first one's answer, and of two different ones the later is
refused, its work taken back. A replay is the same bytes, marked `Idempotent-Replayed: true`. The key is written in
the statement that writes the record: both are there, or neither.

**`Customerhub-Dry-Run: true`** does the real thing in a transaction that is taken back: the same answer but for
generated ids, numbers, times and tag. Any other word than true or false is refused. A key stays free by it.

**`Customerhub-Ignored`** names what of a body was ignored; so does the answer itself where the dialect has a place
for it, and the history where a version was written.
"""


def to_guarantees_page() -> str:
    """The page."""
    dialects = find_dialects()
    sections = (
        [_TEXT],
        ["## By dialect", "", *_table(("guarantee",), _guarantees(dialects), dialects), ""],
        [
            "## What a key keeps",
            "",
            "Successes, and those failures that are marked *kept*: the same request would fail in the same way again.",
            "All others leave the key free. An answer that holds a secret is never kept; that there was one is.",
            "",
            *_table(("failure",), _failures(dialects), dialects),
            "",
        ],
        [
            "## What a team may decide about strangers and nulls",
            "",
            "Of members that nobody knows (`unknown_members`) and of nulls where none may stand (`null_members`).",
            "",
            *_table(("setting",), _strictness(dialects), dialects),
            "",
        ],
        ["## How long", "", "Purged in small batches, every few minutes.", "", *_ages()],
    )
    return "\n".join(line for section in sections for line in section) + "\n"


def _table(first: Line, rows: Iterator[Line], dialects: Sequence[Dialect]) -> Iterator[str]:
    titles = (*first, *(dialect.name for dialect in dialects))
    yield f"| {' | '.join(titles)} |"
    yield f"|{' --- |' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _guarantees(dialects: Sequence[Dialect]) -> Iterator[Line]:
    writes = [[one for one in dialect.operations if one.writes] for dialect in dialects]
    yield ("routes that write", *(str(len(routes)) for routes in writes))
    yield ("`If-Match`, `Customerhub-Dry-Run`, `Customerhub-Ignored` on", *("each of them" for _ in dialects))
    yield ("`If-None-Match` on", *map(_conditional, dialects))
    yield ("`Idempotency-Key`, bare or quoted, on", *map(_keyed, writes))
    yield ("another version than `If-Match`", *(_told(dialect, PreconditionFailed(2)) for dialect in dialects))
    yield ("no `If-Match` where it is demanded", *(_told(dialect, PreconditionRequired()) for dialect in dialects))
    yield ("a guard's header that breaks its rule", *(_told(dialect, InvalidHeader("", "")) for dialect in dialects))
    yield ("the key again, of another request", *(_told(dialect, KeyMismatch()) for dialect in dialects))
    yield ("the key again, at the same moment", *("waits and replays" for _ in dialects))
    yield ("the key again, later", *("replays" for _ in dialects))
    yield ("the key again, where the answer held a secret", *(_told(dialect, KeyGone()) for dialect in dialects))


def _conditional(dialect: Dialect) -> str:
    paths = [f"`{one.method} {one.path}`" for one in dialect.operations if 304 in one.others]
    return ", ".join(paths) or _NONE


def _keyed(writes: Sequence[Operation]) -> str:
    keyless = sorted({one.method for one in writes if not one.takes_key})
    return f"all but {', '.join(keyless)}" if keyless else "each of them"


def _failures(dialects: Sequence[Dialect]) -> Iterator[Line]:
    for title, error in _FAILURES:
        yield (title, *(_told(dialect, error) + _kept(dialect, error) for dialect in dialects))


def _kept(dialect: Dialect, error: HubError) -> str:
    return " *kept*" if error.is_permanent or isinstance(error, dialect.kept_errors) else ""


def _told(dialect: Dialect, error: HubError) -> str:
    """Status and code of a failure in the dialect's shape."""
    answer = dialect.to_answer(error, _ORIGIN)
    body = msgspec.json.decode(answer.body)
    shown = body["error"] if isinstance(body.get("error"), dict) else body
    code = shown.get("code") or shown.get("error") or shown["type"].rpartition(":")[2]
    return f"{answer.status} `{code}`"


def _strictness(dialects: Sequence[Dialect]) -> Iterator[Line]:
    for policy in ("contract", "ignore", "refuse"):
        settings = TeamSettings(unknown_members=policy)
        outcomes = (_outcome(dialect, {"surprise": 1}, settings) for dialect in dialects)
        yield (f"`unknown_members`: `{policy}`", *outcomes)
    for null in ("refuse", "ignore"):
        settings = TeamSettings(null_members=null)
        outcomes = (_outcome(dialect, {_name_member(dialect): None}, settings) for dialect in dialects)
        yield (f"`null_members`: `{null}`", *outcomes)


def _name_member(dialect: Dialect) -> str:
    """What an update calls the customer's name, which cannot be null in any dialect."""
    for member in ("name", "customer", "company_name"):
        proposal, ignored = _propose(dialect, {member: "Another"}, TeamSettings())
        if proposal is not None and not proposal.errors and not ignored and proposal.patch.name is not UNSET:
            return member
    raise LookupError(f"{dialect.name} has another word for a name")


def _outcome(dialect: Dialect, body: dict[str, object], settings: TeamSettings) -> str:
    proposal, ignored = _propose(dialect, body, settings)
    if proposal is None or proposal.errors:
        return "refused"
    return "ignored and named" if ignored else "ignored"


def _propose(
    dialect: Dialect, body: dict[str, object], settings: TeamSettings
) -> tuple[Proposal | None, tuple[str, ...]]:
    ids = count(1)
    catalogue = Catalogue(1, settings=settings)
    try:
        return dialect.propose(body, _BLANK, catalogue, lambda: UUID(int=next(ids)))
    except (Invalid, Malformed):
        return None, ()


def _ages() -> Iterator[str]:
    yield "| setting | default | what it bounds |"
    yield "| --- | --- | --- |"
    for name, field in Settings.model_fields.items():
        if re.search(r"_(hours|days|rows)$", name):
            default = "" if field.default is None else f"`{field.default}`"
            yield f"| `CUSTOMERHUB_{name.upper()}` | {default} | {field.description} |"
