"""The client for programs with an event loop: the same methods, to be awaited."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from customerhub.client import calls
from customerhub.client.asking import JsonPatchOperation, Operation
from customerhub.client.calls import JSON, JSON_PATCH, MERGE_PATCH, MOST_MERGES, Call, Guards, Id, Page, Prefer, Time
from customerhub.client.errors import Merged, PreconditionFailed
from customerhub.client.finding import DuplicateGroup, Duplicates, Found
from customerhub.client.history import Change, HistoryEntry
from customerhub.client.problems import Outcome
from customerhub.client.records import Customer, Erased, Json, Unmerged, ViewWritten, Written
from customerhub.client.retries import USUAL_PATIENCE, Patience, Tries, to_pause

T = TypeVar("T")
Values = Mapping[str, object]


class AsyncClient:
    """One team's customers over the hub's API; to be used in one event loop, and closed when done.

    Requests are tried again as `patience` says; every try of a write carries the same idempotency key, so that a write
    is done once however often it is sent. `timeout` is in seconds. Every method raises `CustomerhubError`: see
    `customerhub.client.errors`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 30.0,
        patience: Patience = USUAL_PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=timeout, transport=transport)
        self._patience = patience
        self._sleep = sleep

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def list(
        self,
        *,
        status: str | None = None,
        updated_since: Time | None = None,
        created_since: Time | None = None,
        ids: Sequence[Id] | None = None,
        reference_ids: Sequence[str] | None = None,
        email: str | None = None,
        deleted: bool | None = None,
        limit: int = 100,
    ) -> AsyncIterator[Customer]:
        """Every customer that fits, the newest first, asked for in pages of `limit`."""
        query = {
            "status": status,
            "updated_since": updated_since,
            "created_since": created_since,
            "ids": ids,
            "reference_ids": reference_ids,
            "email": email,
            "deleted": deleted,
            "limit": limit,
        }
        return self._walk(calls.list_customers(query))

    async def get(self, customer: Id, *, as_of: int | Time | None = None) -> Customer:
        """A customer, or as it was at a version or a time; one that was merged is the one that it went into."""
        return await self._send(calls.get_customer(customer, as_of))

    async def create(
        self, values: Mapping[str, object], *, idempotency_key: str | None = None, dry_run: bool = False
    ) -> Written:
        """A new customer of these values."""
        return await self._send(calls.create_customer(values, Guards(None, idempotency_key, dry_run)))

    async def patch(
        self,
        customer: Id,
        values: Mapping[str, object],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Change what `values` names: None clears, and a `ListEdit` says what becomes of a nested list."""
        return await self._patch(customer, values, Guards(if_match, idempotency_key, dry_run), JSON)

    async def merge_patch(
        self,
        customer: Id,
        values: Mapping[str, object],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Apply a JSON Merge Patch (RFC 7396): None removes, lists are replaced whole."""
        return await self._patch(customer, values, Guards(if_match, idempotency_key, dry_run), MERGE_PATCH)

    async def json_patch(
        self,
        customer: Id,
        operations: Sequence[JsonPatchOperation | Mapping[str, object]],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Apply a JSON Patch (RFC 6902), all of it or nothing."""
        return await self._patch(customer, operations, Guards(if_match, idempotency_key, dry_run), JSON_PATCH)

    async def update(
        self,
        customer: Id,
        change: Callable[[Customer], Values | Awaitable[Values | None] | None],
        *,
        attempts: int = 20,
    ) -> Written:
        """Change a customer by what it is: `change` gets it as it stands and returns the values to write,
        by itself or when awaited.

        Where somebody else was faster it is read again and `change` asked again, so that no change is lost; None or
        nothing to write leaves it as it is. Raises the last PreconditionFailed after so many attempts.
        """
        attempt = 1
        while True:
            found = await self.get(customer)
            made = change(found)
            values = await made if isawaitable(made) else made
            if not values:
                return Written(customer=found)
            try:
                return await self.patch(found.id, values, if_match=found.version)
            except (PreconditionFailed, Merged):
                if attempt >= attempts:
                    raise
            await self._sleep(to_pause(attempt))
            attempt += 1

    async def delete(
        self,
        customer: Id,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Delete a customer; its history stays, and `restore` brings it back."""
        return await self._send(calls.delete_customer(customer, Guards(if_match, idempotency_key, dry_run)))

    async def restore(
        self,
        customer: Id,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Bring a deleted customer back; raises Conflict where its keys belong to others by now."""
        return await self._send(calls.restore_customer(customer, Guards(if_match, idempotency_key, dry_run)))

    async def revert(
        self,
        customer: Id,
        version: int,
        paths: Iterable[str] | None = None,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Make a customer what it was at a version, or only these paths of it, as a new version."""
        guards = Guards(if_match, idempotency_key, dry_run)
        return await self._send(calls.revert_customer(customer, version, paths, guards))

    async def merge(
        self,
        customer: Id,
        sources: Iterable[Id],
        survivorship: Mapping[str, Id] | None = None,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Let customers go into this one; `survivorship` says of fields whose value stays. A dry run is the preview."""
        guards = Guards(if_match, idempotency_key, dry_run)
        return await self._send(calls.merge_customers(customer, sources, survivorship, guards))

    async def unmerge(
        self,
        customer: Id,
        version: int,
        *,
        prefer: Prefer | None = None,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Unmerged:
        """Take back the merge by which a customer came to this version.

        Raises Conflict where something was changed since, unless `prefer` says whose value stands.
        """
        guards = Guards(if_match, idempotency_key, dry_run)
        return await self._send(calls.unmerge_customer(customer, version, prefer, guards))

    async def erase(
        self,
        customer: Id,
        *,
        confirm: Id,
        reason: str | None = None,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Erased:
        """Take every value of a customer out of all that is kept, for good; `confirm` is its id or number once more."""
        guards = Guards(if_match, idempotency_key, dry_run)
        return await self._send(calls.erase_customer(customer, confirm, reason, guards))

    def duplicates(self, *, limit: int = 20) -> AsyncIterator[DuplicateGroup]:
        """Every group of customers that may be one, by what they share."""
        return self._walk(calls.list_duplicates(limit))

    async def duplicates_of(self, customer: Id) -> Duplicates:
        """Who may be the same customer as this one, the likeliest first, and why."""
        return await self._send(calls.get_duplicates(customer))

    def history(
        self,
        customer: Id,
        *,
        actor: Id | None = None,
        dialect: str | None = None,
        path: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int = 100,
    ) -> AsyncIterator[HistoryEntry]:
        """How a customer came to be what it is, the newest version first."""
        query = {
            "actor": str(actor) if actor is not None else None,
            "dialect": dialect,
            "path": path,
            "since": since,
            "until": until,
            "limit": limit,
        }
        return self._walk(calls.list_history(customer, query))

    async def view(self, customer: Id, dialect: str) -> dict[str, Json]:
        """A customer exactly as a dialect shows it."""
        return await self._send(calls.get_view(customer, dialect))

    async def patch_view(
        self,
        customer: Id,
        dialect: str,
        body: Mapping[str, object],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> ViewWritten:
        """Change a customer by an update as that dialect's own clients send it."""
        return await self._send(calls.patch_view(customer, dialect, body, Guards(if_match, idempotency_key, dry_run)))

    async def changes(
        self, after: int | None = None, *, follow: bool = False, wait: float = 20.0, limit: int = 100
    ) -> AsyncIterator[Change]:
        """The team's changes behind a position, in order and none left out; with `follow` it waits for the next ones.

        Whoever keeps the position of the last change that was dealt with goes on there, also after a restart.
        """
        while True:
            page = await self._send(calls.list_changes(after, limit, wait if follow else None))
            for one in page.data:
                yield one
            if not page.data and not follow:
                return
            after = int(page.next) if page.next is not None else after

    async def search(self, text: str, *, limit: int = 20) -> tuple[Found, ...]:
        """Customers by a part of a name, number, reference, email, phone, contact or city, the best match first."""
        return (await self._send(calls.search(text, limit))).data

    async def batch(
        self,
        operations: Iterable[Operation | Mapping[str, object]],
        *,
        atomic: bool = False,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> tuple[Outcome, ...]:
        """Up to 1,000 operations, each with an outcome of its own; `atomic` is all or nothing."""
        return await self._send(calls.batch(operations, Guards(None, idempotency_key, dry_run), atomic=atomic))

    async def _patch(self, customer: Id, patch: object, guards: Guards, media_type: str) -> Written:
        return await self._send(calls.patch_customer(customer, patch, guards, media_type))

    async def _walk(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        following: Call[Page[T]] | None = call
        while following is not None:
            page = await self._send(following)
            for one in page.data:
                yield one
            following = calls.behind(following, page)

    async def _send(self, call: Call[T]) -> T:
        for _ in range(MOST_MERGES):
            try:
                return await self._send_there(call)
            except Merged as moved:
                call = calls.follow(call, moved)
        return await self._send_there(call)

    async def _send_there(self, call: Call[T]) -> T:
        tries = Tries(self._patience)
        while True:
            try:
                answer = await self._http.send(calls.to_request(self._http, call))
            except httpx.RequestError as loss:
                await self._sleep(tries.get_wait(loss))
                continue
            wait = tries.find_wait(answer)
            if wait is None:
                return calls.read_answer(call, answer)
            await self._sleep(wait)
