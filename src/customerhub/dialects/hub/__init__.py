"""The hub's own API: the canonical record, three forms of patches, and what each of them changed."""

import json
import shlex
from collections.abc import Callable, Mapping
from uuid import UUID

from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.dialects.hub import auth, canonical, errors, exports, models, routes
from customerhub.dialects.hub.answers import CUSTOMERS
from customerhub.dialects.hub.keys import make_key
from customerhub.dialects.hub.patches import MERGE_PATCH, from_body, from_list_aware
from customerhub.dialects.hub.webhooks import HubWebhooks
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import HubError, dotted
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder, Document, Incoming, KeyForm, Origin
from customerhub.web.operation import Operation
from customerhub.web.remote import Remote
from customerhub.web.shape import Key, Shape
from customerhub.web.webhook import WebhookForm

_DESCRIPTION = (
    "The record that every other API here is a view of. Ids are UUIDs, every member is always there, null is none. "
    "Failures are problem details (RFC 9457) with a JSON Pointer to every wrong value."
)


class HubApi:
    """The canonical form on paths of its own."""

    name = auth.NAME
    prefixes: tuple[str, ...] = ("/hub",)
    request_prefix = "req_"
    request_log_path = ""
    version_headers: tuple[str, ...] = ()
    kept_errors: tuple[type[HubError], ...] = ()
    key_form: KeyForm | None = KeyForm(auth.PREFIX)
    operations: tuple[Operation, ...] = routes.OPERATIONS
    webhook_form: WebhookForm | None = HubWebhooks()
    remote: Remote | None = None
    scopes: tuple[str, ...] = auth.DEFAULT
    is_canonical = True
    shape: Shape = exports.SHAPE
    document = Document(
        title="API of customerhub",
        version="1",
        description=_DESCRIPTION,
        security_schemes={"ApiKey": {"type": "http", "scheme": "bearer"}},
        error_model=models.Problem,
        common_errors=(401, 403, 429, 500, 503),
        tags=(
            {"name": "Customers", "description": "The record, and how other APIs see it."},
            {"name": "History", "description": "What it was, and the way back."},
            {"name": "Duplicates", "description": "Who may be the same, several made one, and apart again."},
            {"name": "Files", "description": "Customers out of files and into files."},
            {"name": "Administration", "description": "The team, its members and credentials, and what happened."},
            {"name": "Sinks", "description": "Where changes go: webhooks, Stripe, accounts with other systems."},
            {"name": "Hub", "description": "All teams, for those who run the hub."},
        ),
        credential_headers=("Authorization",),
    )

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """The caller of `Authorization: Bearer`; raises Unauthenticated."""
        return await auth.authenticate(hub, incoming)

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """An API key with the scopes that are asked for; it does not expire."""
        return await make_key(hub, team, order)

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that updates the customer, ready to paste."""
        body = json.dumps({"phone": "+1-503-555-0142", "standing": "preferred"})
        return " \\\n  ".join(
            (
                f"curl -X PATCH {base_url}{CUSTOMERS}/{customer.id}",
                f"-H {shlex.quote('Authorization: Bearer ' + str(credential['api_key']))}",
                f"-H 'Content-Type: {MERGE_PATCH}'",
                f"-d {shlex.quote(body)}",
            )
        )

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that reads the customer."""
        key = shlex.quote("Authorization: Bearer " + str(credential["api_key"]))
        return f"curl {shlex.quote(f'{base_url}{CUSTOMERS}/{customer.id}')} \\\n  -H {key}"

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The canonical form."""
        del catalogue
        return canonical.to_body(customer)

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What a list-aware patch asks for with this body."""
        reading = from_list_aware(body, customer, catalogue, new_id)
        return reading.proposal, tuple(map(dotted, reading.ignored))

    def find_key(self, view: Mapping[str, object], key: Key) -> str | None:
        """What a view has that a customer is found by."""
        return exports.find_key(view, key)

    def to_request(
        self, view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue
    ) -> dict[str, object]:
        """What was read, as a list-aware patch or a customer to make."""
        del catalogue
        return exports.to_request(view, customer)

    def propose_new(
        self, body: dict[str, object], catalogue: Catalogue, new_id: Callable[[], UUID], creator: UUID
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What a new customer is made of."""
        del creator
        reading = from_body(body, catalogue, new_id)
        return reading.proposal, tuple(map(dotted, reading.ignored))

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        """The failure as problem details."""
        return errors.to_answer(error, origin)


dialect = HubApi()
