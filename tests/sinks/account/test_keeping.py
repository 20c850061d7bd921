"""An account with another system is kept like our customers: made, changed, cleared, linked, left alone."""

from uuid import uuid4

import httpx

from customerhub.sinks.account.decide import OWNED
from tests.support.accounts import WRITES, Pair, full_body
from tests.support.hub import Json


async def test_a_customer_is_made_once_with_all_that_travels(pair: Pair) -> None:
    """A new customer is made over there with every portable value; told again, nothing is written."""
    customer = await pair.ours.create(full_body())

    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.reason) == ("delivered", "")
    assert pair.kept.street.count("POST") == 1
    assert await pair.kept.differences(customer["id"]) == {}
    known = await pair.kept.known(customer["id"])
    assert (known.version, known.left_out, known.creation, known.error) == (1, {}, None, None)
    assert known.written == await pair.kept.ours(customer["id"])
    pair.kept.street.seen.clear()
    assert (await pair.kept.tell(customer["id"])).kind == "delivered"
    assert pair.written() == []
    assert [row["name"] for row in await pair.list_there()] == [customer["name"]]


async def test_only_what_differs_is_written(pair: Pair) -> None:
    """A change of one value is one request with that value; a value that went away is cleared over there."""
    customer = await pair.create()

    await pair.ours.patched(customer, {"email": f"new@{uuid4().hex}.example"})
    await pair.kept.tell(customer["id"])

    assert len(pair.written()) == 1
    assert len((await pair.over_there(customer))["email"]) == len("new@.example") + 32
    assert (await pair.over_there(customer))["version"] == 2
    await pair.ours.patched(customer, {"phone": None, "name": "Another name"})
    await pair.kept.tell(customer["id"])
    there = await pair.over_there(customer)
    assert (there["phone"], there["name"]) == (None, "Another name")
    assert await pair.kept.differences(customer["id"]) == {}


async def test_addresses_are_changed_cleared_and_set_again(pair: Pair) -> None:
    """Billing and shipping address follow ours by value, also where the pointer goes away and comes back."""
    customer = await pair.create()
    [billing, _] = (await pair.ours.get(customer["id"]))["addresses"]

    async def follow(change: Json) -> None:
        await pair.ours.patched(customer, change, "application/vnd.customerhub.patch+json")
        assert (await pair.kept.tell(customer["id"])).kind == "delivered"
        assert await pair.kept.differences(customer["id"]) == {}

    await follow({"addresses": {"mode": "merge", "items": [{"id": billing["id"], "city": "Tromsø", "line2": None}]}})
    there = await pair.over_there(customer)
    assert next(one for one in there["addresses"] if one["id"] == there["bill_to"])["city"] == "Tromsø"
    await follow({"ship_to": None})
    assert (await pair.over_there(customer))["ship_to"] is None
    await follow({"ship_to": customer["ship_to"]})
    there = await pair.over_there(customer)
    assert next(one for one in there["addresses"] if one["id"] == there["ship_to"])["city"] == "Bergen"


async def test_a_record_that_is_there_is_linked_and_not_made_again(pair: Pair) -> None:
    """A record over there with the customer's own key is taken for it, and brought to our values."""
    body = full_body(reference_id=f"R-{uuid4().hex[:8]}")
    there = await pair.theirs.create({**body, "note": "Theirs.", "phone": None})
    customer = await pair.ours.create(body)

    outcome = await pair.kept.tell(customer["id"])

    assert outcome.kind == "delivered", outcome
    assert await pair.external_id(customer) == there["id"]
    assert await pair.kept.differences(customer["id"]) == {}
    assert len(await pair.list_there()) == 1
    assert (await pair.over_there(customer))["phone"] == "+15035550142"


async def test_an_answer_that_is_lost_makes_no_second_record(pair: Pair) -> None:
    """A creation whose answer never came is looked for, and asked for again in the same words under the same key."""
    customer = await pair.ours.create(full_body())

    async def lose(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        answer = await way.handle_async_request(request)
        if request.method == "POST":
            raise httpx.ReadError("cut off")
        return answer

    pair.kept.street.react = lose
    outcome = await pair.kept.tell(customer["id"])
    assert (outcome.kind, outcome.is_of_sink, outcome.reason) == ("retry", True, "cut off")
    creation = (await pair.kept.known(customer["id"])).creation
    assert creation is not None
    pair.kept.street.react = None
    await pair.ours.patched(customer, {"name": "Another name"})

    assert (await pair.kept.tell(customer["id"])).kind == "delivered"

    assert len(await pair.list_there()) == 1
    assert (await pair.over_there(customer))["name"] == "Another name"
    assert (await pair.kept.known(customer["id"])).creation is None


async def test_a_creation_is_asked_for_again_in_the_same_bytes(pair: Pair) -> None:
    """A record whose answer was lost, and that nothing tells from others any more, is still not made a second time."""
    customer = await pair.ours.create(full_body())

    async def lose(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        answer = await way.handle_async_request(request)
        if request.method == "POST":
            raise httpx.ReadTimeout("too late")
        return answer

    pair.kept.street.react = lose
    assert (await pair.kept.tell(customer["id"])).kind == "retry"
    pair.kept.street.react = None
    [there] = await pair.list_there()
    mark = uuid4().hex
    renamed: Json = {"name": mark, "number": mark, "email": f"{mark}@kestrel.example", "reference_id": mark}
    await pair.theirs.patched(there, renamed)

    assert (await pair.kept.tell(customer["id"])).kind == "delivered"

    first, second = [request for request in pair.kept.street.seen if request.method == "POST"][:2]
    assert first.content == second.content
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert [row["id"] for row in await pair.list_there()] == [there["id"]]
    assert await pair.external_id(customer) == there["id"]


async def test_a_bad_value_holds_up_no_other(pair: Pair) -> None:
    """What the other side refuses by name is left out and told; everything else of the customer gets there."""
    customer = await pair.create()
    await pair.theirs.create(full_body(email="taken@kestrel.example"))
    await pair.ours.patched(customer, {"email": "taken@kestrel.example", "name": "Still sent"})

    outcome = await pair.kept.tell(customer["id"])

    assert outcome.kind == "delivered"
    known = await pair.kept.known(customer["id"])
    assert list(known.left_out) == ["email"]
    assert known.left_out["email"] != ""
    assert known.written["email"] == customer["email"]
    assert known.error is None
    there = await pair.over_there(customer)
    assert (there["name"], there["email"]) == ("Still sent", customer["email"])


async def test_a_write_that_meets_another_one_is_decided_anew(pair: Pair) -> None:
    """What changes over there between our reading and our writing is neither lost nor passed over."""
    customer = await pair.create()
    await pair.ours.patched(customer, {"name": "Ours"})
    external_id = await pair.external_id(customer)

    async def cross(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        if request.method in WRITES:
            pair.kept.street.react = None
            await pair.theirs.patched({"id": external_id}, {"phone": "+15035550199", "name": "Theirs"})
        return await way.handle_async_request(request)

    pair.kept.street.react = cross
    outcome = await pair.kept.tell(customer["id"])

    assert outcome.kind == "delivered"
    assert [one.status for one in outcome.exchanges].count(412) == 1
    there = await pair.over_there(customer)
    # The name is a conflict that ours wins; the phone was changed over there alone.
    assert (there["name"], there["phone"]) == ("Ours", "+15035550199")
    assert await pair.kept.differences(customer["id"]) == {"phone": ("+15035550142", "+15035550199")}


async def test_who_owns_a_field_wins_its_conflicts_and_no_others(pair: Pair) -> None:
    """A field of the other system's stays theirs where both changed; where only we did it is sent all the same."""
    pair.kept.configured(ownership={"name": "other"})
    customer = await pair.create()
    await pair.ours.patched(customer, {"name": "First"})
    await pair.kept.tell(customer["id"])
    assert (await pair.over_there(customer))["name"] == "First"
    await pair.theirs.patched({"id": await pair.external_id(customer)}, {"name": "Theirs"})
    await pair.ours.patched(customer, {"name": "Ours", "phone": None})

    assert (await pair.kept.tell(customer["id"])).kind == "delivered"

    there = await pair.over_there(customer)
    assert (there["name"], there["phone"]) == ("Theirs", None)
    assert (await pair.kept.known(customer["id"])).left_out == {"name": OWNED}


async def test_only_chosen_fields_travel(pair: Pair) -> None:
    """With fields chosen, no other is sent, compared or told as drift; what a record cannot be without still is."""
    customer = await pair.create()
    pair.kept.configured(fields=["name", "phone"])
    await pair.ours.patched(customer, {"name": "Chosen", "email": f"x@{uuid4().hex}.example"})

    await pair.kept.tell(customer["id"])

    there = await pair.over_there(customer)
    assert (there["name"], there["email"]) == ("Chosen", customer["email"])
    assert await pair.kept.differences(customer["id"]) == {}


async def test_nothing_is_made_where_nothing_may_be(pair: Pair) -> None:
    """With `creates` off a customer that is not there is passed over; one that is there is kept."""
    pair.kept.configured(creates=False)
    customer = await pair.ours.create(full_body())

    outcome = await pair.kept.tell(customer["id"])

    assert outcome.kind == "skipped"
    assert pair.written() == []
    assert await pair.list_there() == []
