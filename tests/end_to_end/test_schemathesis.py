"""The served OpenAPI documents against the server that serves them: whatever they allow, they say what comes back."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from uuid import uuid4

import pytest

from customerhub.core import admin
from customerhub.dialects.base import find_dialects
from tests.cli.support import Serving
from tests.end_to_end.recipes import PASSWORD
from tests.support.soak import sized
from tests.support.world import World, address_body, contact_body

PROGRAM = Path(sys.executable).with_name("schemathesis")

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

[parameters]
"path.id" = {{ dictionary = "customers", probability = 0.8 }}
"path.customer_id" = {{ dictionary = "customers", probability = 0.8 }}
"path.address_id" = {{ dictionary = "addresses", probability = 0.8 }}
"path.contact_id" = {{ dictionary = "contacts", probability = 0.8 }}
"header.If-Match" = {{ dictionary = "tags", probability = 0.8 }}
"header.Idempotency-Key" = {{ dictionary = "keys", probability = 0.8 }}
"body.assigned_sales_rep_ids[*]" = {{ dictionary = "reps", probability = 0.9 }}
"body.assigned_price_list_id" = {{ dictionary = "price_lists", probability = 0.9 }}
"body.default_billing_address_id" = {{ dictionary = "addresses", probability = 0.8 }}
"body.default_shipping_address_id" = {{ dictionary = "addresses", probability = 0.8 }}
"body.primary_contact_id" = {{ dictionary = "contacts", probability = 0.8 }}
"body.addresses[*].id" = {{ dictionary = "addresses", probability = 0.9 }}
"body.contacts[*].id" = {{ dictionary = "contacts", probability = 0.9 }}

[[operations]]
include-path-regex = "/price-lists/"
parameters = {{ "path.id" = {{ dictionary = "price_lists", probability = 0.8 }} }}

[[operations]]
include-path = "/auth/token"
parameters = {{ "body.email" = {{ dictionary = "emails", probability = 0.7 }}, "body.password" = {{ dictionary = "passwords", probability = 0.7 }} }}
"""  # noqa: E501 - an inline table of TOML is one line


async def furnish(world: World) -> dict[str, list[str]]:
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
        "tags": ["*", *(f'"{version}"' for version in range(1, 10))],
        "keys": [str(uuid4()) for _ in range(1000)],
        "emails": [email],
        "passwords": [PASSWORD],
    }


@pytest.mark.soak
@pytest.mark.parametrize("dialect", [dialect.name for dialect in find_dialects()])
async def test_the_document_says_all_that_can_come_back(
    dialect: str, live: Serving, world: World, tmp_path: Path
) -> None:
    """Requests made from the document, right ones and wrong ones, get no 5xx and nothing that it does not describe."""
    written = CONFIGURATION.format(examples=sized(6, 200), deterministic=sized("true", "false"))
    for name, values in (await furnish(world)).items():
        written += f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
    (tmp_path / "schemathesis.toml").write_text(written, encoding="utf-8")
    before = len(live.log())
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--config-file", "schemathesis.toml", "run", f"{live.url}/{dialect}/openapi.json"),
        *("--header", f"X-API-Key: {world.api_key}", "--checks", ",".join(CHECKS)),
        *("--continue-on-failure", "--no-color", "--warnings", "off", *sized(("--seed", "1"), ())),
        cwd=tmp_path,
        stdout=PIPE,
        stderr=STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    statuses = [line["status"] for line in live.log()[before:] if line["event"] == "request"]
    assert {status for status in statuses if status >= 500} == set()
    assert {200, 201, 204, 400, 401, 404} <= set(statuses)
