"""Webhooks in WizCommerce's words: which events one version makes, their bodies, and both ways to sign."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.core.outgoing import Told
from customerhub.dialects.wizcommerce.webhooks import WizCommerceWebhooks
from customerhub.model.apply import apply, delete
from customerhub.model.customer import Customer
from customerhub.model.erasure import erase
from customerhub.model.merge import Merger, merge
from customerhub.model.patch import AddressPatch, ContactPatch, CustomerPatch, ListPatch
from tests.support.told import (
    AT,
    BILLING,
    BUYER,
    CATALOGUE,
    CUSTOMER,
    SHIPPING,
    make_customer,
    make_moment,
    make_sink,
    make_told,
)

FORM = WizCommerceWebhooks()
SECRET, OTHER = "a-secret-of-the-receiver", "the-one-before-it"
Events = list[tuple[str, UUID]]


def updated(before: Customer | None = None, **patch: Any) -> Told:  # Any: members of CustomerPatch
    """What is told of a change of the usual customer."""
    before = before or make_customer()
    return make_told("customer.updated", before, apply(before, CustomerPatch(**patch), CATALOGUE, make_moment()))


def events_of(told: Told, *wanted: str) -> Events:
    """The events of a version and the records that they are about, in order."""
    requests = FORM.to_requests(make_sink(events=wanted), told, (), AT)
    bodies = [json.loads(request.body) for request in requests]
    return [(body["event"], UUID(body["data"]["id"])) for body in bodies]


def test_an_event_byte_for_byte() -> None:
    """As the vendor's page has it: four members, the id alone, the time in milliseconds."""
    (request,) = FORM.to_requests(make_sink(), updated(phone="+4722334455"), (), AT)
    assert request.body == (
        b'{"id":"wh_3c19qgky58aqfbvcanw2hnwsma","event":"customer.updated","timestamp":"2026-11-21T21:00:00.412Z",'
        b'"data":{"id":"00000000-0000-0000-0000-00000000c057"}}'
    )
    assert request.headers == {"Content-Type": "application/json"}
    assert request.secret_headers == ()


def test_each_record_that_really_changed_has_an_event_of_its_own() -> None:
    """One for the customer, then contacts, then addresses; none for those that stay as they are."""
    patch: dict[str, Any] = {  # Any: members of CustomerPatch
        "contacts": ListPatch(change={BUYER: ContactPatch(designation="Buyer")}, add=((UUID(int=7), ContactPatch()),)),
        "addresses": ListPatch(change={SHIPPING: AddressPatch(city="Bergen")}, remove=frozenset({BILLING})),
    }
    assert events_of(updated(**patch)) == [
        ("customer.updated", CUSTOMER),
        ("customer.contact.updated", BUYER),
        ("customer.contact.created", UUID(int=7)),
        ("customer.address.deleted", BILLING),
    ]


def test_a_default_that_moves_is_a_change_of_both() -> None:
    """Their readers see it on the address that loses the mark too."""
    told = updated(addresses=ListPatch(add=((UUID(int=8), AddressPatch(type="billing")),)), bill_to=UUID(int=8))
    assert events_of(told) == [
        ("customer.updated", CUSTOMER),
        ("customer.address.updated", BILLING),
        ("customer.address.created", UUID(int=8)),
    ]


def test_what_happens_to_a_customer_as_a_whole() -> None:
    """Made and brought back with all in it; inactive, deleted, merged away and erased it is deleted, once."""
    customer, moment = make_customer(), make_moment()
    gone = delete(customer, moment)
    back = msgspec.structs.replace(gone.customer, deleted_at=None, version=3)
    with_all = [
        ("customer.created", CUSTOMER),
        ("customer.contact.created", BUYER),
        ("customer.address.created", BILLING),
        ("customer.address.created", SHIPPING),
    ]
    source = make_customer(id=UUID(int=5), addresses=(), contacts=(), bill_to=None, ship_to=None, primary_contact=None)
    merged = merge(Merger(customer, (source,)), moment)
    inactive = make_customer(status="inactive")
    for told, expected in (
        (make_told("customer.created", None, customer), with_all),
        (make_told("customer.restored", gone.customer, back), with_all),
        (updated(status="inactive"), [("customer.deleted", CUSTOMER)]),
        (updated(inactive, phone="+47"), [("customer.updated", CUSTOMER)]),
        (updated(inactive, status="active"), [("customer.updated", CUSTOMER)]),
        (make_told("customer.deleted", customer, gone), [("customer.deleted", CUSTOMER)]),
        (make_told("customer.merged", customer, merged.target), [("customer.updated", CUSTOMER)]),
        (make_told("customer.merged", source, merged.sources[0]), [("customer.deleted", source.id)]),
        (make_told("customer.erased", None, erase(customer, moment)), [("customer.deleted", CUSTOMER)]),
        (make_told("customer.erased", None, erase(gone.customer, make_moment())), []),
        (make_told("customer.updated", None, customer), [("customer.updated", CUSTOMER)]),
    ):
        assert events_of(told) == expected


def test_a_receiver_gets_the_events_that_it_asked_for() -> None:
    """In their order; since any version may hold one, the hub's own types are all."""
    told = updated(contacts=ListPatch(change={BUYER: ContactPatch(designation="Buyer")}), phone="+47")
    assert events_of(told, "customer.contact.updated", "customer.deleted") == [("customer.contact.updated", BUYER)]
    assert events_of(told, "customer.address.created") == []
    assert FORM.to_types(("customer.contact.updated",)) == ()
    assert len(FORM.events) == 9
    assert {event for event, _ in events_of(told)} < set(FORM.events)


def test_a_retry_has_the_same_ids_and_bytes() -> None:
    """Each message of an event has an id of its own, whichever others are told, and keeps it."""
    told = updated(contacts=ListPatch(change={BUYER: ContactPatch(designation="Buyer")}), phone="+47")
    first = FORM.to_requests(make_sink(), told, (SECRET,), AT)
    again = FORM.to_requests(
        make_sink(), msgspec.structs.replace(told, attempt=3, parts=1), (SECRET,), AT + timedelta(hours=1)
    )
    assert first == again
    (one,) = FORM.to_requests(make_sink(events=("customer.contact.updated",)), told, (SECRET,), AT)
    assert one == first[1]
    other = FORM.to_requests(make_sink(), msgspec.structs.replace(told, delivery=UUID(int=9)), (SECRET,), AT)
    ids = [json.loads(request.body)["id"] for request in (*first, *other)]
    assert len(set(ids)) == 4
    assert all(name.startswith("wh_") and len(name) == 29 for name in ids)


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """What a receiver of the older page computes: by its text, and by its code."""
    digest = hmac.new(secret.encode(), body, "sha256")
    return {"base64": base64.b64encode(digest.digest()).decode(), "hex": digest.hexdigest()}


def test_a_receiver_of_the_older_page_finds_its_signature() -> None:
    """In both encodings unless the sink names one, and of both secrets while one follows another."""
    told = updated(phone="+47")
    (request,) = FORM.to_requests(make_sink(), told, (SECRET, OTHER), AT)
    own, former = signatures(SECRET, request.body), signatures(OTHER, request.body)
    expected = [own["base64"], own["hex"], former["base64"], former["hex"]]
    assert request.headers["X-Wizcommerce-Signature"].split(",") == expected
    for encoding in ("base64", "hex"):
        (request,) = FORM.to_requests(make_sink(config={"encoding": encoding}), told, (SECRET,), AT)
        assert request.headers["X-Wizcommerce-Signature"] == own[encoding]


def test_a_receiver_of_the_newer_page_finds_the_secret_itself() -> None:
    """In the header that the sink names, the newest alone, and no log shows it."""
    sink = make_sink(config={"header": "X-Own-Key"})
    (request,) = FORM.to_requests(sink, updated(phone="+47"), (SECRET, OTHER), AT)
    assert request.headers["X-Own-Key"] == SECRET
    assert request.secret_headers == ("X-Own-Key",)
    (request,) = FORM.to_requests(sink, updated(phone="+47"), (), AT)
    assert request.headers == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({}, None),
        ({"header": "X-Own-Key", "encoding": "hex"}, None),
        ({"header": "X Own"}, "header must be the name of a header"),
        ({"header": "X-Own:\r\nX"}, "header must be the name of a header"),
        ({"header": 5}, "header must be the name of a header"),
        ({"header": "host"}, "header must be another one than those of every message"),
        ({"header": "Content-Length"}, "header must be another one than those of every message"),
        ({"header": "x-wizcommerce-signature"}, "header must be another one than those of every message"),
        ({"encoding": "base32"}, "encoding must be base64 or hex"),
        ({"value": "x"}, "knows header and encoding, and no value"),
    ],
)
def test_what_a_sink_may_say_beside_its_url(config: dict[str, object], fault: str | None) -> None:
    """Nothing that would break the message."""
    assert FORM.check_config(config) == fault


def test_secrets_can_stand_in_a_header() -> None:
    """Printable ASCII without blanks; new ones are 32 random bytes."""
    made = FORM.new_secret()
    assert made is not None
    assert made != FORM.new_secret()
    assert FORM.check_secret(made) is None
    for wrong in ("", "short", "with a blank", "with\r\nline", "ütf-achte", "x" * 256):
        assert FORM.check_secret(wrong) == "must be 8 to 255 printable ASCII characters without blanks"


def test_retries_are_the_vendors() -> None:
    """Five, doubling from 30 s, about a quarter of an hour in all; 30 s for an answer, four statuses that say yes."""
    assert (list(FORM.schedule), FORM.timeout) == ([30, 60, 120, 240, 480], 30)
    assert [status for status in range(100, 600) if FORM.is_success(status)] == [200, 201, 202, 204]


def test_a_test_message_says_nothing_of_any_customer() -> None:
    """Its event is its own, and it is signed like all others."""
    request = FORM.to_test(make_sink(config={"encoding": "hex"}), (SECRET,), AT)
    body = json.loads(request.body)
    assert (body["event"], body["data"]) == ("webhook.test", {"id": "00000000-0000-0000-0000-000000000051"})
    assert request.headers["X-Wizcommerce-Signature"] == signatures(SECRET, request.body)["hex"]
