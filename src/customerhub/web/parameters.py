"""What an operation takes beside its body, and the headers of answers, as an OpenAPI document describes them."""

import re
from collections.abc import Mapping
from typing import Final

from customerhub.web.guards import MAX_KEY
from customerhub.web.operation import Operation
from customerhub.web.schemas import REF, Schema

_IF_MATCH: Final = "If-Match"
_IF_NONE_MATCH: Final = "If-None-Match"
_KEY: Final = "Idempotency-Key"
_DRY_RUN: Final = "Customerhub-Dry-Run"


def _to_header(description: str, schema: Schema) -> dict[str, object]:
    return {"description": description, "schema": schema}


_TEXT: Final[Schema] = {"type": "string"}

PARAMETERS: Final[dict[str, dict[str, object]]] = {
    _IF_MATCH: {
        "name": _IF_MATCH,
        "in": "header",
        **_to_header("Write only if the record is still at this version, as a former answer's ETag names it.", _TEXT),
    },
    _IF_NONE_MATCH: {
        "name": _IF_NONE_MATCH,
        "in": "header",
        **_to_header("Answer 304 where the record still is at one of these versions, named by their ETags.", _TEXT),
    },
    _KEY: {
        "name": _KEY,
        "in": "header",
        **_to_header(
            "A name of your choice for this very request: sent again, it answers again and does nothing twice.",
            {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
        ),
    },
    _DRY_RUN: {
        "name": _DRY_RUN,
        "in": "header",
        **_to_header(
            "With true, answer as if it were done and do nothing.", {"type": "string", "enum": ["true", "false"]}
        ),
    },
}

HEADERS: Final[dict[str, dict[str, object]]] = {
    "Request-Id": _to_header("Names this request in the server's log.", _TEXT),
    "ETag": _to_header("The version of the record, for If-Match.", _TEXT),
    "Customerhub-Ignored": _to_header("Members of the body that the contract ignores, percent-encoded.", _TEXT),
    "Idempotent-Replayed": _to_header("true where this is the kept answer of the same request.", _TEXT),
    "Retry-After": _to_header("Seconds to wait before the next try.", {"type": "integer", "minimum": 1}),
    "RateLimit-Limit": _to_header(
        "Requests that an address may make in one window; on every answer where they are limited.", {"type": "integer"}
    ),
    "RateLimit-Remaining": _to_header("How many of them are left.", {"type": "integer", "minimum": 0}),
    "RateLimit-Reset": _to_header("Seconds until the window is free again.", {"type": "integer", "minimum": 1}),
    "Location": _to_header("Where the record is now.", _TEXT),
    "Allow": _to_header("The methods that this path takes.", _TEXT),
}
NOT_MODIFIED: Final = 304
RATE_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def to_parameters(operation: Operation, query: Schema | None, named: Mapping[str, Schema]) -> list[dict[str, object]]:
    """Path, query and guard parameters, in this order."""
    parameters = [_to_path_parameter(operation, name) for name in re.findall(r"\{(\w+)\}", operation.path)]
    if query is not None:
        parameters += _to_query_parameters(_resolve(query, named))
    if NOT_MODIFIED in operation.others:
        parameters.append({"$ref": f"#/components/parameters/{_IF_NONE_MATCH}"})
    if operation.writes:
        guards = [*([] if operation.creates else [_IF_MATCH]), *([_KEY] if operation.takes_key else []), _DRY_RUN]
        parameters += ({"$ref": f"#/components/parameters/{name}"} for name in guards)
    return parameters


def _to_path_parameter(operation: Operation, name: str) -> dict[str, object]:
    parameter: dict[str, object] = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if f"path.{name}" in operation.examples:
        parameter["example"] = operation.examples[f"path.{name}"]
    return parameter


def _resolve(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    ref = schema.get("$ref")
    return named[ref.removeprefix(REF)] if isinstance(ref, str) else schema


def _to_query_parameters(query: Schema) -> list[dict[str, object]]:
    """A parameter for each member; a list is one parameter repeated, or with `x-explode: false` one with commas."""
    properties, required = query.get("properties"), query.get("required")
    if not isinstance(properties, dict):
        raise TypeError("a query is described by a type with members")
    parameters: list[dict[str, object]] = []
    for name, schema in properties.items():
        shown = {key: value for key, value in schema.items() if key not in ("description", "x-explode")}
        parameter = {"name": name, "in": "query", "schema": shown}
        if "description" in schema:
            parameter["description"] = schema["description"]
        if isinstance(required, list) and name in required:
            parameter["required"] = True
        if schema.get("x-explode") is False:
            parameter["explode"] = False
        parameters.append(parameter)
    return parameters
