"""Webhooks in WizCommerce's words: what happened to which record, by its id alone, signed as both its pages say."""

import base64
import hmac
import re
import secrets as chance
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID, uuid5

import msgspec

from customerhub.core.outgoing import Sink, Told
from customerhub.dialects.wizcommerce.show import Shown, to_address, to_contact
from customerhub.model.base32 import to_base32
from customerhub.model.customer import Address, Contact, Customer
from customerhub.web.webhook import WebhookRequest

CREATED, UPDATED, DELETED = "created", "updated", "deleted"
SIGNATURE: Final = "X-Wizcommerce-Signature"
TEST: Final = "webhook.test"

_RECORDS: Final = ("customer", "customer.contact", "customer.address")
_ENCODINGS: Final = ("base64", "hex")
_SUCCESS: Final = (200, 201, 202, 204)
_NEW_SECRET_BYTES: Final = 32
_SECRET: Final = re.compile(r"[!-~]{8,255}", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
# What the message itself stands on; a secret in one of these would break it.
_TAKEN: Final = frozenset(
    (
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"),
        *("te", "trailer", "transfer-encoding", "upgrade", "user-agent", SIGNATURE.lower()),
    )
)
# What may happen to a customer, by the hub's own words for it, so that it is there and was not before.
_NEW: Final = ("customer.created", "customer.restored")
# Moves with every version of the record around it.
_ALWAYS_MOVED: Final = "updated_at"
Nested = TypeVar("Nested", Address, Contact)


class WizCommerceWebhooks:
    """The form of receivers of WizCommerce's webhooks (its pages on webhooks, of two ages)."""

    events: tuple[str, ...] = tuple(f"{record}.{what}" for record in _RECORDS for what in (CREATED, UPDATED, DELETED))
    # Five retries, doubling from 30 s, about 15 minutes in all.
    schedule: tuple[float, ...] = (30.0, 60.0, 120.0, 240.0, 480.0)
    timeout = 30.0

    def is_success(self, status: int) -> bool:
        """200, 201, 202 or 204."""
        return status in _SUCCESS

    def to_types(self, events: Sequence[str]) -> tuple[str, ...]:
        """All: any version may change what is inside, or whether the customer is there."""
        del events
        return ()

    def check_secret(self, secret: str) -> str | None:
        """8 to 255 printable ASCII characters, since it may stand in a header."""
        return None if _SECRET.fullmatch(secret) else "must be 8 to 255 printable ASCII characters without blanks"

    def check_config(self, config: Mapping[str, object]) -> str | None:
        """`header` is the one that carries the secret itself; `encoding` asks for one kind of signatures alone."""
        header, encoding = config.get("header"), config.get("encoding")
        if unknown := sorted(config.keys() - {"header", "encoding"}):
            return f"knows header and encoding, and no {unknown[0]}"
        if header is not None and not (isinstance(header, str) and _HEADER.fullmatch(header)):
            return "header must be the name of a header"
        if isinstance(header, str) and header.lower() in _TAKEN:
            return "header must be another one than those of every message"
        if encoding is not None and encoding not in _ENCODINGS:
            return "encoding must be base64 or hex"
        return None

    def new_secret(self) -> str | None:
        """32 random bytes."""
        return chance.token_urlsafe(_NEW_SECRET_BYTES)

    def to_requests(self, sink: Sink, told: Told, secrets: Sequence[str], now: datetime) -> tuple[WebhookRequest, ...]:
        """One message for each record that was made, changed or went; a retry has the same ids and bytes."""
        del now
        return tuple(
            _to_request(sink, _to_id(told.delivery, f"{event} {record}"), event, told.at, record, secrets)
            for event, record in _find_events(told)
            if not sink.events or event in sink.events
        )

    def to_test(self, sink: Sink, secrets: Sequence[str], now: datetime) -> WebhookRequest:
        """A message of the event `webhook.test`, about the sink itself."""
        return _to_request(sink, _to_id(sink.id, now.isoformat()), TEST, now, sink.id, secrets)


def _to_id(source: UUID, what: str) -> str:
    return f"wh_{to_base32(uuid5(source, what).int)}"


def _find_events(told: Told) -> Iterator[tuple[str, UUID]]:
    """What happened to the customer, then to the records inside: nothing of those in a customer that went as a whole.

    DELETE makes a customer inactive here, so that becoming inactive is to be deleted, through whatever door. Where it
    is not known any more what was before, nothing is said of the records inside.
    """
    before, after = told.before, told.after
    if after.deleted_at is not None:
        # One that is erased after it was deleted is told of no more.
        if after.deleted_at == after.updated_at:
            yield f"customer.{DELETED}", after.id
        return
    is_new = told.type in _NEW
    is_ended = before is not None and before.status == "active" and after.status == "inactive"
    yield f"customer.{CREATED if is_new else DELETED if is_ended else UPDATED}", after.id
    if is_new or before is not None:
        source = None if is_new else before
        for what, record in _compare(source, after, lambda customer: customer.contacts, to_contact):
            yield f"customer.contact.{what}", record
        for what, record in _compare(source, after, lambda customer: customer.addresses, to_address):
            yield f"customer.address.{what}", record


def _compare(
    before: Customer | None,
    after: Customer,
    entries: Callable[[Customer], Iterable[Nested]],
    show: Callable[[Customer, Nested], Shown],
) -> Iterator[tuple[str, UUID]]:
    """What became of each entry, by what is shown of it: also of one that another default took the mark from."""
    old = {entry.id: show(before, entry) for entry in entries(before)} if before is not None else {}
    new = {entry.id: show(after, entry) for entry in entries(after)}
    for entry_id, shown in new.items():
        if entry_id not in old:
            yield CREATED, entry_id
        elif old[entry_id] | {_ALWAYS_MOVED: None} != shown | {_ALWAYS_MOVED: None}:
            yield UPDATED, entry_id
    for entry_id in old:
        if entry_id not in new:
            yield DELETED, entry_id


def _to_request(
    sink: Sink, message_id: str, event: str, at: datetime, record: UUID, secrets: Sequence[str]
) -> WebhookRequest:
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = msgspec.json.encode({"id": message_id, "event": event, "timestamp": timestamp, "data": {"id": str(record)}})
    headers = {"Content-Type": "application/json"}
    header = sink.config.get("header")
    if secrets:
        headers[SIGNATURE] = ",".join(_sign(secrets, body, sink.config.get("encoding")))
        if header is not None:
            headers[header] = secrets[0]
    return WebhookRequest(headers, body, (header,) if header is not None else ())


def _sign(secrets: Sequence[str], body: bytes, encoding: object) -> Iterator[str]:
    """HMAC-SHA256 of the body for each secret, in base64 (as the page says) and in hexadecimal (as its code does)."""
    for secret in secrets:
        digest = hmac.new(secret.encode(), body, "sha256").digest()
        if encoding != "hex":
            yield base64.b64encode(digest).decode()
        if encoding != "base64":
            yield digest.hex()
