"""Schemas in the words of OpenAPI 3.0.3."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NotRequired, cast

import pytest
from openapi_schema_validator import OAS30Validator
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.web.schemas import REF, Schema, keep_used, to_openapi_schema, to_schemas


class Part(TypedDict):
    """A part of a whole."""

    name: Annotated[str, Field(max_length=50)]
    note: NotRequired[str | None]


class Whole(BaseModel):
    kind: Literal["whole"]
    parts: list[Part]
    main: Part | None = None
    either: Part | int | None = None
    size: Annotated[int, Field(gt=0, lt=10)] = 1
    price: Decimal | None = None
    pair: tuple[int, str] = (1, "a")
    level: Literal["low", "high"] | None = None
    at: datetime | None = Field(None, description="When.", examples=["2025-01-01T00:00:00Z"])
    named: dict[str, Part] = {}


def test_types_become_named_schemas() -> None:
    """A type that is used twice stands once, and each use refers to it."""
    found, named = to_schemas([("one", "validation", Part), ("two", "validation", Whole)])
    assert found == {
        ("one", "validation"): {"$ref": f"{REF}Part"},
        ("two", "validation"): {"$ref": f"{REF}Whole"},
    }
    assert sorted(named) == ["Part", "Whole"]
    assert named["Part"] == {
        "title": "Part",
        "description": "A part of a whole.",
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 50}, "note": {"type": "string", "nullable": True}},
        "required": ["name"],
    }


def test_every_word_is_of_that_version() -> None:
    """Null, constants, exclusive bounds, tuples and examples are said the way that version says them."""
    _, named = to_schemas([("whole", "validation", Whole)])
    properties = named["Whole"]["properties"]
    assert isinstance(properties, dict)
    assert properties["kind"] == {"type": "string", "enum": ["whole"]}
    assert properties["main"] == {"allOf": [{"$ref": f"{REF}Part"}], "default": None, "nullable": True}
    assert properties["either"] == {
        "anyOf": [{"$ref": f"{REF}Part"}, {"type": "integer"}],
        "default": None,
        "nullable": True,
    }
    assert properties["size"] == {
        "type": "integer",
        "default": 1,
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 10,
        "exclusiveMaximum": True,
    }
    assert properties["pair"] == {
        "type": "array",
        "default": [1, "a"],
        "minItems": 2,
        "maxItems": 2,
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    }
    assert properties["level"] == {
        "type": "string",
        "enum": ["low", "high", None],
        "default": None,
        "nullable": True,
    }
    assert properties["at"] == {
        "type": "string",
        "format": "date-time",
        "description": "When.",
        "example": "2025-01-01T00:00:00Z",
        "default": None,
        "nullable": True,
    }
    assert properties["named"] == {
        "type": "object",
        "additionalProperties": {"$ref": f"{REF}Part"},
        "default": {},
    }


@pytest.mark.parametrize(
    ("schema", "converted"),
    [
        (True, {}),
        (False, {"not": {}}),
        ({"$ref": "#/x"}, {"$ref": "#/x"}),
        ({"$ref": "#/x", "description": "d"}, {"allOf": [{"$ref": "#/x"}], "description": "d"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"type": ["string", "integer", "null"]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        ({"type": "null"}, {"nullable": True, "enum": [None]}),
        ({"const": 7}, {"enum": [7]}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        (
            {"properties": {"const": {"const": 1}, "examples": {}}},
            {"properties": {"const": {"enum": [1]}, "examples": {}}},
        ),
        ({"default": {"const": 1}, "x-mark": {"const": 1}}, {"default": {"const": 1}, "x-mark": {"const": 1}}),
        ({"type": "string", "contentEncoding": "base64", "$comment": "c"}, {"type": "string"}),
    ],
)
def test_schemas_are_converted(schema: object, converted: Schema) -> None:
    """Each word is converted, kept or dropped; names of members and values of defaults are no words."""
    assert to_openapi_schema(schema) == converted


@pytest.mark.parametrize(
    "value", ["a", None, 1, True, {}, {"name": "x"}, {"name": "x" * 51}, {"name": "x", "note": None}]
)
@pytest.mark.parametrize(
    "described", [str | None, int, Part, Annotated[int, Field(ge=1)], Literal["a", "b"], list[str]]
)
def test_the_schema_means_what_the_type_means(described: object, value: object) -> None:
    """A validator of that version accepts what pydantic accepts, in strict mode."""
    found, named = to_schemas([("it", "validation", described)])
    schema = found["it", "validation"]
    ref = schema.get("$ref")
    whole = named[ref.removeprefix(REF)] if isinstance(ref, str) else schema
    adapter: TypeAdapter[object] = TypeAdapter(cast("type[object]", described))
    try:
        adapter.validate_python(value, strict=True)
        accepted = True
    except ValueError:
        accepted = False
    assert OAS30Validator(whole).is_valid(value) is accepted


def test_only_schemas_that_are_reached_are_kept() -> None:
    """A schema of which nothing is said is not in the document."""
    named: dict[str, Schema] = {
        "A": {"items": {"$ref": f"{REF}B"}},
        "B": {"allOf": [{"$ref": f"{REF}A"}]},
        "C": {},
    }
    assert list(keep_used({"x": [{"$ref": f"{REF}B"}]}, named)) == ["A", "B"]
