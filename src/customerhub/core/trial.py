"""A trial of a sink before it is stored: the other side is asked, outside any transaction, whether it would work."""

from collections.abc import Callable
from typing import ClassVar, Final

from customerhub.core.guarded import Later
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink, Verdict
from customerhub.model.error import FieldError, Invalid

# Their receivers may still be on the way, and a message that nobody asked for would be one too many.
_UNTRIED: Final = ("webhook",)


class Unproven(Invalid):
    """What was sent did not do when it was tried. It may tomorrow, so no key keeps that."""

    is_permanent: ClassVar[bool] = False


class Trial:
    """One request's trial; `to_error` says by its place in the request what is wrong where the verdict is not good."""

    def __init__(self, to_error: Callable[[Verdict], FieldError]) -> None:
        self._to_error = to_error
        self._tried: tuple[object, ...] | None = None
        self._verdict = Verdict(is_good=False)

    def find_wait(self, hub: Hub, sink: Sink) -> Later | None:
        """What to wait for before the sink can be stored, None where it was tried as it is and works.

        Raises Unproven where it was tried and does not.
        """
        if sink.kind in _UNTRIED:
            return None
        # Its secret is encrypted anew each time.
        tried = (sink.url, sink.config, hub.vault.decrypt(sink.secret) if sink.secret is not None else None)
        if self._tried != tried:

            async def prepare() -> None:
                self._verdict = await verify(hub, sink)
                self._tried = tried

            return Later(prepare)
        if not self._verdict.is_good:
            raise Unproven((self._to_error(self._verdict),))
        return None


async def verify(hub: Hub, sink: Sink) -> Verdict:
    """What the sink's carrier finds out; outside any transaction, since it waits for the other side."""
    carrier = hub.carriers.get(sink.kind)
    if carrier is None:
        return Verdict(is_good=False, reason="this process cannot reach sinks of this kind")
    return await carrier.verify(hub, sink)
