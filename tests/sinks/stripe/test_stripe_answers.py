"""What answers is not always Stripe: it is never believed, never quoted with the key, and never waited for for ever."""

import asyncio
import warnings
from collections.abc import AsyncIterator

import httpx
import pytest
import stripe

from customerhub.core.outgoing import Outcome
from customerhub.sinks.stripe import api as module
from customerhub.sinks.stripe.api import Api
from customerhub.sinks.stripe.failures import to_outcome
from customerhub.sinks.stripe.keys import Keys

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
CUSTOMER = b'{"id": "cus_1", "object": "customer", "metadata": {}}'


def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client whose every request is answered so."""
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, stream=httpx.ByteStream(body), headers=headers))
    )


async def fail(client: httpx.AsyncClient) -> Outcome:
    """What comes of an update that is answered so."""
    async with client:
        api = Api(client, Keys(KEY), "")
        with pytest.raises(stripe.StripeError) as caught:
            await api.update("cus_1", {"name": "Kestrel"}, "key")
        return to_outcome(caught.value, api.exchanges, api.answered)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"{}"),
        (200, b'{"id": 7}'),
        (200, b'{"id": "cus_1", "metadata": 7}'),
        (200, b'{"id": "\xff"}'),
        (204, b""),
        (302, b""),
        (400, b'{"error": null}'),
        (400, b'{"error": "invalid_request"}'),
        (404, b"<html>Not found</html>"),
        (502, b'["error"]'),
    ],
)
async def test_who_is_not_stripe_refuses_nothing(status: int, body: bytes) -> None:
    """An answer in no shape of Stripe's says something of the address, and nothing of the customer: tried again."""
    outcome = await fail(answering(status, body))
    assert (outcome.kind, outcome.is_of_sink) == ("retry", True)
    assert outcome.reason == f"what answered with status {status} is not Stripe"
    assert [exchange.status for exchange in outcome.exchanges] == [status]


@pytest.mark.parametrize("body", [b"{}", b'{"data": [7], "has_more": false}', b'{"data": [{"id": "cus_1"}]}'])
async def test_a_list_is_a_list(body: bytes) -> None:
    """Neither is what is no page of customers taken for one that is empty."""
    async with answering(200, body) as client:
        api = Api(client, Keys(KEY), "")
        with pytest.raises(stripe.APIError):
            await api.find_listed("5f0f8a0e", 0)


async def test_a_key_that_is_quoted_is_blacked_out() -> None:
    """Neither the log nor the reason has it, whatever the other side answers."""
    body = f'{{"error": {{"type": "invalid_request_error", "message": "Invalid API Key provided: {KEY}"}}}}'
    outcome = await fail(answering(401, body.encode()))
    assert outcome.reason == "Invalid API Key provided: •••"
    assert KEY not in repr(outcome)


async def test_a_key_that_cannot_be_sent_is_not_quoted() -> None:
    """What the client says of a header that it cannot send holds the header."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(f"Illegal header value {request.headers['authorization']!r}")

    outcome = await fail(httpx.AsyncClient(transport=httpx.MockTransport(refuse)))
    assert outcome.reason == "no answer from Stripe: the request cannot be sent as it is set up"
    assert KEY not in repr(outcome)


async def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then: there is one time for the whole exchange, whoever asks."""
    monkeypatch.setattr(module, "_SECONDS", 0.05)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.001)

    outcome = await fail(
        httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=drip())))
    )
    assert (outcome.kind, outcome.reason) == ("retry", "no answer from Stripe: no answer within 0.05 s")


async def test_what_the_other_side_wants_printed_is_not_printed() -> None:
    """The library would warn of a notice, in words of whoever answers."""
    async with answering(200, CUSTOMER, {"Stripe-Notice": "forged\nline"}) as client:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            record, is_replayed = await Api(client, Keys(KEY), "").update("cus_1", {}, "key")
    assert (record["id"], is_replayed, warned) == ("cus_1", False, [])


async def test_a_list_is_not_kept_at_an_address_with_a_path_either() -> None:
    """Other customers are in no log, however Stripe is reached."""
    page = b'{"object": "list", "data": [{"id": "cus_2", "email": "other@kestrel.example"}], "has_more": false}'
    async with answering(200, page) as client:
        api = Api(client, Keys(KEY), "https://gate.example/stripe/")
        await api.try_out()
    (exchange,) = api.exchanges
    assert (exchange.url, exchange.answer) == ("https://gate.example/stripe/v1/customers?limit=1", "")
