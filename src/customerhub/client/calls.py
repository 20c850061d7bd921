"""Every request of the hub's API as a value, so that both clients send the very same ones."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import msgspec
from msgspec import Struct

from customerhub.client.errors import Merged, Unreadable, check
from customerhub.client.finding import DuplicateGroup, Duplicates, Found
from customerhub.client.history import Change, HistoryEntry
from customerhub.client.problems import Outcome
from customerhub.client.records import Customer, Erased, Json, Unmerged, ViewWritten, Written

T = TypeVar("T")
Id = UUID | str
Time = datetime | str
Prefer = Literal["current", "former"]
Query = Mapping[str, str | int | bool | datetime | Sequence[Id] | None]

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
MOST_MERGES: Final = 10
"""So often a customer may have gone into another one that went into another one."""

_CUSTOMERS: Final = "/hub/v1/customers"
_SHORTEST_WAIT: Final = 0.1
_LOG: Final = logging.getLogger("customerhub.client")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list; `next` is where the next one begins, None on the last."""

    data: tuple[T, ...]
    next: str | int | None = None


class _Results(Struct, frozen=True):
    results: tuple[Outcome, ...]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its answer is read. `seconds` are those that the hub may take on purpose."""

    method: str
    path: str
    read: Callable[[bytes], T]
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Guards:
    """What every write takes: the version that it is meant for, a key of its own, a wish to only try.

    Without a key of the caller's the client makes one, which all tries of the request share.
    """

    if_match: int | None = None
    idempotency_key: str | None = None
    dry_run: bool = False

    def to_headers(self) -> dict[str, str]:
        """The headers that say so."""
        headers = {"Idempotency-Key": self.idempotency_key or str(uuid4())}
        if self.if_match is not None:
            headers["If-Match"] = f'"{self.if_match}"'
        if self.dry_run:
            headers["Customerhub-Dry-Run"] = "true"
        return headers


def reading(kind: type[T]) -> Callable[[bytes], T]:
    """Reads an answer of this type; raises msgspec.DecodeError where the hub speaks another language."""
    return msgspec.json.Decoder(kind).decode


_read_customer: Final = reading(Customer)
_read_written: Final = reading(Written)
_read_customers: Final = reading(Page[Customer])
_read_history: Final = reading(Page[HistoryEntry])
_read_changes: Final = reading(Page[Change])
_read_found: Final = reading(Page[Found])
_read_view: Final[Callable[[bytes], dict[str, Json]]] = reading(dict)
_read_view_written: Final = reading(ViewWritten)
_read_unmerged: Final = reading(Unmerged)
_read_erased: Final = reading(Erased)
_read_groups: Final = reading(Page[DuplicateGroup])
_read_duplicates: Final = reading(Duplicates)
_read_results: Final = reading(_Results)


def _to_path(customer: Id, *beneath: str) -> str:
    """A customer's path; raises ValueError for what no path can hold as one step."""
    steps = (str(customer), *beneath)
    if wrong := {"", ".", ".."}.intersection(steps):
        raise ValueError(f"{min(wrong)!r} names nothing")
    return "/".join((_CUSTOMERS, *(quote(step, safe="") for step in steps)))


def _to_query(values: Query) -> tuple[tuple[str, str], ...]:
    """Pairs of everything that is not None; a sequence is its items with commas between them."""
    return tuple((name, _to_text(value)) for name, value in values.items() if value is not None)


def _to_text(value: str | int | bool | datetime | Sequence[Id]) -> str:  # noqa: FBT001 - a value, not a switch
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ",".join(map(str, value))


def _write(
    method: str, path: str, body: object, guards: Guards, read: Callable[[bytes], T], media_type: str = JSON
) -> Call[T]:
    headers = guards.to_headers()
    if body is None:
        return Call(method, path, read, headers=headers)
    return Call(method, path, read, content=msgspec.json.encode(body), headers={**headers, "Content-Type": media_type})


def list_customers(query: Query) -> Call[Page[Customer]]:
    """`GET /hub/v1/customers`."""
    return Call("GET", _CUSTOMERS, _read_customers, _to_query(query))


def get_customer(customer: Id, as_of: int | Time | None) -> Call[Customer]:
    """`GET /hub/v1/customers/{id}`."""
    return Call("GET", _to_path(customer), _read_customer, _to_query({"as_of": as_of}))


def create_customer(values: Mapping[str, object], guards: Guards) -> Call[Written]:
    """`POST /hub/v1/customers`."""
    return _write("POST", _CUSTOMERS, values, guards, _read_written)


def patch_customer(customer: Id, patch: object, guards: Guards, media_type: str = JSON) -> Call[Written]:
    """`PATCH /hub/v1/customers/{id}`."""
    return _write("PATCH", _to_path(customer), patch, guards, _read_written, media_type)


def delete_customer(customer: Id, guards: Guards) -> Call[Written]:
    """`DELETE /hub/v1/customers/{id}`."""
    return _write("DELETE", _to_path(customer), None, guards, _read_written)


def restore_customer(customer: Id, guards: Guards) -> Call[Written]:
    """`POST /hub/v1/customers/{id}/restore`."""
    return _write("POST", _to_path(customer, "restore"), None, guards, _read_written)


def revert_customer(customer: Id, version: int, paths: Iterable[str] | None, guards: Guards) -> Call[Written]:
    """`POST /hub/v1/customers/{id}/revert`."""
    body: dict[str, object] = {"version": version}
    if paths is not None:
        body["paths"] = list(paths)
    return _write("POST", _to_path(customer, "revert"), body, guards, _read_written)


def merge_customers(
    customer: Id, sources: Iterable[Id], survivorship: Mapping[str, Id] | None, guards: Guards
) -> Call[Written]:
    """`POST /hub/v1/customers/{id}/merge`."""
    body: dict[str, object] = {"sources": [str(source) for source in sources]}
    if survivorship is not None:
        body["survivorship"] = {name: str(winner) for name, winner in survivorship.items()}
    return _write("POST", _to_path(customer, "merge"), body, guards, _read_written)


def unmerge_customer(customer: Id, version: int, prefer: Prefer | None, guards: Guards) -> Call[Unmerged]:
    """`POST /hub/v1/customers/{id}/unmerge`."""
    body: dict[str, object] = {"version": version}
    if prefer is not None:
        body["prefer"] = prefer
    return _write("POST", _to_path(customer, "unmerge"), body, guards, _read_unmerged)


def erase_customer(customer: Id, confirm: Id, reason: str | None, guards: Guards) -> Call[Erased]:
    """`POST /hub/v1/customers/{id}/erase`."""
    body: dict[str, object] = {"confirm": str(confirm)}
    if reason is not None:
        body["reason"] = reason
    return _write("POST", _to_path(customer, "erase"), body, guards, _read_erased)


def list_duplicates(limit: int) -> Call[Page[DuplicateGroup]]:
    """`GET /hub/v1/duplicates`."""
    return Call("GET", "/hub/v1/duplicates", _read_groups, _to_query({"limit": limit}))


def get_duplicates(customer: Id) -> Call[Duplicates]:
    """`GET /hub/v1/customers/{id}/duplicates`."""
    return Call("GET", _to_path(customer, "duplicates"), _read_duplicates)


def list_history(customer: Id, query: Query) -> Call[Page[HistoryEntry]]:
    """`GET /hub/v1/customers/{id}/history`."""
    return Call("GET", _to_path(customer, "history"), _read_history, _to_query(query))


def get_view(customer: Id, dialect: str) -> Call[dict[str, Json]]:
    """`GET /hub/v1/customers/{id}/views/{dialect}`."""
    return Call("GET", _to_path(customer, "views", dialect), _read_view)


def patch_view(customer: Id, dialect: str, body: Mapping[str, object], guards: Guards) -> Call[ViewWritten]:
    """`PATCH /hub/v1/customers/{id}/views/{dialect}`."""
    return _write("PATCH", _to_path(customer, "views", dialect), body, guards, _read_view_written)


def list_changes(after: int | None, limit: int, wait: float | None) -> Call[Page[Change]]:
    """`GET /hub/v1/changes`; the hub takes up to `wait` seconds where there is nothing to tell yet.

    Raises ValueError for a wait that would be none: nobody shall ask again and again without a pause.
    """
    if wait is not None and wait < _SHORTEST_WAIT:
        raise ValueError(f"wait is {wait} seconds, and must be at least {_SHORTEST_WAIT} to follow a feed")
    query = _to_query({"after": after, "limit": limit, "wait": None if wait is None else f"{wait:.3f}"})
    return Call("GET", "/hub/v1/changes", _read_changes, query, seconds=wait or 0.0)


def search(text: str, limit: int) -> Call[Page[Found]]:
    """`GET /hub/v1/search`."""
    return Call("GET", "/hub/v1/search", _read_found, _to_query({"q": text, "limit": limit}))


def batch(operations: Iterable[Mapping[str, object]], guards: Guards, *, atomic: bool) -> Call[tuple[Outcome, ...]]:
    """`POST /hub/v1/customers:batch`."""
    body = {"atomic": atomic, "operations": list(operations)}
    return _write("POST", f"{_CUSTOMERS}:batch", body, guards, lambda content: _read_results(content).results)


def read_answer(call: Call[T], answer: httpx.Response) -> T:
    """What a call came to; raises Refused, and Unreadable for what no hub of this version would say."""
    content = check(answer).content
    try:
        return call.read(content)
    except msgspec.DecodeError as error:
        raise Unreadable(answer.status_code) from error


def behind(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    """The call for the next page of the same list; None behind the last."""
    if page.next is None:
        return None
    others = tuple(pair for pair in call.query if pair[0] != "after")
    return replace(call, query=(*others, ("after", str(page.next))))


def follow(call: Call[T], moved: Merged) -> Call[T]:
    """The same reading of the customer that this one went into, noted in the log; raises the refusal of a write."""
    if call.method != "GET":
        raise moved
    _, old, *beneath = call.path.removeprefix(_CUSTOMERS).split("/")
    _LOG.info("customer %s went into %s", old, moved.merged_into)
    return replace(call, path="/".join((_CUSTOMERS, str(moved.merged_into), *beneath)))


def to_request(http: httpx.Client | httpx.AsyncClient, call: Call[T]) -> httpx.Request:
    """What is sent; a call that waits on purpose has as much more time for its answer."""
    timeout = http.timeout
    read = timeout.read + call.seconds if timeout.read is not None else None
    return http.build_request(
        call.method,
        call.path,
        params=call.query or None,
        content=call.content,
        headers=dict(call.headers),
        timeout=httpx.Timeout(connect=timeout.connect, read=read, write=timeout.write, pool=timeout.pool),
    )
