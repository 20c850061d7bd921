"""Faults that a request asks for by `Customerhub-Simulate`, to try what its client makes of them; in a sandbox only."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from customerhub.model.answer import Answer
from customerhub.model.error import HubError, Internal, InvalidHeader, RateLimited, Unavailable
from customerhub.settings import Settings
from customerhub.web.upload import ClientGone

HANG_UP: Final = "customerhub.hang_up"
"""The server's extension (ASGI 3, `extensions`) whose `call` ends the connection."""

DROP: Final = "drop-after-commit"

SIMULATE: Final = "Customerhub-Simulate"

_HEADER: Final = SIMULATE.lower().encode()
_TIMEOUT: Final = "timeout"
_SLOW: Final = re.compile(r"slow=([0-9]{1,9})", re.ASCII)
_FAILURES: Final[dict[str, Callable[[], HubError]]] = {
    "429": lambda: RateLimited(1),
    "500": Internal,
    "503": Unavailable,
}
_FIRST_FAILURE: Final = 400
KINDS: Final = (*_FAILURES, _TIMEOUT, DROP, "slow=800")
"""One of each kind."""


class HungUp(Exception):
    """The connection should have ended without an answer, and there is no server here that could end it."""


def read_fault(headers: Headers, settings: Settings) -> str | None:
    """The fault of `Customerhub-Simulate`; None without one.

    Raises InvalidHeader for one that we do not know, and for every one outside a sandbox: a client that relies on a
    fault must not find its request done instead.
    """
    if not any(name == _HEADER for name, _ in headers.raw):
        return None
    if not settings.sandbox:
        raise InvalidHeader(SIMULATE, "works in a sandbox only, which `customerhub serve --sandbox` starts")
    fault = ", ".join(headers.getlist(SIMULATE))
    longest = int(settings.simulated_seconds * 1000)
    slow = _SLOW.fullmatch(fault)
    if fault in (*_FAILURES, _TIMEOUT, DROP) or (slow and int(slow[1]) <= longest):
        return fault
    known = f"{', '.join(_FAILURES)}, {_TIMEOUT}, {DROP} or slow=<milliseconds, at most {longest}>"
    raise InvalidHeader(SIMULATE, f"must be {known}")


async def befall(fault: str, scope: Scope, receive: Receive, settings: Settings) -> None:
    """What happens to a request before anything of it is done: a failure is raised, or time passes.

    Raises RateLimited, Internal, Unavailable, and ClientGone where time ran out without an answer.
    """
    if to_failure := _FAILURES.get(fault):
        failure = to_failure()
        raise failure
    if slow := _SLOW.fullmatch(fault):
        await asyncio.sleep(int(slow[1]) / 1000)
    elif fault == _TIMEOUT:
        try:
            async with asyncio.timeout(settings.simulated_seconds):
                await _wait_until_gone(receive)
        except TimeoutError:
            await hang_up(scope, receive)
        raise ClientGone


def is_dropped(fault: str | None, answer: Answer) -> bool:
    """Whether the answer is to be lost on its way; one that says that nothing was done is not."""
    return fault == DROP and answer.status < _FIRST_FAILURE


async def hang_up(scope: Scope, receive: Receive) -> None:
    """End the connection without a byte of an answer. Raises HungUp where the server cannot."""
    extension = scope.get("extensions", {}).get(HANG_UP)
    if extension is None:
        raise HungUp
    extension["call"]()
    await _wait_until_gone(receive)


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
