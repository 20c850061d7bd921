"""The history: who changed what, when, through which door and under which request; and no secret in it or elsewhere."""

import secrets
from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.core import admin
from customerhub.model.customer import Customer
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from tests.support.replay import check_whole
from tests.support.world import DIALECT, Json, World, address_body, contact_body

ROWS = "select * from change where team = $1 and customer = $2 order by version"
CREDENTIALS = "select id, name from credential where team = $1"
AUDIT = "select kind, action, actor_name, dialect, changes from audit where team = $1 and subject = $2 order by version"


async def history(world: World, customer_id: str) -> list[Json]:
    """Every change row of a customer, its documents decoded."""
    async with world.hub.database.lease() as connection:
        rows = await connection.fetch(ROWS, world.team.id, UUID(customer_id))
    return [
        dict(row)
        | {name: row[name] and msgspec.json.decode(row[name]) for name in ("changes", "ignored")}
        | {"customer": str(row["customer"])}
        for row in rows
    ]


async def newest(world: World, customer_id: str) -> Json:
    """The last change row of a customer."""
    return (await history(world, customer_id))[-1]


def edit(path: str, old: object = None, new: object = None) -> Json:
    """One change of one field as it is stored: a side that is nothing is left out."""
    sides = {"old": old, "new": new}
    return {"path": path} | {side: value for side, value in sides.items() if value is not None}


async def test_a_change_names_who_when_and_through_what(world: World) -> None:
    """A row holds the credential by name and id, its actor, the dialect, the time of the version and the request."""
    customer = await world.create()
    answer = await world.api.patch(f"/v1/customers/{customer['id']}", json={"phone": "+4722334455"})
    row = await newest(world, customer["id"])
    async with world.hub.database.lease() as connection:
        ((credential, name),) = await connection.fetch(CREDENTIALS, world.team.id)
        stored = await connection.fetchrow(
            "select updated_at, updated_by from customer where team = $1 and id = $2",
            world.team.id,
            UUID(customer["id"]),
        )
    assert row == {
        "team": world.team.id,
        "customer": customer["id"],
        "version": 2,
        "at": stored["updated_at"],
        "action": "updated",
        "actor": credential,
        "actor_name": name,
        "credential": credential,
        "dialect": DIALECT,
        "request_id": answer.headers["request-id"],
        "changes": [edit("/phone", new="+4722334455")],
        "ignored": None,
    }
    assert (name, stored["updated_by"]) == ("test key", credential)


async def test_a_person_behind_a_credential_is_the_actor(world: World) -> None:
    """A credential that belongs to a member writes in the member's name, and the history still shows its own."""
    user = await admin.create_user(world.hub, world.team, admin.NewUser("ola@nordlys.example", "Ola", "Nordmann"))
    made = await admin.create_credential(
        world.hub, world.team, dialect=DIALECT, name="Ola's laptop", prefix="api_prod_", team_user=user.id
    )
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    await world.api.patch(path, json={"phone": "+4722334455"}, headers={"X-API-Key": made[1]})
    row = await newest(world, customer["id"])
    assert (row["actor"], row["actor_name"], row["credential"]) == (user.id, "Ola's laptop", made[0].id)


async def test_the_first_change_holds_the_whole_record(world: World) -> None:
    """Version 1 has one change of path "": the record as it was stored, every field of it."""
    made = await world.create(world.full_body())
    row = await newest(world, made["id"])
    (whole,) = row["changes"]
    assert (row["version"], row["action"], set(whole), whole["path"]) == (1, "created", {"path", "new"}, "")
    async with world.hub.database.lease() as connection:
        stored = await connection.fetchrow(
            f"select {', '.join(Customer.__struct_fields__)} from customer where team = $1 and id = $2",  # noqa: S608 - names of columns
            world.team.id,
            UUID(made["id"]),
        )
    assert msgspec.convert(whole["new"], Customer, strict=False) == to_customer(stored)
    assert set(whole["new"]) == set(Customer.__struct_fields__)


async def test_each_change_holds_old_and_new(world: World) -> None:
    """A row names exactly what differs, list entries by id and custom values by name; what stayed equal is left out."""
    made = await world.create(
        world.customer_body(
            first_name="Ingrid",
            phone="+4722334455",
            addresses=[address_body(attributes=[{"name": "Dock/west~1", "value": "3"}])],
            contacts=[contact_body(is_default=True)],
            attributes=[{"name": "Region", "value": "Nordics"}],
        )
    )
    (address,), (contact,) = made["addresses"], made["contacts"]
    body = {
        "company_name": "Nordlys AS",
        "first_name": "Ingrid",
        "phone": "",
        "assigned_sales_rep_ids": [world.reps[1]],
        "addresses": [
            {"id": address["id"], "city": "Bergen", "attributes": [{"name": "Dock/west~1", "value": "4"}]},
        ],
        "contacts": [{"id": contact["id"], "is_default": False, "designation": "Buyer"}],
        "attributes": [{"name": "Region", "value": "Nordics"}],
    }
    assert (await world.api.patch(f"/v1/customers/{made['id']}", json=body)).status_code == 201
    changes = (await newest(world, made["id"]))["changes"]
    place = f"/addresses/{address['id']}"
    assert sorted(changes, key=lambda change: str(change["path"])) == [
        edit(f"{place}/attributes/Dock~1west~01/value", "3", "4"),
        edit(f"{place}/city", "Oslo", "Bergen"),
        edit(f"/contacts/{contact['id']}/designation", new="Buyer"),
        edit("/default_sales_rep", world.reps[0], world.reps[1]),
        edit("/name", made["name"], "Nordlys AS"),
        edit("/phone", "+4722334455"),
        edit("/primary_contact", contact["id"]),
        edit("/sales_reps", [world.reps[0]], [world.reps[1]]),
    ]


async def test_what_is_added_and_removed_stands_whole(world: World) -> None:
    """A new address is in the history as it was stored, and a removed one as it was before."""
    made = await world.create()
    path = f"/v1/customers/{made['id']}/addresses"
    first, second = [
        (await world.api.post(path, json=address_body(is_default=True))).json()["data"]["id"] for _ in range(2)
    ]
    added = await newest(world, made["id"])
    (entry,) = (change for change in added["changes"] if change["path"] == f"/addresses/{second}")
    assert set(entry) == {"path", "new"}
    assert edit("/bill_to", first, second) in added["changes"]
    assert (await world.api.delete(f"{path}/{second}")).status_code == 204
    removed = await newest(world, made["id"])
    assert removed["changes"] == [edit("/bill_to", second, first), edit(f"/addresses/{second}", old=entry["new"])]


async def test_a_record_that_is_put_away_says_so(world: World) -> None:
    """Deactivating is a change like any other; doing it twice is one."""
    made = await world.create()
    for _ in range(2):
        assert (await world.api.delete(f"/v1/customers/{made['id']}")).status_code == 204
    assert [row["changes"] for row in (await history(world, made["id"]))[1:]] == [
        [edit("/status", "active", "inactive")]
    ]


async def test_ignored_members_are_remembered(world: World) -> None:
    """What a request held and the contract ignores stands beside the change, as in the answer's header."""
    made = await world.create()
    body = {"phone": "+4722334455", "name": "Other", "nonsense": 1, "addresses": []}
    answer = await world.api.patch(f"/v1/customers/{made['id']}", json=body)
    row = await newest(world, made["id"])
    assert answer.headers["customerhub-ignored"] == "name, nonsense"
    assert row["ignored"] == ["name", "nonsense"]
    assert row["changes"] == [edit("/phone", new="+4722334455")]


async def test_the_history_replays_to_the_record(world: World) -> None:
    """Every kind of change in turn: the history alone leads to the very row, to the microsecond."""
    made = await world.create(world.full_body())
    path = f"/v1/customers/{made['id']}"
    address, other, contact = made["addresses"][0]["id"], made["addresses"][2]["id"], made["contacts"][1]["id"]
    requests: list[tuple[str, str, Json | None]] = [
        ("PATCH", path, {"addresses": [{"id": address, "type": "shipping", "is_default": True, "state": ""}]}),
        ("PATCH", path, {"attributes": [{"name": "Region", "value": "Benelux"}, {"name": "a/b", "value": ""}]}),
        ("PATCH", path, {"payment_term": "", "shipping_method": "UPS", "display_name": made["name"], "email": ""}),
        ("PATCH", path, {"contacts": [{"id": contact, "attributes": [{"name": "Mood", "value": "fine"}]}]}),
        ("PATCH", path, {"assigned_sales_rep_ids": world.reps[::-1], "assigned_price_list_id": world.price_lists[1]}),
        ("PUT", f"{path}/addresses/{address}", address_body(type="shipping", address_line_2="Gate 4")),
        ("PUT", f"{path}/contacts/{contact}", contact_body(designation="Buyer")),
        ("POST", f"{path}/contacts", contact_body(is_default=True)),
        ("POST", f"{path}/addresses", address_body(attributes=[{"name": "Dock", "value": "9"}])),
        ("DELETE", f"{path}/addresses/{other}", None),
        ("DELETE", f"{path}/contacts/{contact}", None),
        ("DELETE", path, None),
    ]
    for method, place, body in requests:
        answer = await world.api.request(method, place, json=body)
        assert answer.status_code in (201, 204), answer.text
    assert await world.versions(made["id"]) == list(range(1, len(requests) + 2))
    async with world.hub.database.lease() as connection:
        await check_whole(connection, world.team.id)


@pytest.mark.parametrize("spoiled", ["version", "old", "new", "gap"])
async def test_a_history_that_does_not_lead_to_the_record_is_noticed(world: World, spoiled: str) -> None:
    """The check that these tests and the crash tests make finds a single wrong row."""
    made = await world.create()
    for phone in ("+4722334455", "+4722334456", "+4722334457"):
        await world.api.patch(f"/v1/customers/{made['id']}", json={"phone": phone})
    wrong = {
        "version": "update customer set version = version + 1 where team = $1",
        "old": """update change set changes = jsonb_set(changes, '{0,old}', '"x"') where team = $1 and version = 3""",
        "new": """update change set changes = jsonb_set(changes, '{0,new}', '"x"') where team = $1 and version = 4""",
        "gap": "delete from change where team = $1 and version = 2",
    }
    async with world.hub.database.lease() as connection:
        await connection.execute(wrong[spoiled], world.team.id)
        with pytest.raises(AssertionError):
            await check_whole(connection, world.team.id)


async def test_changes_of_the_rest_have_audit_rows(world: World) -> None:
    """A price list, a credential and a setting leave rows with actor, door and values, too."""
    price_list = UUID(world.price_lists[0])
    await world.api.patch(f"/v1/price-lists/{price_list}", json={"name": "Retail"})
    credential = await admin.create_credential(world.hub, world.team, dialect=DIALECT, name="spare", prefix="x_")
    await admin.revoke_credential(world.hub, credential[0].id)
    await admin.change_settings(world.hub, world.team, {"relaxed_create": True})
    async with world.hub.database.lease() as connection:
        rows: dict[object, list[tuple[Any, ...]]] = {
            subject: [
                (*row[:4], msgspec.json.decode(row[4])) for row in await connection.fetch(AUDIT, world.team.id, subject)
            ]
            for subject in (price_list, credential[0].id, world.team.id)
        }
    created, updated = rows[price_list]
    assert created[:4] == ("price_list", "created", "test key", DIALECT)
    assert updated == (
        *("price_list", "updated", "test key", DIALECT),
        [edit("/name", "Wholesale EU", "Retail")],
    )
    by_hand = ("command line", "command-line")
    assert rows[credential[0].id] == [
        ("credential", "created", *by_hand, [edit("/name", new="spare"), edit("/dialect", new=DIALECT)]),
        ("credential", "revoked", *by_hand, []),
    ]
    assert ("settings", "updated", *by_hand, [edit("/relaxed_create", old=False, new=True)]) in rows[world.team.id]


async def everything(connection: Connection) -> str:
    """Every value of every table as text, bytes in hexadecimal digits."""
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return "\n".join(
        [
            str(await connection.fetchval(f"select string_agg(t::text, e'\\n') from {table} t"))  # noqa: S608 - names from pg_tables
            for (table,) in tables
        ]
    )


async def test_no_table_holds_a_secret(world: World) -> None:
    """Neither an API key nor a password stands anywhere in the database, in clear or inside kept bytes."""
    password = secrets.token_urlsafe()
    new = admin.NewUser(f"{secrets.token_hex(8)}@nordlys.example", "Ola", "Nordmann", password=password)
    await admin.create_user(world.hub, world.team, new)
    sign_in = {"email": new.email, "password": password}
    token = await world.api.post("/auth/token", json=sign_in, headers={"Idempotency-Key": "token"})
    assert token.status_code == 200
    access = token.json()["access_token"]
    headers = {"X-API-Key": access, "Idempotency-Key": "first"}
    body = world.customer_body()
    assert (await world.api.post("/v1/customers", json=body, headers=headers)).status_code == 201
    wrong = await world.api.post("/auth/token", json=sign_in | {"password": f"{password}!"})
    assert wrong.status_code == 401
    made = await admin.create_credential(world.hub, world.team, dialect=DIALECT, name="spare", prefix="api_prod_")
    async with world.hub.database.lease() as connection:
        dump = await everything(connection)
    assert body["reference_id"].encode().hex() in dump
    assert body["reference_id"] in dump
    for secret in (world.api_key, access, made[1], password):
        assert secret not in dump
        assert secret.removeprefix("api_prod_") not in dump
        assert secret.removeprefix("api_prod_").encode().hex() not in dump
