"""The OpenAPI document of a dialect, from the very table and types that serve it.

Version 3.0.3: the installed browser of the reference reads no later one.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.datastructures import Headers

from customerhub.model.answer import Answer
from customerhub.web.dialect import Dialect
from customerhub.web.failures import to_failures
from customerhub.web.operation import Operation
from customerhub.web.page import Page, to_page
from customerhub.web.parameters import HEADERS, NOT_MODIFIED, PARAMETERS, RATE_HEADERS, to_parameters
from customerhub.web.schemas import Mode, Schema, keep_used, to_schemas

_ERROR: Final[tuple[str, Mode]] = ("error", "serialization")
_FAILURE_HEADERS: Final[Mapping[int, Sequence[str]]] = {
    405: ("Allow",),
    429: ("Retry-After", *RATE_HEADERS),
    503: ("Retry-After",),
}

_Found = Mapping[tuple[str, Mode], Schema]


def to_openapi(dialect: Dialect) -> dict[str, object]:
    """The dialect's document; raises ValueError for two operations of one name."""
    names = [operation.name for operation in dialect.operations]
    if len(set(names)) != len(names):
        raise ValueError(f"{dialect.name} has two operations of one name")
    document = dialect.document
    found, named = to_schemas(_to_types(dialect))
    failures = {operation.name: to_failures(dialect, operation) for operation in dialect.operations}
    paths: dict[str, dict[str, object]] = {}
    for operation in dialect.operations:
        described = _to_operation(dialect, operation, found, named, failures[operation.name])
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    responses = {
        f"Error{status}": _to_failure(status, media_type, found[_ERROR])
        for status, media_type in sorted({pair for pairs in failures.values() for pair in pairs.items()})
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": document.title, "version": document.version, "description": document.description},
        "servers": [{"url": "/"}],
        "tags": [dict(tag) for tag in document.tags],
        "paths": paths,
        "components": {
            "schemas": keep_used([paths, responses], named),
            "responses": responses,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {name: dict(scheme) for name, scheme in document.security_schemes.items()},
        },
    }


def to_openapi_page(dialect: Dialect) -> Page:
    """The document's bytes; made when first asked for, beside the requests that are being served."""
    lock = asyncio.Lock()
    made: list[Page] = []

    async def page(headers: Headers) -> Answer:
        async with lock:
            if not made:
                body = await asyncio.to_thread(lambda: msgspec.json.encode(to_openapi(dialect)))
                made.append(to_page(body, "application/json"))
        return await made[0](headers)

    return page


def _to_types(dialect: Dialect) -> Iterable[tuple[str, Mode, object]]:
    yield (*_ERROR, dialect.document.error_model)
    for operation in dialect.operations:
        if operation.body is not None:
            yield f"{operation.name} body", "validation", operation.body
        for media_type, (body, _) in operation.bodies.items():
            yield f"{operation.name} {media_type}", "validation", body
        if operation.query is not None:
            yield f"{operation.name} query", "validation", operation.query
        if operation.answer is not None:
            yield f"{operation.name} answer", "serialization", operation.answer


def _to_operation(
    dialect: Dialect,
    operation: Operation,
    found: _Found,
    named: Mapping[str, Schema],
    failures: Mapping[int, str],
) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": list(operation.tags),
        "security": [] if operation.is_public else _to_security(dialect),
        "parameters": to_parameters(operation, found.get((f"{operation.name} query", "validation")), named),
        "responses": {
            str(operation.status): _to_success(operation, found.get((f"{operation.name} answer", "serialization"))),
            **{str(status): _to_other(status, description) for status, description in operation.others.items()},
            **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(failures)},
        },
    }
    description = operation.description
    if operation.permissions:
        described["x-permissions"] = list(operation.permissions)
        needed = " and ".join(f"`{permission}`" for permission in operation.permissions)
        description = f"{description}\n\nNeeds {needed}.".strip()
    if description:
        described["description"] = description
    if operation.body is not None or operation.bodies:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {media_type: _to_body(operation, media_type, found) for media_type in operation.media_types},
        }
    return described


def _to_security(dialect: Dialect) -> list[dict[str, list[str]]]:
    """One of the schemes; those whose headers make up one credential stand together."""
    document = dialect.document
    schemes = document.security_schemes
    together = [name for name in schemes if schemes[name].get("name") in document.credential_headers]
    security: list[dict[str, list[str]]] = [{name: [] for name in together}] if together else []
    security += ({name: []} for name in schemes if name not in together)
    return security


def _to_body(operation: Operation, media_type: str, found: _Found) -> dict[str, object]:
    if media_type in operation.bodies:
        _, example = operation.bodies[media_type]
        return {"schema": found[f"{operation.name} {media_type}", "validation"], "example": example}
    schema = found[f"{operation.name} body", "validation"]
    bodies = {
        name: example
        for name, example in operation.examples.items()
        if name != "answer" and not name.startswith("path.")
    }
    if list(bodies) == ["body"]:
        return {"schema": schema, "example": bodies["body"]}
    if bodies:
        return {"schema": schema, "examples": {name: {"value": example} for name, example in bodies.items()}}
    return {"schema": schema}


def _to_success(operation: Operation, schema: Schema | None) -> dict[str, object]:
    names = ["Request-Id"]
    if operation.writes or operation.path.endswith("}"):
        names.append("ETag")
    if operation.writes:
        names.append("Customerhub-Ignored")
    if operation.writes and operation.takes_key:
        names.append("Idempotent-Replayed")
    described: dict[str, object] = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": _to_header_refs(names),
    }
    if schema is not None:
        content: dict[str, object] = {"schema": schema}
        if "answer" in operation.examples:
            content["example"] = operation.examples["answer"]
        described["content"] = dict.fromkeys(operation.answer_types, content)
    return described


def _to_other(status: int, description: str) -> dict[str, object]:
    """Neither success nor failure: nothing but a tag, or where the record is now."""
    if status == NOT_MODIFIED:
        return {"description": description, "headers": _to_header_refs(("Request-Id", "ETag"))}
    return {
        "description": description,
        "headers": _to_header_refs(("Request-Id", "Location")),
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


def _to_failure(status: int, media_type: str, schema: Schema) -> dict[str, object]:
    names = ["Request-Id", *_FAILURE_HEADERS.get(status, ())]
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _to_header_refs(names),
        "content": {media_type: {"schema": schema}},
    }


def _to_header_refs(names: Iterable[str]) -> dict[str, object]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
