"""Go on without the values that the other side refuses, so that one of them never holds up a customer."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from customerhub.web.remote import Refused, Values

_MOST_REFUSALS: Final = 8

T = TypeVar("T")


async def without_refused(values: Values, act: Callable[[Values], Awaitable[T]], left_out: dict[str, str]) -> T | None:
    """Act on values, again without those that are refused by name: these are put into `left_out`, with the reason.

    None where nothing is left to act on. Raises Refused where none of them is named, with what was left out before,
    which may be why.
    """
    dropped: dict[str, str] = {}
    for _ in range(_MOST_REFUSALS):
        if not values:
            return None
        try:
            return await act(values)
        except Refused as error:
            named = {name: reason for name, reason in error.fields.items() if name in values}
            if not named:
                raise Refused("; ".join((error.reason, *dropped.values())), error.fields) from error
            left_out |= named
            dropped |= named
            values = {name: value for name, value in values.items() if name not in named}
    raise Refused("too many values are refused")
