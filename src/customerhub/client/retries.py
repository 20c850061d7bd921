"""When a request is tried again, and after how long: on 429, 502, 503, 504 and when no answer comes."""

import random
from dataclasses import dataclass
from typing import Final

import httpx

from customerhub.client.errors import Unreachable, find_retry_after

_TRANSIENT: Final = (429, 502, 503, 504)
# A request that could not even be written down would fail the same way again.
_OURS: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True)
class Patience:
    """How often a request is tried again, and how long is waited at most; in seconds.

    The wait doubles from `first_wait` on, and half of it is chance, so that clients that failed together do not come
    back together. `Retry-After` is kept where it asks for more; for more than `longest_wait` nobody waits.
    """

    retries: int = 4
    first_wait: float = 0.2
    longest_wait: float = 30.0


USUAL_PATIENCE: Final = Patience()


def to_pause(lost: int) -> float:
    """Seconds until a customer is read again after so many lost races: by chance, so that rivals do not meet again."""
    return random.uniform(0.0, min(0.02 * lost, 0.5))  # noqa: S311 - chance is no secret here


class Tries:
    """The tries of one request."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._made = 0

    def find_wait(self, answer: httpx.Response) -> float | None:
        """Seconds until the next try; None where this answer is the one to go with."""
        if answer.status_code not in _TRANSIENT:
            return None
        asked = find_retry_after(answer) or 0.0
        if asked > self._patience.longest_wait:
            return None
        wait = self._next_wait()
        return None if wait is None else max(wait, asked)

    def get_wait(self, loss: httpx.RequestError) -> float:
        """Seconds until the next try after no answer came; raises Unreachable after the last one."""
        wait = None if isinstance(loss, _OURS) else self._next_wait()
        if wait is None:
            raise Unreachable(max(self._made, 1)) from loss
        return wait

    def _next_wait(self) -> float | None:
        self._made += 1
        if self._made > self._patience.retries:
            return None
        wait = min(self._patience.first_wait * 2.0 ** (self._made - 1), self._patience.longest_wait)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - chance is no secret here
