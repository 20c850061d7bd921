"""What requests about sinks and deliveries hold, and what their answers look like."""

from typing import Annotated, Final, Required

from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.dialects.hub.administration.common import Report
from customerhub.dialects.hub.canonical import MEMBERS
from customerhub.dialects.hub.json_patch import to_steps
from customerhub.dialects.hub.models import Actor, Time
from customerhub.dialects.hub.wire import CONFIG, POINTER, Id, Name
from customerhub.store.deliveries import DeliveryStatus
from customerhub.store.sinks import SinkKind, SinkStatus

MOST_IDS: Final = 1000
MOST_OVERLAP_SECONDS: Final = 7 * 86_400
_MOST_WORDS: Final = 100
_HIGHEST: Final = 2**63 - 1


def _place(text: str) -> str:
    if not POINTER.fullmatch(text) or not text:
        raise PydanticCustomError("pointer", "must be a JSON Pointer, such as /email")
    if to_steps(text)[0] not in MEMBERS:
        raise PydanticCustomError("unknown", "is no place in a customer")
    return text


def _printable(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError("characters", "must be printable ASCII characters without blanks")
    return text


Word = Annotated[str, Field(max_length=255)]
Url = Annotated[str, Field(max_length=2048)]
Events = Annotated[
    list[Word], Field(max_length=_MOST_WORDS, description="In the words of `form`; all of them where there are none.")
]
Places = Annotated[
    list[Annotated[str, AfterValidator(_place), Field(max_length=255)]],
    Field(
        max_length=_MOST_WORDS,
        description="JSON Pointers into the customer: updates are told where one changed, or something in it.",
    ),
]
Secret = Annotated[str, Field(min_length=1, max_length=255)]
Key = Annotated[str, AfterValidator(_printable), Field(min_length=1, max_length=1000)]
Config = Annotated[dict[str, JsonValue], Field(max_length=_MOST_WORDS, description="What only its `form` knows.")]
Ownership = Annotated[
    dict[str, Word], Field(max_length=_MOST_WORDS, description="Who wins, by field; see the dialect's README.")
]
Credentials = Annotated[
    dict[str, JsonValue], Field(max_length=_MOST_WORDS, description="What the other system asks for, by its names.")
]
Defaults = Annotated[
    dict[str, JsonValue], Field(max_length=_MOST_WORDS, description="Members that each new record there gets.")
]
Position = Annotated[int, Field(ge=1, le=_HIGHEST, description="A position of the team's feed.")]


class _Members(TypedDict, total=False):
    name: Name
    url: Url
    events: Events
    fields: Places
    config: Config
    status: SinkStatus
    api_key: Annotated[Key, Field(description="Of Stripe: a secret or restricted key.")]
    webhook_secret: Annotated[Key | None, Field(description="Of Stripe's endpoint for this hub, once there is one.")]
    api_base: Annotated[Url | None, Field(description="Where Stripe is, if not at its usual place.")]
    ownership: Ownership
    credentials: Credentials
    creates: Annotated[bool, Field(description="Whether customers that the account lacks are made there.")]
    defaults: Defaults


class NewSinkBody(_Members, total=False):
    """A sink to make; which members there are depends on its kind."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    kind: Required[SinkKind]
    form: Annotated[Word, Field(description="The API in whose words it is told.")]
    secret: Annotated[Secret, Field(description="Signs messages; made by the hub where the form has one.")]


class SinkBody(_Members, total=False):
    """What of a sink to change; what is left out stays."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]


class SinkRotationBody(TypedDict, total=False):
    """The next secret, one that the hub makes if none is sent, and for how long the one before it goes on."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    secret: Secret
    overlap_seconds: Annotated[int, Field(ge=0, le=MOST_OVERLAP_SECONDS)]


_Range = TypedDict("_Range", {"from": Position, "until": Position}, total=False)


class ReplayBody(_Range, total=False):
    """One of these, and no two; `until` belongs to `from`."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    deliveries: Annotated[list[Id], Field(min_length=1, max_length=MOST_IDS)]
    dead: Annotated[bool, Field(description="`true`: all that are tried no more.")]
    all: Annotated[bool, Field(description="`true`: everything that the feed still has.")]


class Health(TypedDict):
    """How a sink fares: failures in a row, until when it rests, what waits, and what became of deliveries so far."""

    failures: int
    failing_since: Time | None
    resume_at: Time | None
    succeeded_at: Time | None
    waiting: int
    behind: Annotated[int, Field(description="Changes that it has no deliveries of yet: they come as others go.")]
    oldest: Annotated[Time | None, Field(description="When the oldest event happened that it was not told of.")]
    delivered: int
    superseded: int
    skipped: int
    retried: int
    dead: int


class ShownSink(TypedDict):
    """A sink; of secrets only whether there is one."""

    id: Id
    version: int
    created_at: Time
    updated_at: Time
    kind: SinkKind
    dialect: Annotated[str, Field(description="The API through which it was made.")]
    name: str
    url: str
    form: str
    events: list[str]
    fields: list[str]
    config: dict[str, JsonValue]
    has_secret: bool
    former_until: Annotated[Time | None, Field(description="Until then messages carry two signatures.")]
    status: SinkStatus
    reason: Annotated[str | None, Field(description="Why the hub disabled it.")]
    webhook_path: Annotated[str | None, Field(description="Where Stripe sends what happens there.")]


class SinkRecord(ShownSink):
    """A sink and how it fares."""

    health: Health


class SinkWritten(Report):
    """A sink after a write."""

    sink: ShownSink


class SinkWithSecrets(SinkWritten):
    """The same with the secret that the hub made, which is here once; empty where it made none."""

    secrets: dict[str, str]


class SinkExchange(TypedDict):
    """One request that was sent, and its answer; secrets are blacked out, and of bodies there is the beginning."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    status: int | None
    answer: str
    fault: Annotated[str, Field(description="Why there is no answer.")]
    seconds: float


class SinkVerdict(TypedDict):
    """Whether a sink took what it was sent, and if not why."""

    is_good: bool
    reason: str
    exchange: SinkExchange | None


class ShownDelivery(TypedDict):
    """One event on its way to one sink; `tries` counts attempts, over replays too."""

    id: Id
    type: Annotated[str, Field(description="The hub's own type of the event.")]
    customer: Id
    version: int
    position: Annotated[int, Field(description="Of the change in the team's feed.")]
    at: Time
    status: DeliveryStatus
    reason: str | None
    tries: int
    settled_at: Time | None


class ShownAttempt(TypedDict):
    """One attempt; `exchanges` is null where a customer was erased."""

    number: int
    at: Time
    seconds: float
    outcome: str
    reason: str | None
    exchanges: list[SinkExchange] | None


class DeliveryChange(TypedDict):
    """The change that is told, and who made it by which request."""

    customer: Id
    version: int
    position: int
    actor: Actor
    dialect: str
    request_id: str


class DeliveryRecord(ShownDelivery):
    """A delivery with the attempts at it that are kept; `change` is null where the history has it no more."""

    attempts: list[ShownAttempt]
    change: DeliveryChange | None


class Replayed(TypedDict):
    """How many deliveries are on their way once more; where that is not all, `next` is the `from` to go on with."""

    replayed: int
    is_complete: Annotated[bool, Field(description="`false`: ask again, from `next` on where it is a position.")]
    next: int | None


class SyncedCustomer(TypedDict):
    """What a mirror knows of a customer."""

    customer: Id
    external_id: str | None
    version: Annotated[int, Field(description="The hub's, when both sides were last made equal.")]
    left_out: Annotated[dict[str, str], Field(description="What the other side would not take, and why.")]
    error: str | None
    at: Time | None


class SinkListQuery(TypedDict, total=False):
    """Which page of sinks."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]


class DeliveryListQuery(TypedDict, total=False):
    """Which deliveries; all filters must hold."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    status: DeliveryStatus
    customer: Id


class SyncListQuery(TypedDict, total=False):
    """Which customers; `troubled` are those with an error, or of which something was left out."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    troubled: bool
