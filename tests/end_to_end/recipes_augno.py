"""For every write route of the Augno dialect a request that changes something, and others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID, uuid4

import httpx
from typing_extensions import override

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.end_to_end.answers import code_of
from tests.end_to_end.door import Door, Failure, Failures, Furniture, Sent, stranger_to
from tests.end_to_end.recipes import Recipe, Route
from tests.support.augno import (
    CUSTOMERS,
    Account,
    Json,
    full_address_body,
    key_of,
    make_account,
    make_key,
    to_id,
    uuid_of,
)

LIFE = timedelta(days=1)
UNKNOWN = (401, "invalid_credentials")
NAMED = b"Authorization"
GROUPS = "/v1/sales/account-groups"
ADDRESSES = "/v1/sales/addresses"
PAYMENT_TERMS = "/v1/finance/payment-terms"
SHIPPING_TERMS = "/v1/operations/shipping-terms"
CARRIERS = "/v1/operations/carriers"
LEVELS = "/v1/operations/carriers/{carrier_id}/service-levels"
UNITS = "/v1/catalog/units"
USERS = "/v1/identity/account-users"
KEYS = "/v1/auth/api-keys"
# What is made by its own creation, and by which part of a path it is named.
MADE = (GROUPS, ADDRESSES, PAYMENT_TERMS, SHIPPING_TERMS, UNITS, USERS, KEYS, CARRIERS, CUSTOMERS)
# What every team has, or what is written down of it.
FOUND = (
    *("/v1/sales/priorities", "/v1/sales/account-statuses", "/v1/identity/roles"),
    *("/v1/core/audit-events", "/v1/core/request-logs"),
)
# Members of a new customer whose null counts as left out.
OPTIONAL = frozenset(
    (
        *("number", "note", "email", "phone", "url", "status", "is_edi_enabled", "commission_policy"),
        *("freight_policy", "default_service_level_id", "default_priority", "default_sales_rep_user_id"),
        *("carrier_billing_type", "carrier_billing_account", "credit_limit", "customer_price_group_ids"),
    )
)


def to_part(place: str) -> str:
    """The part of a path by which a record of this place is told."""
    return f"/{place.rpartition('/')[2]}/"


def to_auth(key: str) -> httpx.Auth:
    """Shows an API key."""
    return Sent((NAMED, b"Bearer " + key.encode()))


@dataclass
class AugnoDoor(Door):
    """A furnished team; records are made with the account's own key, whatever the door's is."""

    account: Account
    credential: Json

    failures = Failures(
        malformed=(400, "invalid_format"),
        invalid=(400, "validation_failed"),
        header=(400, "parameter_invalid"),
        media_type=(415, "invalid_format"),
        too_large=(413, "validation_failed"),
        nowhere=((404, "resource_not_found"),),
        gone=(410, "resource_gone"),
        stale=(412, "resource_conflict"),
        mismatch=(400, "parameter_invalid"),
        needs_tag=(428, "parameter_missing"),
    )
    ends: ClassVar[dict[str, Failure]] = {"credential": (401, "api_key_revoked")}
    expired = (401, "api_key_expired")
    unknown_member: ClassVar[Failure | None] = (400, "parameter_unknown")
    reads_as_empty = frozenset(("nothing", "blanks"))
    keeps_absence = True
    keyless = frozenset(("DELETE",))

    @classmethod
    @override
    @asynccontextmanager
    async def open(cls, hub: Hub, site: Site) -> AsyncIterator[Self]:
        async with make_account(hub, site) as account, stranger_to(site) as api:
            yield cls(hub, account.team, api, to_auth(account.api_key), account, account.credential)

    @override
    async def furnish(self, template: str = "") -> Furniture:
        """A customer with everything in it, and one of each kind that customers refer to."""
        records, tags = {}, {}
        for place in (LEVELS, *MADE):
            if not template or template.startswith(f"{place}/{{id}}"):
                part = to_part(place)
                records[part], tags[part] = await self.make(place)
        for place in FOUND:
            if not template or template.startswith(f"{place}/{{id}}"):
                answer = await self.account.api.get(place)
                assert answer.status_code == 200, answer.text
                is_log = place.endswith("logs")
                records[to_part(place)] = answer.headers["request-id"] if is_log else answer.json()["data"][0]["id"]
        return Furniture(records, tags, {"carrier_id": self.account.carriers[0]})

    def place(self, template: str, record: str = "") -> str:
        """A path in this team."""
        return template.format(carrier_id=self.account.carriers[0], id=record)

    async def make(self, template: str) -> tuple[str, str]:
        """A new record, its id and its tag."""
        body = self.account.full_body() if template == CUSTOMERS else await self.fresh(template)
        answer = await self.account.api.post(self.place(template), json=body)
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        return shown.get("api_key_info", shown)["id"], answer.headers.get("etag", "")

    async def fresh(self, template: str) -> Json:
        """A body with every member that makes one; each call names another one."""
        mark = uuid4().hex[:10]
        amount = {"value": "12.50", "unit_id": self.account.unit}
        bodies: dict[str, Json] = {
            GROUPS: {
                "type": "pricing_group",
                "description": "Ten percent off",
                "commission_policy": "commission_applied",
                "freight_policy": "free_freight",
            },
            ADDRESSES: full_address_body(),
            PAYMENT_TERMS: {},
            SHIPPING_TERMS: {
                "type": "flat_rate_freight",
                "free_shipping_service_level_ids": [self.account.service_levels[0]],
                "flat_rate": {**amount},
                "minimum_order_value": {**amount},
            },
            CARRIERS: {"code": "ups", "account_number": "8X41V2", "customer_portal_visibility": "hidden"},
            LEVELS: {"code": f"code_{mark}", "is_default": False, "customer_portal_visibility": "hidden"},
            UNITS: {
                "abbreviation": mark,
                "type": "quantity",
                "ratio_numerator": "24",
                "ratio_denominator": "1",
                "offset_numerator": "0",
                "offset_denominator": "1",
            },
            USERS: {"email": f"{mark}@northbound.example", "username": mark, "password": None, "preferences": []},
            KEYS: {"role_id": await self.role("Viewer") if template == KEYS else ""},
        }
        return {**bodies[template], "name": f"Name {mark}"}

    async def role(self, name: str) -> str:
        """The id of a role that every team has."""
        roles = (await self.account.api.get("/v1/identity/roles")).json()["data"]
        return next(str(role["id"]) for role in roles if role["name"] == name)

    @override
    def gives_secrets(self, route: Route) -> bool:
        return route.operation.path.startswith(KEYS)

    @override
    async def another(self, *, requires_precondition: bool = False) -> Self:
        credential = await make_key(self.hub, self.team, requires_precondition=requires_precondition)
        async with self.hub.database.lease() as connection:
            await connection.execute(
                "update credential set expires_at = $3 where team = $1 and id = $2",
                self.team.id,
                UUID(str(credential["id"])),
                self.hub.now() + LIFE,
            )
        return replace(self, auth=to_auth(key_of(credential)), credential=credential)

    @override
    async def end(self, how: str) -> None:
        await admin.revoke_credential(self.hub, UUID(str(self.credential["id"])))

    @override
    async def expire(self) -> None:
        now = self.hub.now
        self.hub.now = lambda: now() + LIFE

    @override
    def strangers(self, *, is_public: bool) -> list[tuple[httpx.Auth, Failure]]:
        """No key, an empty, an unknown, a doubled one, one without its scheme and one in the wrong header."""
        key = key_of(self.credential).encode()
        sent: list[list[tuple[bytes, bytes]]] = [
            [],
            [(NAMED, b"Bearer ")],
            [(NAMED, b"Bearer aug_sk_prod_unknown")],
            [(NAMED, b"Bearer " + key[:-1])],
            [(NAMED, b"Bearer " + key + b"\xe9")],
            [(NAMED, key)],
            [(NAMED, b"Basic " + key)],
            [(NAMED, b"Bearer " + key), (NAMED, b"Bearer " + key)],
            [(b"X-API-Key", key)],
        ]
        return [] if is_public else [(Sent(*lines), UNKNOWN) for lines in sent]

    @override
    def refuses(self, answer: httpx.Response, path: str) -> bool:
        """One member stands for all that is wrong; the message names every one, with its position in a list."""
        codes = {"validation_failed", "invalid_format"}
        status, code = code_of(answer)
        message = answer.json()["error"]["message"]
        faults = message.removesuffix(".").split("; ")
        return status == 400 and code in codes and any(fault.startswith(f"{path}: ") for fault in faults)


Cook = Callable[[AugnoDoor], Awaitable[Recipe]]


async def _create_customer(door: AugnoDoor) -> Recipe:
    body = door.account.full_body()
    return Recipe(
        path=CUSTOMERS,
        body=body,
        other=body | {"name": "Another"},
        wrong=body | {"email": "nobody"},
        wrong_field="email",
        nullable=OPTIONAL,
        starts={name: body[name] for name in ("credit_limit", "bill_to_address", "ship_to_address")},
    )


async def _update_customer(door: AugnoDoor) -> Recipe:
    account = door.account
    customer, tag = await door.make(CUSTOMERS)
    path = f"{CUSTOMERS}/{customer}"
    shown = (await account.api.get(f"{path}?include=ship_to_address")).json()
    body = {
        "phone": "+1-503-555-0100",
        "note": None,
        "default_carrier_id": account.carriers[1],
        "default_payment_term_id": account.payment_terms[1],
        "customer_price_group_ids": [account.pricing_groups[1]],
        "bill_to_address_id": shown["ship_to_address"]["id"],
        "credit_limit": {"value": "31000.50", "unit_id": account.unit},
    }
    return Recipe(
        path=path,
        tag=tag,
        body=body,
        other=body | {"phone": None},
        wrong=body | {"email": "nobody"},
        wrong_field="email",
        starts={"credit_limit": {"value": "1.00", "unit_id": account.unit}},
    )


async def _merge(door: AugnoDoor) -> Recipe:
    target, tag = await door.make(CUSTOMERS)
    sources = [(await door.make(CUSTOMERS))[0] for _ in range(3)]
    return Recipe(
        path=f"{CUSTOMERS}/{target}/actions/merge",
        tag=tag,
        body={"source_customer_ids": sources[:2]},
        other={"source_customer_ids": sources[2:]},
        wrong={"source_customer_ids": [to_id("ac", uuid4())]},
        wrong_field="source_customer_ids",
    )


def to_starts(door: AugnoDoor) -> dict[str, Json]:
    """What amounts and preferences need before they are looked at."""
    amount = {"value": "12.50", "unit_id": door.account.unit}
    preference = {"notification_type_code": "invoice", "enabled": True}
    return {"flat_rate": amount, "minimum_order_value": amount, "preferences": preference}


def _creation(template: str, wrong_field: str, wrong: object, *nullable: str) -> Cook:
    async def cook(door: AugnoDoor) -> Recipe:
        body = await door.fresh(template)
        return Recipe(
            path=door.place(template),
            body=body,
            other=await door.fresh(template),
            wrong=body | {wrong_field: wrong},
            wrong_field=wrong_field,
            nullable=frozenset(nullable),
            starts=to_starts(door),
        )

    return cook


def _update(template: str, wrong_field: str, wrong: object, **members: object) -> Cook:
    async def cook(door: AugnoDoor) -> Recipe:
        record, tag = await door.make(template)
        body = {"name": f"New {uuid4().hex[:10]}", **members}
        return Recipe(
            path=door.place(f"{template}/{{id}}", record),
            tag=tag,
            body=body,
            other=body | {"name": f"Other {uuid4().hex[:10]}"},
            wrong=body | {wrong_field: wrong},
            wrong_field=wrong_field,
            starts=to_starts(door),
        )

    return cook


def _removal(template: str) -> Cook:
    async def cook(door: AugnoDoor) -> Recipe:
        record, tag = await door.make(template)
        return Recipe(path=door.place(f"{template}/{{id}}", record), tag=tag, is_final=True)

    return cook


async def _rotate(door: AugnoDoor) -> Recipe:
    key, tag = await door.make(KEYS)
    return Recipe(
        path=f"{KEYS}/{key}/actions/rotate",
        tag=tag,
        body={"expires_at": "2099-03-02T15:04:05Z"},
        other={"expires_at": "2098-03-02T15:04:05Z"},
        wrong={"expires_at": "2020-03-02T15:04:05Z"},
        wrong_field="expires_at",
        nullable=frozenset(("expires_at",)),
    )


async def _revoke(door: AugnoDoor) -> Recipe:
    key, tag = await door.make(KEYS)
    return Recipe(path=f"{KEYS}/{key}", tag=tag, is_silent=True)


RECIPES: dict[str, Cook] = {
    f"POST {CUSTOMERS}": _create_customer,
    f"PATCH {CUSTOMERS}/{{id}}": _update_customer,
    f"DELETE {CUSTOMERS}/{{id}}": _removal(CUSTOMERS),
    f"POST {CUSTOMERS}/{{id}}/actions/merge": _merge,
    f"POST {GROUPS}": _creation(GROUPS, "type", "colour", "description", "commission_policy", "freight_policy"),
    f"PATCH {GROUPS}/{{id}}": _update(GROUPS, "freight_policy", "none", description=None),
    f"POST {ADDRESSES}": _creation(ADDRESSES, "country", "Norway"),
    f"PATCH {ADDRESSES}/{{id}}": _update(ADDRESSES, "country", "Norway", phone=None, locality="Salem"),
    f"POST {PAYMENT_TERMS}": _creation(PAYMENT_TERMS, "name", " "),
    f"PATCH {PAYMENT_TERMS}/{{id}}": _update(PAYMENT_TERMS, "name", " "),
    f"POST {SHIPPING_TERMS}": _creation(SHIPPING_TERMS, "type", "colour"),
    f"PATCH {SHIPPING_TERMS}/{{id}}": _update(SHIPPING_TERMS, "type", "colour", flat_rate=None),
    f"POST {CARRIERS}": _creation(CARRIERS, "code", "dhl", "customer_portal_visibility"),
    f"PATCH {CARRIERS}/{{id}}": _update(CARRIERS, "customer_portal_visibility", "seen"),
    f"POST {LEVELS}": _creation(LEVELS, "customer_portal_visibility", "seen", "customer_portal_visibility"),
    f"PATCH {LEVELS}/{{id}}": _update(LEVELS, "customer_portal_visibility", "seen", is_default=True),
    f"POST {UNITS}": _creation(UNITS, "type", "colour"),
    f"PATCH {UNITS}/{{id}}": _update(UNITS, "ratio_denominator", "0", ratio_numerator="24.0"),
    f"POST {USERS}": _creation(USERS, "email", "nobody"),
    f"POST {KEYS}": _creation(KEYS, "role_id", to_id("rl", uuid_of("rl_1")), "expires_at"),
    f"POST {KEYS}/{{id}}/actions/rotate": _rotate,
    f"DELETE {KEYS}/{{id}}": _revoke,
}
for _place in (GROUPS, ADDRESSES, PAYMENT_TERMS, SHIPPING_TERMS, CARRIERS, LEVELS, UNITS):
    RECIPES[f"DELETE {_place}/{{id}}"] = _removal(_place)

AugnoDoor.recipes = RECIPES
