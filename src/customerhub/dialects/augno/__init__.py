"""Augno: bearer keys with roles, flat requests and nested answers whose parts are asked for, cursors, merging."""

import json
import shlex
from collections.abc import Callable, Mapping
from uuid import UUID

from customerhub.core.admin import create_credential
from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.dialects.augno import auth, convert, errors, exports, models, resources, routes, show
from customerhub.dialects.augno.remote import AugnoRemote
from customerhub.dialects.augno.wire import INCLUDES
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import HubError, NotFound
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder, Document, Incoming, KeyForm
from customerhub.web.operation import Operation
from customerhub.web.origin import Origin
from customerhub.web.remote import Remote
from customerhub.web.shape import Key, Shape
from customerhub.web.webhook import WebhookForm

_DESCRIPTION = (
    "Customers, and what they refer to, as clients of Augno know them. An existing client only changes its base URL. "
    "Parts of a record are null unless `include[]` names them. `Augno-Version` and `Augno-Account` are taken and may "
    "be left out; `OpenMRP-Version` and `OpenMRP-Account` mean the same."
)


class Augno:
    """The Augno API on its own paths."""

    name = auth.NAME
    prefixes: tuple[str, ...] = (
        "/v1/sales",
        "/v1/finance",
        "/v1/operations",
        "/v1/catalog",
        "/v1/identity",
        "/v1/auth",
        "/v1/core",
    )
    request_prefix = "rq_"
    request_log_path = "/v1/core/request-logs/{id}"
    version_headers: tuple[str, ...] = auth.VERSION_HEADERS
    # The same request finds nothing again, unless the key stays with the client: an id that is gone stays gone.
    kept_errors: tuple[type[HubError], ...] = (NotFound,)
    key_form: KeyForm | None = KeyForm(auth.PREFIX, auth.MASK)
    operations: tuple[Operation, ...] = routes.OPERATIONS
    # The API has no webhooks of its own.
    webhook_form: WebhookForm | None = None
    remote: Remote | None = AugnoRemote()
    scopes: tuple[str, ...] = ()
    is_canonical = False
    shape: Shape = exports.SHAPE
    document = Document(
        title="Augno API of customerhub",
        version=auth.VERSIONS[0],
        description=_DESCRIPTION,
        security_schemes={"ApiKey": {"type": "http", "scheme": "bearer"}},
        error_model=models.Error,
        common_errors=(400, 401, 403, 429, 500, 503),
        tags=(
            {"name": "Customers", "description": "One customer, a page of them, or several made one."},
            *resources.TAGS,
        ),
        credential_headers=("Authorization",),
    )

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """The caller of `Authorization: Bearer`; raises Unauthenticated, InvalidHeader or Forbidden."""
        return await auth.authenticate(hub, incoming)

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """An API key that may do everything; it does not expire."""
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
            role="admin",
            mask=auth.MASK,
        )
        return {"id": str(credential.id), "name": credential.name, "api_key": secret}

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that updates the customer, ready to paste."""
        path = f"/v1/sales/customers/{show.to_customer_id(customer)}?include=contact_info"
        body = json.dumps({"phone": "+1-503-555-0142", "status": "preferred"})
        return " \\\n  ".join(
            (
                f"curl -X PATCH {shlex.quote(base_url + path)}",
                f"-H {shlex.quote('Authorization: Bearer ' + str(credential['api_key']))}",
                "-H 'Content-Type: application/json'",
                f"-d {shlex.quote(body)}",
            )
        )

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """A `curl` that reads the customer with all its parts."""
        path = f"/v1/sales/customers/{show.to_customer_id(customer)}?include={','.join(INCLUDES)}"
        key = shlex.quote("Authorization: Bearer " + str(credential["api_key"]))
        return f"curl {shlex.quote(base_url + path)} \\\n  -H {key}"

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The customer with all its parts, but for those above and below it, which the record does not hold."""
        return show.to_customer(customer, catalogue, show.ALONE, show.EVERYTHING)

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What `PATCH /v1/sales/customers/{id}` asks for with this body."""
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
        return exports.to_request(view, customer, catalogue)

    def propose_new(
        self, body: dict[str, object], catalogue: Catalogue, new_id: Callable[[], UUID], creator: UUID
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What `POST /v1/sales/customers` asks for with this body."""
        del creator
        proposal, ignored = convert.to_new(body, catalogue, new_id)
        return proposal, tuple(ignored)

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        """The failure in the envelope of eight members."""
        return errors.to_answer(error, origin)


dialect = Augno()
