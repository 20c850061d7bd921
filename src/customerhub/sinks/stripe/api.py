"""Stripe's API through its official library, over the guarded way out; every exchange is kept for the log."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast

import httpx
import msgspec
import stripe
from msgspec import Struct
from stripe.params import CustomerCreateParams, CustomerListParams, CustomerUpdateParams
from typing_extensions import override

from customerhub.core.outgoing import Exchange
from customerhub.sinks.exchange import HIDDEN, MOST_ANSWERED, SHORTEST_SECRET, to_fault
from customerhub.sinks.stripe.keys import Keys
from customerhub.sinks.stripe.snapshot import ID, Fields

Record = dict[str, Any]  # Any: JSON

PATH: Final = "/v1/customers"
_PAGE: Final = 100
# From the name to the end of the answer; a server that sends a byte now and then would hold a request for ever.
_SECONDS: Final = 20.0
# A page of a hundred customers is about a quarter of this.
_MOST_READ: Final = 2_000_000
_SHOWN: Final = ("content-type", "idempotency-key", "stripe-version")
_LISTS: Final = (PATH, f"{PATH}/search")
_SUCCESS: Final = range(200, 300)

# Nobody is told how long our requests took, nor what machine this is.
stripe.enable_telemetry = False


class _Named(Struct):
    """What any customer is, a deleted one too."""

    id: str
    metadata: dict[str, Any] | None = None  # Any: JSON


class _Page(Struct):
    """A part of a list, or of what a search found."""

    data: list[_Named]
    has_more: bool


class _Refusal(Struct):
    """What any failure is."""

    error: dict[str, Any]  # Any: JSON


class TooLong(httpx.HTTPError):
    """An answer that no API of Stripe's would give."""


class Wire(stripe.HTTPClient):
    """How the library sends: once, over a client of ours, with a note of every exchange.

    Answers to lists are not noted: they hold other customers, whose erasure would not find them in this one's log.
    """

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client
        self.exchanges: list[Exchange] = []
        self.answered: Mapping[str, str] = {}

    @override
    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        began = time.monotonic()
        shown = {name: value for name, value in headers.items() if name.lower() in _SHOWN}
        noted = Exchange(method.upper(), url, {**shown, "Authorization": HIDDEN}, post_data or "")
        self.answered = {}
        try:
            status, self.answered, body = await self._send(method, url, headers, post_data)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            fault = str(error) if isinstance(error, TooLong) else to_fault(error, _SECONDS, has_begun=False)
            self._note(noted, None, b"", fault, began)
            raise stripe.APIConnectionError(fault) from error  # type: ignore[no-untyped-call]
        is_listing = method.lower() == "get" and httpx.URL(url).path.endswith(_LISTS)
        key = headers["Authorization"].removeprefix("Bearer ")
        if len(key) >= SHORTEST_SECRET:
            # One that is quoted would stand in the log, and in the reason that everybody sees.
            body = body.replace(key.encode(), HIDDEN.encode())
        self._note(noted, status, b"" if is_listing else body, "", began)
        # What the library cannot read it takes for no answer of Stripe's; some of that it would stumble over.
        return body if _is_readable(status, body, is_listing=is_listing) else b"", status, self.answered

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        sending = self._client.stream(method.upper(), url, headers=dict(headers), content=post_data)
        async with asyncio.timeout(_SECONDS), sending as answer:
            pieces: list[bytes] = []
            size = 0
            async for piece in answer.aiter_raw():
                pieces.append(piece)
                size += len(piece)
                if size > _MOST_READ:
                    raise TooLong("the answer did not end")
            # The library prints notices, whoever wrote them.
            told = {name: value for name, value in answer.headers.items() if name != "stripe-notice"}
            return answer.status_code, httpx.Headers(told), b"".join(pieces)

    def _note(self, sent: Exchange, status: int | None, body: bytes, fault: str, began: float) -> None:
        answer = body[:MOST_ANSWERED].decode("utf-8", "replace").replace("\0", "�")
        taken = round(time.monotonic() - began, 6)
        self.exchanges.append(Exchange(sent.method, sent.url, sent.headers, sent.body, status, answer, fault, taken))


class Api:
    """One account at Stripe, for as long as one attempt takes. Every call raises stripe.StripeError."""

    def __init__(self, client: httpx.AsyncClient, keys: Keys, base: str) -> None:
        self._wire = Wire(client)
        self._client = stripe.StripeClient(
            keys.api_key,
            http_client=self._wire,
            max_network_retries=0,
            base_addresses={"api": base.rstrip("/")} if base else {},
        )
        self._customers = self._client.v1.customers

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was sent and answered so far."""
        return tuple(self._wire.exchanges)

    @property
    def answered(self) -> Mapping[str, str]:
        """The headers of the last answer; nothing where there was none."""
        return self._wire.answered

    async def create(self, body: Fields, key: str) -> Record:
        """Make a customer."""
        parameters = cast("CustomerCreateParams", body)
        return _to_record(await self._customers.create_async(parameters, {"idempotency_key": key}))

    async def update(self, external_id: str, body: Fields, key: str) -> tuple[Record, bool]:
        """Make a customer hold these values; the customer, and whether this is what the key was answered before."""
        parameters = cast("CustomerUpdateParams", body)
        updated = await self._customers.update_async(external_id, parameters, {"idempotency_key": key})
        answer = updated.last_response
        is_replayed = answer is not None and answer.headers.get("idempotent-replayed") == "true"
        return _to_record(updated), is_replayed

    async def retrieve(self, external_id: str) -> Record | None:
        """A customer as it is now; None where it is not there any more."""
        try:
            record = _to_record(await self._customers.retrieve_async(external_id))
        except stripe.InvalidRequestError as error:
            if error.http_status == httpx.codes.NOT_FOUND:
                return None
            raise
        return None if record.get("deleted") else record

    async def try_out(self) -> None:
        """Ask for one customer, to see whether the key is good."""
        await self._customers.list_async({"limit": 1})

    async def search(self, customer: str) -> Record | None:
        """A customer that has been there for a while, by the hub's id; None where there is none, or no search."""
        try:
            found = await self._customers.search_async({"query": f"metadata['{ID}']:'{customer}'", "limit": 1})
        except stripe.InvalidRequestError:
            # Not every account has it, and no stand-in needs to.
            return None
        return _to_record(found.data[0]) if found.data else None

    async def find_listed(
        self, customer: str, since: int, *, email: str | None = None, until: int | None = None
    ) -> Record | None:
        """A customer by the hub's id among those made since a time (seconds), and until another if one is named.

        With an email only among those that have it. Lists, unlike searches, show at once what was made. A stand-in that
        knows no such filters is asked for all.
        """
        filters: CustomerListParams = {"limit": _PAGE, "created": {"gte": since}}
        if until is not None:
            filters["created"] = {"gte": since, "lte": until}
        if email is not None:
            filters["email"] = email
        try:
            return await self._find(customer, filters)
        except stripe.InvalidRequestError:
            return await self._find(customer, {"limit": _PAGE})

    async def _find(self, customer: str, filters: CustomerListParams) -> Record | None:
        async for record in self._list(filters):
            if (record.get("metadata") or {}).get(ID) == customer:
                return record
        return None

    async def _list(self, filters: CustomerListParams) -> AsyncIterator[Record]:
        while True:
            page = await self._customers.list_async(filters)
            for customer in page.data:
                yield _to_record(customer)
            if not page.has_more or not page.data:
                return
            filters = {**filters, "starting_after": page.data[-1].id}


def _is_readable(status: int, body: bytes, *, is_listing: bool) -> bool:
    model = _Refusal if status not in _SUCCESS else _Page if is_listing else _Named
    try:
        msgspec.json.decode(body, type=model)
    except (msgspec.DecodeError, UnicodeError):
        return False
    return True


def _to_record(customer: stripe.Customer) -> Record:
    return customer.to_dict()
