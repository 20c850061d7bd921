"""COUNT: signed requests with a bearer token, PUT that changes only what is sent, rows in bulk, webhooks."""

import json
import shlex
from collections.abc import Callable, Mapping
from uuid import UUID

from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.dialects.count import answers, auth, convert, errors, exports, routes, show
from customerhub.dialects.count.remote import CountRemote
from customerhub.dialects.count.webhooks import CountWebhooks
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

_DESCRIPTION = (
    "Customers as partner applications of COUNT know them. An existing client only changes its base URL. Every request "
    "is signed: `x-signature` is the hexadecimal HMAC-SHA256, keyed with the client's secret, of method, path, "
    "timestamp and body hash, with colons between them."
)


class Count:
    """The COUNT partner API on its own paths."""

    name = "count"
    prefixes: tuple[str, ...] = ("/partners", "/auth2")
    request_prefix = "req_"
    request_log_path = ""
    version_headers: tuple[str, ...] = ()
    kept_errors: tuple[type[HubError], ...] = ()
    key_form: KeyForm | None = None
    operations: tuple[Operation, ...] = routes.OPERATIONS
    webhook_form: WebhookForm | None = CountWebhooks()
    remote: Remote | None = CountRemote()
    scopes: tuple[str, ...] = ()
    is_canonical = False
    shape: Shape = exports.SHAPE
    document = Document(
        title="COUNT partner API of customerhub",
        version="1.0",
        description=_DESCRIPTION,
        security_schemes={
            "ClientId": {"type": "apiKey", "in": "header", "name": "x-client-id"},
            "Timestamp": {"type": "apiKey", "in": "header", "name": "x-timestamp"},
            "Signature": {"type": "apiKey", "in": "header", "name": "x-signature"},
            "AccessToken": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer …"},
        },
        error_model=answers.Error,
        common_errors=(400, 401, 429, 500, 503),
        tags=(
            {"name": "Customers", "description": "One customer, a page of them, or a hundred at once."},
            {"name": "Webhooks", "description": "Who is told of changes."},
            {"name": "Authorization", "description": "From a person's consent to tokens."},
        ),
        credential_headers=("x-client-id", "x-timestamp", "x-signature", "Authorization"),
    )

    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        """The caller of a signed request with an access token; raises Unauthenticated, Forbidden or RateLimited."""
        return await auth.authenticate(hub, incoming)

    async def create_credential(self, hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
        """A signing client with tokens for the team."""
        return await auth.create_credential(hub, team, order)

    def example(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """Shell lines that sign and send an update of the customer, ready to paste; signed anew each time."""
        body = json.dumps({"mainPhone": "+44 113 496 0000"}, separators=(",", ":"))
        return _to_signed(base_url, "PUT", f"/customers/{customer.id}", credential, body)

    def example_read(self, base_url: str, credential: Mapping[str, object], customer: Customer) -> str:
        """Shell lines that sign and send a request for the customer; signed anew each time."""
        return _to_signed(base_url, "GET", f"/customers/{customer.id}", credential)

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """The customer as `GET /partners/customers/{uuid}` has it in `data`."""
        return show.to_customer(customer, catalogue)

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What `PUT /partners/customers/{uuid}` asks for with this body."""
        proposal, warnings = convert.to_patch(body, customer, catalogue, new_id)
        return proposal, tuple(warned.field for warned in warnings)

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
        """What `POST /partners/customers` asks for with this body."""
        del creator
        proposal, warnings = convert.to_new(body, catalogue, new_id)
        return proposal, tuple(warned.field for warned in warnings)

    def to_answer(self, error: HubError, origin: Origin) -> Answer:
        """The failure for readers of `code` and for readers of `error`."""
        return errors.to_answer(error, origin.request_id)


def _to_signed(base_url: str, method: str, path: str, credential: Mapping[str, object], body: str = "") -> str:
    """Shell lines that sign a request and send it; without a body nothing stands for its hash."""
    secret, client_id, token = (
        shlex.quote(str(credential[name])) for name in ("client_secret", "client_id", "access_token")
    )
    hashing: tuple[str, ...] = ("time=$(date +%s)",)
    sent = ""
    if body:
        hashing = (
            f"body={shlex.quote(body)}; time=$(date +%s)",
            'hash=$(printf %s "$body" | openssl dgst -sha256 -r | cut -d" " -f1)',
        )
        sent = ' -H "Content-Type: application/json" -d "$body"'
    return "\n".join(
        (
            *hashing,
            f'signature=$(printf %s "{method}:{path}:$time:{"$hash" if body else ""}" |',
            f'  openssl dgst -sha256 -hmac {secret} -r | cut -d" " -f1)',
            f"curl -X {method} {shlex.quote(f'{base_url}/partners{path}')} \\",
            f'  -H "x-client-id: "{client_id} -H "x-timestamp: $time" -H "x-signature: $signature" \\',
            f'  -H "Authorization: Bearer "{token}{sent}',
        )
    )


dialect = Count()
