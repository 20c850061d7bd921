"""Webhooks of the hub's own: Standard Webhooks, byte for byte, and never larger than is good."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from customerhub.core.outgoing import Told
from customerhub.dialects.hub import canonical
from customerhub.dialects.hub.webhooks import EVENTS, MOST_BYTES, TEST, HubWebhooks
from customerhub.model.apply import Applied, apply, delete
from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Customer
from customerhub.model.erasure import erase
from customerhub.model.merge import Merger, merge
from customerhub.model.patch import CustomerPatch
from customerhub.web.webhook import WebhookRequest
from tests.support.golden import REWRITE
from tests.support.told import AT, CATALOGUE, CUSTOMER, DELIVERY, make_customer, make_moment, make_sink, make_told

FORM = HubWebhooks()
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
GOLDEN = Path(__file__).parent / "messages.json"
Json = dict[str, Any]  # Any: decoded JSON


def updated(**patch: Any) -> Told:  # Any: members of CustomerPatch
    """What is told of a change of the usual customer."""
    before = make_customer()
    return make_told("customer.updated", before, apply(before, CustomerPatch(**patch), CATALOGUE, make_moment()))


def request_of(told: Told, *, secrets: tuple[str, ...] = (SECRET,), now: datetime = AT) -> WebhookRequest:
    """The one message of an event."""
    (request,) = FORM.to_requests(make_sink(), told, secrets, now)
    return request


def body_of(told: Told) -> Json:
    """What the one message of an event says."""
    body: Json = json.loads(request_of(told).body)
    return body


def test_an_update_byte_for_byte() -> None:
    """Members in their order, the customer as it is read, only the time of the attempt and the signature its own."""
    request = request_of(updated(name="Zoë's Bakery Ltd", email=None))
    told = json.loads(request.body)
    start = (
        '{"type":"customer.updated","id":"00000000-0000-0000-0000-000000000de1",'
        '"timestamp":"2026-11-21T21:00:00.412345Z",'
        '"team":{"id":"00000000-0000-0000-0000-0000000007ea","name":"Northside Books"},"sequence":2,'
        '"customer":"00000000-0000-0000-0000-00000000c057",'
        '"changes":[{"path":"/name","old":"Zoë\'s Bakery","new":"Zoë\'s Bakery Ltd"},'
        '{"path":"/email","old":"zoe@bakery.example","new":null}],"data":'
    )
    end = (
        ',"truncated":false,"origin":{"actor":{"id":"00000000-0000-0000-0000-000000000ac7","name":"ERP sync"},'
        '"dialect":"there","request_id":"req_1"}}'
    )
    assert request.body.startswith(start.encode())
    assert request.body.endswith(end.encode())
    assert (told["data"]["name"], told["data"]["version"], len(told["data"]["addresses"])) == ("Zoë's Bakery Ltd", 2, 2)
    signature = request.headers.pop("webhook-signature")
    assert request.headers == {
        "Content-Type": "application/json",
        "webhook-id": str(DELIVERY),
        "webhook-timestamp": "1795294800",
    }
    assert signature == Webhook(SECRET).sign(str(DELIVERY), AT, request.body.decode())


def versions() -> dict[str, Told]:
    """One event of each type, and both sides of a merge."""
    moment, customer = make_moment(), make_customer()
    gone = delete(customer, moment)
    back = msgspec.structs.replace(gone.customer, deleted_at=None, version=3)
    source = make_customer(id=UUID(int=5), number="C00002", addresses=(), contacts=(), bill_to=None, ship_to=None)
    source = msgspec.structs.replace(source, primary_contact=None, phone="+4722334455")
    merged = merge(Merger(customer, (source,)), moment)
    return {
        "created": make_told("customer.created", None, customer),
        "updated": updated(phone="+4755667788"),
        "deleted": make_told("customer.deleted", customer, gone),
        "restored": make_told("customer.restored", gone.customer, back),
        "merged, the target": make_told("customer.merged", customer, merged.target),
        "merged, a source": make_told("customer.merged", source, merged.sources[0]),
        "erased": make_told("customer.erased", None, erase(customer, moment)),
    }


def test_every_event_says_what_it_said() -> None:
    """The messages of all types are those of the golden file."""
    told = {name: body_of(event) for name, event in versions().items()}
    assert {body["type"] for body in told.values()} == set(EVENTS) == set(FORM.events)
    if os.environ.get(REWRITE):
        GOLDEN.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert told == json.loads(GOLDEN.read_text("utf-8"))


def test_a_new_customer_is_told_once_in_data() -> None:
    """Not a second time as a change from nothing."""
    applied = Applied(make_customer(), updated(name="x").changes)
    told = body_of(make_told("customer.created", None, applied))
    assert (told["changes"], told["data"]) == ([], canonical.to_body(make_customer()))


def test_of_an_erased_customer_nothing_is_told_but_that_it_is() -> None:
    """Its id, where it went, and no value, neither former nor present."""
    request = request_of(versions()["erased"])
    told = json.loads(request.body)
    assert (told["data"], told["changes"]) == ({"id": str(CUSTOMER), "merged_into": None}, [])
    assert b"Bakery" not in request.body
    assert b"C00001" not in request.body


def test_the_standards_own_library_verifies_it() -> None:
    """With the secret, at its time, and not with another, another body, another id or another time."""
    now = datetime.now(UTC)
    request = request_of(updated(name="Nordlys AS"), now=now)
    assert Webhook(SECRET).verify(request.body, request.headers)["type"] == "customer.updated"
    late = request_of(updated(name="Nordlys AS"), now=now - timedelta(minutes=6))
    for secret, body, headers in (
        (OTHER, request.body, request.headers),
        (SECRET, request.body.replace(b"Nordlys", b"Sudlys "), request.headers),
        (SECRET, request.body, {**request.headers, "webhook-id": "another"}),
        (SECRET, late.body, late.headers),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_while_one_secret_follows_another_both_verify() -> None:
    """Signatures stand beside each other with blanks between them, the newest first."""
    request = request_of(updated(name="Nordlys AS"), secrets=(SECRET, OTHER), now=datetime.now(UTC))
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(request.body, request.headers)


def test_a_retry_is_the_same_message_at_another_time() -> None:
    """Id and body stay, the time of the attempt is what it is."""
    first = request_of(updated(name="Nordlys AS"))
    later = request_of(msgspec.structs.replace(updated(name="Nordlys AS"), attempt=4), now=AT + timedelta(hours=5))
    assert (first.body, first.headers["webhook-id"]) == (later.body, later.headers["webhook-id"])
    assert later.headers["webhook-timestamp"] == "1795312800"


def large(customer: Customer, count: int, line: str) -> tuple[Address, ...]:
    """So many addresses."""
    born = customer.created_at
    return tuple(Address(UUID(int=0xB000 + place), born, born, line1=line) for place in range(count))


@pytest.mark.parametrize(
    ("there", "added", "line", "has_values", "has_paths"),
    [(60, 0, "x" * 400, True, True), (0, 60, "x" * 400, False, True), (0, 400, "x", False, False)],
)
def test_a_body_is_no_larger_than_the_standard_recommends(
    there: int, added: int, line: str, *, has_values: bool, has_paths: bool
) -> None:
    """The customer goes first, then the values of changes, then their places; it says so, and the rest stays."""
    before = make_customer()
    before = msgspec.structs.replace(before, addresses=(*before.addresses, *large(before, there, line)))
    new = large(before, added, line)
    applied = apply(before, CustomerPatch(name="Nordlys AS"), CATALOGUE, make_moment())
    after = msgspec.structs.replace(applied.customer, addresses=(*before.addresses, *new))
    changes = (*applied.changes, *(FieldChange(f"/addresses/{one.id}", None, one) for one in new))
    request = request_of(make_told("customer.updated", before, Applied(after, changes)))
    told = json.loads(request.body)
    assert len(request.body) <= MOST_BYTES == 20_000
    assert (told["truncated"], told["data"]) == (True, {"id": str(CUSTOMER)})
    assert [len(told["changes"]), *map(list, told["changes"][:1])] == (
        [1 + added, ["path", "old", "new"] if has_values else ["path"]] if has_paths else [0]
    )
    assert (told["sequence"], told["type"]) == (2, "customer.updated")


def test_only_the_events_asked_for_are_told() -> None:
    """By their types; none named are all."""
    sink = make_sink(events=("customer.deleted", "customer.merged"))
    told = {name: bool(FORM.to_requests(sink, event, (), AT)) for name, event in versions().items()}
    assert [name for name, is_told in told.items() if is_told] == ["deleted", "merged, the target", "merged, a source"]
    assert FORM.to_types(sink.events) == sink.events


def test_secrets_are_those_of_the_standard() -> None:
    """`whsec_` and 24 to 64 bytes in base64; new ones are 32 random bytes."""
    made = FORM.new_secret()
    assert made is not None
    assert made != FORM.new_secret()
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
    assert FORM.check_secret(made) is None
    for size, is_good in ((23, False), (24, True), (64, True), (65, False)):
        secret = f"whsec_{base64.b64encode(bytes(size)).decode()}"
        assert (FORM.check_secret(secret) is None) is is_good
    for wrong in ("", "whsec_", "whsec_!!!", made.removeprefix("whsec_"), f"whsec_ü{made}", made.rstrip("=")):
        assert FORM.check_secret(wrong) == "must be whsec_ and 24 to 64 bytes in base64"
    assert FORM.check_config({}) is None
    assert FORM.check_config({"header": "X-Own"}) == "must be empty"


def test_a_test_message_says_nothing_of_any_customer() -> None:
    """Its type is its own, its id too, and it is signed like all others."""
    now = datetime.now(UTC)
    request = FORM.to_test(make_sink(), (SECRET,), now)
    body = Webhook(SECRET).verify(request.body, request.headers)
    assert body == {
        "type": TEST,
        "id": request.headers["webhook-id"],
        "timestamp": canonical.to_time(now),
        "data": {"sink": "00000000-0000-0000-0000-000000000051"},
    }
    assert FORM.to_test(make_sink(), (), now + timedelta(seconds=1)).headers["webhook-id"] != body["id"]
    assert "webhook-signature" not in FORM.to_test(make_sink(), (), now).headers


def test_every_2xx_is_a_success() -> None:
    """And nothing else; retries go on for about three days."""
    assert [status for status in range(100, 600) if FORM.is_success(status)] == list(range(200, 300))
    assert (FORM.timeout, len(FORM.schedule)) == (15, 9)
    assert 75 < sum(FORM.schedule) / 3600 < 76
