"""Webhook subscriptions, and what a delivery will say."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Told
from customerhub.dialects.count.show import to_customer
from customerhub.dialects.count.webhooks import CountWebhooks, Event, sign, to_event
from customerhub.model.apply import TICK, apply, delete
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.erasure import erase
from customerhub.model.merge import Merger, merge
from customerhub.model.nested import Moment
from customerhub.model.patch import CustomerPatch
from tests.support.count import Json, Partner
from tests.support.told import CATALOGUE, TEAM, make_customer, make_moment, make_sink, make_told
from tests.support.world import World

PATH = "/partners/webhooks"
AT = datetime(2026, 11, 21, 21, 0, 0, 412_000, tzinfo=UTC)
SECRET = "whsec_local_demo_1"
# The contract's example, byte for byte.
EXAMPLE = (
    '{"id":"2f6d8b1a-4c93-4e7f-a0d5-7b1e9c3f6a82","event":"customer.updated","apiVersion":"1",'
    '"occurredAt":"2026-11-21T21:00:00.412Z",'
    '"team":{"id":"5e2a9c74-1b3d-4f60-8a97-c4d8e1f20b35","name":"Northside Books"},'
    '"data":{"id":"b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16","uuid":"b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16",'
    '"customer":"Zoë\'s Bakery Ltd","status":"active"},"previousData":{"customer":"Zoes Bakery"}}'
).encode()
SIGNATURE = "sha256=54de252d23e2eca9a926c7523793c1198ac2ce145cbab1785c0b8fcee8712e0f"


def webhook_body(**members: object) -> Json:
    """A body that makes a subscription."""
    return {
        "event": "customer.updated",
        "callbackUrl": "https://crm.example/hooks/count",
        "signingSecret": SECRET,
        "status": "active",
        **members,
    }


async def create(partner: Partner, **members: object) -> Json:
    """A new subscription, as answered."""
    answer = await partner.api.post(PATH, json=webhook_body(**members))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()["data"]["webhook"]
    return made


async def listed(partner: Partner) -> list[Json]:
    """All subscriptions, as answered."""
    answer = await partner.api.get(PATH)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["data"]["webhooks"]
    return found


async def has_sinks(partner: Partner) -> bool:
    """Whether events are written for the team."""
    async with partner.hub.database.lease() as connection:
        return bool(await connection.fetchval("select has_sinks from team where id = $1", partner.team.id))


async def test_a_subscription_is_stored_and_never_shows_its_secret(partner: Partner) -> None:
    """The answer says that there is one; the row has it encrypted, the history and the list do not have it."""
    answer = await partner.api.post(PATH, json=webhook_body())
    made = answer.json()["data"]["webhook"]
    assert (answer.status_code, answer.json()["status"]) == (201, "success")
    assert {name: value for name, value in made.items() if name not in ("uuid", "createdAt", "updatedAt")} == {
        "event": "customer.updated",
        "callbackUrl": "https://crm.example/hooks/count",
        "status": "active",
        "hasSigningSecret": True,
    }
    assert await listed(partner) == [made]
    async with partner.hub.database.lease() as connection:
        team = partner.team.id
        stored = await connection.fetchval("select secret from sink where team = $1", team)
        audits = await connection.fetch("select * from audit where team = $1 and kind = 'sink'", team)
    assert partner.hub.vault.decrypt(stored) == SECRET
    assert [row["action"] for row in audits] == ["created"]
    assert SECRET not in f"{answer.text}{audits}{stored}"


async def test_a_subscription_is_changed_member_by_member(partner: Partner) -> None:
    """Members left out stay; a null secret takes it away; equal values are no change."""
    made = await create(partner)
    path = f"{PATH}/{made['uuid']}"
    same = await partner.api.patch(path, json=webhook_body())
    assert (same.json()["data"]["webhook"], same.headers["etag"]) == (made, '"1"')
    changed = await partner.api.patch(path, json={"status": "paused", "signingSecret": None})
    shown = changed.json()["data"]["webhook"]
    assert (shown["status"], shown["hasSigningSecret"], shown["event"]) == ("paused", False, "customer.updated")
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = await partner.api.patch(path, json={"status": "active"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert await listed(partner) == [shown]


async def test_a_subscription_ends(partner: Partner) -> None:
    """200 with its id; twice is 404; its secret is gone."""
    made = await create(partner)
    path = f"{PATH}/{made['uuid']}"
    answer = await partner.api.delete(path)
    assert (answer.status_code, answer.json()["data"]) == (200, {"uuid": made["uuid"], "id": made["uuid"]})
    assert [(await partner.api.delete(path)).status_code, (await partner.api.patch(path, json={})).status_code] == [
        404,
        404,
    ]
    assert await listed(partner) == []
    async with partner.hub.database.lease() as connection:
        stored = await connection.fetchval("select secret from sink where team = $1", partner.team.id)
    assert stored is None


async def test_events_are_written_while_somebody_listens(partner: Partner) -> None:
    """The team is marked exactly while one of its subscriptions is active."""
    assert await has_sinks(partner) is False
    await create(partner, status="paused")
    assert await has_sinks(partner) is False
    one, two = await create(partner), await create(partner, event="customer.created")
    assert await has_sinks(partner) is True
    await partner.api.delete(f"{PATH}/{one['uuid']}")
    assert await has_sinks(partner) is True
    customer = await partner.create()
    await partner.api.patch(f"{PATH}/{two['uuid']}", json={"status": "disabled"})
    assert await has_sinks(partner) is False
    await partner.put(customer["uuid"], customer="Told to nobody")
    async with partner.hub.database.lease() as connection:
        events = await connection.fetch("select type, version from event where team = $1", partner.team.id)
    assert [tuple(row) for row in events] == [("customer.created", 1)]


async def test_a_dry_run_subscribes_nobody(partner: Partner, world: World) -> None:
    """The same answer, and no table has changed."""
    before = await world.fingerprint()
    answer = await partner.api.post(PATH, json=webhook_body(), headers={"Customerhub-Dry-Run": "true"})
    assert answer.status_code == 201
    assert await world.fingerprint() == before


async def test_another_team_has_other_subscriptions(partner: Partner, other_partner: Partner) -> None:
    """Nobody sees, changes or ends those of another team."""
    made = await create(partner)
    assert await listed(other_partner) == []
    for method in ("PATCH", "DELETE"):
        body = {"status": "paused"} if method == "PATCH" else None
        for wrong, status in ((made["uuid"], 404), (str(uuid4()), 404), ("17", 400)):
            answer = await other_partner.api.request(method, f"{PATH}/{wrong}", json=body)
            assert answer.status_code == status
    assert await listed(partner) == [made]


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"event": "invoice.created"}, "event", "invalid_enum"),
        ({"event": None}, "event", "not_nullable"),
        ({"callbackUrl": ""}, "callbackUrl", "too_short"),
        ({"callbackUrl": "http://crm.example/hooks"}, "callbackUrl", "invalid_url"),
        ({"callbackUrl": "https://10.1.2.3/hooks"}, "callbackUrl", "invalid_url"),
        ({"callbackUrl": "https://localhost/hooks"}, "callbackUrl", "invalid_url"),
        ({"callbackUrl": 5}, "callbackUrl", "invalid_type"),
        ({"signingSecret": ""}, "signingSecret", "too_short"),
        ({"status": "on"}, "status", "invalid_enum"),
    ],
)
async def test_a_wrong_subscription_names_its_field(
    partner: Partner, world: World, members: Json, field: str, code: str
) -> None:
    """400, made or changed, and nothing is stored."""
    made = await create(partner)
    before = await world.fingerprint()
    new = await partner.api.post(PATH, json=webhook_body(**members))
    changed = await partner.api.patch(f"{PATH}/{made['uuid']}", json=members)
    for answer in (new, changed):
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert await world.fingerprint() == before


async def test_a_subscription_needs_an_event_and_a_url(partner: Partner) -> None:
    """Both are named at once; the rest has defaults."""
    answer = await partner.api.post(PATH, json={})
    assert [error["field"] for error in answer.json()["errors"]] == ["event", "callbackUrl"]
    least = {"event": "customer.deleted", "callbackUrl": "https://crm.example/"}
    made = (await partner.api.post(PATH, json=least)).json()["data"]["webhook"]
    assert (made["status"], made["hasSigningSecret"]) == ("active", False)


async def test_private_addresses_are_a_setting(partner: Partner, hub: Hub) -> None:
    """Where it allows them, a receiver on the same machine may be told."""
    hub.settings = hub.settings.model_copy(update={"private_callbacks": True})
    made = await create(partner, callbackUrl="https://127.0.0.1:9443/hooks")
    assert made["callbackUrl"] == "https://127.0.0.1:9443/hooks"


def test_the_contracts_example_byte_for_byte() -> None:
    """Body, signature and headers of a delivery."""
    customer = UUID("b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16")
    event = Event(
        UUID("2f6d8b1a-4c93-4e7f-a0d5-7b1e9c3f6a82"),
        "customer.updated",
        AT,
        UUID("5e2a9c74-1b3d-4f60-8a97-c4d8e1f20b35"),
        "Northside Books",
        {"id": str(customer), "uuid": str(customer), "customer": "Zoë's Bakery Ltd", "status": "active"},
        {"customer": "Zoes Bakery"},
    )
    body = event.to_body()
    assert body == EXAMPLE
    assert sign(SECRET, body) == SIGNATURE
    assert event.to_headers(body, SECRET) == {
        "Content-Type": "application/json",
        "X-Webhook-Id": "2f6d8b1a-4c93-4e7f-a0d5-7b1e9c3f6a82",
        "X-Webhook-Event": "customer.updated",
        "X-Webhook-Signature": SIGNATURE,
    }
    assert "X-Webhook-Signature" not in event.to_headers(body, None)


def customer_of(**members: Any) -> Customer:  # Any: fields of a customer
    """A record at its first version."""
    team, actor = UUID(int=1), UUID(int=2)
    return Customer(team, UUID(int=3), 1, AT - TICK, AT - TICK, actor, actor, "Zoes Bakery", "C00001", **members)


def test_an_event_follows_the_version() -> None:
    """Whole when new; with what was before when changed; its id alone when gone."""
    catalogue = Catalogue(1, team_name="Northside Books")
    moment = Moment(UUID(int=2), AT, uuid4)
    before = customer_of(phone="+4722334455")
    after = apply(before, CustomerPatch(name="Zoë's Bakery Ltd", phone=None), catalogue, moment).customer
    shown = to_customer(after, catalogue)
    created = to_event(UUID(int=9), None, before, catalogue, AT)
    assert (created.type, created.previous) == ("customer.created", None)
    assert created.data == to_customer(before, catalogue)
    assert list(created.data)[:2] == ["id", "uuid"]
    updated = to_event(UUID(int=9), before, after, catalogue, AT)
    assert (updated.type, updated.data) == ("customer.updated", shown)
    assert updated.previous == {"customer": "Zoes Bakery", "mainPhone": "+4722334455"}
    deleted = to_event(UUID(int=9), after, delete(after, moment).customer, catalogue, AT)
    assert (deleted.type, deleted.data, deleted.previous) == ("customer.deleted", {"id": str(after.id)}, None)
    assert "previousData" not in msgspec.json.decode(deleted.to_body())


FORM = CountWebhooks()


def told_of(told: Told, event: str = "") -> list[Json]:
    """What a subscription to an event, or one to all, is told of a version."""
    sink = make_sink(events=(event,) if event else ())
    return [msgspec.json.decode(request.body) for request in FORM.to_requests(sink, told, (), AT)]


def test_each_version_is_one_event() -> None:
    """By what became of the customer: of those who became one the first was updated and the others are gone; who is
    erased after a deletion is not told of twice.
    """
    customer, moment = make_customer(), make_moment()
    gone = delete(customer, moment)
    back = msgspec.structs.replace(gone.customer, deleted_at=None, version=3)
    source = make_customer(id=UUID(int=5), addresses=(), contacts=(), bill_to=None, ship_to=None, primary_contact=None)
    merged = merge(Merger(customer, (source,)), moment)
    changed = apply(customer, CustomerPatch(status="inactive"), CATALOGUE, moment)
    for told, expected in (
        (make_told("customer.created", None, customer), ["customer.created"]),
        (make_told("customer.updated", customer, changed), ["customer.updated"]),
        (make_told("customer.updated", None, changed), ["customer.updated"]),
        (make_told("customer.deleted", customer, gone), ["customer.deleted"]),
        (make_told("customer.restored", gone.customer, back), ["customer.created"]),
        (make_told("customer.merged", customer, merged.target), ["customer.updated"]),
        (make_told("customer.merged", source, merged.sources[0]), ["customer.deleted"]),
        (make_told("customer.erased", None, erase(customer, moment)), ["customer.deleted"]),
        (make_told("customer.erased", None, erase(gone.customer, moment)), []),
    ):
        assert [body["event"] for body in told_of(told)] == expected
        for event in FORM.events:
            assert [body["event"] for body in told_of(told, event)] == [name for name in expected if name == event]
            assert told.type in FORM.to_types((event,)) or event not in expected


def test_what_was_before_is_told_where_it_is_known() -> None:
    """Only of an update, and only what it changed."""
    customer = make_customer()
    changed = apply(
        customer, CustomerPatch(name="Nordlys AS", website="https://nordlys.example/"), CATALOGUE, make_moment()
    )
    (body,) = told_of(make_told("customer.updated", customer, changed))
    assert (body["data"]["customer"], body["previousData"]) == (
        "Nordlys AS",
        {"customer": "Zoë's Bakery", "website": None},
    )
    (body,) = told_of(make_told("customer.updated", None, changed))
    assert "previousData" not in body
    assert body["team"] == {"id": str(TEAM), "name": "Northside Books"}


def test_a_message_is_signed_with_the_newest_secret() -> None:
    """There is room for one signature; its id is the delivery's, at every attempt."""
    told = make_told("customer.created", None, make_customer())
    (request,) = FORM.to_requests(make_sink(), told, (SECRET, "former"), AT)
    assert request.headers == {
        "Content-Type": "application/json",
        "X-Webhook-Id": str(told.delivery),
        "X-Webhook-Event": "customer.created",
        "X-Webhook-Signature": sign(SECRET, request.body),
    }
    assert FORM.to_requests(make_sink(), told, (SECRET,), AT.replace(hour=23)) == (request,)


def test_a_test_message_is_of_no_customer_event() -> None:
    """No subscription is to its event."""
    request = FORM.to_test(make_sink(), (SECRET,), AT)
    body = msgspec.json.decode(request.body)
    assert (body["event"], body["data"]) == ("webhook.test", {})
    assert request.headers["X-Webhook-Id"] == body["id"]
    assert request.headers["X-Webhook-Signature"] == sign(SECRET, request.body)


def test_what_else_the_form_says() -> None:
    """A few attempts of ten seconds; any 2xx is a success; unsigned unless the receiver names a secret."""
    assert (FORM.timeout, FORM.schedule) == (10, (10, 60, 300, 900, 2700))
    assert [status for status in range(100, 600) if FORM.is_success(status)] == list(range(200, 300))
    assert FORM.new_secret() is None
    assert [FORM.check_secret(secret) is None for secret in ("x", "x" * 255, "", " ", "x" * 256)] == [
        *(True, True, False, False, False)
    ]
    assert (FORM.check_config({}), FORM.check_config({"header": "X"})) == (None, "must be empty")
