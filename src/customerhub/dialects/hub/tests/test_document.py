"""The dialect's OpenAPI document, and that its answers are what it says."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from customerhub.dialects.hub import dialect
from customerhub.dialects.hub.patches import MEDIA_TYPES
from customerhub.web.openapi import to_openapi
from tests.support.hub import CUSTOMERS, JSON_PATCH, LIST_AWARE, MERGE_PATCH, Desk, Json, make_desk

DOCUMENT: Any = to_openapi(dialect)
COMPONENTS = {"schemas": DOCUMENT["components"]["schemas"]}
ITEM = f"{CUSTOMERS}/{{id}}"


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


def check(schema: Json, value: object) -> None:
    """The value fits the schema, with no member that it does not have."""
    OAS31Validator({**to_strict(schema), "components": to_strict(COMPONENTS)}).validate(value)


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.0.3, every route needs the key, and each form of a patch has its own schema."""
    OpenAPIV30SpecValidator(DOCUMENT).validate()
    assert DOCUMENT["paths"][CUSTOMERS]["get"]["security"] == [{"ApiKey": []}]
    content = DOCUMENT["paths"][ITEM]["patch"]["requestBody"]["content"]
    assert list(content) == list(MEDIA_TYPES)
    assert content[JSON_PATCH]["schema"]["type"] == "array"
    assert content[MERGE_PATCH]["schema"] != content[LIST_AWARE]["schema"]


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_the_examples_fit(media_type: str) -> None:
    """Each form's example is one of that form."""
    described = DOCUMENT["paths"][ITEM]["patch"]["requestBody"]["content"][media_type]
    check(described["schema"], described["example"])


async def test_the_example_of_a_creation_is_taken(desk: Desk) -> None:
    """As it stands in the document."""
    described = DOCUMENT["paths"][CUSTOMERS]["post"]["requestBody"]["content"]["application/json"]
    check(described["schema"], described["example"])
    made = await desk.create(described["example"])
    assert made["bill_to"] == made["addresses"][0]["id"]


async def test_answers_fit_the_document(desk: Desk) -> None:
    """Successes and failures of each kind, with no member that is not documented."""
    customer = await desk.create(desk.full_body())
    check(DOCUMENT["components"]["schemas"]["Customer"], customer)
    at = f"{CUSTOMERS}/{customer['id']}"
    stale = {"If-Match": '"1"'}
    async with make_desk(desk.hub, desk.api._transport.app, desk.team, scopes=("read",)) as reader:  # type: ignore[attr-defined]
        calls: list[tuple[Any, str, str, str, Any, dict[str, str]]] = [
            (desk, "get", CUSTOMERS, CUSTOMERS, None, {}),
            (desk, "get", CUSTOMERS, f"{CUSTOMERS}?x=1", None, {}),
            (desk, "post", CUSTOMERS, CUSTOMERS, desk.full_body(), {}),
            (desk, "post", CUSTOMERS, CUSTOMERS, {"email": "x"}, {}),
            (desk, "post", CUSTOMERS, CUSTOMERS, {"name": "x", "email": customer["email"]}, {}),
            (reader, "post", CUSTOMERS, CUSTOMERS, {"name": "x"}, {}),
            (desk, "get", ITEM, at, None, {}),
            (desk, "get", ITEM, f"{at}?as_of=x", None, {}),
            (desk, "get", ITEM, f"{CUSTOMERS}/x", None, {}),
            (desk, "patch", ITEM, at, {"note": "x"}, {}),
            (desk, "patch", ITEM, at, {"note": "y"}, stale),
            (desk, "patch", ITEM, at, [], {}),
            (desk, "get", f"{ITEM}/views/{{dialect}}", f"{at}/views/count", None, {}),
            (desk, "patch", f"{ITEM}/views/{{dialect}}", f"{at}/views/count", {"notes": "z"}, {}),
            (desk, "get", f"{ITEM}/history", f"{at}/history", None, {}),
            (desk, "post", f"{ITEM}/revert", f"{at}/revert", {"version": 1}, {}),
            (desk, "delete", ITEM, at, None, {}),
            (desk, "post", f"{ITEM}/restore", f"{at}/restore", None, {}),
            (desk, "get", "/hub/v1/changes", "/hub/v1/changes", None, {}),
        ]
        for who, method, path, place, body, headers in calls:
            answer = await who.api.request(method, place, json=body, headers=headers)
            response = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
            if "$ref" in response:
                response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
            check(response["content"][answer.headers["content-type"]]["schema"], answer.json())
