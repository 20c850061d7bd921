"""The served OpenAPI documents against the server that serves them: whatever they allow, they say what comes back."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from customerhub.core import admin
from tests.cli.support import Serving
from tests.end_to_end.door import Door
from tests.end_to_end.doors import DIALECTS
from tests.end_to_end.recipes import PASSWORD, ROUTES, Route
from tests.end_to_end.recipes_augno import AugnoDoor
from tests.end_to_end.recipes_count import CountDoor, make_code
from tests.end_to_end.recipes_hub import HubDoor
from tests.end_to_end.recipes_wizcommerce import WizCommerceDoor
from tests.support.count import SECRET_VARIABLE, TO_BE_SIGNED
from tests.support.soak import sized
from tests.support.world import World, address_body, contact_body

PROGRAM = Path(sys.executable).with_name("schemathesis")
ROOT = Path(__file__).parents[2]
TAGS = ["*", *(f'"{version}"' for version in range(1, 10))]
# The phase left out makes thousands of requests, for which there is time only where all is tried.
PHASES: tuple[str, ...] = sized(("--phases", "examples,fuzzing,stateful"), ())
# One route of each dialect, by which the test finds its door.
FIRST = [*{route.dialect.name: route for route in ROUTES}.values()]

# Left out: that what the document allows is accepted (it cannot say every rule: a tag that matches, a key that is new,
# an id that is there), that what was deleted is gone (it turns inactive and stays readable) and that what was created
# is there (a dry run answers as if it were).
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)

CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 410, 412, 413, 422, 428, 429]

[generation]
max-examples = {examples}
deterministic = {deterministic}
database = "none"
"""

WIZCOMMERCE = """
[parameters]
"path.id" = { dictionary = "customers", probability = 0.8 }
"path.customer_id" = { dictionary = "customers", probability = 0.8 }
"path.address_id" = { dictionary = "addresses", probability = 0.8 }
"path.contact_id" = { dictionary = "contacts", probability = 0.8 }
"header.If-Match" = { dictionary = "tags", probability = 0.8 }
"header.Idempotency-Key" = { dictionary = "keys", probability = 0.8 }
"body.assigned_sales_rep_ids[*]" = { dictionary = "reps", probability = 0.9 }
"body.assigned_price_list_id" = { dictionary = "price_lists", probability = 0.9 }
"body.default_billing_address_id" = { dictionary = "addresses", probability = 0.8 }
"body.default_shipping_address_id" = { dictionary = "addresses", probability = 0.8 }
"body.primary_contact_id" = { dictionary = "contacts", probability = 0.8 }
"body.addresses[*].id" = { dictionary = "addresses", probability = 0.9 }
"body.contacts[*].id" = { dictionary = "contacts", probability = 0.9 }

[[operations]]
include-path-regex = "/price-lists/"
parameters = { "path.id" = { dictionary = "price_lists", probability = 0.8 } }

[[operations]]
include-path = "/auth/token"
parameters = { "body.email" = { dictionary = "emails", probability = 0.7 }, "body.password" = { dictionary = "passwords", probability = 0.7 } }
"""  # noqa: E501 - an inline table of TOML is one line


COUNT = """
[parameters]
"path.uuid" = { dictionary = "customers", probability = 0.8 }
"query.email" = { dictionary = "emails", probability = 0.6 }
"header.If-Match" = { dictionary = "tags", probability = 0.8 }
"header.Idempotency-Key" = { dictionary = "keys", probability = 0.8 }
"body.customers[*].uuid" = { dictionary = "customers", probability = 0.9 }
"body.code" = { dictionary = "codes", probability = 0.9 }
"body.refreshToken" = { dictionary = "refresh_tokens", probability = 0.9 }

[[operations]]
include-path-regex = "/webhooks/"
parameters = { "path.uuid" = { dictionary = "webhooks", probability = 0.8 } }

# A batch is accepted though each of its rows was refused.
[[operations]]
include-path-regex = "/bulk$"
checks.negative_data_rejection.expected-statuses = [201, 400, 401, 403, 405, 410, 412, 413, 422, 428, 429]
"""

AUGNO = """
[parameters]
"path.id" = {{ dictionary = "customers", probability = 0.8 }}
"path.carrier_id" = {{ dictionary = "carriers", probability = 0.8 }}
"header.If-Match" = {{ dictionary = "tags", probability = 0.8 }}
"header.Idempotency-Key" = {{ dictionary = "keys", probability = 0.8 }}
"body.default_carrier_id" = {{ dictionary = "carriers", probability = 0.9 }}
"body.default_service_level_id" = {{ dictionary = "levels", probability = 0.9 }}
"body.default_payment_term_id" = {{ dictionary = "payment_terms", probability = 0.9 }}
"body.default_shipping_term_id" = {{ dictionary = "shipping_terms", probability = 0.9 }}
"body.default_sales_rep_user_id" = {{ dictionary = "reps", probability = 0.9 }}
"body.bill_to_address_id" = {{ dictionary = "addresses", probability = 0.9 }}
"body.ship_to_address_id" = {{ dictionary = "addresses", probability = 0.9 }}
"body.customer_price_group_ids[*]" = {{ dictionary = "pricing_groups", probability = 0.9 }}
"body.customer_type_group_id" = {{ dictionary = "type_groups", probability = 0.9 }}
"body.credit_limit.unit_id" = {{ dictionary = "units", probability = 0.9 }}
"body.flat_rate.unit_id" = {{ dictionary = "units", probability = 0.9 }}
"body.minimum_order_value.unit_id" = {{ dictionary = "units", probability = 0.9 }}
"body.free_shipping_service_level_ids[*]" = {{ dictionary = "levels", probability = 0.9 }}
"body.source_customer_ids[*]" = {{ dictionary = "customers", probability = 0.9 }}
"body.role_id" = {{ dictionary = "roles", probability = 0.9 }}
{places}
"""
HUB = """
[parameters]
"path.id" = {{ dictionary = "customers", probability = 0.8 }}
"path.dialect" = {{ dictionary = "dialects", probability = 0.8 }}
"query.wait" = {{ dictionary = "waits", probability = 1.0 }}
"query.after" = {{ dictionary = "positions", probability = 0.5 }}
"header.If-Match" = {{ dictionary = "tags", probability = 0.8 }}
"header.Idempotency-Key" = {{ dictionary = "keys", probability = 0.8 }}
{members}

# What comes with every team is refused for that, whatever is asked of it.
[[operations]]
include-path-regex = "/roles/"
checks.negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 428, 429]

# A batch is answered though each of its operations was refused.
[[operations]]
include-path-regex = ":batch$"
checks.negative_data_rejection.expected-statuses = [200, 400, 401, 403, 405, 410, 412, 413, 422, 428, 429]
"""
PLACE = """
[[operations]]
include-path-regex = "{place}/"
parameters = {{ "path.id" = {{ dictionary = "{name}", probability = 0.8 }} }}
"""
Values = dict[str, list[str]]


@dataclass
class Run:
    """How a dialect is tried: settings, values by the dictionary's name, options, environment, and what must come."""

    settings: str
    values: Values
    options: tuple[str, ...]
    environment: dict[str, str]
    statuses: set[int]


async def prepare_wizcommerce(door: WizCommerceDoor) -> Run:
    """With the header that shows the key."""
    header = ("--header", f"X-API-Key: {door.key}")
    return Run(WIZCOMMERCE, await furnish(door.world), header, {}, {200, 201, 204, 400, 401, 404})


async def prepare_count(door: CountDoor) -> Run:
    """With hooks that sign; codes and refresh tokens are each of a consent of its own."""
    customers = [await door.partner.create() for _ in range(5)]
    webhook = (await door.furnish()).records["/webhooks/"]
    refresh_tokens = []
    for _ in range(5):
        body = {"grantType": "authorization_code", "code": await make_code(door)}
        granted = await door.partner.api.post("/partners/grant-access-token", json=body)
        refresh_tokens.append(granted.json()["data"]["result"]["refreshToken"])
    values = {
        "customers": [customer["uuid"] for customer in customers],
        "emails": [customer["email"] for customer in customers],
        "webhooks": [webhook],
        "tags": TAGS,
        "keys": [str(uuid4()) for _ in range(1000)],
        "codes": [await make_code(door) for _ in range(5)],
        "refresh_tokens": refresh_tokens,
    }
    headers = {
        "x-client-id": door.credential["client_id"],
        "x-timestamp": TO_BE_SIGNED,
        "x-signature": TO_BE_SIGNED,
        "Authorization": f"Bearer {door.credential['access_token']}",
    }
    options = tuple(word for name, value in headers.items() for word in ("--header", f"{name}: {value}"))
    environment = {
        "SCHEMATHESIS_HOOKS": "tests.support.signing_hooks",
        "PYTHONPATH": str(ROOT),
        SECRET_VARIABLE: door.credential["client_secret"],
    }
    return Run(COUNT, values, options, environment, {200, 201, 400, 401, 404})


async def prepare_augno(door: AugnoDoor) -> Run:
    """With the header that shows the key, and a few of each kind that paths and bodies name."""
    account = door.account
    found = [await door.furnish() for _ in range(3)]
    places = {part.strip("/").replace("-", "_"): part for part in found[0].records}
    values = {name: [one.records[part] for one in found] for name, part in places.items()}
    customers = [await account.get(customer) for customer in values["customers"]]
    values |= {
        "addresses": [*values["addresses"], *(customer["bill_to_address"]["id"] for customer in customers)],
        "levels": account.service_levels,
        "pricing_groups": account.pricing_groups,
        "type_groups": account.type_groups,
        "reps": account.reps,
        "units": [account.unit],
        "tags": TAGS,
        "keys": [str(uuid4()) for _ in range(1000)],
    }
    tables = "".join(PLACE.format(place=part.rstrip("/"), name=name) for name, part in places.items())
    header = ("--header", f"Authorization: Bearer {account.api_key}")
    environment = {"SCHEMATHESIS_HOOKS": "tests.support.empty_hooks", "PYTHONPATH": str(ROOT)}
    return Run(AUGNO.format(places=tables), values, header, environment, {200, 201, 400, 401, 404})


async def prepare_hub(door: HubDoor) -> Run:
    """With the header that shows the key, and the team's own ids in the places of references."""
    desk = door.desk
    customers = [await desk.create(desk.full_body()) for _ in range(3)]
    references = {
        "payment_term": desk.payment_terms,
        "shipping_term": desk.shipping_terms,
        "carrier": desk.carriers,
        "service_level": desk.service_levels,
        "sales_reps[*]": desk.reps,
        "default_sales_rep": desk.reps,
        "price_list": desk.price_lists,
        "price_groups[*]": desk.pricing_groups,
        "type_group": desk.type_groups,
        "parent": [customers[0]["id"]],
        "credit_limit.unit": [desk.unit],
        "sources[*]": [customer["id"] for customer in customers],
    }
    names = {member: "".join(filter(str.isalpha, member)) for member in references}
    values = {names[member]: ids for member, ids in references.items()} | {
        "customers": [customer["id"] for customer in customers],
        "dialects": sorted(DIALECTS),
        "waits": ["0"],
        "positions": ["0", "1", "2"],
        "tags": TAGS,
        "keys": [str(uuid4()) for _ in range(1000)],
    }
    members = "\n".join(
        f'"body.{member}" = {{ dictionary = "{name}", probability = 0.9 }}' for member, name in names.items()
    )
    options = ("--header", f"Authorization: Bearer {desk.api_key}")
    environment = {"SCHEMATHESIS_HOOKS": "tests.support.empty_hooks", "PYTHONPATH": str(ROOT)}
    return Run(HUB.format(members=members), values, options, environment, {200, 201, 400, 401, 404, 422})


async def furnish(world: World) -> Values:
    """Real values for parameters and members that only real ones get past, by name."""
    email = f"{uuid4().hex}@supplier.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(email, "Ola", "Nordmann", PASSWORD))
    customer = await world.create(
        addresses=[address_body(type=("billing", "shipping")[number % 2]) for number in range(20)],
        contacts=[contact_body() for _ in range(20)],
    )
    return {
        "customers": [customer["id"]],
        "addresses": [address["id"] for address in customer["addresses"]],
        "contacts": [contact["id"] for contact in customer["contacts"]],
        "reps": world.reps,
        "price_lists": world.price_lists,
        "tags": TAGS,
        "keys": [str(uuid4()) for _ in range(1000)],
        "emails": [email],
        "passwords": [PASSWORD],
    }


async def prepare(door: Door) -> Run:
    """What the door's dialect needs."""
    if isinstance(door, WizCommerceDoor):
        return await prepare_wizcommerce(door)
    if isinstance(door, AugnoDoor):
        return await prepare_augno(door)
    if isinstance(door, HubDoor):
        return await prepare_hub(door)
    assert isinstance(door, CountDoor)
    return await prepare_count(door)


@pytest.mark.soak
@pytest.mark.parametrize("route", FIRST, ids=lambda route: route.dialect.name)
async def test_the_document_says_all_that_can_come_back(
    route: Route, live: Serving, door: Door, tmp_path: Path
) -> None:
    """Requests made from the document, right ones and wrong ones, get no 5xx and nothing that it does not describe."""
    run = await prepare(door)
    written = CONFIGURATION.format(examples=sized(4, 200), deterministic=sized("true", "false")) + run.settings
    for name, values in run.values.items():
        written += f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
    (tmp_path / "schemathesis.toml").write_text(written, encoding="utf-8")
    before = len(live.log())
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--config-file", "schemathesis.toml", "run", f"{live.url}/{route.dialect.name}/openapi.json"),
        *(*run.options, *PHASES, "--checks", ",".join(CHECKS)),
        *("--continue-on-failure", "--no-color", "--warnings", "off", *sized(("--seed", "1"), ())),
        cwd=tmp_path,
        env={**os.environ, **run.environment},
        stdout=PIPE,
        stderr=STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    statuses = [line["status"] for line in live.log()[before:] if line["event"] == "request"]
    assert {status for status in statuses if status >= 500} == set()
    assert run.statuses <= set(statuses)
