"""What goes out: what a sink is told of one version of a customer, and what came of telling it.

The words between the worker, which knows when and in which order, and the carriers, which know how: one carrier for
each kind of sink. A carrier works outside any transaction and may be asked the same thing again after a crash.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

from msgspec import Struct
from typing_extensions import override

from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.store.sinks import Sink

if TYPE_CHECKING:
    from customerhub.core.hub import Hub

__all__ = [
    "Carrier",
    "Carriers",
    "Comparison",
    "Drift",
    "Exchange",
    "LateCarriers",
    "Mirror",
    "Outcome",
    "OutcomeKind",
    "Sink",
    "Told",
    "Verdict",
]

OutcomeKind = Literal["delivered", "skipped", "retry", "refused", "ended"]


class Told(Struct, frozen=True):
    """One event on its way to one sink.

    `delivery` is the same at every attempt and after every replay; `attempt` counts from 1, over replays too.
    `version` is the sequence number of the customer's events. `before` and `after` are the record on both sides of that
    version; a mirror gets the newest state there is as `after`, with its version, and no `before`. `parts` of the
    delivery were accepted by former attempts. `is_asked_again`: somebody wants it told once more, as a repair does. Who
    did it, through which dialect and by which request is told as the history has it.
    """

    delivery: UUID
    type: str
    at: datetime
    position: int
    customer: UUID
    version: int
    before: Customer | None
    after: Customer
    changes: tuple[FieldChange, ...]
    catalogue: Catalogue
    actor: UUID
    actor_name: str
    dialect: str
    request_id: str
    attempt: int = 1
    parts: int = 0
    is_asked_again: bool = False


class Exchange(Struct, frozen=True):
    """One request that was sent, and what was answered, for the log; secrets are blacked out by whoever fills it in.

    `answer` is the beginning of the body, 4,096 bytes at most; `status` is None where no answer came, and `fault` then
    says why. `seconds` is how long it took.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: str = ""
    status: int | None = None
    answer: str = ""
    fault: str = ""
    seconds: float = 0


class Outcome(Struct, frozen=True):
    """What came of one attempt.

    `delivered`: the sink has it. `skipped`: there was nothing to tell it, for this `reason`. `retry`: it may go well
    later. `refused`: it never will; a dead letter. `ended`: the sink wants nothing any more and is disabled; what waits
    goes on waiting. `retry_after` seconds are what the other side asked for, for all of the sink. `is_of_sink`: the
    failure says something of the sink as a whole (no answer, 5xx, 429, a refused credential), not of this delivery.
    `parts` is how many parts of the delivery are accepted by now.
    """

    kind: OutcomeKind
    reason: str = ""
    exchanges: tuple[Exchange, ...] = ()
    retry_after: float | None = None
    is_of_sink: bool = False
    parts: int = 0


class Verdict(Struct, frozen=True):
    """Whether a sink can be reached as it is set up; `reason` says what is wrong, for people."""

    is_good: bool
    reason: str = ""
    exchange: Exchange | None = None


class Carrier(Protocol):
    """How one kind of sink is told; one object for the whole process, closed with it."""

    @property
    def is_mirror(self) -> bool:
        """Whether it copies the newest state, so that older ones need not be told; otherwise each version is told."""

    @property
    def concurrency(self) -> int:
        """How many customers one process tells one sink of at the same time."""

    def schedule(self, sink: Sink) -> tuple[float, ...]:
        """Seconds to wait after the first failed attempt, the second and so on; after the last it is a dead letter."""

    async def tell(self, hub: "Hub", sink: Sink, told: Told) -> Outcome:
        """Try once; within a minute. Raises nothing but what is a fault of ours, which counts as `retry`."""

    async def verify(self, hub: "Hub", sink: Sink) -> Verdict:
        """Ask the other side whether the sink works, changing nothing there; a webhook gets a test message."""

    async def close(self) -> None:
        """Let go of every connection."""


class Drift(Struct, frozen=True):
    """One value that is not the same on both sides, under the field's own name; None where a side has none."""

    field: str
    ours: object
    theirs: object


class Comparison(Struct, frozen=True):
    """A customer beside its record over there; nothing was changed on either side.

    `external_id` is None where there is no record yet. `fault` says why nothing could be compared. `retry_after`
    are the seconds after which the other side lets itself be asked again, None where it answered.
    """

    differences: tuple[Drift, ...] = ()
    external_id: str | None = None
    fault: str = ""
    retry_after: float | None = None


class Mirror(Carrier, Protocol):
    """A carrier that copies the newest state, and so can tell where the two sides differ."""

    async def compare(self, hub: "Hub", sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """Lay the other side's record beside ours; raises nothing but what is a fault of ours."""


Carriers = Mapping[str, Carrier]
"""The carriers of a process by the kind of sink: webhook, stripe, account."""


class LateCarriers(Carriers):
    """Carriers that are made when they are first needed: most commands tell nobody anything, and start sooner."""

    def __init__(self, makers: Mapping[str, Callable[[], Carrier]]) -> None:
        self._makers = makers
        self._made: dict[str, Carrier] = {}

    @property
    def made(self) -> Carriers:
        """Those that were needed."""
        return self._made

    @override
    def __getitem__(self, kind: str) -> Carrier:
        if kind not in self._made:
            self._made[kind] = self._makers[kind]()
        return self._made[kind]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    @override
    def __len__(self) -> int:
        return len(self._makers)
