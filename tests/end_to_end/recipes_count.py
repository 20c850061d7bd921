"""For every write route of the COUNT dialect a signed request that changes something, and others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID, uuid4

import httpx
from typing_extensions import override

from customerhub.core import admin
from customerhub.core.access import hash_secret
from customerhub.core.hub import Hub
from customerhub.core.partners import revoke_client
from customerhub.store.partners import Grant, insert_code
from customerhub.web.serve import Site
from tests.end_to_end.door import Door, Failure, Failures, Furniture, Sent, stranger_to
from tests.end_to_end.recipes import SURPRISE, Recipe
from tests.support.count import Json, Partner, Signed, address_body, make_client, make_partner

CUSTOMER = "/partners/customers/{uuid}"
WEBHOOK = "/partners/webhooks/{uuid}"
ROWS = "customers[0]"
INVALID_TOKEN = (401, "invalid_token")


def to_auth(credential: Json) -> httpx.Auth:
    """Signs, and shows the access token."""
    return Signed(credential["client_id"], credential["client_secret"], credential["access_token"])


@dataclass
class CountDoor(Door):
    """A team with a signing client; records are made by the partner's own, whatever the door's is."""

    partner: Partner
    credential: Json

    failures = Failures(
        malformed=(400, "invalid_json"),
        invalid=(400, "validation_error"),
        header=(400, "validation_error"),
        media_type=(415, "unsupported_media_type"),
        too_large=(413, "payload_too_large"),
        nowhere=((404, "customer_not_found"), (404, "not_found")),
        gone=(410, "gone"),
        stale=(412, "precondition_failed"),
        mismatch=(422, "idempotency_mismatch"),
        needs_tag=(428, "precondition_required"),
    )
    ends: ClassVar[dict[str, Failure]] = {"credential": INVALID_TOKEN, "client": (401, "invalid_client")}
    expired = (401, "token_expired")
    signs_all = True

    @classmethod
    @override
    @asynccontextmanager
    async def open(cls, hub: Hub, site: Site) -> AsyncIterator[Self]:
        team = await admin.create_team(hub, f"Team {uuid4()}")
        async with make_partner(hub, site, team) as partner, stranger_to(site) as api:
            yield cls(hub, team, api, to_auth(partner.credential), partner, partner.credential)

    @override
    async def furnish(self, template: str = "") -> Furniture:
        """A customer with everything in it and a webhook subscription."""
        made = {
            "/webhooks/": await self.partner.api.post("/partners/webhooks", json=to_webhook()),
            "": await self.partner.api.post("/partners/customers", json=self.partner.full_body()),
        }
        shown = {part: answer.json()["data"] for part, answer in made.items()}
        return Furniture(
            records={"/webhooks/": shown["/webhooks/"]["webhook"]["uuid"], "": shown[""]["uuid"]},
            tags={part: answer.headers["etag"] for part, answer in made.items()},
        )

    @override
    async def another(self, *, requires_precondition: bool = False) -> Self:
        credential = await make_client(self.hub, self.team, requires_precondition=requires_precondition)
        return replace(self, auth=to_auth(credential), credential=credential)

    @override
    async def end(self, how: str) -> None:
        """The client as a whole, or what it may do in this team."""
        if how == "client":
            await revoke_client(self.hub, self.credential["client_id"])
        else:
            await admin.revoke_credential(self.hub, UUID(self.credential["id"]))

    @override
    async def expire(self) -> None:
        """The access token alone: the signing client has no end."""
        async with self.hub.database.lease() as connection:
            await connection.execute(
                "update partner_token set expires_at = now() where team = $1 and token_hash = $2",
                self.team.id,
                hash_secret(self.credential["access_token"]),
            )

    @override
    def strangers(self, *, is_public: bool) -> list[tuple[httpx.Auth, Failure]]:
        """No signature, an unknown client's and a wrong one; with a token asked for, none and an unknown one."""
        client_id, secret, token = (self.credential[name] for name in ("client_id", "client_secret", "access_token"))
        nobodys: list[tuple[httpx.Auth, Failure]] = [
            (Sent(), (401, "missing_credentials")),
            (Sent((b"Authorization", f"Bearer {token}".encode())), (401, "missing_credentials")),
            (Signed("ptn_nobody", secret, token), (401, "invalid_client")),
            (Signed(client_id, "cs_wrong", token), (401, "invalid_signature")),
        ]
        if is_public:
            return nobodys
        return [
            *nobodys,
            (Signed(client_id, secret), (401, "missing_credentials")),
            (Signed(client_id, secret, "at_nobody"), INVALID_TOKEN),
        ]

    @override
    def refuses(self, answer: httpx.Response, path: str) -> bool:
        """A row's own fault fails the row alone, in words that begin with the member."""
        if not path.startswith(ROWS):
            return super().refuses(answer, path)
        (result,) = answer.json()["data"]["results"]
        member = path.removeprefix(ROWS).removeprefix(".") or "row"
        return (answer.status_code, result["success"]) == (201, False) and any(
            fault.startswith(f"{member} ") for fault in result["error"].split("; ")
        )


Cook = Callable[[CountDoor], Awaitable[Recipe]]


def to_webhook() -> Json:
    """A body that subscribes."""
    return {"event": "customer.updated", "callbackUrl": "https://crm.example/hooks", "signingSecret": "whsec_4f2a"}


async def _create_customer(door: CountDoor) -> Recipe:
    body = door.partner.full_body()
    return Recipe(
        path="/partners/customers",
        body=body | SURPRISE,
        other=body | {"customer": "Another"},
        wrong=body | SURPRISE | {"email": "nobody"},
        wrong_field="email",
    )


async def _update_customer(door: CountDoor) -> Recipe:
    found = await door.furnish()
    body = {
        "mainPhone": "+44 113 496 0100",
        "billingAddress": address_body(city="Leeds"),
        "paymentTerm": f"NET {uuid4().hex[:6]}",
        "taxExcluded": False,
    }
    return Recipe(
        path=found.fill(CUSTOMER),
        tag=found.tag(CUSTOMER),
        body=body | SURPRISE,
        other=body | {"mainPhone": None},
        wrong=body | SURPRISE | {"status": "paused"},
        wrong_field="status",
    )


async def _create_rows(door: CountDoor) -> Recipe:
    rows = [door.partner.full_body() | SURPRISE, door.partner.customer_body()]
    return Recipe(
        path="/partners/customers/bulk",
        body={"customers": rows},
        other={"customers": rows[1:]},
        wrong={"customers": []},
        wrong_field="customers",
    )


async def _update_rows(door: CountDoor) -> Recipe:
    ids = [(await door.partner.create())["uuid"] for _ in range(2)]
    rows = [{"uuid": one, "status": "inactive", "notes": "Rings twice."} for one in ids]
    return Recipe(
        path="/partners/customers/bulk",
        body={"customers": [rows[0] | SURPRISE, rows[1]]},
        other={"customers": rows[1:]},
        wrong={"customers": []},
        wrong_field="customers",
        changes_untagged=True,
        starts={"customers": {"uuid": ids[0]}},
    )


async def _create_webhook(door: CountDoor) -> Recipe:
    del door
    body = to_webhook()
    return Recipe(
        path="/partners/webhooks",
        body=body | SURPRISE,
        other=body | {"event": "customer.deleted"},
        wrong=body | SURPRISE | {"event": "customer.moved"},
        wrong_field="event",
    )


async def _update_webhook(door: CountDoor) -> Recipe:
    found = await door.furnish()
    body = {"status": "paused", "signingSecret": "whsec_77c1"}
    return Recipe(
        path=found.fill(WEBHOOK),
        tag=found.tag(WEBHOOK),
        body=body | SURPRISE,
        other=body | {"status": "disabled"},
        wrong=body | SURPRISE | {"status": "asleep"},
        wrong_field="status",
    )


def _removal(template: str) -> Cook:
    async def cook(door: CountDoor) -> Recipe:
        found = await door.furnish()
        return Recipe(path=found.fill(template), tag=found.tag(template), is_final=True)

    return cook


async def make_code(door: CountDoor) -> str:
    """A code as a consent gives it, but good for an hour."""
    hub, code, credential = door.hub, f"ac_{uuid4().hex}", UUID(door.credential["id"])
    async with hub.database.transaction() as connection:
        grant = Grant(door.team.id, credential, hub.new_id(), credential)
        now = hub.now()
        client_id = door.credential["client_id"]
        await insert_code(connection, grant, client_id, hash_secret(code), now, now + timedelta(hours=1))
    return code


async def _grant(door: CountDoor) -> Recipe:
    body = {"grantType": "authorization_code", "code": await make_code(door)}
    return Recipe(
        path="/partners/grant-access-token",
        body=body | SURPRISE,
        other=body | {"code": "ac_other"},
        wrong=body | SURPRISE | {"code": 5},
        wrong_field="code",
        nullable=frozenset(("grantType", "client_id", "client_secret")),
    )


async def _refresh(door: CountDoor) -> Recipe:
    body = {"grantType": "refresh_token", "refreshToken": door.credential["refresh_token"]}
    return Recipe(
        path="/partners/refresh-user-access-token",
        body=body | SURPRISE,
        other=body | {"refreshToken": "rt_other"},
        wrong=body | SURPRISE | {"grantType": "code"},
        wrong_field="grantType",
        nullable=frozenset(("client_id", "client_secret")),
    )


CountDoor.recipes = {
    "POST /partners/customers": _create_customer,
    f"PUT {CUSTOMER}": _update_customer,
    f"DELETE {CUSTOMER}": _removal(CUSTOMER),
    "POST /partners/customers/bulk": _create_rows,
    "PATCH /partners/customers/bulk": _update_rows,
    "POST /partners/webhooks": _create_webhook,
    f"PATCH {WEBHOOK}": _update_webhook,
    f"DELETE {WEBHOOK}": _removal(WEBHOOK),
    "POST /partners/grant-access-token": _grant,
    "POST /partners/refresh-user-access-token": _refresh,
}
