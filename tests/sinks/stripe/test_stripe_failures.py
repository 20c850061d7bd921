"""What comes of failures: retried, or dead with Stripe's own words; never a key in the log."""

import pytest

from customerhub.core.outgoing import Mirror
from customerhub.model.catalogue import Catalogue
from customerhub.sinks.stripe.carrier import SCHEDULE, StripeCarrier
from tests.support.hub import Desk
from tests.support.integration import WEBHOOK_SECRET, Integration, connect
from tests.support.localstripe import Account, DoubleAccount, StandIn, find_free_port, open_account


async def test_it_is_a_mirror(carrier: StripeCarrier, integration: Integration) -> None:
    """It is what the worker takes for a mirror, and tries for about three days."""
    mirror: Mirror = carrier
    assert mirror.is_mirror
    assert mirror.schedule(integration.sink) == SCHEDULE
    assert list(SCHEDULE) == sorted(SCHEDULE)
    assert 2 < sum(SCHEDULE) / 86_400 < 4


@pytest.mark.parametrize(
    ("kind", "headers", "is_of_sink", "retry_after", "reason"),
    [
        ("rate_limit", {"retry-after": "7"}, True, 7, "Request rate limit exceeded."),
        ("lock_timeout", {}, False, None, "Request rate limit exceeded."),
        ("key_in_use", {}, False, None, "There is another request in progress."),
        ("failed", {}, True, None, "An unknown error occurred"),
        ("unavailable", {"retry-after": "2"}, True, 2, "what answered with status 503 is not Stripe"),
        ("dropped", {}, True, None, "no answer from Stripe: the connection ended without a whole answer"),
    ],
)
async def test_what_may_go_well_later_is_tried_again(
    integration: Integration,
    account: DoubleAccount,
    kind: str,
    headers: dict[str, str],
    retry_after: float | None,
    reason: str,
    *,
    is_of_sink: bool,
) -> None:
    """An update that failed so is retried, and the sink rests where the failure is of all of it."""
    customer = await integration.create()
    await integration.tell(customer)
    renamed = await integration.patch(customer, name="Renamed")
    await account.befall(kind, on="update", headers=headers)
    outcome = await integration.tell(renamed)
    assert (outcome.kind, outcome.is_of_sink, outcome.retry_after) == ("retry", is_of_sink, retry_after)
    assert outcome.reason == reason
    assert (await integration.find_sync(customer)).error == reason
    assert (await integration.tell(renamed)).kind == "delivered"
    await integration.check_same(renamed)


async def test_an_update_has_a_key_of_its_own_at_every_attempt(
    integration: Integration, account: DoubleAccount
) -> None:
    """The key is customer, version, attempt; the answer to a former request under it counts for nothing."""
    customer = await integration.create()
    await integration.tell(customer)
    renamed = await integration.patch(customer, name="Renamed")
    await account.befall("dropped_after", on="update")
    assert (await integration.tell(renamed, attempt=2)).kind == "retry"
    external_id = (await integration.find(renamed))["id"]
    await account.change(external_id, phone="+4799")
    assert (await integration.tell(renamed, attempt=2)).kind == "delivered"
    mine = [
        request["key"] for request in await account.requests("update") if request["key"].startswith(str(renamed.id))
    ]
    assert mine == [f"{renamed.id}-2-2", f"{renamed.id}-2-2", f"{renamed.id}-2-2-1"]
    await integration.check_same(renamed)


async def test_what_stripe_refuses_is_a_dead_letter(integration: Integration, account: DoubleAccount) -> None:
    """Refused for no field's sake: dead, with Stripe's words on the customer; the next change is told again."""
    customer = await integration.create()
    await integration.tell(customer)
    await account.befall("refused", on="update", message="This customer is part of a test clock.")
    outcome = await integration.tell(await integration.patch(customer, name="Renamed"))
    assert (outcome.kind, outcome.reason) == ("refused", "This customer is part of a test clock.")
    assert (await integration.find_sync(customer)).error == "This customer is part of a test clock."
    again = await integration.patch(customer, name="Again")
    assert (await integration.tell(again)).kind == "delivered"
    await integration.check_same(again)


async def test_a_customer_who_was_deleted_in_stripe_comes_back_on_purpose_only(either: Integration) -> None:
    """An edit here is a dead letter that says so; telling it again, by repair or replay, makes a new customer there."""
    customer = await either.create(phone="+4722")
    await either.tell(customer)
    external_id = (await either.find(customer))["id"]
    await either.account.delete(external_id)
    for name in ("Renamed", "Again"):
        customer = await either.patch(customer, name=name)
        outcome = await either.tell(customer)
        assert outcome.kind == "refused"
        assert outcome.reason.startswith("Stripe has no such customer any more: ")
        sync = await either.find_sync(customer)
        assert (sync.external_id, sync.error) == (external_id, outcome.reason)
    assert await either.account.find(customer.id) == []
    comparison = await either.carrier.compare(either.hub, either.sink, customer, Catalogue(0))
    assert (comparison.external_id, comparison.fault) == (None, "")
    assert (await either.tell(customer)).kind == "delivered"
    assert (await either.find(customer))["id"] != external_id
    await either.check_same(customer)


async def test_a_wrong_key_is_waited_for(desk: Desk, carrier: StripeCarrier, double: StandIn) -> None:
    """The key is refused: nothing is lost, and everything goes out once it is right."""
    wrong = await connect(desk, carrier, Account(double, "sk_test_wrong"))
    outcome = await wrong.tell(await wrong.create())
    assert (outcome.kind, outcome.is_of_sink) == ("retry", True)
    assert outcome.reason == "Invalid API Key provided: sk_test***"


async def test_nobody_answers(desk: Desk, carrier: StripeCarrier, double: StandIn) -> None:
    """There is no Stripe at that address: retried, for all of the sink; verifying says so too."""
    nowhere = StandIn(double.process, f"http://127.0.0.1:{find_free_port()}")
    lonely = await connect(desk, carrier, Account(nowhere, "sk_test_1"))
    outcome = await lonely.tell(await lonely.create())
    assert (outcome.kind, outcome.is_of_sink) == ("retry", True)
    assert outcome.reason.startswith("no answer from Stripe: ")
    verdict = await carrier.verify(lonely.hub, lonely.sink)
    assert (verdict.is_good, verdict.reason) == (False, outcome.reason)


async def test_a_private_address_is_for_the_operator_alone(desk: Desk, carrier: StripeCarrier, double: StandIn) -> None:
    """An address that the API named leads to this machine: refused before anything is sent."""
    account = await open_account(double)
    trusted = await connect(desk, carrier, account)
    trusted.sink = type(trusted.sink)(
        **{field: getattr(trusted.sink, field) for field in trusted.sink.__struct_fields__} | {"is_trusted": False}
    )
    outcome = await trusted.tell(await trusted.create())
    assert outcome.kind == "retry"
    assert outcome.reason.startswith("no answer from Stripe: not sent: ")
    assert await account.requests() == []


async def test_no_secret_is_in_the_log(integration: Integration, account: DoubleAccount) -> None:
    """Every exchange is told with its body and answer, and without the key; lists without other customers."""
    customer = await integration.create(email="log@kestrel.example")
    await account.befall("dropped", on="create")
    outcomes = [await integration.tell(customer), await integration.tell(customer)]
    exchanges = [exchange for outcome in outcomes for exchange in outcome.exchanges]
    assert [(exchange.method, exchange.status) for exchange in exchanges] == [
        ("GET", 200),
        ("GET", 200),
        ("POST", None),
        ("GET", 200),
        ("POST", 200),
    ]
    assert "log%40kestrel.example" in exchanges[-1].body
    assert "log@kestrel.example" in exchanges[-1].answer
    assert [exchange.answer for exchange in exchanges if exchange.method == "GET"] == ["", "", ""]
    for secret in (account.api_key, WEBHOOK_SECRET):
        assert secret not in repr(outcomes)


async def test_drift_is_told_place_by_place(integration: Integration, account: DoubleAccount) -> None:
    """What differs is told with both values; what is the same is not, and nothing is changed on either side."""
    customer = await integration.create(phone="+4722")
    await integration.tell(customer)
    hub, sink, catalogue = integration.hub, integration.sink, Catalogue(0)
    same = await integration.carrier.compare(hub, sink, customer, catalogue)
    external_id = (await integration.find(customer))["id"]
    assert (same.differences, same.external_id, same.fault) == ((), external_id, "")
    await account.change(external_id, phone="+4799", address={"city": "Oslo", "country": "NO"}, metadata={"x": "y"})
    other = await integration.carrier.compare(hub, sink, customer, catalogue)
    assert [(drift.field, drift.ours, drift.theirs) for drift in other.differences] == [
        ("phone", "+4722", "+4799"),
        (
            "address",
            None,
            {"line1": None, "line2": None, "city": "Oslo", "state": None, "postal_code": None, "country": "NO"},
        ),
    ]
    assert [request["operation"] for request in await account.requests()][-2:] == ["update", "retrieve"]
