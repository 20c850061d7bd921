"""Rate limits as teams and credentials may set them: of the form that is read, and within the hub's own."""

from typing import Final

from limits import RateLimitItem, parse_many

from customerhub.core.access import OPERATOR, check_power
from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.error import FieldError, Path

_LONGEST: Final = 255


def find_rate_errors(path: Path, text: str | None) -> tuple[FieldError, ...]:
    """What is wrong with a limit; empty and None set none."""
    if not text:
        return ()
    try:
        items = parse_many(text) if len(text) <= _LONGEST else []
    except ValueError:
        items = []
    if not items or any(item.amount < 1 or item.multiples < 1 for item in items):
        reason = f"must be a limit such as 100/minute or 10/second;1000/hour, of at most {_LONGEST} characters"
        return (FieldError(path, "rate_limit", reason),)
    return ()


def check_rate_power(hub: Hub, caller: Caller, text: str | None) -> None:
    """Raise Forbidden where a limit lets through what the hub's own would not; the operator may do that."""
    bounds = parse_many(hub.settings.rate_limit) if hub.settings.rate_limit.strip() else []
    if text and not all(any(_is_within(item, bound) for item in parse_many(text)) for bound in bounds):
        check_power(caller, (OPERATOR,))


def _is_within(item: RateLimitItem, bound: RateLimitItem) -> bool:
    """Whether whoever keeps to the one keeps to the other: no more requests, in a window that is no shorter."""
    return item.amount <= bound.amount and item.get_expiry() >= bound.get_expiry()
