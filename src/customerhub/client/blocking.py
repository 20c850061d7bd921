"""The client for programs without an event loop."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class Client:
    """One team's customers over the hub's API; to be used by one thread at a time, and closed when done.

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
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, transport=transport)
        self._patience = patience
        self._sleep = sleep

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
    ) -> Iterator[Customer]:
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

    def get(self, customer: Id, *, as_of: int | Time | None = None) -> Customer:
        """A customer, or as it was at a version or a time; one that was merged is the one that it went into."""
        return self._send(calls.get_customer(customer, as_of))

    def create(
        self, values: Mapping[str, object], *, idempotency_key: str | None = None, dry_run: bool = False
    ) -> Written:
        """A new customer of these values."""
        return self._send(calls.create_customer(values, Guards(None, idempotency_key, dry_run)))

    def patch(
        self,
        customer: Id,
        values: Mapping[str, object],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Change what `values` names: None clears, and a `ListEdit` says what becomes of a nested list."""
        return self._patch(customer, values, Guards(if_match, idempotency_key, dry_run), JSON)

    def merge_patch(
        self,
        customer: Id,
        values: Mapping[str, object],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Apply a JSON Merge Patch (RFC 7396): None removes, lists are replaced whole."""
        return self._patch(customer, values, Guards(if_match, idempotency_key, dry_run), MERGE_PATCH)

    def json_patch(
        self,
        customer: Id,
        operations: Sequence[JsonPatchOperation | Mapping[str, object]],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Apply a JSON Patch (RFC 6902), all of it or nothing."""
        return self._patch(customer, operations, Guards(if_match, idempotency_key, dry_run), JSON_PATCH)

    def update(
        self, customer: Id, change: Callable[[Customer], Mapping[str, object] | None], *, attempts: int = 20
    ) -> Written:
        """Change a customer by what it is: `change` gets it as it stands and returns the values to write.

        Where somebody else was faster it is read again and `change` asked again, so that no change is lost; None or
        nothing to write leaves it as it is. Raises the last PreconditionFailed after so many attempts.
        """
        attempt = 1
        while True:
            found = self.get(customer)
            values = change(found)
            if not values:
                return Written(customer=found)
            try:
                return self.patch(found.id, values, if_match=found.version)
            except (PreconditionFailed, Merged):
                if attempt >= attempts:
                    raise
            self._sleep(to_pause(attempt))
            attempt += 1

    def delete(
        self,
        customer: Id,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Delete a customer; its history stays, and `restore` brings it back."""
        return self._send(calls.delete_customer(customer, Guards(if_match, idempotency_key, dry_run)))

    def restore(
        self,
        customer: Id,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Bring a deleted customer back; raises Conflict where its keys belong to others by now."""
        return self._send(calls.restore_customer(customer, Guards(if_match, idempotency_key, dry_run)))

    def revert(
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
        return self._send(calls.revert_customer(customer, version, paths, guards))

    def merge(
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
        return self._send(calls.merge_customers(customer, sources, survivorship, guards))

    def unmerge(
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
        return self._send(calls.unmerge_customer(customer, version, prefer, guards))

    def erase(
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
        return self._send(calls.erase_customer(customer, confirm, reason, guards))

    def duplicates(self, *, limit: int = 20) -> Iterator[DuplicateGroup]:
        """Every group of customers that may be one, by what they share."""
        return self._walk(calls.list_duplicates(limit))

    def duplicates_of(self, customer: Id) -> Duplicates:
        """Who may be the same customer as this one, the likeliest first, and why."""
        return self._send(calls.get_duplicates(customer))

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
    ) -> Iterator[HistoryEntry]:
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

    def view(self, customer: Id, dialect: str) -> dict[str, Json]:
        """A customer exactly as a dialect shows it."""
        return self._send(calls.get_view(customer, dialect))

    def patch_view(
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
        return self._send(calls.patch_view(customer, dialect, body, Guards(if_match, idempotency_key, dry_run)))

    def changes(
        self, after: int | None = None, *, follow: bool = False, wait: float = 20.0, limit: int = 100
    ) -> Iterator[Change]:
        """The team's changes behind a position, in order and none left out; with `follow` it waits for the next ones.

        Whoever keeps the position of the last change that was dealt with goes on there, also after a restart.
        """
        while True:
            page = self._send(calls.list_changes(after, limit, wait if follow else None))
            yield from page.data
            if not page.data and not follow:
                return
            after = int(page.next) if page.next is not None else after

    def search(self, text: str, *, limit: int = 20) -> tuple[Found, ...]:
        """Customers by a part of a name, number, reference, email, phone, contact or city, the best match first."""
        return self._send(calls.search(text, limit)).data

    def batch(
        self,
        operations: Iterable[Operation | Mapping[str, object]],
        *,
        atomic: bool = False,
        idempotency_key: str | None = None,
        dry_run: bool = False,
    ) -> tuple[Outcome, ...]:
        """Up to 1,000 operations, each with an outcome of its own; `atomic` is all or nothing."""
        return self._send(calls.batch(operations, Guards(None, idempotency_key, dry_run), atomic=atomic))

    def _patch(self, customer: Id, patch: object, guards: Guards, media_type: str) -> Written:
        return self._send(calls.patch_customer(customer, patch, guards, media_type))

    def _walk(self, call: Call[Page[T]]) -> Iterator[T]:
        following: Call[Page[T]] | None = call
        while following is not None:
            page = self._send(following)
            yield from page.data
            following = calls.behind(following, page)

    def _send(self, call: Call[T]) -> T:
        for _ in range(MOST_MERGES):
            try:
                return self._send_there(call)
            except Merged as moved:
                call = calls.follow(call, moved)
        return self._send_there(call)

    def _send_there(self, call: Call[T]) -> T:
        tries = Tries(self._patience)
        while True:
            try:
                answer = self._http.send(calls.to_request(self._http, call))
            except httpx.RequestError as loss:
                self._sleep(tries.get_wait(loss))
                continue
            wait = tries.find_wait(answer)
            if wait is None:
                return calls.read_answer(call, answer)
            self._sleep(wait)
