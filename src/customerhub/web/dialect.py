"""What the web layer needs to know of a dialect in order to serve it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from customerhub.core.command import Author
from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, HubError, Invalid
from customerhub.store.access import Team
from customerhub.web.incoming import Incoming
from customerhub.web.operation import Operation
from customerhub.web.origin import Origin
from customerhub.web.remote import Remote
from customerhub.web.shape import Key, Shape
from customerhub.web.webhook import WebhookForm

__all__ = ["CredentialOrder", "Dialect", "Document", "Incoming", "KeyForm", "Origin", "Shape"]


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


@dataclass(frozen=True)
class KeyForm:
    """What a dialect's keys look like: a prefix, and what stands between it and the end of one that is shown again."""

    prefix: str
    mask: str = "…"


@dataclass(frozen=True, kw_only=True)
class CredentialOrder:
    """What the operator wants of a new credential: the name that the history shows, and its marks.

    `redirect_uris` and `any_team` are for applications of partners; a dialect that has none refuses them. `scopes` are
    what it may do, where the dialect's credentials may do more or less; none named are all.
    `by` is who asks for it, None for the operator at the command line.
    `is_lasting` asks that what is shown works for weeks, where the dialect's tokens usually are short-lived.
    """

    name: str
    team_user: UUID | None = None
    requires_precondition: bool = False
    redirect_uris: tuple[str, ...] = ()
    any_team: bool = False
    is_lasting: bool = False
    scopes: tuple[str, ...] = ()
    by: Author | None = None

    def check_plain(self, *, takes_scopes: bool = False) -> None:
        """Raise Invalid where it has marks that only applications of partners know, or scopes that mean nothing."""
        marks: dict[str, object] = {"redirect_uris": self.redirect_uris, "any_team": self.any_team}
        if not takes_scopes:
            marks["scopes"] = self.scopes
        errors = (
            FieldError((name,), "unknown", "credentials of this dialect know no such thing")
            for name, value in marks.items()
            if value
        )
        if found := tuple(errors):
            raise Invalid(found)


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
    def request_prefix(self) -> str:
        """What the ids of its requests begin with, as `req_`."""

    @property
    def request_log_path(self) -> str:
        """Where one entry of its request log is read, with `{id}` in it; "" where the dialect shows none."""

    @property
    def version_headers(self) -> tuple[str, ...]:
        """The request headers, in lower case, that name an API version for the request log; the first one sent wins."""

    @property
    def kept_errors(self) -> tuple[type[HubError], ...]:
        """Failures that a key keeps here beside the permanent ones."""

    @property
    def key_form(self) -> KeyForm | None:
        """How its keys look; None where a credential has no key of its own that another could take the place of."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The route table."""

    @property
    def document(self) -> Document:
        """What its OpenAPI document says beside the routes."""

    @property
    def webhook_form(self) -> WebhookForm | None:
        """How webhooks are told in its words; None where it has none."""

    @property
    def remote(self) -> Remote | None:
        """How an account of that vendor's, elsewhere, is kept like this hub's customers; None where it is not."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a team's administrator may limit a credential to; empty where all of them may do the same."""

    @property
    def is_canonical(self) -> bool:
        """Whether it shows the record itself: one does, and doors without a form of their own speak it."""

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """Who asks; raises Unauthenticated, Forbidden or RateLimited."""

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """Make a credential and return what its owner needs, secrets in clear; they are shown this once.

        Raises Invalid for a wish that credentials of this dialect know nothing of.
        """

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A shell command to paste that changes this customer; `credential` is what `create_credential` gave."""

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A shell command to paste that shows this customer as `show` does, in the envelope of its answers."""

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The record exactly as this dialect's clients read it, without the envelope around it."""

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What this dialect's update of a customer asks for with this body, and the members that it ignores.

        Raises Invalid or Malformed where the dialect does so before it has a proposal.
        """

    @property
    def shape(self) -> Shape:
        """What it shows of a customer as the columns of a table."""

    def find_key(self, view: Mapping[str, object], key: Key) -> str | None:
        """What a view has that a customer is found by, as the record has it; None where it has none."""

    def to_request(
        self, view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue
    ) -> dict[str, object]:
        """The body of an update that a view, or a part of one, makes: the table that the lens laws speak of.

        What requests cannot carry is left out. Without a customer it is the body of a creation, for `propose_new`.
        Never raises for a view of any shape; what is wrong in it is for the proposal to refuse.
        """

    def propose_new(
        self, body: dict[str, object], catalogue: Catalogue, new_id: Callable[[], UUID], creator: UUID
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What this dialect's creation asks for with this body, and the members that it ignores.

        `creator` is the member who asks. Raises as `propose`.
        """

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        """The failure of the request `origin` in this dialect's own shape and status."""
