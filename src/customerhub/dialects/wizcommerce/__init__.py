"""WizCommerce: PATCH with merge by id, API key in a header, every error with all its fields."""

import json
import shlex
from collections.abc import Callable, Mapping
from uuid import UUID

from customerhub.core.admin import create_credential
from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.dialects.wizcommerce import answers, auth, convert, errors, exports, routes, show
from customerhub.dialects.wizcommerce.remote import WizCommerceRemote
from customerhub.dialects.wizcommerce.webhooks import WizCommerceWebhooks
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import HubError
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder, Document, Incoming, KeyForm, Origin
from customerhub.web.operation import Operation
from customerhub.web.remote import Remote
from customerhub.web.shape import Key, Shape
from customerhub.web.webhook import WebhookForm


class WizCommerce:
    """The WizCommerce Open API on its own paths."""

    name = auth.NAME
    prefixes: tuple[str, ...] = (
        "/v1/customers",
        "/v2/customers",
        "/v1/sales-reps",
        "/v1/price-lists",
        "/v1/attributes",
        "/auth/token",
        "/v1",
        "/v2",
        "/auth",
    )
    request_prefix = "req_"
    request_log_path = ""
    version_headers: tuple[str, ...] = ()
    kept_errors: tuple[type[HubError], ...] = ()
    key_form: KeyForm | None = KeyForm(auth.PREFIX)
    operations: tuple[Operation, ...] = routes.OPERATIONS
    webhook_form: WebhookForm | None = WizCommerceWebhooks()
    remote: Remote | None = WizCommerceRemote()
    scopes: tuple[str, ...] = ()
    is_canonical = False
    shape: Shape = exports.SHAPE
    document = Document(
        title="WizCommerce API of customerhub",
        version="1.0",
        description="Customers as WizCommerce's clients know them. An existing client only changes its base URL.",
        security_schemes={"ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        error_model=answers.Error,
        common_errors=(400, 401, 429, 500, 503),
        tags=(
            {"name": "Customer", "description": "One customer with everything in it."},
            {"name": "Address", "description": "Addresses of a customer."},
            {"name": "Contact", "description": "People at a customer."},
            {"name": "Sales rep", "description": "Members of the team."},
            {"name": "Price list", "description": "What customers pay."},
            {"name": "Attribute", "description": "Custom fields."},
            {"name": "Auth", "description": "API keys."},
        ),
        credential_headers=("X-API-Key",),
    )

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """The caller of `X-API-Key`; raises Unauthenticated."""
        return await auth.authenticate(hub, incoming)

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """An API key; it does not expire, other than those of `/auth/token`."""
        order.check_plain()
        credential, secret = await create_credential(
            hub,
            team,
            dialect=self.name,
            name=order.name,
            prefix=auth.PREFIX,
            team_user=order.team_user,
            requires_precondition=order.requires_precondition,
            by=order.by,
        )
        return {"id": str(credential.id), "name": credential.name, "api_key": secret}

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that updates the customer, ready to paste."""
        body = json.dumps({"payment_term": "NET45", "phone": "+4722334455"})
        return " \\\n  ".join(
            (
                f"curl -X PATCH {base_url}/v1/customers/{customer.id}",
                f"-H {shlex.quote('X-API-Key: ' + str(credential['api_key']))}",
                "-H 'Content-Type: application/json'",
                f"-d {shlex.quote(body)}",
            )
        )

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that reads the customer."""
        key = shlex.quote("X-API-Key: " + str(credential["api_key"]))
        return f"curl {shlex.quote(f'{base_url}/v1/customers/{customer.id}')} \\\n  -H {key}"

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The customer as `GET /v1/customers/{id}` has it in `data`."""
        return show.to_customer(customer, catalogue)

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What `PATCH /v1/customers/{id}` asks for with this body."""
        del new_id
        proposal, ignored = convert.to_patch(body, customer, catalogue)
        return proposal, tuple(ignored)

    def find_key(self, view: Mapping[str, object], key: Key) -> str | None:
        """What a view has that a customer is found by."""
        return exports.find_key(view, key)

    def to_request(
        self, view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue
    ) -> dict[str, object]:
        """What was read, as the body of an update or a creation."""
        del catalogue
        return exports.to_request(view, customer)

    def propose_new(
        self, body: dict[str, object], catalogue: Catalogue, new_id: Callable[[], UUID], creator: UUID
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What `POST /v1/customers` asks for with this body."""
        proposal, ignored = convert.to_new(body, catalogue, new_id, creator)
        return proposal, tuple(ignored)

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        """The failure as `{code, message, details}`."""
        return errors.to_answer(error, origin.request_id)


dialect = WizCommerce()
