"""Whole answers, byte for member, as golden files keep them; and the members that the contract documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from customerhub.core import admin
from customerhub.core.admin import NewUser
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from tests.support.golden import Tale
from tests.support.world import Json, World, make_key

STAMPS = {"created_at", "updated_at"}
MADE = {"created_by", "updated_by"}
ROW = STAMPS | {"id", "reference_id", "display_id", "name", "display_name", "first_name", "last_name", "phone", "email"}
ROW |= {"status", "freight_term", "shipping_method", "payment_mode", "payment_term"}
NESTED = {"assigned_sales_reps", "assigned_price_list", "addresses", "contacts", "attributes"}
ADDRESS = STAMPS | {"id", "customer_id", "reference_id", "address_line_1", "address_line_2", "city", "state", "country"}
ADDRESS |= {"zip_code", "first_name", "last_name", "phone", "email", "type", "status", "is_default", "attributes"}
CONTACT = STAMPS | {"id", "reference_id", "first_name", "last_name", "email", "phone", "designation", "status"}
CONTACT |= {"is_default", "attributes"}
REP = STAMPS | MADE | {"id", "email", "first_name", "last_name", "phone", "department", "status"}
PRICE_LIST = STAMPS | {"id", "name", "status", "reference_id", "description"}
VALUE = STAMPS | MADE | {"id", "name", "value"}
DEFINITION = STAMPS | {"id", "name", "entity", "data_type", "options"}
PAGINATION = {"total_records", "total_pages", "current_page", "next_page", "prev_page", "page_size"}
# Which members a record has, by what it is found under in the golden files.
DOCUMENTED: dict[str, list[set[str]]] = {
    "customer": [ROW | NESTED, ROW | NESTED - {"assigned_price_list"}],
    "assigned_sales_reps": [REP],
    "assigned_price_list": [PRICE_LIST],
    "addresses": [ADDRESS, ADDRESS - {"status"}],
    "contacts": [CONTACT],
    "attributes": [VALUE],
    "customers": [ROW],
    "contact rows": [CONTACT - {"attributes"}],
    "price list": [PRICE_LIST | {"currency"}],
    "definition": [DEFINITION],
    "rep": [REP],
}


@pytest.fixture
def tale(timed: World) -> Tale:
    """A tale in which the furniture of the team has names."""
    names = {timed.reps[0]: "<Priya>", timed.reps[1]: "<Ravi>", str(timed.team.id): "<team>"}
    return Tale(names | {timed.price_lists[0]: "<Wholesale EU>", timed.price_lists[1]: "<Wholesale US>"})


async def ask(world: World, tale: Tale, method: str, path: str, sent: Json | None = None, **headers: str) -> Any:
    """Send a request and tell it; returns the answer's body."""
    options: dict[str, Any] = {"json": sent} if sent is not None else {}
    answer = await world.api.request(method, path, headers=headers, **options)
    return tale.tell(method, path, sent, answer)


def order(world: World) -> Json:
    """A body with every member that a creation takes, the same in every run."""
    return world.full_body() | {
        "reference_id": "ERP-20417",
        "display_id": "N-20417",
        "company_name": "Nordlys Interior AS",
        "email": "innkjop@nordlys.example",
        "addresses": [
            address("A-1", is_default=True, attributes=[{"name": "Dock", "value": "3"}]),
            address("A-2", type="shipping", city="Bergen", is_default=True, phone="+4755010203"),
            address("A-3", city="Tromsø"),
        ],
        "contacts": [
            contact("C-1", is_default=True, attributes=[{"name": "Language", "value": "nb"}]),
            contact("C-2", first_name="Lars", designation="Accounts"),
        ],
    }


def address(reference_id: str, **members: object) -> Json:
    """A body that creates an address, the same in every run."""
    return {"reference_id": reference_id, "address_line_1": "Storgata 8", "city": "Oslo", "type": "billing"} | members


def contact(reference_id: str, **members: object) -> Json:
    """A body that creates a contact, the same in every run."""
    return {"reference_id": reference_id, "first_name": "Ingrid", "email": "ingrid@nordlys.example"} | members


async def test_create_customer(timed: World, tale: Tale, golden: Path) -> None:
    """A customer with every member, one with the fewest, and the first one read back."""
    made = await ask(timed, tale, "POST", "/v1/customers", order(timed))
    least = {"reference_id": "ERP-2", "display_name": "Fjordglass", "assigned_sales_rep_ids": [timed.reps[1]]}
    await ask(timed, tale, "POST", "/v1/customers", {**least, "assigned_price_list_id": timed.price_lists[1]})
    found = await ask(timed, tale, "GET", f"/v1/customers/{made['data']['id']}")
    assert found == made
    tale.check(golden / "create_customer.json")


async def test_update_customer(timed: World, tale: Tale, golden: Path, clock: Clock) -> None:
    """A PATCH of members at the top, of a nested record and of a custom value; again; and one that says nothing."""
    made = (await timed.api.post("/v1/customers", json=order(timed))).json()["data"]
    path = f"/v1/customers/{made['id']}"
    clock.forward(days=1)
    sent: Json = {
        "payment_term": "net30",
        "default_billing_address_id": made["addresses"][2]["id"],
        "contacts": [{"id": made["contacts"][0]["id"], "designation": "Head of Purchasing"}],
        "attributes": [{"name": "Region", "value": "Benelux"}, {"name": "Tier", "value": "2"}],
        "companyName": "ignored",
    }
    first = await ask(timed, tale, "PATCH", path, sent)
    clock.forward(days=1)
    assert await ask(timed, tale, "PATCH", path, sent) == first
    assert (await timed.api.patch(path, json={})).json() == first
    tale.check(golden / "update_customer.json")


async def test_list_customers(timed: World, tale: Tale, golden: Path, clock: Clock) -> None:
    """Pages from the first to past the last."""
    for number in range(3):
        clock.forward(minutes=1)
        await timed.create({**order(timed), "reference_id": f"ERP-{number}", "display_id": f"N-{number}", "email": ""})
    for page in (1, 2, 3):
        await ask(timed, tale, "GET", f"/v1/customers?page={page}&page_size=2&sort_by=created_at&sort=asc")
    tale.check(golden / "list_customers.json")


async def test_delete_customer(timed: World, tale: Tale, golden: Path, clock: Clock) -> None:
    """Deleted twice, it is readable and listed as inactive, and was changed once."""
    made = await timed.create(order(timed))
    for method in ("DELETE", "DELETE", "GET"):
        clock.forward(hours=1)
        await ask(timed, tale, method, f"/v1/customers/{made['id']}")
    for query in ("", "?status=inactive"):
        await ask(timed, tale, "GET", f"/v1/customers{query}")
    tale.check(golden / "delete_customer.json")


@pytest.mark.parametrize("member", ["addresses", "contacts"])
async def test_nested_records(timed: World, tale: Tale, golden: Path, clock: Clock, member: str) -> None:
    """An address or contact made, read, replaced, listed and removed at its own endpoints."""
    customer = await timed.create(order(timed))
    make = address if member == "addresses" else contact
    path = f"/v1/customers/{customer['id']}/{member}"
    clock.forward(days=1)
    made = await ask(timed, tale, "POST", path, make("X-4", is_default=True, phone="+4755010203"))
    if member == "addresses":
        await ask(timed, tale, "POST", path.replace("v1", "v2"), make("X-5", type="shipping"))
    own = f"{path}/{made['data']['id']}"
    await ask(timed, tale, "GET", own)
    clock.forward(days=1)
    await ask(timed, tale, "PUT", own, make("X-4b", attributes=[{"name": "Gate", "value": "2"}]))
    await ask(timed, tale, "GET", f"{path}?page_size=2")
    for method in ("DELETE", "GET", "DELETE"):
        await ask(timed, tale, method, own)
    await ask(timed, tale, "GET", f"{path}?sort=asc&sort_by=created_at")
    tale.check(golden / f"{member}.json")


async def test_catalogue(timed: World, tale: Tale, golden: Path, clock: Clock) -> None:
    """Sales reps, price lists and custom field definitions."""
    await ask(timed, tale, "GET", "/v1/sales-reps?sort_by=first_name&sort=asc")
    clock.forward(days=1)
    sent = {"reference_id": "PL-1", "name": "Nordics", "description": "Kroner", "is_default": True, "priority": 1}
    made = await ask(timed, tale, "POST", "/v1/price-lists", sent)
    path = f"/v1/price-lists/{made['data']['id']}"
    clock.forward(days=1)
    await ask(timed, tale, "PATCH", path, {"priority": 2, "description": "", "reference_id": "PL-2"})
    await ask(timed, tale, "GET", path)
    await ask(timed, tale, "GET", "/v1/price-lists?sort_by=name&sort=asc&page_size=2")
    for method in ("DELETE", "GET"):
        await ask(timed, tale, method, path)
    await ask(timed, tale, "POST", "/v1/attributes", {"entity": "contact", "name": "Born", "data_type": "date_only"})
    options = [{"label": "The North", "value": "N"}, {"label": "The South", "value": "S"}]
    region: Json = {"entity": "customer", "name": "Region", "data_type": "select", "priority": 1}
    await ask(timed, tale, "POST", "/v1/attributes", {**region, "configuration": {"options": options}})
    await ask(timed, tale, "GET", "/v1/attributes")
    tale.check(golden / "catalogue.json")


async def test_create_token(timed: World, tale: Tale, golden: Path) -> None:
    """Signing in: a key for a year, not wrapped in `data`; a wrong password is as an unknown login."""
    email = f"ola@{timed.team.id.hex}.example"
    await admin.create_user(timed.hub, timed.team, NewUser(email, "Ola", "Nordmann", "correct horse battery"))
    await ask(timed, tale, "POST", "/auth/token", {"email": email, "password": "correct horse battery"})
    await ask(timed, tale, "POST", "/auth/token", {"email": email, "password": "wrong"})
    await ask(timed, tale, "POST", "/auth/token", {"email": "nobody@nordlys.example", "password": "wrong"})
    await ask(timed, tale, "POST", "/auth/token", {"email": email})
    tale.check(golden / "create_token.json")


async def test_failures(timed: World, tale: Tale, golden: Path) -> None:
    """Every failure that a client can bring about in one process, in the one shape."""
    customer = await timed.create(order(timed))
    path = f"/v1/customers/{customer['id']}"
    nested = [{"id": customer["addresses"][1]["id"]}, {"id": customer["addresses"][0]["id"], "phone": "22 33 44 55"}]
    await ask(timed, tale, "PATCH", path, {"phone": "1", "addresses": nested, "assigned_sales_rep_ids": ["x"]})
    await ask(timed, tale, "POST", "/v1/customers", {"company_name": "Nordlys"})
    await ask(timed, tale, "GET", "/v1/customers?page=0&sort=up&created_after=yesterday")
    await ask(timed, tale, "GET", "/v1/customers/7b0c1e52-93d4-4b7e-8c7f-5a1d2e3f4a60")
    await ask(timed, tale, "GET", "/v1/nothing")
    await ask(timed, tale, "PUT", path, {})
    await ask(timed, tale, "GET", path, None, **{"X-API-Key": "wrong"})
    await ask(timed, tale, "PATCH", path, {"phone": "+12"}, **{"If-Match": '"7"'})
    await ask(timed, tale, "PATCH", path, {"phone": "+12"}, **{"Idempotency-Key": "k"})
    await ask(timed, tale, "PATCH", path, {"phone": "+13"}, **{"Idempotency-Key": "k"})
    await ask(timed, tale, "PATCH", path, {"phone": "+12"}, **{"Customerhub-Dry-Run": "maybe"})
    careful = await make_key(timed.hub, timed.team, requires_precondition=True)
    await ask(timed, tale, "PATCH", path, {"phone": "+12"}, **{"X-API-Key": careful})
    tale.check(golden / "failures.json")


def records(kind: str, value: Any) -> list[tuple[str, set[str]]]:
    """Every record in an answer with what it is and the members it has, those inside it too."""
    found: list[tuple[str, set[str]]] = []
    for item in value if isinstance(value, list) else [value]:
        found.append((kind, set(item)))
        for member in NESTED & set(item):
            found += records(member, item[member])
    return found


KINDS = {
    "create_customer": "customer",
    "update_customer": "customer",
    "delete_customer": "customer",
    "list_customers": "customers",
    "addresses": "addresses",
    "contacts": "contacts",
}


def test_answers_have_exactly_the_documented_members(golden: Path) -> None:
    """Every record in every golden answer, at every depth, has the members of the contract and no other."""
    strange: list[object] = []
    for name, kind in KINDS.items():
        for step in json.loads((golden / f"{name}.json").read_text("utf-8")):
            if step["body"] is None or step["status"] >= 400:
                continue
            shown, is_page = step["body"]["data"], "pagination" in step["body"]
            assert set(step["body"]) == ({"data", "pagination"} if is_page else {"data"})
            assert not is_page or set(step["body"]["pagination"]) == PAGINATION
            rows = {"customer": "customers", "contacts": "contact rows"}
            for found, members in records(rows.get(kind, kind) if is_page else kind, shown):
                if members not in DOCUMENTED[found]:
                    strange.append((step["request"], found, members))
    assert strange == []


def test_answers_of_the_catalogue_have_exactly_the_documented_members(golden: Path) -> None:
    """The same of sales reps, price lists, definitions and the token, which stands by itself."""
    kinds = {"sales-reps": "rep", "price-lists": "price list", "attributes": "definition"}
    for step in json.loads((golden / "catalogue.json").read_text("utf-8")):
        kind = next(kind for path, kind in kinds.items() if f"/v1/{path}" in step["request"])
        if step["body"] is not None:
            assert {frozenset(members) for _, members in records(kind, step["body"]["data"])} == {
                frozenset(DOCUMENTED[kind][0])
            }
    token = json.loads((golden / "create_token.json").read_text("utf-8"))[0]["body"]
    assert set(token) == {"token_id", "token_type", "expires_at", "user", "access_token"}
    assert set(token["user"]) == {"id", "email", "first_name", "last_name", "tenant_id"}


def test_failures_have_exactly_the_documented_members(golden: Path) -> None:
    """Code, message and details, in nothing else; each detail has field and reason."""
    for step in json.loads((golden / "failures.json").read_text("utf-8")):
        if step["status"] >= 400:
            assert set(step["body"]) == {"code", "message", "details"}
            assert all(set(detail) == {"field", "reason"} for detail in step["body"]["details"])
