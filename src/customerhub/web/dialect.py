"""What the web layer needs to know of a dialect in order to serve it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from starlette.datastructures import Headers

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import HubError
from customerhub.store.access import Team
from customerhub.web.operation import Operation


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request before anything is known of it; `path` is decoded, `raw_query` is as sent."""

    method: str
    path: str
    raw_query: str
    headers: Headers
    body: bytes
    client_address: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """The parts of a dialect's OpenAPI document that its routes do not carry."""

    title: str
    version: str
    description: str
    security_schemes: Mapping[str, Mapping[str, object]]
    error_model: object
    common_errors: tuple[int, ...]
    tags: tuple[Mapping[str, str], ...] = ()
    credential_headers: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class CredentialOrder:
    """What the operator wants of a new credential: the name that the history shows, and its marks."""

    name: str
    team_user: UUID | None = None
    requires_precondition: bool = False


class Dialect(Protocol):
    """One vendor's API: its routes, how it knows its callers, and the shape of its failures.

    `prefixes` are the paths whose failures before routing (404, 405, 413 …) take this dialect's shape; the longest
    prefix wins.
    """

    @property
    def name(self) -> str:
        """The folder's name, as in logs, history and `/<name>/openapi.json`."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Paths that belong to this dialect."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The route table."""

    @property
    def document(self) -> Document:
        """What its OpenAPI document says beside the routes."""

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """Who asks; raises Unauthenticated, Forbidden or RateLimited."""

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """Make a credential and return what its owner needs, secrets in clear; they are shown this once."""

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A shell command to paste that changes this customer; `credential` is what `create_credential` gave."""

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The record exactly as this dialect's clients read it, without the envelope around it."""

    def to_answer(self, error: HubError, request_id: str) -> Answer:
        """The failure in this dialect's own shape and status."""
