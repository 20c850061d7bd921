"""A team with a signing client: requests are signed as the vendor's own clients sign them."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder
from customerhub.web.serve import Site

Json = dict[str, Any]  # Any: decoded JSON
DIALECT = "count"
MOUNT = "/partners"
# For a program that signs what it sends: in the place of a signature, and where it finds the secret.
TO_BE_SIGNED = "to be signed"
SECRET_VARIABLE = "TEST_CLIENT_SECRET"


def sign(secret: str, method: str, path: str, timestamp: str, body: bytes = b"") -> str:
    """The signature of a request; a body of none is signed as none."""
    digest = hashlib.sha256(body).hexdigest() if body and method in ("POST", "PUT", "PATCH") else ""
    base = f"{method}:{path.removeprefix(MOUNT)}:{timestamp}:{digest}"
    return hmac.new(secret.encode(), base.encode(), hashlib.sha256).hexdigest()


class Signed(httpx.Auth):
    """Signs every request at the time that it is sent."""

    requires_request_body = True

    def __init__(self, client_id: str, secret: str, token: str | None = None) -> None:
        self.client_id = client_id
        self.secret = secret
        self.token = token

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        timestamp = str(int(time.time()))
        path = request.url.raw_path.decode().partition("?")[0]
        request.headers["x-client-id"] = self.client_id
        request.headers["x-timestamp"] = timestamp
        request.headers["x-signature"] = sign(self.secret, request.method, path, timestamp, request.content)
        if self.token is not None:
            request.headers["authorization"] = f"Bearer {self.token}"
        yield request


@dataclass
class Partner:
    """A signing client of one team; `api` signs its requests and carries its token."""

    hub: Hub
    team: Team
    api: httpx.AsyncClient
    credential: Json

    def customer_body(self, **members: object) -> Json:
        """A body that creates a customer; each call names another one."""
        mark = uuid4().hex[:10]
        return {"customer": f"Company {mark}", "email": f"{mark}@customers.example", **members}

    def full_body(self) -> Json:
        """A body with every member that a creation takes."""
        return self.customer_body(
            mainPhone="+44 (113) 496-0000 ext. 7",
            website="harbourlights.example",
            status="active",
            billingAddress=address_body(),
            shippingAddress=address_body(street="Pier 4\nGate B", city="Leeds"),
            contacts=[
                {"firstName": "Mara", "lastName": "Okafor", "email": "mara@a.example", "isPrimary": True},
                {"name": "Zoë Lund", "phone": "+44 113 496 0001"},
            ],
            notes="Rings twice.",
            paymentTerm="NET30",
            taxNumber="GB123456789",
            taxAutoCalculate=True,
            taxExcluded=True,
        )

    async def create(self, body: Json | None = None, **members: object) -> Json:
        """A new customer, as answered."""
        answer = await self.api.post("/partners/customers", json=body or self.customer_body(**members))
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()["data"]
        return created

    async def get(self, customer_id: str) -> Json:
        """A customer, as answered."""
        answer = await self.api.get(f"/partners/customers/{customer_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()["data"]
        return found

    async def put(self, customer_id: str, **members: object) -> Json:
        """A customer after an update, as answered."""
        answer = await self.api.put(f"/partners/customers/{customer_id}", json=members)
        assert answer.status_code == 200, answer.text
        changed: Json = answer.json()["data"]
        return changed


def address_body(**members: object) -> Json:
    """A whole address."""
    return {
        "street": "3 Quay Street",
        "city": "Whitby",
        "state": "North Yorkshire",
        "zipCode": "YO21 1DH",
        "country": "GB",
        **members,
    }


async def make_client(hub: Hub, team: Team, **order: Any) -> Json:  # Any: members of CredentialOrder
    """A new signing client of the team, with tokens for it."""
    dialect = next(found for found in find_dialects() if found.name == DIALECT)
    return dict(await dialect.create_credential(hub, team, CredentialOrder(name="test client", **order)))


@asynccontextmanager
async def make_partner(hub: Hub, site: Site, team: Team, **order: Any) -> AsyncIterator[Partner]:
    """Make a signing client for a team and open an HTTP client that signs with it, in process."""
    credential = await make_client(hub, team, **order)
    signed = Signed(credential["client_id"], credential["client_secret"], credential["access_token"])
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", auth=signed) as api:
        yield Partner(hub, team, api, credential)
