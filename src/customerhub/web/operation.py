"""A route as data: served from, documented from and tested from the same table."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import QueryParams

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller
from customerhub.web.body import read_json_object
from customerhub.web.incoming import Incoming
from customerhub.web.limit import Limits
from customerhub.web.upload import JSON


@dataclass(slots=True)
class Call:
    """One request as a handler sees it: authenticated, its guards read, its body not yet.

    `incoming` is all of it as it came, for what a public route checks by itself.
    """

    hub: Hub
    command: Command
    path: Mapping[str, str]
    query: QueryParams
    raw_body: bytes
    incoming: Incoming

    @property
    def client_address(self) -> str:
        """Who is at the other end."""
        return self.incoming.client_address

    @property
    def limits(self) -> Limits:
        """The limits of this process."""
        return self.incoming.limits

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.command.caller

    def json_object(self) -> dict[str, object]:
        """The body as a JSON object; raises Malformed."""
        return read_json_object(self.raw_body)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method on one path.

    `path` is a template (`/v1/customers/{id}`). `body`, `query` and `answer` are types that pydantic can describe.
    `errors` are the statuses it can answer beside `status` (those that every route can answer are added by the
    dialect). `writes` routes take the guards; `creates` ones have no record yet that `If-Match` could name.
    `max_body` is in bytes, None for the setting's; `media_types` are those that a body may declare, where
    `application/json` stands for every `application/*+json` too.
    `permissions` are those that the caller's credential must all have, as `customers:update`. `is_secret` routes take
    or give what is shown once: no log keeps their bodies.
    `answer_types` are the media types of its success, where those are not JSON.
    `others` are statuses that are neither success nor failure, each with a sentence: 301 with `Location` for a record
    that has another place by now, 304 to `If-None-Match`.
    `examples` go into the document: `body`, `answer`, `path.<parameter>`; every other name is one more body. `bodies`
    are types and examples of single media types, where they are not all of one kind.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    status: int = 200
    answer: object = None
    body: object = None
    body_required: bool = True
    query: object = None
    errors: tuple[int, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    examples: Mapping[str, object] = field(default_factory=dict)
    writes: bool = False
    creates: bool = False
    takes_key: bool = True
    is_public: bool = False
    permissions: tuple[str, ...] = ()
    is_secret: bool = False
    max_body: int | None = None
    media_types: tuple[str, ...] = (JSON,)
    bodies: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    answer_types: tuple[str, ...] = (JSON,)
    others: Mapping[int, str] = field(default_factory=dict)
