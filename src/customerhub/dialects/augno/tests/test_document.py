"""The dialect's OpenAPI document, and that its answers are what it says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from customerhub.core.hub import Hub
from customerhub.dialects.augno import dialect
from customerhub.web.openapi import to_openapi
from customerhub.web.serve import Site
from tests.end_to_end.door import Door
from tests.end_to_end.recipes import Route, nobodys
from tests.end_to_end.recipes_augno import AugnoDoor
from tests.support.augno import INCLUDES

DOCUMENT: Any = to_openapi(dialect)
COMPONENTS = DOCUMENT["components"]
ROUTES = [Route(dialect, operation) for operation in dialect.operations]
each_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@pytest.fixture
async def door(hub: Hub, site: Site) -> AsyncIterator[AugnoDoor]:
    """A furnished team."""
    async with AugnoDoor.open(hub, site) as opened:
        yield opened


def operation_of(route: Route) -> Any:  # Any: decoded JSON
    """What the document says of a route."""
    return DOCUMENT["paths"][route.operation.path][route.operation.method.lower()]


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.0.3, and every request needs a bearer key."""
    OpenAPIV30SpecValidator(DOCUMENT).validate()
    (name,) = COMPONENTS["securitySchemes"]
    assert (COMPONENTS["securitySchemes"][name]["type"], COMPONENTS["securitySchemes"][name]["scheme"]) == (
        "http",
        "bearer",
    )
    assert all(operation_of(route)["security"] == [{name: []}] for route in ROUTES)


def test_every_value_of_include_is_documented() -> None:
    """All seventeen, in every answer that is a customer or a list of them."""
    routes = [route for route in ROUTES if route.operation.path.startswith("/v1/sales/customers")]
    told = {
        str(route): parameter["schema"]["items"]["enum"]
        for route in routes
        for parameter in operation_of(route).get("parameters", ())
        if parameter.get("name") == "include[]"
    }
    assert {name: sorted(values) for name, values in told.items()} == {
        str(route): sorted(INCLUDES) for route in routes if route.operation.method != "DELETE"
    }


def test_only_ten_members_of_an_update_may_be_null() -> None:
    """The contract's ten, and no other."""
    (route,) = (route for route in ROUTES if str(route) == "PATCH /v1/sales/customers/{id}")
    schema = operation_of(route)["requestBody"]["content"]["application/json"]["schema"]
    model = COMPONENTS["schemas"][schema["$ref"].rpartition("/")[2]]
    assert {name for name, member in model["properties"].items() if is_nullable(member)} == {
        *("note", "email", "phone", "url", "default_service_level_id", "default_sales_rep_user_id"),
        *("bill_to_address_id", "ship_to_address_id", "carrier_billing_account", "credit_limit"),
    }
    assert len(model["properties"]) == 23
    assert model.get("required", []) == []


def is_nullable(member: Any) -> bool:  # Any: a schema
    """Whether null fits a schema."""
    return bool(member.get("nullable"))


def check_answer(route: Route, status: int, body: object) -> None:
    """The body fits the schema that the document has for it."""
    response = operation_of(route)["responses"][str(status)]
    if "$ref" in response:
        response = COMPONENTS["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    OAS31Validator({**to_strict(schema), "components": {"schemas": to_strict(COMPONENTS["schemas"])}}).validate(body)


def to_strict(schema: Any) -> Any:  # Any: a schema
    """A schema in JSON Schema's own words: null as a type, and no other members than those told."""
    if isinstance(schema, list):
        return [to_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: to_strict(part) for name, part in schema.items() if name != "nullable"}
    if "properties" in schema and "additionalProperties" not in schema:
        strict["additionalProperties"] = False
    return {"anyOf": [{"type": "null"}, strict]} if schema.get("nullable") is True else strict


@each_route
async def test_answers_fit_the_document(route: Route, door: AugnoDoor) -> None:
    """Successes, with all their parts and without, and failures: no member that is not documented."""
    includes = allowed_includes(route)
    for query in dict.fromkeys(("", f"?include={','.join(includes)}" if includes else "")):
        await try_out(route, door, query)
    if "{" in route.operation.path:
        ids = (await door.furnish(route.operation.path)).ids(route.operation.path)
        path = route.operation.path.format_map({name: nobodys(found) for name, found in ids.items()})
        body = (await door.cook(route)).body if route.operation.writes else None
        nowhere = await door.send(route, path, body)
        assert nowhere.status_code == 404, nowhere.text
        check_answer(route, 404, nowhere.json())


async def try_out(route: Route, door: Door, query: str) -> None:
    """A request that is done and one that is refused."""
    if not route.operation.writes:
        furniture = await door.furnish(route.operation.path)
        answer = await door.send(route, furniture.fill(route.operation.path) + query, None)
        assert answer.status_code == 200, answer.text
        check_answer(route, 200, answer.json())
        return
    recipe = await door.cook(route)
    if recipe.wrong is not None:
        refused = await door.send(route, recipe.path + query, recipe.wrong)
        assert refused.status_code == 400
        check_answer(route, 400, refused.json())
    done = await door.send(route, recipe.path + query, recipe.body)
    assert done.status_code == route.operation.status, done.text
    check_answer(route, done.status_code, done.json())


def allowed_includes(route: Route) -> list[str]:
    """What the document says that can be asked for."""
    found = [one for one in operation_of(route).get("parameters", ()) if one.get("name") == "include[]"]
    values: list[str] = found[0]["schema"]["items"]["enum"] if found else []
    return values
