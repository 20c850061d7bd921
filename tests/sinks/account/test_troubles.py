"""What an account does when the other side asks to wait, refuses, has lost the record, or must forget it."""

import asyncio
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from customerhub.core.erasure import erase_as_operator
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome
from customerhub.model.base32 import from_base32
from customerhub.sinks.account.credentials import read_credentials
from customerhub.store.sinks import find_sink
from customerhub.store.syncs import Sync, put_sync
from customerhub.web.serve import Site
from tests.support.accounts import Pair, full_body, keeping
from tests.support.hub import CUSTOMERS


async def test_a_rate_limit_is_kept(pair: Pair) -> None:
    """After a 429 nothing is sent until the time that it names is up; that says nothing of the customer."""
    customer = await pair.create()

    async def limit(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "7"}, json={"message": "slow down"})

    pair.kept.street.react = limit
    outcome = await pair.kept.tell(customer["id"])
    assert (outcome.kind, outcome.is_of_sink, outcome.retry_after) == ("retry", True, 7.0)
    pair.kept.street.react = None
    pair.kept.street.seen.clear()

    again = await pair.kept.tell(customer["id"])

    assert (again.kind, again.is_of_sink) == ("retry", True)
    assert again.retry_after is not None
    assert 6 < again.retry_after <= 7
    assert pair.kept.street.seen == []
    assert (await pair.kept.known(customer["id"])).error is None


async def test_the_last_request_of_a_window_is_not_overrun(pair: Pair) -> None:
    """An answer that says that no request is left stops the next one before it is refused."""
    customer = await pair.create()

    async def last(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        answer = await way.handle_async_request(request)
        answer.headers.update({"ratelimit-limit": "20", "ratelimit-remaining": "0", "ratelimit-reset": "9"})
        return answer

    pair.kept.street.react = last
    await pair.kept.tell(customer["id"])
    pair.kept.street.seen.clear()

    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink) == ("retry", True)
    assert pair.kept.street.seen == []


@pytest.mark.parametrize("status", [500, 503, 302])
async def test_a_fault_over_there_is_of_the_sink(pair: Pair, status: int) -> None:
    """What is no answer to what was asked is tried again, and nothing is noted of the customer."""
    customer = await pair.create()
    before = await pair.kept.known(customer["id"])

    async def fail(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        return httpx.Response(status, text="<html>")

    pair.kept.street.react = fail
    await pair.ours.patched(customer, {"name": "Another"})
    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink, outcome.reason) == ("retry", True, str(status))
    assert await pair.kept.known(customer["id"]) == before


async def test_a_refused_credential_is_of_the_sink_and_verify_says_so(pair: Pair) -> None:
    """A key that is not good any more fails the sink, not a customer; verify tells why; nothing secret is logged."""
    customer = await pair.create()
    good = await pair.kept.carrier.verify(pair.kept.hub, pair.kept.sink)
    credentials = read_credentials(pair.kept.hub, pair.kept.sink)
    bad = {name: f"{value}x" for name, value in credentials.items()}
    pair.kept.sink = msgspec.structs.replace(
        pair.kept.sink, secret=pair.kept.hub.vault.encrypt(msgspec.json.encode(bad).decode())
    )
    async with pair.kept.hub.database.lease() as connection:
        await connection.execute(
            "update sink set secret = $3 where team = $1 and id = $2",
            pair.kept.team.id,
            pair.kept.sink.id,
            pair.kept.sink.secret,
        )

    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink) == ("retry", True)
    assert outcome.reason.startswith("401")
    assert (good.is_good, good.reason) == (True, "")
    verdict = await pair.kept.carrier.verify(pair.kept.hub, pair.kept.sink)
    assert verdict.is_good is False
    assert verdict.reason.startswith("401")
    logged = msgspec.json.encode(outcome.exchanges).decode()
    assert outcome.exchanges != ()
    assert [value for value in bad.values() if str(value) in logged] == []


async def test_without_credentials_nothing_is_sent(pair: Pair) -> None:
    """A sink whose credentials lack something says so before it asks anything."""
    pair.kept.sink = msgspec.structs.replace(pair.kept.sink, secret=pair.kept.hub.vault.encrypt("{}"))

    verdict = await pair.kept.carrier.verify(pair.kept.hub, pair.kept.sink)

    assert verdict.is_good is False
    assert verdict.reason.endswith("must be given")
    assert pair.kept.street.seen == []


async def test_tokens_are_renewed_once_however_many_need_it(books: Pair) -> None:
    """A token that ended is renewed by one telling; others at the same time wait for it; the new ones are kept."""
    kept = books.kept
    customers = [await books.create() for _ in range(4)]
    async with kept.hub.database.lease() as connection:
        await connection.execute(
            "update partner_token set expires_at = created_at where team = $1 and kind = 'access'", books.theirs.team.id
        )
    before = read_credentials(kept.hub, kept.sink)
    renewals: list[httpx.Request] = []

    async def watch(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        if request.url.path.endswith("/refresh-user-access-token"):
            renewals.append(request)
        return await way.handle_async_request(request)

    kept.street.react = watch
    outcomes = await asyncio.gather(*(kept.tell(customer["id"]) for customer in customers))

    assert [outcome.kind for outcome in outcomes] == ["delivered"] * 4
    assert len(renewals) == 1
    async with kept.hub.database.lease() as connection:
        stored = await find_sink(connection, kept.team.id, kept.sink.id)
    assert stored is not None
    after = read_credentials(kept.hub, stored)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert after.keys() >= before.keys() - {"access_token_expires_at"}
    logged = msgspec.json.encode([outcome.exchanges for outcome in outcomes]).decode()
    assert after["access_token"] not in logged
    assert before["refresh_token"] not in logged


async def test_what_is_deleted_here_stays_over_there(pair: Pair) -> None:
    """A deletion is not passed on: the record over there is left as it is."""
    customer = await pair.create()
    answer = await pair.ours.api.delete(f"{CUSTOMERS}/{customer['id']}")
    assert answer.is_success

    outcome = await pair.kept.tell(customer["id"], "customer.deleted")

    assert (outcome.kind, pair.kept.street.seen) == ("skipped", [])
    assert (await pair.over_there(customer))["name"] == customer["name"]


async def test_a_record_that_is_gone_over_there_is_told_and_not_made_again(pair: Pair) -> None:
    """Whoever deleted it over there meant it; the sync says so and nothing is written."""
    customer = await pair.create()
    await pair.theirs.api.delete(f"{CUSTOMERS}/{await pair.external_id(customer)}")

    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.reason) == ("skipped", "the record over there is gone")
    assert (await pair.kept.known(customer["id"])).error == "the record over there is gone"
    assert await pair.list_there() == []


async def test_an_erased_customer_is_emptied_over_there(pair: Pair) -> None:
    """No value that was sent is left over there or in what is known of it here, and the outcome says what stays."""
    customer = await pair.create()
    await erase_as_operator(pair.kept.hub, pair.kept.team, UUID(customer["id"]), None)

    outcome = await pair.kept.tell(customer["id"], "customer.erased")

    assert outcome.kind == "delivered"
    assert outcome.reason.startswith("emptied over there, but for ")
    there = await pair.over_there(customer)
    left = msgspec.json.encode(
        {name: there[name] for name in ("name", "number", "email", "phone", "website", "note", "bill_to", "tax_number")}
    ).decode()
    for value in ("Kestrel", "kestrel", "15035550142", "Tuesdays", customer["number"]):
        assert value not in left
    assert there["name"] == "erased"
    known = await pair.kept.known(customer["id"])
    assert (known.written, known.creation) == ({}, None)
    assert (await pair.kept.tell(customer["id"], "customer.erased")).kind == "delivered"


async def test_of_several_with_the_name_none_is_guessed(books: Pair) -> None:
    """Where several records have the customer's name and nobody's key, none is linked and none is made."""
    name = f"Twins {uuid4().hex}"
    for _ in range(2):
        await books.theirs.create(full_body(name=name, email=None))
    customer = await books.ours.create(full_body(name=name))

    outcome = await books.kept.tell(customer["id"])

    assert outcome == Outcome("refused", outcome.reason, outcome.exchanges)
    assert outcome.reason == "2 records over there have this name and belong to no customer here"
    assert (await books.kept.known(customer["id"])).error == outcome.reason
    assert books.kept.street.count("POST") == 0
    assert len(await books.list_there()) == 2


async def test_a_record_of_another_customer_is_not_taken(erp: Pair) -> None:
    """Two systems count alike: a number that somebody else has over there links nothing, and is left out."""
    await erp.theirs.create(full_body(number="C00001"))
    customer = await erp.ours.create(full_body(number="C00001"))

    outcome = await erp.kept.tell(customer["id"])

    assert outcome.kind == "delivered", outcome
    assert len(await erp.list_there()) == 2
    assert list((await erp.kept.known(customer["id"])).left_out) == ["number"]
    there = await erp.over_there(customer)
    assert (there["name"], there["number"] == "C00001") == (customer["name"], False)


async def test_two_customers_never_get_one_record(books: Pair) -> None:
    """A record that belongs to one customer is no other's, whatever they have in common."""
    first = await books.create(name="Same Name")
    second = await books.create(name="Same Name")

    assert await books.external_id(first) != await books.external_id(second)
    assert len(await books.list_there()) == 2


async def test_a_record_of_the_same_name_and_another_email_address_is_somebody_else(books: Pair) -> None:
    """A name is no key: the customer gets a record of its own."""
    there = await books.theirs.create(full_body(name="Common Name"))
    customer = await books.create(name="Common Name")

    assert await books.external_id(customer) != there["id"]
    assert len(await books.list_there()) == 2


async def test_two_hubs_that_keep_each_other_never_copy_a_copy(hub: Hub, site: Site, pair: Pair) -> None:
    """A copy that changed before its own hub told of it is known by the hub that it came from, not by its values."""
    form, ours = pair.kept.sink.form, pair.kept.team
    async with keeping(hub, site, form, ours, team=pair.theirs.team, ownership={}) as back:
        customer = await pair.create()
        copy = await pair.over_there(customer)
        for desk, record, mark in ((pair.ours, customer, "One"), (pair.theirs, copy, "Two")):
            changed = {"name": mark, "number": mark, "email": f"{mark}@{uuid4().hex}.example"}
            await desk.patched(record, changed)

        outcome = await back.tell(copy["id"])

        assert outcome.kind == "delivered", outcome
        assert back.street.count("POST") == 0
        found = await back.known(copy["id"])
        answer = await pair.ours.api.get(CUSTOMERS)
        assert [row["id"] for row in answer.json()["data"]] == [customer["id"]]
        assert str(from_base32((found.external_id or "").rpartition("_")[2]) or found.external_id) == customer["id"]


async def test_a_copy_that_is_being_made_is_waited_for(hub: Hub, site: Site, erp: Pair) -> None:
    """While the other side does not know yet which copy is whose, nothing is made over there."""
    form, ours = erp.kept.sink.form, erp.kept.team
    copy = await erp.theirs.create(full_body())
    async with hub.database.lease() as connection:
        begun = Sync(UUID(int=7), creation={"key": "k", "body": {}, "values": {}})
        await put_sync(connection, ours.id, erp.kept.sink.id, begun, hub.now())
    async with keeping(hub, site, form, ours, team=erp.theirs.team) as back:
        outcome = await back.tell(copy["id"])

    assert (outcome.kind, outcome.is_of_sink) == ("retry", False)
    assert outcome.reason == "the other side is making a record here, which may be this customer's"
    assert back.street.count("POST") == 0
