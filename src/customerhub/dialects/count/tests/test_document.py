"""The dialect's OpenAPI document, and that its answers are what it says."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from customerhub.dialects.count import dialect
from customerhub.web.openapi import to_openapi
from tests.support.count import Partner

DOCUMENT: Any = to_openapi(dialect)


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.0.3, and every data request needs all four headers together."""
    OpenAPIV30SpecValidator(DOCUMENT).validate()
    listing = DOCUMENT["paths"]["/partners/customers"]["get"]
    assert listing["security"] == [{"ClientId": [], "Timestamp": [], "Signature": [], "AccessToken": []}]


def check_answer(path: str, method: str, status: int, body: object) -> None:
    """The body fits the schema that the document has for it."""
    response = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {**to_strict(response["content"]["application/json"]["schema"]), "components": to_strict(COMPONENTS)}
    OAS31Validator(schema).validate(body)


COMPONENTS = {"schemas": DOCUMENT["components"]["schemas"]}


def to_strict(schema: Any) -> Any:
    """A schema in JSON Schema's own words: null as a type, and no other members than those told."""
    if isinstance(schema, list):
        return [to_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: to_strict(part) for name, part in schema.items() if name != "nullable"}
    if "properties" in schema and "additionalProperties" not in schema:
        strict["additionalProperties"] = False
    return {"anyOf": [{"type": "null"}, strict]} if schema.get("nullable") is True else strict


async def test_answers_fit_the_document(partner: Partner) -> None:
    """Successes and failures of each kind, with no member that is not documented."""
    made = await partner.create(partner.full_body())
    path = f"/partners/customers/{made['uuid']}"
    row = {"uuid": made["uuid"], "status": "inactive", "x": 1}
    webhook = {"event": "customer.created", "callbackUrl": "https://crm.example/"}
    calls: list[tuple[str, str, str, Any]] = [
        ("get", "/partners/customers", "/partners/customers", None),
        ("get", "/partners/customers", "/partners/customers?page=0", None),
        ("post", "/partners/customers", "/partners/customers", partner.full_body()),
        ("post", "/partners/customers", "/partners/customers", {"email": "x"}),
        ("post", "/partners/customers", "/partners/customers", partner.customer_body(email=made["email"])),
        ("get", "/partners/customers/{uuid}", path, None),
        ("get", "/partners/customers/{uuid}", "/partners/customers/x", None),
        ("put", "/partners/customers/{uuid}", path, made),
        ("post", "/partners/customers/bulk", "/partners/customers/bulk", {"customers": [partner.full_body(), {}]}),
        ("patch", "/partners/customers/bulk", "/partners/customers/bulk", {"customers": [row, 1]}),
        ("post", "/partners/webhooks", "/partners/webhooks", webhook),
        ("get", "/partners/webhooks", "/partners/webhooks", None),
        ("delete", "/partners/customers/{uuid}", path, None),
        ("delete", "/partners/customers/{uuid}", path, None),
    ]
    for method, template, url, body in calls:
        answer = await partner.api.request(method.upper(), url, json=body)
        check_answer(template, method, answer.status_code, answer.json())


async def test_answers_of_a_search_by_email_fit(partner: Partner) -> None:
    """Found, not found and not asked properly."""
    made = await partner.create()
    template = "/partners/customers/find-by-email"
    for email, status in ((made["email"], 200), ("no@a.example", 404), ("x", 400)):
        answer = await partner.api.get(template, params={"email": email})
        assert answer.status_code == status
        check_answer(template, "get", status, answer.json())


@pytest.mark.parametrize("method", ["createCustomers", "updateCustomers"])
def test_bulk_rows_are_documented(method: str) -> None:
    """The rows' own schema is in the document, although each row is checked on its own."""
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    (found,) = (operation for operation in operations if operation["operationId"] == method)
    schema = found["requestBody"]["content"]["application/json"]["schema"]
    assert "$ref" in schema
