"""A dialect and a hub of nothing, for tests of the web layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NotRequired
from uuid import UUID

import httpx
import msgspec
from starlette.types import Message
from typing_extensions import TypedDict, override

from customerhub.core.board import private_slot
from customerhub.core.customers import Proposal
from customerhub.core.entry import Entry
from customerhub.core.hub import Hub
from customerhub.core.recorder import Recorder
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Forbidden,
    HubError,
    Internal,
    Invalid,
    InvalidHeader,
    KeyGone,
    KeyMismatch,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.model.patch import CustomerPatch
from customerhub.settings import Settings
from customerhub.store.access import Standing, Team
from customerhub.store.db import Database
from customerhub.web.dialect import CredentialOrder, Document, Incoming, KeyForm
from customerhub.web.limit import Limits
from customerhub.web.operation import Call, Handler, Operation
from customerhub.web.origin import Origin
from customerhub.web.remote import Remote
from customerhub.web.serve import Site
from customerhub.web.shape import Key, Shape
from customerhub.web.webhook import WebhookForm

NOW: Final = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
CALLER: Final = Caller(UUID(int=1), UUID(int=2), UUID(int=3), "ERP sync", "fake")

STATUSES: Final[dict[type[HubError], int]] = {
    Malformed: 400,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    InvalidHeader: 400,
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NoSuchRoute: 404,
    MethodNotAllowed: 405,
    PreconditionFailed: 412,
    PreconditionRequired: 428,
    KeyMismatch: 422,
    KeyGone: 410,
    Busy: 503,
    RateLimited: 429,
    RequestTimeout: 408,
    Unavailable: 503,
    Internal: 500,
}


class ErrorBody(TypedDict):
    code: str
    message: NotRequired[str]


class FakeRecorder(Recorder):
    """Keeps what it is given in `entries` and `uses`, as if it ran; `is_full` is what it promises no more at."""

    def __init__(self) -> None:
        super().__init__(Database("", size=0), Settings(), lambda: NOW)
        self.is_full = False
        self.entries: list[Entry] = []
        self.uses: list[Caller] = []

    @property
    @override
    def promises_logs(self) -> bool:
        return super().promises_logs and not self.is_full

    def run(self, *, runs: bool = True) -> None:
        """Begin to take entries, or stop."""
        self.is_running = self.takes_logs = runs

    @override
    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    @override
    def note_use(self, caller: Caller, started: float) -> None:
        self.uses.append(caller)


class FakeHub(Hub):
    """A hub without a database; `unready` is what its readiness raises, `ended` what its look at a caller does."""

    def __init__(
        self, settings: Settings | None = None, unready: Exception | None = None, ended: Exception | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.now = lambda: NOW
        self.new_id = lambda: UUID(int=0xABCDEF)
        self.slot = private_slot()
        self.is_leaving = False
        self.recorder: FakeRecorder = FakeRecorder()  # type: ignore[mutable-override]  # a fake stays one
        self.unready = unready
        self.ended = ended
        self._catalogues = {}

    @override
    async def ready(self) -> None:
        if self.unready:
            raise self.unready

    @override
    async def check_caller(self, caller: Caller) -> Standing:
        if self.ended:
            raise self.ended
        return Standing(None, None, requires_precondition=False, catalogue_version=0)


DOCUMENT: Final = Document(
    title="Fake API",
    version="1",
    description="An API of nothing.",
    security_schemes={"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    error_model=ErrorBody,
    common_errors=(401, 500),
    tags=({"name": "things"},),
)


@dataclass
class FakeDialect:
    """Knows the key `good`; its failures are `{"code": class, "message": text}`."""

    operations: tuple[Operation, ...] = ()
    name: str = "fake"
    prefixes: tuple[str, ...] = ("/fake",)
    seen: list[Incoming] = field(default_factory=list)
    document: Document = DOCUMENT
    request_prefix: str = "req_"
    key_form: KeyForm | None = None
    request_log_path: str = ""
    version_headers: tuple[str, ...] = ()
    kept_errors: tuple[type[HubError], ...] = ()
    webhook_form: WebhookForm | None = None
    remote: Remote | None = None
    scopes: tuple[str, ...] = ()
    is_canonical: bool = False
    shape: Shape = field(default_factory=lambda: Shape(columns={"id": "text"}))

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        self.seen.append(incoming)
        if incoming.headers.get("x-key") != "good":
            raise Unauthenticated("unknown" if "x-key" in incoming.headers else "missing")
        return CALLER

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        return {}

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        return f"curl {base_url}"

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        return f"curl {base_url}"

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        return {}

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        return Proposal(CustomerPatch()), tuple(body)

    def find_key(self, view: Mapping[str, object], key: Key) -> str | None:
        return None

    def to_request(
        self, view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue
    ) -> dict[str, object]:
        return dict(view)

    def propose_new(
        self, body: dict[str, object], catalogue: Catalogue, new_id: Callable[[], UUID], creator: UUID
    ) -> tuple[Proposal, tuple[str, ...]]:
        return Proposal(CustomerPatch()), tuple(body)

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        body = {"code": type(error).__name__, "message": str(error)}
        if origin.log_url is not None:
            body["log_url"] = origin.log_url
        return Answer(STATUSES[type(error)], msgspec.json.encode(body))


async def show(call: Call) -> Answer:
    """A handler that answers what it was given."""
    return Answer(200, msgspec.json.encode({"path": call.path, "query": call.query.multi_items()}))


async def echo(call: Call) -> Answer:
    """A handler that answers the body's object."""
    return Answer(201, msgspec.json.encode(call.json_object()))


def raising(error: BaseException) -> Handler:
    """A handler that fails."""

    async def handler(call: Call) -> Answer:
        raise error

    return handler


def recording(calls: list[Call]) -> Handler:
    """A handler that keeps what it was given."""

    async def handler(call: Call) -> Answer:
        calls.append(call)
        return Answer(204)

    return handler


READ: Final = Operation(method="GET", path="/fake/things/{id}", name="get_thing", summary="Get", handler=show)
WRITE: Final = Operation(
    method="PATCH", path="/fake/things/{id}", name="update_thing", summary="Update", handler=echo, writes=True
)


def to_site(*operations: Operation, hub: Hub | None = None, limits: Limits | None = None) -> Site:
    """A site of one fake dialect."""
    return Site(hub or FakeHub(), [FakeDialect(operations or (READ, WRITE))], limits=limits or Limits())


def to_client(site: Site, **headers: str) -> httpx.AsyncClient:
    """A client with the good key, straight into the site."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://test", headers={"x-key": "good", **headers}
    )


class Messages:
    """ASGI's receive over a list; counts how many were taken."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.waiting = list(messages)
        self.taken = 0

    async def __call__(self) -> Message:
        self.taken += 1
        return self.waiting.pop(0)
