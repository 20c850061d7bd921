"""Answers that are none, and records that were there before: nothing is taken for what it is not, nothing is lost."""

from uuid import uuid4

import httpx
import pytest

from customerhub.sinks.account.credentials import read_credentials
from customerhub.store.sinks import find_sink
from tests.support.accounts import Pair, Reaction, full_body
from tests.support.hub import Json

PAGE = "<html>We will be back soon.</html>"


def page_for(method: str, status: int) -> Reaction:
    """Something in between answers requests of one method with a page of its own."""

    async def react(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        if request.method == method:
            return httpx.Response(status, text=PAGE)
        return await way.handle_async_request(request)

    return react


@pytest.mark.parametrize("status", [200, 404])
async def test_a_page_is_no_record(pair: Pair, status: int) -> None:
    """A page in the place of a record is neither a record without values nor one that is gone: it is tried again."""
    customer = await pair.create()
    before = await pair.kept.known(customer["id"])
    await pair.ours.patched(customer, {"phone": "+15035550199"})

    pair.kept.street.react = page_for("GET", status)
    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink, pair.written()) == ("retry", True, [])
    assert await pair.kept.known(customer["id"]) == before


async def test_a_page_is_no_empty_list(pair: Pair) -> None:
    """Where nobody can say whether a record is there, none is made."""
    customer = await pair.ours.create(full_body())

    pair.kept.street.react = page_for("GET", 200)
    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink, pair.written()) == ("retry", True, [])


async def test_an_api_that_is_not_there_gives_up_no_customer(pair: Pair) -> None:
    """A 404 to a search is of the address or the vendor, and not of a record."""
    customer = await pair.ours.create(full_body())

    async def react(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        return httpx.Response(404, json={"message": "No such path."})

    pair.kept.street.react = react
    outcome = await pair.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink, pair.written()) == ("retry", True, [])


async def test_a_creation_that_is_answered_with_a_page_is_uncertain(pair: Pair) -> None:
    """No record is linked by no id; the same creation is asked for again, and there is one record in the end."""
    customer = await pair.ours.create(full_body())

    pair.kept.street.react = page_for("POST", 200)
    outcome = await pair.kept.tell(customer["id"])
    known = await pair.kept.known(customer["id"])
    pair.kept.street.react = None
    again = await pair.kept.tell(customer["id"])

    assert (outcome.kind, known.external_id, known.creation is not None) == ("retry", None, True)
    assert again.kind == "delivered"
    first, second = (request.content for request in pair.written())
    assert first == second
    assert len(await pair.list_there()) == 1


async def test_what_was_never_ours_is_not_cleared(pair: Pair) -> None:
    """Linked to a record that was there, a customer without a value leaves that record's; one it had is cleared."""
    body = full_body(reference_id=f"R-{uuid4().hex[:8]}")
    there = await pair.theirs.create(body)
    customer = await pair.ours.create({**body, "phone": None, "note": None})

    await pair.kept.tell(customer["id"])

    assert await pair.external_id(customer) == there["id"]
    assert (await pair.over_there(customer))["phone"] == there["phone"] == "+15035550142"

    await pair.ours.patched(customer, {"phone": "+15035550199"})
    await pair.kept.tell(customer["id"])
    await pair.ours.patched(customer, {"phone": None})
    await pair.kept.tell(customer["id"])

    assert (await pair.over_there(customer))["phone"] is None


async def test_a_copy_of_somebody_else_is_not_taken(pair: Pair) -> None:
    """The other hub may say that this is the copy of a record that is linked already: then a person has to look."""
    first = await pair.create()
    second = await pair.ours.create(full_body())
    taken = (await pair.kept.known(first["id"])).external_id or ""

    async def react(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        answer = await way.handle_async_request(request)
        if "customerhub-counterpart" in request.headers:
            answer.headers["customerhub-counterpart"] = taken
        return answer

    pair.kept.street.react = react
    outcome = await pair.kept.tell(second["id"])

    assert outcome.kind == "refused"
    assert outcome.reason == "the other side takes this for the copy of a record that belongs to another customer here"
    assert pair.written() == []


async def test_a_renewal_that_is_answered_with_a_page_loses_no_tokens(books: Pair) -> None:
    """Tokens are replaced by tokens alone."""
    customer = await books.create()
    before = read_credentials(books.kept.hub, books.kept.sink)

    async def react(request: httpx.Request, way: httpx.AsyncBaseTransport) -> httpx.Response:
        is_renewal = request.url.path.endswith("/refresh-user-access-token")
        return httpx.Response(200, text=PAGE) if is_renewal else httpx.Response(401, json={"message": "expired"})

    books.kept.street.react = react
    outcome = await books.kept.tell(customer["id"])

    assert (outcome.kind, outcome.is_of_sink, outcome.reason) == ("retry", True, "the answer shows no tokens")
    async with books.kept.hub.database.lease() as connection:
        stored = await find_sink(connection, books.kept.team.id, books.kept.sink.id)
    assert stored is not None
    assert read_credentials(books.kept.hub, stored) == before


async def test_an_address_without_a_name_gets_there(erp: Pair) -> None:
    """Where addresses must have a name they get the customer's: one without keeps no customer away."""
    body = full_body()
    nothing = {"name": None, "first_name": None, "last_name": None}
    nameless = [{**address, **nothing} for address in body["addresses"]]
    customer = await erp.ours.create({**body, "addresses": nameless})

    outcome = await erp.kept.tell(customer["id"])

    assert outcome.kind == "delivered", outcome
    there: Json = await erp.over_there(customer)
    assert {address["name"] for address in there["addresses"]} == {customer["name"]}
    assert await erp.kept.differences(customer["id"]) == {}


async def test_of_several_with_the_email_address_the_one_of_the_name_is_taken(erp: Pair) -> None:
    """An address that several share tells nobody from others; where none has the name, a person has to look."""
    email = f"office@{uuid4().hex}.example"
    async with erp.kept.hub.database.lease() as connection:
        for team in (erp.theirs.team.id, erp.kept.team.id):
            await connection.execute(
                """update team set settings = settings || '{"email_policy": "free"}' where id = $1""", team
            )
    for name in ("North", "South"):
        await erp.theirs.create(full_body(name=name, email=email))
    south = await erp.ours.create(full_body(name="South", email=email))

    await erp.kept.tell(south["id"])

    assert (await erp.over_there(south))["name"] == "South"


async def test_a_repair_puts_back_what_was_changed_over_there(pair: Pair) -> None:
    """Also a value that was set there and is none here; but nothing that belongs to the other system."""
    customer = await pair.create()
    await pair.theirs.patched({"id": await pair.external_id(customer)}, {"phone": "+15035550199"})
    assert (await pair.kept.tell(customer["id"])).kind == "delivered"
    assert await pair.kept.differences(customer["id"]) == {"phone": ("+15035550142", "+15035550199")}

    pair.kept.configured(ownership={"phone": "other"})
    assert (await pair.kept.tell(customer["id"], again=True)).kind == "delivered"
    assert (await pair.kept.differences(customer["id"])).keys() == {"phone"}
    pair.kept.configured(ownership={})
    assert (await pair.kept.tell(customer["id"], again=True)).kind == "delivered"
    assert await pair.kept.differences(customer["id"]) == {}
