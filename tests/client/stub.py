"""A hub of one dictionary that speaks the hub's API, in process: what it was asked, and what goes wrong on request."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Json = dict[str, Any]  # Any: decoded JSON
ACTOR = {"id": str(UUID(int=2)), "name": "ERP sync"}
AT = "2026-03-04T05:06:07.000250Z"
_CUSTOMERS = "/hub/v1/customers"
_SHARED = {"reason": "email", "value": "hello@acme.example"}


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any  # Any: decoded JSON

    @property
    def key(self) -> str | None:
        """Its idempotency key."""
        return self.headers.get("idempotency-key")


class Failed(Exception):
    """The request fails with a problem."""

    def __init__(self, status: int, **members: object) -> None:
        super().__init__(status)
        self.status = status
        self.members = members


@dataclass
class Stub:
    """`faults` befall the next requests, one each: a status, an error of the transport before or after the work."""

    customers: dict[str, Json] = field(default_factory=dict)
    gone: dict[str, Json] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: deque["Fault"] = field(default_factory=deque)
    feed: list[Json] = field(default_factory=list)
    kept: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    on_feed: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        request = Request(scope, receive)
        content = await request.body()
        asked = Asked(
            request.method,
            scope["path"],
            dict(parse_qsl(request.url.query)),
            dict(request.headers),
            msgspec.json.decode(content) if content else None,
        )
        self.asked.append(asked)
        fault = self.faults.popleft() if self.faults else None
        if fault is not None and fault.before is not None:
            raise fault.before
        response = fault.to_response() if fault is not None and fault.status else self._answer(asked)
        if fault is not None and fault.after is not None:
            raise fault.after
        await response(scope, receive, send)

    def _answer(self, asked: Asked) -> Response:
        if asked.headers.get("authorization") != "Bearer hub_key":
            return to_problem(401, title="A living credential is needed")
        if asked.key is not None and asked.key in self.kept:
            status, body = self.kept[asked.key]
            return Response(body, status, {"idempotent-replayed": "true"}, "application/json")
        try:
            status, answer = self._route(asked)
        except Failed as failure:
            if failure.status == 301:
                return Response(msgspec.json.encode(failure.members), 301, {"location": "/x"}, "application/json")
            return to_problem(failure.status, **failure.members)
        body = msgspec.json.encode(answer)
        if asked.key is not None and "customerhub-dry-run" not in asked.headers:
            self.kept[asked.key] = status, body
        return Response(body, status, media_type="application/json")

    def _route(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/hub/v1/changes":
            return 200, self._to_changes(asked)
        if asked.path == "/hub/v1/search":
            found = [one for one in self.customers.values() if asked.query["q"] in one["name"]]
            return 200, {"data": [{**one, "matched": ["name"]} for one in found], "next": None}
        if asked.path == "/hub/v1/duplicates":
            return 200, self._to_groups(asked)
        if asked.path == f"{_CUSTOMERS}:batch":
            return 200, {
                "results": [
                    {"index": 0, "status": 200, "id": str(UUID(int=1)), "version": 2},
                    {"index": 1, "status": 404, "error": {"title": "There is no such record", "status": 404}},
                ]
            }
        match asked.path.removeprefix(_CUSTOMERS).split("/")[1:]:
            case []:
                return self._list(asked) if asked.method == "GET" else (201, self._create(asked))
            case [customer, *beneath]:
                return 200, self._customer(asked, customer, beneath)
        raise Failed(404, title="There is nothing on this path")

    def _list(self, asked: Asked) -> tuple[int, object]:
        limit, start = int(asked.query["limit"]), int(asked.query.get("after", "0"))
        rows = list(self.customers.values())
        following = start + limit
        return 200, {"data": rows[start:following], "next": str(following) if following < len(rows) else None}

    def _create(self, asked: Asked) -> Json:
        number = len(self.customers) + 1
        made = {"id": str(UUID(int=number)), "number": f"C{number:05d}", "version": 1, **self._stamps(), **asked.body}
        return self._keep(asked, made, [f"/{name}" for name in asked.body])

    def _customer(self, asked: Asked, customer: str, beneath: list[str]) -> object:
        if customer in self.merged:
            raise Failed(301, merged_into=self.merged[customer])
        if beneath == ["restore"]:
            self.customers[customer] = self.gone.pop(customer)
        found = self.customers.get(customer)
        if found is None:
            raise Failed(404, title="There is no such record", request_id="req_1")
        match asked.method, beneath:
            case "GET", []:
                return found
            case "GET", ["history"]:
                return self._to_history(found, asked)
            case "GET", ["duplicates"]:
                others = [one for one in self.customers.values() if one is not found]
                return {"data": [{"customer": one, "reasons": [_SHARED]} for one in others], "common": [], "next": None}
            case "GET", ["views", dialect]:
                return {"spoken": dialect, "name": found["name"]}
        if_match = asked.headers.get("if-match")
        if if_match not in (None, f'"{found["version"]}"'):
            difference = [{"path": "/note", "base": None, "mine": "mine", "theirs": found.get("note")}]
            raise Failed(412, title="Stale", current=found["version"], difference=difference)
        if asked.method == "DELETE":
            self.gone[customer] = self.customers.pop(customer)
            return {"customer": {**found, "version": found["version"] + 1, "deleted_at": AT}}
        sent = asked.body if asked.method == "PATCH" and isinstance(asked.body, dict) else {}
        values = {name: value for name, value in sent.items() if name not in ("addresses", "contacts")}
        changed = [f"/{name}" for name, value in values.items() if found.get(name) != value]
        equal = [f"/{name}" for name, value in values.items() if found.get(name) == value]
        made = self._keep(asked, {**found, **values, "version": found["version"] + bool(changed)}, changed, equal)
        match beneath:
            case ["views", _]:
                made["view"] = {"name": made["customer"]["name"]}
            case ["unmerge" | "erase"]:
                made |= {"restored": [str(UUID(int=7))], "erased": [customer]}
        return made

    def _keep(self, asked: Asked, made: Json, changed: list[str], equal: list[str] | None = None) -> Json:
        if "customerhub-dry-run" not in asked.headers:
            self.customers[made["id"]] = made
        return {"customer": made, "changed": changed, "equal": equal or [], "ignored": []}

    @staticmethod
    def _stamps() -> Json:
        nobody = str(UUID(int=0))
        return {"created_at": AT, "updated_at": AT, "created_by": nobody, "updated_by": nobody}

    @staticmethod
    def _to_history(found: Json, asked: Asked) -> Json:
        start = int(asked.query.get("after") or found["version"])
        limit = int(asked.query["limit"])
        versions = range(start, max(start - limit, 0), -1)
        rest = start - limit
        return {"data": [to_entry(version) for version in versions], "next": str(rest) if rest > 0 else None}

    def _to_groups(self, asked: Asked) -> Json:
        """Two pages, the first of which happens to be empty."""
        rows = list(self.customers.values())
        if "after" not in asked.query:
            return {"data": [], "next": "later"}
        return {"data": [{**_SHARED, "count": len(rows), "customers": rows}], "next": None}

    def _to_changes(self, asked: Asked) -> Json:
        after, limit = int(asked.query.get("after", "0")), int(asked.query["limit"])
        if len(self.feed) <= after and "wait" in asked.query:
            self.on_feed()
        rows = self.feed[after : after + limit]
        return {"data": rows, "next": after + len(rows)}


def to_entry(version: int) -> Json:
    """A version in the history."""
    change = {"path": "/phone", "old": None, "new": "+4722334455"}
    return {
        "version": version,
        "at": AT,
        "actor": ACTOR,
        "dialect": "hub",
        "request_id": f"req_{version}",
        "action": "updated",
        "changes": [deepcopy(change)],
        "ignored": [],
    }


def to_change(position: int) -> Json:
    """A change in the feed."""
    return {**to_entry(position), "position": position, "customer": str(UUID(int=position))}


def to_problem(status: int, **members: object) -> Response:
    """A failure as the hub tells it."""
    body = {
        "type": "urn:problem",
        "title": "",
        "status": status,
        "detail": "",
        "errors": [],
        "request_id": "",
        **members,
    }
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


@dataclass(frozen=True)
class Fault:
    """What befalls a request."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    before: httpx.RequestError | None = None
    after: httpx.RequestError | None = None

    def to_response(self) -> Response:
        """The failure as it goes out."""
        if self.body is not None:
            return Response(self.body, self.status, self.headers)
        response = to_problem(self.status, title="Asked for")
        response.headers.update(self.headers)
        return response
