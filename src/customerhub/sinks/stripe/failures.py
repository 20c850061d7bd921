"""What comes of an attempt that Stripe did not accept, and which fields it would not take."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import stripe

from customerhub.core.outgoing import Exchange, Outcome
from customerhub.sinks.exchange import find_retry_after
from customerhub.sinks.stripe.snapshot import Snapshot

GONE: Final = "Stripe has no such customer any more"

_MOST_REASON: Final = 500
_OF_ONE_CUSTOMER: Final = ("lock_timeout", "idempotency_key_in_use")
_SERVER_ERRORS: Final = range(500, 600)
_CLIENT_ERRORS: Final = range(400, 500)
_LATER: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
_REFUSED_KEY: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def to_reason(error: stripe.StripeError) -> str:
    """Stripe's own message, or what became of the request."""
    text = error.user_message or "Stripe gave no reason"
    if isinstance(error, stripe.APIConnectionError):
        text = f"no answer from Stripe: {text}"
    elif error.error is None and error.http_status is not None:
        # The library's own message would quote whatever was answered.
        text = f"what answered with status {error.http_status} is not Stripe"
    return text[:_MOST_REASON]


def to_outcome(
    error: stripe.StripeError, exchanges: tuple[Exchange, ...] = (), answered: Mapping[str, str] | None = None
) -> Outcome:
    """Retry what may go well later, for all of the sink where it says something of all; refuse the rest for good.

    `answered` are the headers of the last answer, which the library drops of those that it cannot read.
    """
    reason, status = to_reason(error), error.http_status
    if isinstance(error, stripe.IdempotencyError):
        # Another body under the same key: of an attempt that died, under another setting. The next has its own key.
        return Outcome("retry", reason, exchanges)
    if find_code(error) in _OF_ONE_CUSTOMER:
        return Outcome("retry", reason, exchanges)
    if isinstance(error, stripe.RateLimitError):
        return Outcome("retry", reason, exchanges, find_wait(answered), is_of_sink=True)
    if status in _REFUSED_KEY:
        return Outcome("retry", reason, exchanges, is_of_sink=True)
    # Whoever is not Stripe does not refuse a customer.
    if status in _CLIENT_ERRORS and status not in _LATER and error.error is not None:
        return Outcome("refused", reason, exchanges)
    return Outcome("retry", reason, exchanges, find_wait(answered), is_of_sink=True)


def find_code(error: stripe.StripeError) -> str | None:
    """Stripe's code for what is wrong."""
    body = error.json_body
    told = body.get("error") if isinstance(body, dict) else None
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, str) else None


def find_wait(answered: Mapping[str, str] | None) -> float | None:
    """How many seconds Stripe asks to wait, by the headers of its answer."""
    return find_retry_after(answered or {}, datetime.now(UTC))


def is_spent(error: stripe.StripeError) -> bool:
    """Whether the key that was sent gives this failure and nothing else from now on: Stripe keeps its 5xx too."""
    headers = error.headers or {}
    return error.http_status in _SERVER_ERRORS and headers.get("idempotent-replayed") == "true"


def is_gone(error: stripe.StripeError) -> bool:
    """Whether there is no such customer."""
    return isinstance(error, stripe.InvalidRequestError) and error.http_status == HTTPStatus.NOT_FOUND


def leave_out(error: stripe.StripeError, wanted: Snapshot) -> Snapshot | None:
    """The same without the field that Stripe would not take; None where it blames none that could be left out."""
    if not isinstance(error, stripe.InvalidRequestError) or error.http_status != HTTPStatus.BAD_REQUEST:
        return None
    field = (error.param or "").partition("[")[0]
    if field == "metadata" or wanted.fields.get(field) is None:
        return None
    return wanted.without(field, f"Stripe says: {to_reason(error)}")
