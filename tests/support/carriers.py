"""Carriers for tests: they write down what they were told, and answer what the test wants."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Exchange, Outcome, Sink, Told, Verdict
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer

DELIVERED = Outcome("delivered", exchanges=(Exchange("POST", "https://there.test/", status=200),))
Answer = Callable[[Sink, Told], Awaitable[Outcome]]


async def take(sink: Sink, told: Told) -> Outcome:
    """Everything is fine."""
    del sink, told
    return DELIVERED


@dataclass
class FakeCarrier:
    """Tells nobody; `told` are all attempts in order."""

    is_mirror: bool = False
    concurrency: int = 4
    retries: tuple[float, ...] = (0.05, 0.05, 0.05)
    answer: Answer = take
    told: list[tuple[Sink, Told]] = field(default_factory=list)
    is_closed: bool = False

    def schedule(self, sink: Sink) -> tuple[float, ...]:
        """The same for every sink."""
        del sink
        return self.retries

    async def tell(self, hub: Hub, sink: Sink, told: Told) -> Outcome:
        """Write it down, and answer."""
        del hub
        self.told.append((sink, told))
        return await self.answer(sink, told)

    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        """All is well."""
        del hub, sink
        return Verdict(is_good=True)

    async def close(self) -> None:
        """Nothing is open."""
        self.is_closed = True


@dataclass
class BlankMirror(FakeCarrier):
    """The other side has none of the customers."""

    is_mirror: bool = True

    async def compare(self, hub: Hub, sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """It is not there."""
        del hub, sink, customer, catalogue
        return Comparison()
