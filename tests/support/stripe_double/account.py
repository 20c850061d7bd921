"""One account at the double: its customers, its idempotency keys, the faults it was asked for, its messages."""

import asyncio
import hashlib
import hmac
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from tests.support.plain import PLAIN
from tests.support.stripe_double.rules import Json, Refusal, apply, new_customer

_QUERY: Final = re.compile(r"metadata\['([^']+)'\]:'([^']*)'")
_MESSAGE_TRIES: Final = 20
_MESSAGE_PAUSE: Final = 0.25


@dataclass(frozen=True)
class Reply:
    """What is answered; `is_dropped`: nothing is, the connection ends."""

    status: int
    body: Json
    headers: tuple[tuple[str, str], ...] = ()
    is_dropped: bool = False


@dataclass
class Kept:
    """What a key was first sent with, and what it is answered from then on; None while that is under way."""

    fingerprint: str
    reply: Reply | None = None


@dataclass
class Fault:
    """What befalls the next requests of one kind: `kind` says which, and whether before or after the work."""

    kind: str
    on: str = "any"
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "An unknown error occurred"
    param: str | None = None


@dataclass
class Account:
    """Everything that belongs to one key."""

    key: str
    customers: dict[str, Json] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    kept: dict[str, Kept] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    webhook_url: str | None = None
    webhook_secret: str = ""
    search_lag: float = 0
    is_locked_out: bool = False
    _numbers: Any = field(default_factory=itertools.count)  # Any: itertools.count
    _messages: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def messages(self) -> int:
        """How many messages were not taken yet."""
        return len(self._messages)

    def take_fault(self, operation: str) -> Fault | None:
        """The fault that befalls this request, if one was asked for."""
        for fault in self.faults:
            if fault.on in ("any", operation):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    # Reading

    def get(self, customer_id: str) -> Json:
        """A customer, or what is left of a deleted one; raises Refusal."""
        if customer_id in self.deleted:
            return {"id": customer_id, "object": "customer", "deleted": True}
        return self._find(customer_id)

    def _find(self, customer_id: str) -> Json:
        found = self.customers.get(customer_id)
        if found is None:
            raise Refusal(404, f"No such customer: '{customer_id}'", code="resource_missing", param="id")
        return found

    def list(self, query: Json) -> Json:
        """A page, the newest first."""
        unknown = set(query) - {"limit", "email", "created", "starting_after", "ending_before"}
        if unknown:
            raise Refusal(400, f"Received unknown parameter: {min(unknown)}", code="parameter_unknown")
        limit = int(query.get("limit", 10))
        if not 1 <= limit <= 100:
            raise Refusal(400, "Invalid integer", param="limit")
        rows = list(reversed(self.customers.values()))
        after = query.get("starting_after")
        if after is not None:
            self._find(after)
            rows = rows[[row["id"] for row in rows].index(after) + 1 :]
        made = query.get("created", {})
        rows = [
            row for row in rows if int(made.get("gte", 0)) <= row["created"] <= int(made.get("lte", row["created"]))
        ]
        rows = [row for row in rows if query.get("email", row["email"]) == row["email"]]
        return _to_page("list", "/v1/customers", rows[:limit], has_more=len(rows) > limit)

    def search(self, query: Json) -> Json:
        """Those with these metadata that were made long enough ago to be searchable."""
        wanted = dict(_QUERY.findall(query["query"]))
        ripe = time.time() - self.search_lag
        rows = [row for row in self.customers.values() if wanted.items() <= row["metadata"].items()]
        rows = [row for row in rows if row["created"] <= ripe or not self.search_lag]
        return _to_page("search_result", "/v1/customers/search", rows[: int(query.get("limit", 10))], has_more=False)

    # Writing

    def create(self, parameters: Json) -> Json:
        """A new customer; raises Refusal."""
        made = apply(new_customer(f"cus_{self.key[-6:]}{next(self._numbers):08}", int(time.time())), parameters)
        self.customers[made["id"]] = made
        self._tell("customer.created", made)
        return made

    def update(self, customer_id: str, parameters: Json) -> Json:
        """A customer after a change; raises Refusal."""
        before = self._find(customer_id)
        after = apply(before, parameters)
        self.customers[customer_id] = after
        changed = {name: before[name] for name in after if before[name] != after[name]}
        if changed:
            self._tell("customer.updated", after, changed)
        return after

    def delete(self, customer_id: str) -> Json:
        """Take a customer away; raises Refusal."""
        gone = self._find(customer_id)
        del self.customers[customer_id]
        self.deleted.add(customer_id)
        self._tell("customer.deleted", gone)
        return self.get(customer_id)

    # Messages

    def _tell(self, kind: str, customer: Json, changed: Json | None = None) -> None:
        if self.webhook_url is None:
            return
        data: Json = {"object": customer, **({"previous_attributes": changed} if changed is not None else {})}
        event = {"id": f"evt_{self.key[-6:]}{next(self._numbers):08}", "object": "event", "type": kind, "data": data}
        task = asyncio.create_task(self._send(self.webhook_url, msgspec.json.encode(event)))
        self._messages.add(task)
        task.add_done_callback(self._messages.discard)

    async def _send(self, url: str, body: bytes) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
            for _ in range(_MESSAGE_TRIES):
                headers = {"Stripe-Signature": sign(body, self.webhook_secret), "Content-Type": "application/json"}
                try:
                    answer = await client.post(url, content=body, headers=headers)
                except httpx.HTTPError:
                    pass
                else:
                    if answer.is_success:
                        return
                await asyncio.sleep(_MESSAGE_PAUSE)


def sign(body: bytes, secret: str, at: float | None = None) -> str:
    """The header that Stripe signs a message with."""
    moment = int(time.time() if at is None else at)
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signature}"


def _to_page(kind: str, url: str, rows: list[Json], *, has_more: bool) -> Json:
    return {"object": kind, "url": url, "data": rows, "has_more": has_more}
