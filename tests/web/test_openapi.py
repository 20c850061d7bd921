"""The document of a dialect."""

from dataclasses import replace
from typing import Annotated, Any, Literal, NotRequired

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from pydantic import BaseModel, Field
from typing_extensions import TypedDict, override

from customerhub.model.answer import Answer
from customerhub.model.error import HubError
from customerhub.web.docs import to_document_pages
from customerhub.web.limit import Limits
from customerhub.web.openapi import to_openapi
from customerhub.web.operation import Operation
from customerhub.web.origin import Origin
from customerhub.web.serve import Site
from tests.web.fake import DOCUMENT, FakeDialect, FakeHub, show, to_client

# Decoded JSON, compared with exact values.
Json = Any


class Thing(BaseModel):
    id: str
    name: str | None = None


class ThingBody(TypedDict):
    name: NotRequired[Annotated[str, Field(max_length=255)]]


class ListQuery(BaseModel):
    page: Annotated[int, Field(ge=1, description="Which page.")] = 1
    status: Literal["active", "inactive"]
    reference_ids: Annotated[list[str], Field(json_schema_extra={"x-explode": False})] = []


OPERATIONS = (
    Operation(
        method="GET",
        path="/fake/things",
        name="list_things",
        summary="List things",
        handler=show,
        query=ListQuery,
        answer=list[Thing],
        tags=("things",),
    ),
    Operation(
        method="POST",
        path="/fake/things",
        name="create_thing",
        summary="Create a thing",
        handler=show,
        status=201,
        body=ThingBody,
        answer=Thing,
        writes=True,
        creates=True,
        errors=(409,),
    ),
    Operation(
        method="PATCH",
        path="/fake/things/{thing_id}",
        name="update_thing",
        summary="Update a thing",
        description="Only what is sent changes.",
        handler=show,
        status=201,
        body=ThingBody,
        answer=Thing,
        writes=True,
        examples={"body": {"name": "b"}, "answer": {"id": "1", "name": "b"}, "path.thing_id": "1"},
    ),
    Operation(
        method="DELETE",
        path="/fake/things/{thing_id}",
        name="delete_thing",
        summary="Delete a thing",
        handler=show,
        status=204,
        writes=True,
        takes_key=False,
    ),
    Operation(
        method="POST",
        path="/fake/token",
        name="create_token",
        summary="Sign in",
        handler=show,
        body=ThingBody,
        body_required=False,
        answer=Thing,
        is_public=True,
        examples={"first": {"name": "a"}, "second": {"name": "b"}},
    ),
)


@pytest.fixture
def document() -> Json:
    return msgspec.json.decode(msgspec.json.encode(to_openapi(FakeDialect(OPERATIONS))))


def parameters(operation: Json) -> list[str]:
    """Place and name of every parameter, or what it refers to."""
    return [parameter.get("$ref") or f"{parameter['in']} {parameter['name']}" for parameter in operation["parameters"]]


def test_the_document_is_valid(document: Json) -> None:
    """It is OpenAPI 3.0.3 by the specification's own schema."""
    OpenAPIV30SpecValidator(document).validate()
    assert document["openapi"] == "3.0.3"
    assert document["info"] == {"title": "Fake API", "version": "1", "description": "An API of nothing."}
    assert document["servers"] == [{"url": "/"}]
    assert document["tags"] == [{"name": "things"}]


def test_every_operation_is_in_it(document: Json) -> None:
    """The document has the route table's operations and no others."""
    found = {
        operation["operationId"]: f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert found == {operation.name: f"{operation.method} {operation.path}" for operation in OPERATIONS}


def test_a_write_shows_its_guards(document: Json) -> None:
    """Guards stand where they have an effect: no If-Match without a record, no key where the contract gives it none."""
    things, thing = document["paths"]["/fake/things"], document["paths"]["/fake/things/{thing_id}"]
    prefix = "#/components/parameters/"
    if_match, key, dry_run = f"{prefix}If-Match", f"{prefix}Idempotency-Key", f"{prefix}Customerhub-Dry-Run"
    assert parameters(things["get"]) == ["query page", "query status", "query reference_ids"]
    assert parameters(things["post"]) == [key, dry_run]
    assert parameters(thing["patch"]) == ["path thing_id", if_match, key, dry_run]
    assert parameters(thing["delete"]) == ["path thing_id", if_match, dry_run]
    assert parameters(document["paths"]["/fake/token"]["post"]) == []


def test_a_query_is_described_by_its_type(document: Json) -> None:
    """Each member is a parameter with its bounds, its default and its form."""
    assert document["paths"]["/fake/things"]["get"]["parameters"] == [
        {
            "name": "page",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
            "description": "Which page.",
        },
        {
            "name": "status",
            "in": "query",
            "schema": {"type": "string", "enum": ["active", "inactive"]},
            "required": True,
        },
        {
            "name": "reference_ids",
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string"}, "default": []},
            "explode": False,
        },
    ]


def test_bodies_and_answers_refer_to_shared_schemas(document: Json) -> None:
    """A type stands once; what only describes a query is no schema of its own."""
    patch = document["paths"]["/fake/things/{thing_id}"]["patch"]
    assert patch["requestBody"] == {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ThingBody"}, "example": {"name": "b"}}
        },
    }
    assert patch["responses"]["201"] == {
        "description": "Created",
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in ("Request-Id", "ETag", "Customerhub-Ignored", "Idempotent-Replayed")
        },
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Thing"},
                "example": {"id": "1", "name": "b"},
            }
        },
    }
    assert patch["description"] == "Only what is sent changes."
    assert patch["parameters"][0]["example"] == "1"
    assert sorted(document["components"]["schemas"]) == ["ErrorBody", "Thing", "ThingBody"]


def test_an_empty_answer_has_no_content(document: Json) -> None:
    """204 has headers and nothing else; without a key nothing is replayed."""
    assert document["paths"]["/fake/things/{thing_id}"]["delete"]["responses"]["204"] == {
        "description": "No Content",
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("Request-Id", "ETag", "Customerhub-Ignored")
        },
    }


def test_every_status_that_can_come_is_named(document: Json) -> None:
    """What the route names, what every route of the dialect can answer, and what happens before its handler."""
    statuses = {
        operation["operationId"]: " ".join(operation["responses"])
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert statuses == {
        "list_things": "200 400 401 403 429 500 503",
        "create_thing": "201 400 401 403 408 409 410 412 413 415 422 428 429 500 503",
        "update_thing": "201 400 401 403 404 408 410 412 413 415 422 428 429 500 503",
        "delete_thing": "204 400 401 403 404 408 412 413 415 428 429 500 503",
        "create_token": "200 400 401 408 413 415 429 500 503",
    }
    assert document["components"]["responses"]["Error429"] == {
        "description": "Too Many Requests",
        "headers": {
            "Request-Id": {"$ref": "#/components/headers/Request-Id"},
            "Retry-After": {"$ref": "#/components/headers/Retry-After"},
            "RateLimit-Limit": {"$ref": "#/components/headers/RateLimit-Limit"},
            "RateLimit-Remaining": {"$ref": "#/components/headers/RateLimit-Remaining"},
            "RateLimit-Reset": {"$ref": "#/components/headers/RateLimit-Reset"},
        },
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }


def test_the_permissions_of_an_operation_are_named() -> None:
    """For programs in a member of their own, for people in the description; where none are needed nothing is said."""
    needy = replace(OPERATIONS[0], permissions=("things:read", "owners:read"), description="All of them.")
    described = to_openapi(FakeDialect((needy, *OPERATIONS[1:])))["paths"]
    assert isinstance(described, dict)
    found = described[needy.path][needy.method.lower()]
    assert found["x-permissions"] == ["things:read", "owners:read"]
    assert found["description"] == "All of them.\n\nNeeds `things:read` and `owners:read`."
    others = [other for path in described.values() for other in path.values() if other is not found]
    assert len(others) == len(OPERATIONS) - 1
    assert not any("x-permissions" in other for other in others)


def test_security_stands_at_each_operation(document: Json) -> None:
    """A generator that reads only the operations builds a closed client, and a public route is open."""
    assert "security" not in document
    assert document["paths"]["/fake/things"]["get"]["security"] == [{"Key": []}]
    assert document["paths"]["/fake/token"]["post"]["security"] == []
    assert document["components"]["securitySchemes"] == {"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}}


def test_headers_of_one_credential_stand_together() -> None:
    """Where a credential is several headers, all are needed; other schemes are alternatives."""
    schemes = {
        "Id": {"type": "apiKey", "in": "header", "name": "X-Id"},
        "Signature": {"type": "apiKey", "in": "header", "name": "X-Signature"},
        "Bearer": {"type": "http", "scheme": "bearer"},
    }
    described = replace(DOCUMENT, security_schemes=schemes, credential_headers=("X-Id", "X-Signature"))
    document: Json = to_openapi(FakeDialect(OPERATIONS, document=described))
    assert document["paths"]["/fake/things"]["get"]["security"] == [{"Id": [], "Signature": []}, {"Bearer": []}]


def test_named_examples_are_all_shown(document: Json) -> None:
    """Several bodies are shown by their names."""
    body = document["paths"]["/fake/token"]["post"]["requestBody"]
    assert body["required"] is False
    assert body["content"]["application/json"]["examples"] == {
        "first": {"value": {"name": "a"}},
        "second": {"value": {"name": "b"}},
    }


def test_failures_have_the_type_that_the_dialect_gives_them() -> None:
    """A dialect whose failures are problem details is documented with these."""

    class Problems(FakeDialect):
        @override
        def to_answer(self, error: HubError, origin: Origin) -> Answer:
            return super().to_answer(error, origin).with_header("content-type", "application/problem+json")

    document: Json = to_openapi(Problems(OPERATIONS))
    assert {
        media_type for answer in document["components"]["responses"].values() for media_type in answer["content"]
    } == {"application/problem+json"}


def test_two_operations_of_one_name_are_refused() -> None:
    """Names are what generated clients call their methods."""
    again = replace(OPERATIONS[0], path="/fake/again")
    with pytest.raises(ValueError, match=r"^fake has two operations of one name$"):
        to_openapi(FakeDialect((*OPERATIONS, again)))


async def test_the_document_is_served_and_can_be_kept() -> None:
    """It is the same bytes each time, with a tag by which a client asks whether its copy is still good."""
    dialects = [FakeDialect(OPERATIONS)]
    site = Site(FakeHub(), dialects, limits=Limits(), pages=to_document_pages(dialects))
    async with to_client(site) as client:
        first, second = await client.get("/fake/openapi.json"), await client.get("/fake/openapi.json")
        third = await client.get("/fake/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, first.headers["content-type"]) == (200, "application/json")
    assert first.json() == to_openapi(dialects[0])
    assert (second.content, third.status_code, third.content) == (first.content, 304, b"")
