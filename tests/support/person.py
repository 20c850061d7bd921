"""A person who was written through every door, and where anything of them stands."""

import subprocess
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg

from customerhub.embedded import Cluster
from customerhub.store.db import Connection
from customerhub.store.personal import ERASED
from tests.support.augno import Account
from tests.support.count import Partner
from tests.support.hub import CUSTOMERS, Desk
from tests.support.world import Json, World

# Whatever can hold text, and how it is looked through.
TEXTS = """
select c.table_name::text, c.column_name::text, c.data_type
from information_schema.columns c
join pg_class t on t.relname = c.table_name and t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
where c.table_schema = 'public' and not t.relispartition
    and c.data_type not in (
        'uuid', 'bigint', 'integer', 'smallint', 'numeric', 'boolean', 'timestamp with time zone', 'date'
    )
    and not (c.data_type = 'ARRAY' and c.udt_name = '_uuid')
order by c.table_name, c.ordinal_position
"""
SAMPLES = """
select tablename || '.' || attname from pg_stats
where schemaname = 'public' and concat_ws(' ', most_common_vals::text, histogram_bounds::text) ~* $1
"""


@dataclass
class Person:
    """Somebody with values that nobody else has: each has the mark in it."""

    mark: str = field(default_factory=lambda: uuid4().hex[:8])

    @property
    def email(self) -> str:
        """An address; its case was typed so."""
        return f"Zelda.{self.mark}@nowhere.example"

    @property
    def values(self) -> tuple[str, ...]:
        """What must be found nowhere: every value has the mark in it."""
        return (self.mark, self.mark.upper())

    def body(self) -> Json:
        """Everything that the canonical form can say of them."""
        mark = self.mark
        return {
            "name": f"Zelda Øyen {mark}",
            "number": f"Z-{mark}",
            "display_name": f"Zelda {mark}",
            "reference_id": f"ERP-{mark}",
            "first_name": f"Zelda {mark}",
            "last_name": f"Øyen {mark}",
            "email": self.email,
            "phone": f"+1-503-{mark}",
            "website": f"https://{mark}.example/",
            "note": f'Says "{mark}" when it rings, often.',
            "payment_mode": f"Card {mark}",
            "carrier_billing_account": f"W-{mark}",
            "tax_number": f"NO {mark}",
            "addresses": [self._address("billing"), self._address("shipping")],
            "contacts": [{"first_name": f"Ada {mark}", "email": f"ada.{mark}@nowhere.example", "designation": mark}],
            "attributes": {"Allergy": f"Nuts {mark}"},
        }

    def _address(self, kind: str) -> Json:
        mark = self.mark
        return {
            "type": kind,
            "reference_id": f"{kind}-{mark}",
            "name": f"Home {mark}",
            "line1": f"Storgata {mark}",
            "city": f"City {mark}",
            "postal_code": mark[:8],
            "phone": f"+47{mark}",
            "attributes": {"Dock": f"Left {mark}"},
        }


async def live_through(person: Person, desk: Desk, world: World, partner: Partner, account: Account) -> Json:
    """Write the person through all four dialects, with all that comes to a record in its life; the last envelope."""
    mark, key = person.mark, {"idempotency-key": f"make {person.email}"}
    crm = {"referer": f"https://crm.example/?q=Zelda%20%C3%98yen%20{mark}"}
    refused = await world.api.post("/v1/customers", json={"company_name": f"Zelda Øyen {mark}", "email": mark})
    assert refused.status_code == 400
    tried = await desk.api.post(CUSTOMERS, json=person.body(), headers={"customerhub-dry-run": "true"})
    assert tried.status_code == 201
    made = (await desk.api.post(CUSTOMERS, json=person.body(), headers=key)).json()["customer"]
    path = f"/v1/customers/{made['id']}"
    answer = await world.api.patch(path, json={"last_name": f"Former {mark}"}, headers={"idempotency-key": "plain"})
    assert answer.status_code == 201, answer.text
    for body in ({"email": f"{mark} is no address"}, {"last_name": f"Later {mark}"}):
        await world.api.patch(path, json=body, headers={"idempotency-key": f"{next(iter(body))} of {person.email}"})
    await world.api.get(f"/v1/customers/{person.email}", params={"email": person.email})
    await partner.put(made["id"], mainPhone=f"+44 {mark}", notes=f"Rings {mark} twice.")
    await partner.api.put(f"/partners/customers/{made['id']}", json={"customer": f"Zelda {mark}", "email": f"@{mark}"})
    erp = await find_erp_id(account, mark)
    sent = {**ADDRESS, "name": f"Cabin {mark}", "street_line_1": f"Fjellveien {mark}"}
    free = await account.api.post("/v1/sales/addresses", json=sent, headers={"idempotency-key": "cabin"})
    assert free.status_code == 201, free.text
    cabin = free.json()["id"]
    await account.api.patch(f"/v1/sales/addresses/{cabin}", json={"locality": f"Valley {mark}"}, headers=key)
    await account.patch(erp, ship_to_address_id=cabin)
    broken = await account.api.patch(f"/v1/sales/customers/{erp}", json={"url": mark, "email": f"no {mark}"})
    assert broken.status_code == 400, broken.text
    await account.api.get("/v1/sales/customers", params={"q": f"Zelda Øyen {mark}"}, headers=crm)
    await account.api.get(f"/v1/sales/customers/{person.email}")
    twin = await world.create(company_name=f"Z. Øyen {mark}", email=f"old.{mark}@nowhere.example")
    merged = await desk.api.post(
        f"{CUSTOMERS}/{made['id']}/merge", json={"sources": [twin["id"]]}, headers={"idempotency-key": "merge"}
    )
    assert merged.status_code == 200, merged.text
    await world.api.get("/v1/customers")
    envelope: Json = merged.json()
    return envelope


ADDRESS: Json = {
    "name": "Cabin",
    "is_drop_ship": False,
    "street_line_1": "Fjellveien 1",
    "locality": "Ål",
    "state": "Viken",
    "postal_code": "3570",
    "country": "NO",
}


async def find_erp_id(account: Account, mark: str) -> str:
    """The id that the ERP's API has for the person."""
    found = await account.api.get("/v1/sales/customers", params={"q": mark})
    assert found.status_code == 200, found.text
    [row] = found.json()["data"]
    return str(row["id"])


async def find_columns(connection: Connection) -> list[tuple[str, str, str]]:
    """Every column of every table that can hold text, with its type."""
    return [(row[0], row[1], row[2]) for row in await connection.fetch(TEXTS)]


async def find_everywhere(connection: Connection, words: tuple[str, ...]) -> set[tuple[str, str]]:
    """The columns in which any of the words stands, in any case, as text or in bytes."""
    found: set[tuple[str, str]] = set()
    for table, column, kind in await find_columns(connection):
        text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
        statement = f"select exists (select from {table} where {text} ~* $1)"  # noqa: S608 - names from the schema
        if await connection.fetchval(statement, "|".join(words)):
            found.add((table, column))
    return found


async def find_samples(connection: asyncpg.Connection, words: tuple[str, ...]) -> list[str]:
    """The columns of whose values the planner keeps samples with any of the words."""
    return [row[0] for row in await connection.fetch(SAMPLES, "|".join(words))]


def dump(cluster: Cluster, url: str) -> str:
    """All that PostgreSQL's own program says of a database."""
    command = [str(cluster.binary_directory / "pg_dump"), "--no-owner", url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def erased_columns() -> set[tuple[str, str]]:
    """All columns that an erasure gets at."""
    return {(table, column) for table, columns in ERASED.items() for column in columns}
