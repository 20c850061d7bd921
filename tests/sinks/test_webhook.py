"""How receivers are told: in which words, what their answers mean, and which places of a customer they hear of."""

import json
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Exchange, Outcome, Sink, Told
from customerhub.dialects.base import find_dialects
from customerhub.model.change import FieldChange
from customerhub.sinks.exchange import HIDDEN
from customerhub.sinks.webhook import WebhookCarrier, concerns
from customerhub.web.webhook import WebhookForm
from tests.support.receiver import Reaction, Receiver, running_receiver
from tests.support.told import BUYER, make_customer, make_sink, make_told

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
FORMER = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
OTHER_FORM = "wizcommerce"


@pytest.fixture
async def carrier() -> AsyncIterator[WebhookCarrier]:
    """One for the test, closed with it."""
    made = WebhookCarrier()
    yield made
    await made.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that answers 200 until it is told otherwise."""
    async with running_receiver() as made:
        yield made


def new_customer_told(**fields: Any) -> Told:  # Any: members of Told
    """What is told of a new customer with a contact and two addresses."""
    return make_told("customer.created", None, make_customer(), **fields)


async def tell(hub: Hub, carrier: WebhookCarrier, receiver: Receiver, *, form: str = "hub", parts: int = 0) -> Outcome:
    """Tell a receiver of a new customer."""
    return await carrier.tell(hub, make_sink(url=receiver.url, form=form), new_customer_told(parts=parts))


async def test_a_receiver_is_told_and_it_is_logged(hub: Hub, carrier: WebhookCarrier, receiver: Receiver) -> None:
    """One signed POST with the very bytes that the log has, and what was answered."""
    receiver.react = lambda _: Reaction(202, body=b"thanks")
    sink = make_sink(url=receiver.url, secret=hub.vault.encrypt(SECRET))
    outcome = await carrier.tell(hub, sink, new_customer_told())
    (got,) = receiver.got
    assert got.target == "POST /hook"
    assert Webhook(SECRET).verify(got.body, got.headers)["type"] == "customer.created"
    (logged,) = outcome.exchanges
    assert (outcome.kind, outcome.parts, outcome.reason) == ("delivered", 1, "")
    assert (logged.method, logged.url, logged.body.encode()) == ("POST", receiver.url, got.body)
    assert (logged.status, logged.answer, logged.fault) == (202, "thanks", "")
    assert {name.lower(): value for name, value in logged.headers.items()}.items() <= got.headers.items()
    assert logged.seconds > 0


async def test_while_a_secret_ends_both_sign(hub: Hub, carrier: WebhookCarrier, receiver: Receiver) -> None:
    """Until its time is up, and not afterwards."""
    secrets = {"secret": hub.vault.encrypt(SECRET), "former_secret": hub.vault.encrypt(FORMER)}
    for seconds, count in ((60, 2), (-1, 1)):
        until = hub.now() + timedelta(seconds=seconds)
        sink = make_sink(url=receiver.url, **secrets, former_until=until)
        assert (await carrier.tell(hub, sink, new_customer_told())).kind == "delivered"
        assert len(receiver.got[-1].headers["webhook-signature"].split(" ")) == count


@pytest.mark.parametrize(
    ("reaction", "expected"),
    [
        (Reaction(410), Outcome("ended", "the receiver answered 410 Gone", is_of_sink=True)),
        (Reaction(500), Outcome("retry", "the receiver answered 500", is_of_sink=True)),
        (Reaction(500, (("Retry-After", "9"),)), Outcome("retry", "the receiver answered 500", is_of_sink=True)),
        (Reaction(400), Outcome("retry", "the receiver answered 400")),
        (Reaction(422), Outcome("retry", "the receiver answered 422")),
        (Reaction(401), Outcome("retry", "the receiver answered 401", is_of_sink=True)),
        (Reaction(404), Outcome("retry", "the receiver answered 404", is_of_sink=True)),
        (
            Reaction(302, (("Location", "http://127.0.0.1/"),)),
            Outcome("retry", "the receiver answered 302, and redirects are not followed", is_of_sink=True),
        ),
        *(
            (
                Reaction(status, (("Retry-After", "9"),)),
                Outcome("retry", f"the receiver answered {status}", is_of_sink=True, retry_after=9),
            )
            for status in (429, 502, 503, 504)
        ),
        (
            Reaction(429, (("Retry-After", "86400"),)),
            Outcome("retry", "the receiver answered 429", is_of_sink=True, retry_after=3600),
        ),
        (
            Reaction(manner="drop"),
            Outcome("retry", "the connection ended without a whole answer", is_of_sink=True),
        ),
    ],
)
async def test_what_an_answer_means(
    hub: Hub, carrier: WebhookCarrier, receiver: Receiver, reaction: Reaction, expected: Outcome
) -> None:
    """Whether it is tried again and when, and whether it says something of the receiver as a whole."""
    receiver.react = lambda _: reaction
    outcome = await tell(hub, carrier, receiver)
    assert msgspec.structs.replace(outcome, exchanges=()) == expected
    assert len(outcome.exchanges) == len(receiver.got) == 1


async def test_what_is_refused_is_tried_again(hub: Hub) -> None:
    """A private address, by a name or by itself: nothing is sent, the reason is told, and the name may be put right."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["10.0.0.7"]

    carrier = WebhookCarrier(resolve=resolve)
    sink = make_sink(is_trusted=False)
    for url, reason in (
        ("https://crm.example/hook", "not sent: the name leads to a private or local address"),
        ("https://127.0.0.1/hook", "not sent: the address is a private or local address"),
        ("http://crm.example/hook", "not sent: only https is allowed"),
    ):
        outcome = await carrier.tell(hub, msgspec.structs.replace(sink, url=url), new_customer_told())
        assert (outcome.kind, outcome.reason, outcome.is_of_sink) == ("retry", reason, True)
        assert (outcome.exchanges[0].status, outcome.exchanges[0].fault) == (None, reason)
    await carrier.close()


async def test_who_may_go_to_private_addresses(hub: Hub, carrier: WebhookCarrier, receiver: Receiver) -> None:
    """Sinks that the operator made, and all where the setting says so."""
    sink = make_sink(url=receiver.url, is_trusted=False)
    assert (await carrier.tell(hub, sink, new_customer_told())).kind == "retry"
    assert receiver.connections == 0
    hub.settings = hub.settings.model_copy(update={"private_callbacks": True})
    assert (await carrier.tell(hub, sink, new_customer_told())).kind == "delivered"


async def test_nobody_listens(hub: Hub, carrier: WebhookCarrier) -> None:
    """A closed port is a fault of the sink as a whole."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    outcome = await carrier.tell(hub, make_sink(url=f"http://127.0.0.1:{port}/"), new_customer_told())
    assert (outcome.kind, outcome.reason, outcome.is_of_sink) == ("retry", "connection refused", True)


async def test_several_messages_go_in_order_and_go_on_where_they_stopped(
    hub: Hub, carrier: WebhookCarrier, receiver: Receiver
) -> None:
    """What was accepted is not told again, and what comes behind a failure waits for it."""
    receiver.react = lambda _: Reaction(200 if len(receiver.got) < 3 else 500)
    failed = await tell(hub, carrier, receiver, form=OTHER_FORM)
    assert (failed.kind, failed.parts, len(failed.exchanges)) == ("retry", 2, 3)
    receiver.react = lambda _: Reaction(204)
    done = await tell(hub, carrier, receiver, form=OTHER_FORM, parts=failed.parts)
    assert (done.kind, done.parts, len(done.exchanges)) == ("delivered", 4, 2)
    bodies = [json.loads(got.body) for got in receiver.got]
    assert [body["event"] for body in bodies] == [
        "customer.created",
        "customer.contact.created",
        "customer.address.created",
        "customer.address.created",
        "customer.address.created",
    ]
    assert [body["id"] for body in bodies][2] == bodies[3]["id"] != bodies[4]["id"]


async def test_a_slow_receiver_of_many_messages_does_not_take_for_ever(
    hub: Hub, carrier: WebhookCarrier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while the rest is left for the next attempt, with what was accepted."""
    monkeypatch.setattr("customerhub.sinks.webhook._ATTEMPT_SECONDS", 0)
    outcome = await tell(hub, carrier, receiver, form=OTHER_FORM)
    assert (outcome.kind, outcome.parts, outcome.is_of_sink) == ("retry", 1, False)
    assert outcome.reason == "1 of 4 messages are accepted, and the others follow"
    assert (await tell(hub, carrier, receiver, form=OTHER_FORM, parts=3)).kind == "delivered"


async def test_a_secret_that_is_sent_is_not_logged(hub: Hub, carrier: WebhookCarrier, receiver: Receiver) -> None:
    """In the header that the sink names for it."""
    secret = hub.vault.encrypt("secret-of-a-receiver")
    sink = make_sink(url=receiver.url, form=OTHER_FORM, secret=secret, config={"header": "X-Own-Key"})
    outcome = await carrier.tell(hub, sink, new_customer_told())
    assert {got.headers["x-own-key"] for got in receiver.got} == {"secret-of-a-receiver"}
    assert {one.headers["X-Own-Key"] for one in outcome.exchanges} == {HIDDEN}
    assert "secret-of-a-receiver" not in repr(outcome)


async def test_what_nobody_asked_for_is_not_sent(hub: Hub, carrier: WebhookCarrier, receiver: Receiver) -> None:
    """Neither other events, nor other places, nor the words of a dialect that is not there."""
    told = make_told("customer.updated", make_customer(), make_customer(version=2), changes=(FieldChange("/note"),))
    for fields, kind, reason in (
        ({"events": ("customer.deleted",)}, "skipped", "it did not ask for this event"),
        ({"fields": ("/name", "/phone")}, "skipped", "nothing changed at the places that it asked for"),
        ({"form": "gone"}, "refused", "no messages are known in the words of 'gone'"),
    ):
        sink: Sink = make_sink(url=receiver.url, **fields)
        outcome = await carrier.tell(hub, sink, told)
        assert (outcome.kind, outcome.reason, outcome.exchanges) == (kind, reason, ())
    assert receiver.connections == 0
    assert carrier.schedule(make_sink(form="gone")) == ()


@pytest.mark.parametrize(
    ("field", "path", "expected"),
    [
        *(("/name", "/name", True), ("/name", "/names", False), ("/name", "/display_name", False)),
        *(("/addresses", f"/addresses/{BUYER}/city", True), (f"/addresses/{BUYER}/city", f"/addresses/{BUYER}", True)),
        *(("/addresses", "/addresses", True), ("/attributes/Region", "/attributes/Region/value", True)),
        *(("/credit_limit", "/credit_limit_unit", True), ("/credit_limit/unit", "/credit_limit_unit", True)),
        *(("/credit_limit/unit", "/credit_limit", False), ("/credit_limit/value", "/credit_limit", True)),
    ],
)
def test_an_update_concerns_who_asked_for_its_place(field: str, path: str, *, expected: bool) -> None:
    """The place itself, something inside it or something around it; every other event concerns everybody."""
    changes = (FieldChange("/status", "active", "inactive"), FieldChange(path, 1, 2))
    told = make_told("customer.updated", None, make_customer(), changes=changes)
    assert concerns((field,), told) is expected
    assert concerns(("/website", field), told) is expected
    assert concerns((), told) is True
    for kind in ("created", "deleted", "restored", "merged", "erased"):
        assert concerns(("/website",), msgspec.structs.replace(told, type=f"customer.{kind}")) is True


async def test_a_test_message_tells_whether_the_receiver_works(
    hub: Hub, carrier: WebhookCarrier, receiver: Receiver
) -> None:
    """It says so, or why not, with what was answered; in the words of every dialect that has webhooks."""
    for dialect in find_dialects():
        sink = make_sink(url=receiver.url, form=dialect.name)
        receiver.react = lambda _: Reaction(200)
        verdict = await carrier.verify(hub, sink)
        assert verdict.is_good is (dialect.webhook_form is not None)
        receiver.react = lambda _: Reaction(403, body=b"who are you?")
        verdict = await carrier.verify(hub, sink)
        assert verdict.is_good is False
        if dialect.webhook_form is not None:
            assert verdict.reason == "the receiver answered 403"
            assert isinstance(verdict.exchange, Exchange)
            assert verdict.exchange.answer == "who are you?"
    assert all(b"Bakery" not in got.body for got in receiver.got)


def test_every_form_can_be_asked_for_its_events() -> None:
    """Each event that a receiver can ask for comes from types of the hub's own; what retries a sink gets, too."""
    forms: dict[str, WebhookForm] = {
        dialect.name: form for dialect in find_dialects() if (form := dialect.webhook_form) is not None
    }
    assert len(forms) == 3
    for name, form in forms.items():
        assert all(event.startswith("customer.") for event in form.events)
        types = {kind for event in form.events for kind in form.to_types((event,))}
        assert all(kind.startswith("customer.") for kind in types)
        assert WebhookCarrier().schedule(make_sink(form=name)) == form.schedule
