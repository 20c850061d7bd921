"""For every write route of the hub's own API a request that changes something, and others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID

import httpx
from typing_extensions import override

from customerhub.core import admin
from customerhub.core.access import OPERATOR
from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.end_to_end import recipes_administration, recipes_files, recipes_sinks
from tests.end_to_end.answers import to_dotted
from tests.end_to_end.door import Door, Failure, Failures, Furniture, Sent, stranger_to
from tests.end_to_end.recipes import Recipe, Route
from tests.support.hub import CUSTOMERS, DIALECT, Desk, Json, make_desk, make_key

LIFE = timedelta(days=1)
UNKNOWN = (401, "unauthenticated")
NAMED = b"Authorization"
CUSTOMER = f"{CUSTOMERS}/{{id}}"
VIEW = f"{CUSTOMER}/views/{{dialect}}"
BATCH = f"{CUSTOMERS}:batch"
OPERATION = "operations[0]"
# Parts of the paths that name a sink, and an import.
SINK = "/sinks/"
IMPORT = "/imports/"
# Routes whose answers hold what is shown once.
SECRETS: frozenset[str] = recipes_administration.SECRETS | recipes_sinks.SECRETS
# Routes that know a deleted customer.
KNOWS_DELETED: frozenset[str] = frozenset(
    (f"GET {CUSTOMER}/history", f"POST {CUSTOMER}/restore", f"POST {CUSTOMER}/erase")
)


def to_auth(key: str) -> httpx.Auth:
    """Shows an API key."""
    return Sent((NAMED, b"Bearer " + key.encode()))


@dataclass
class HubDoor(Door):
    """A furnished team; records are made with the desk's own key, whatever the door's is."""

    desk: Desk
    credential: Json

    failures = Failures(
        malformed=(400, "malformed"),
        invalid=(422, "invalid"),
        header=(400, "header"),
        media_type=(415, "media-type"),
        too_large=(413, "too-large"),
        nowhere=((404, "not-found"),),
        gone=(410, "key-gone"),
        stale=(412, "stale"),
        mismatch=(422, "key-reused"),
        needs_tag=(428, "precondition-required"),
    )
    ends: ClassVar[dict[str, Failure]] = {"credential": UNKNOWN}
    expired = UNKNOWN
    unknown_member: ClassVar[Failure | None] = (422, "invalid")
    tags_what_is_gone = True

    @classmethod
    @override
    @asynccontextmanager
    async def open(cls, hub: Hub, site: Site) -> AsyncIterator[Self]:
        hub.carriers = recipes_sinks.CARRIERS
        async with make_desk(hub, site, scopes=(OPERATOR,)) as desk, stranger_to(site) as api:
            yield cls(hub, desk.team, api, to_auth(desk.api_key), desk, desk.credential)

    @override
    async def furnish(self, template: str = "") -> Furniture:
        """A customer with everything in it, and what administration is about, at version 1 all of them.

        Views are in this dialect's own words.
        """
        records: dict[str, str] = {}
        for part, make in recipes_administration.MAKERS.items():
            if not template or part in template:
                records[part] = await make(self.desk)
        shared: dict[str, str] = {}
        if not template or SINK in template:
            records[SINK] = await recipes_sinks.make_sink(self.desk)
            shared["delivery"] = await recipes_sinks.make_delivery(self.desk, records[SINK])
        if not template or IMPORT in template:
            records[IMPORT] = await recipes_files.make_import(self.desk)
        if not template or not records:
            records[""] = (await self.desk.create(self.desk.full_body()))["id"]
        return Furniture(records, dict.fromkeys(records, '"1"'), shared, words={"dialect": DIALECT})

    @override
    def refuses(self, answer: httpx.Response, path: str) -> bool:
        """An operation's own fault fails it alone."""
        if not path.startswith(OPERATION):
            return super().refuses(answer, path)
        (result,) = answer.json()["results"]
        told = [to_dotted(error["pointer"]) for error in result["error"]["errors"]]
        return (answer.status_code, result["status"]) == (200, 422) and path in told

    @override
    def gives_secrets(self, route: Route) -> bool:
        return str(route) in SECRETS

    @override
    async def another(self, *, requires_precondition: bool = False) -> Self:
        credential = await make_key(
            self.hub, self.team, requires_precondition=requires_precondition, scopes=(OPERATOR,)
        )
        async with self.hub.database.lease() as connection:
            await connection.execute(
                "update credential set expires_at = $3 where team = $1 and id = $2",
                self.team.id,
                UUID(credential["id"]),
                self.hub.now() + LIFE,
            )
        return replace(self, auth=to_auth(credential["api_key"]), credential=credential)

    @override
    async def end(self, how: str) -> None:
        await admin.revoke_credential(self.hub, UUID(self.credential["id"]))

    @override
    async def expire(self) -> None:
        now = self.hub.now
        self.hub.now = lambda: now() + LIFE

    @override
    def strangers(self, *, is_public: bool) -> list[tuple[httpx.Auth, Failure]]:
        """No key, an empty, an unknown, a doubled one, one without its scheme and one in the wrong header."""
        key = str(self.credential["api_key"]).encode()
        sent: list[list[tuple[bytes, bytes]]] = [
            [],
            [(NAMED, b"Bearer ")],
            [(NAMED, b"Bearer hub_unknown")],
            [(NAMED, b"Bearer " + key[:-1])],
            [(NAMED, b"Bearer " + key + b"\xe9")],
            [(NAMED, key)],
            [(NAMED, b"Basic " + key)],
            [(NAMED, b"Bearer " + key), (NAMED, b"Bearer " + key)],
            [(b"X-API-Key", key)],
        ]
        return [] if is_public else [(Sent(*lines), UNKNOWN) for lines in sent]


Cook = Callable[[HubDoor], Awaitable[Recipe]]


async def _create_customer(door: HubDoor) -> Recipe:
    body = door.desk.full_body()
    return Recipe(
        path=CUSTOMERS,
        body=body,
        other=body | {"name": "Another"},
        wrong=body | {"email": "nobody"},
        wrong_field="email",
        starts={"credit_limit": body["credit_limit"]},
    )


def to_changes(door: HubDoor) -> Json:
    """Members that a furnished customer has otherwise."""
    return {
        "phone": "+1-503-555-0100",
        "note": None,
        "payment_term": door.desk.payment_terms[1],
        "price_groups": {"remove": door.desk.pricing_groups[:1]},
        "addresses": {"mode": "merge", "by": "reference_id", "items": [{"reference_id": "HQ", "city": "Narvik"}]},
        "attributes": {"Region": "Finnmark"},
    }


def _update(template: str) -> Cook:
    """A list-aware patch, of the customer itself or of its view here."""

    async def cook(door: HubDoor) -> Recipe:
        found = await door.furnish()
        body = to_changes(door)
        return Recipe(
            path=found.fill(template),
            tag=found.tag(template),
            body=body,
            other=body | {"phone": None},
            wrong=body | {"email": "nobody"},
            wrong_field="email",
        )

    return cook


async def _delete(door: HubDoor) -> Recipe:
    found = await door.furnish()
    return Recipe(path=found.fill(CUSTOMER), tag=found.tag(CUSTOMER), is_final=True)


async def _revert(door: HubDoor) -> Recipe:
    """Back to the first of two versions."""
    found = await door.furnish()
    changed = await door.desk.api.patch(found.fill(CUSTOMER), json=to_changes(door))
    body = {"version": 1, "paths": ["/note", "/addresses"]}
    return Recipe(
        path=found.fill(f"{CUSTOMER}/revert"),
        tag=changed.headers["etag"],
        body=body,
        other={"version": 1},
        wrong=body | {"version": 0},
        wrong_field="version",
    )


async def _restore(door: HubDoor) -> Recipe:
    """Of a deleted customer; there is none afterwards."""
    found = await door.furnish()
    deleted = await door.desk.api.delete(found.fill(CUSTOMER))
    return Recipe(path=found.fill(f"{CUSTOMER}/restore"), tag=deleted.headers["etag"], is_final=True)


async def _erase(door: HubDoor) -> Recipe:
    """What is left keeps its tag, and erasing it once more says so."""
    found = await door.furnish()
    body = {"confirm": found.ids(CUSTOMER)["id"], "reason": "ticket 1841"}
    return Recipe(
        path=found.fill(f"{CUSTOMER}/erase"),
        tag=found.tag(CUSTOMER),
        body=body,
        other=body | {"reason": None},
        wrong=body | {"confirm": "somebody else"},
        wrong_field="confirm",
        nullable=frozenset(("reason",)),
    )


async def _change_many(door: HubDoor) -> Recipe:
    """A creation and a change, whose customer's version is told."""
    found = await door.furnish()
    operations = [
        {"op": "create", "patch": door.desk.full_body()},
        {"op": "update", "id": found.records[""], "if_match": 1, "patch": to_changes(door)},
    ]
    return Recipe(
        path=BATCH,
        body={"operations": operations},
        other={"operations": operations[:1]},
        wrong={"operations": []},
        wrong_field="operations",
        starts={"operations": {"op": "create"}},
    )


def _at_desk(make: recipes_administration.Make) -> Cook:
    """A recipe that needs nothing of the door but its team."""

    async def cook(door: HubDoor) -> Recipe:
        return await make(door.desk)

    return cook


async def _merge(door: HubDoor) -> Recipe:
    """One of two others goes into it."""
    found = await door.furnish()
    one, two = [await door.desk.create() for _ in range(2)]
    body = {"sources": [one["id"]], "survivorship": {"number": one["id"]}}
    return Recipe(
        path=found.fill(f"{CUSTOMER}/merge"),
        tag=found.tag(CUSTOMER),
        body=body,
        other={"sources": [two["id"]]},
        wrong=body | {"sources": ["nobody"]},
        wrong_field="sources[0]",
    )


async def _unmerge(door: HubDoor) -> Recipe:
    """The last of two merges is taken back, or the first."""
    found = await door.furnish()
    sources = [await door.desk.create(name="Source") for _ in range(2)]
    merged = [
        await door.desk.api.post(found.fill(f"{CUSTOMER}/merge"), json={"sources": [one["id"]]}) for one in sources
    ]
    body = {"version": 3, "prefer": "current"}
    return Recipe(
        path=found.fill(f"{CUSTOMER}/unmerge"),
        tag=merged[-1].headers["etag"],
        body=body,
        other={"version": 2},
        wrong=body | {"version": 0},
        wrong_field="version",
    )


RECIPES: dict[str, Cook] = {
    f"POST {CUSTOMERS}": _create_customer,
    f"PATCH {CUSTOMER}": _update(CUSTOMER),
    f"DELETE {CUSTOMER}": _delete,
    f"PATCH {VIEW}": _update(VIEW),
    f"POST {CUSTOMER}/revert": _revert,
    f"POST {CUSTOMER}/restore": _restore,
    f"POST {CUSTOMER}/merge": _merge,
    f"POST {CUSTOMER}/unmerge": _unmerge,
    f"POST {BATCH}": _change_many,
    f"POST {CUSTOMER}/erase": _erase,
}

_AT_DESK = {**recipes_administration.RECIPES, **recipes_sinks.RECIPES, **recipes_files.RECIPES}
HubDoor.recipes = RECIPES | {name: _at_desk(make) for name, make in _AT_DESK.items()}
