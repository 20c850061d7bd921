"""JSON Schemas of types as OpenAPI 3.0.3 wants them, from what pydantic makes of the types (JSON Schema 2020-12)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

Schema = dict[str, object]
Mode = Literal["validation", "serialization"]

REF: Final = "#/components/schemas/"

_SCHEMA: Final = ("items", "additionalProperties", "not")
_SCHEMAS: Final = ("allOf", "anyOf", "oneOf")
_PLAIN: Final = frozenset(
    (
        *("title", "description", "format", "default", "example", "enum", "type", "required", "nullable"),
        *("multipleOf", "maximum", "minimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
        *("uniqueItems", "maxProperties", "minProperties", "discriminator", "readOnly", "writeOnly", "deprecated"),
    )
)
_NULL: Final[Schema] = {"nullable": True, "enum": [None]}


class _Generator(GenerateJsonSchema):
    """Without a title on every field that only repeats its name."""

    @override
    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def to_schemas(types: Iterable[tuple[str, Mode, object]]) -> tuple[dict[tuple[str, Mode], Schema], dict[str, Schema]]:
    """The schema of each type under its key and mode, and the named schemas that they refer to."""
    inputs: list[tuple[str, Mode, TypeAdapter[object]]] = [
        (key, mode, TypeAdapter(cast("type[object]", described))) for key, mode, described in types
    ]
    found, shared = TypeAdapter.json_schemas(inputs, ref_template=f"{REF}{{model}}", schema_generator=_Generator)
    named = shared.get("$defs", {})
    return (
        {place: to_openapi_schema(schema) for place, schema in found.items()},
        {name: to_openapi_schema(schema) for name, schema in named.items()},
    )


def to_openapi_schema(schema: object) -> Schema:
    """One schema in the words of OpenAPI 3.0.3; what has no word there is left out, so the result is never stricter."""
    if not isinstance(schema, Mapping):
        return {} if schema is not False else {"not": {}}
    result: Schema = {name: value for name, value in schema.items() if name in _PLAIN or name.startswith("x-")}
    for name in _SCHEMA:
        if name in schema:
            value = schema[name]
            result[name] = value if isinstance(value, bool) and name != "items" else to_openapi_schema(value)
    if "properties" in schema:
        result["properties"] = {name: to_openapi_schema(part) for name, part in schema["properties"].items()}
    for name in _SCHEMAS:
        if name in schema:
            result[name] = [to_openapi_schema(part) for part in schema[name]]
    _convert_values(schema, result)
    _convert_bounds(schema, result)
    _convert_null(result)
    if "$ref" in schema:
        ref: Schema = {"$ref": schema["$ref"]}
        return {**result, "allOf": [ref]} if result else ref
    return result


def _convert_values(schema: Mapping[str, object], result: Schema) -> None:
    if "const" in schema:
        result["enum"] = [schema["const"]]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        result.setdefault("example", examples[0])
    if isinstance(items := schema.get("prefixItems"), list):
        result["items"] = {"anyOf": [to_openapi_schema(item) for item in items]}


def _convert_bounds(schema: Mapping[str, object], result: Schema) -> None:
    """An exclusive bound is a number of its own today and was a mark on the bound then."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in schema:
            result[bound] = schema[exclusive]
            result[exclusive] = True


def _convert_null(result: Schema) -> None:
    """Null is a type today and was a mark on other types then."""
    kind = result.get("type")
    if isinstance(kind, list):
        others = [one for one in kind if one != "null"]
        result["type"] = others[0] if len(others) == 1 else others
        if len(others) > 1:
            del result["type"]
            result["anyOf"] = [{"type": one} for one in others]
        result["nullable"] = len(others) < len(kind)
    elif kind == "null":
        del result["type"]
        result.update(nullable=True, enum=[None])
    for name in ("anyOf", "oneOf"):
        parts = result.get(name)
        if isinstance(parts, list) and _NULL in parts:
            others = [part for part in parts if part != _NULL]
            del result[name]
            result.update({**_merge(name, others), **result, "nullable": True})
    values = result.get("enum")
    if result.get("nullable") and isinstance(values, list) and None not in values:
        result["enum"] = [*values, None]


def _merge(name: str, parts: list[Schema]) -> Schema:
    if len(parts) != 1:
        return {name: parts}
    return {"allOf": parts} if "$ref" in parts[0] else parts[0]


def find_names(value: object) -> Iterator[str]:
    """The named schemas that any part of a document refers to."""
    if isinstance(value, Mapping):
        ref = value.get("$ref")
        if isinstance(ref, str) and ref.startswith(REF):
            yield ref.removeprefix(REF)
        for part in value.values():
            yield from find_names(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from find_names(part)


def keep_used(document: object, named: Mapping[str, Schema]) -> dict[str, Schema]:
    """Those named schemas that the document reaches, in alphabetical order."""
    used: dict[str, Schema] = {}
    waiting = list(find_names(document))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = named[name]
            waiting += find_names(named[name])
    return dict(sorted(used.items()))
