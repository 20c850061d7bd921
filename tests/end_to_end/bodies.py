"""Bodies that no route may take: broken ones, and for every member of a wire model a value of another type."""

import gzip
import json
from collections.abc import Iterator
from typing import Any, cast

from pydantic import TypeAdapter

from tests.end_to_end.recipes import Recipe
from tests.support.world import Json

Values = tuple[object, ...]

# By type in a JSON schema: values of every other type.
WRONG: dict[str, Values] = {
    "string": (5, 1.5, True, {}, [], ["x"], None),
    "boolean": ("true", 1, {}, [], None),
    "integer": ("1", 1.5, True, {}, [], None, 10**4000),
    "array": ("x", 5, {}, {"0": "x"}, None),
    "object": ("x", 5, True, [], [[]], None),
}


def with_member(body: Json, text: str) -> bytes:
    """A body with one more member that the contract would ignore, so that only how it is written can be wrong."""
    return f"{json.dumps(body)[:-1]}, {text}}}".encode()


def broken_bodies(body: Json) -> dict[str, bytes]:
    """The valid body, each time with one fault in how it is written."""
    text = json.dumps(body)
    whole = text.encode()
    inner = text[1:-1]
    return {
        "nothing": b"",
        "blanks": b" \r\n\t",
        "cut short": whole[:-1],
        "cut in the middle": whole[: len(whole) // 2],
        "something behind": whole + b"}",
        "two objects": whole + whole,
        "trailing comma": whole[:-1] + b",}",
        "single quotes": text.replace('"', "'").encode(),
        "a comment": b"/* hello */" + whole,
        "a form": b"reference_id=x&name=y",
        "xml": b"<customer/>",
        "an array": b"[]",
        "the object in an array": b"[" + whole + b"]",
        "a text": b'"text"',
        "the object in a text": json.dumps(text).encode(),
        "null": b"null",
        "true": b"true",
        "a number": b"1",
        "a member twice": with_member(body, '"twice": 1, "twice": 1'),
        "every member twice": f"{{{inner}, {inner}}}".encode(),
        "a member twice, once escaped": with_member(body, '"twice": 1, "tw\\u0069ce": 1'),
        "a member twice inside": with_member(body, '"inside": [{"twice": 1, "twice": 2}]'),
        "arrays 1,000 deep": with_member(body, '"deep": ' + "[" * 1_000 + "]" * 1_000),
        "arrays 100,000 deep": with_member(body, '"deep": ' + "[" * 100_000 + "]" * 100_000),
        "objects 1,000 deep": with_member(body, '"deep": ' + '{"a":' * 1_000 + "1" + "}" * 1_000),
        "objects 100,000 deep": with_member(body, '"deep": ' + '{"a":' * 100_000 + "1" + "}" * 100_000),
        "100,000 open arrays": b"[" * 100_000,
        "100,000 open objects": b'{"a":' * 100_000,
        "NUL in a text": with_member(body, '"nul": "a\\u0000b"'),
        "NUL in a name": with_member(body, '"a\\u0000b": 1'),
        "NUL inside": with_member(body, '"inside": [[{"nul": "\\u0000"}]]'),
        "a raw NUL": with_member(body, '"nul": "a\0b"'),
        "a NUL behind": whole + b"\0",
        "a raw line feed in a text": with_member(body, '"text": "a\nb"'),
        "half a surrogate": with_member(body, '"half": "\\ud83d"'),
        "the other half": with_member(body, '"half": "\\ude00"'),
        "halves in the wrong order": with_member(body, '"half": "\\ude00\\ud83d"'),
        "half a surrogate in a name": with_member(body, '"\\ud83d": 1'),
        "a raw surrogate": with_member(body, '"half": "?"').replace(b"?", b"\xed\xa0\xbd"),
        "bytes that are no UTF-8": with_member(body, '"text": "?"').replace(b"?", b"\xff"),
        "a longer form than needed": with_member(body, '"text": "?"').replace(b"?", b"\xc0\x80"),
        "UTF-16": text.encode("utf-16"),
        "an integer of 5,000 digits": with_member(body, '"big": ' + "1" * 5_000),
        "a fraction of 5,000 digits and no end": with_member(body, '"big": ' + "1" * 5_000 + "e999"),
        "a number too large": with_member(body, '"big": 1e999'),
        "NaN": with_member(body, '"number": NaN'),
        "Infinity": with_member(body, '"number": Infinity'),
        "minus Infinity": with_member(body, '"number": -Infinity'),
        "a leading zero": with_member(body, '"number": 01'),
        "a plus": with_member(body, '"number": +1'),
        "hexadecimal": with_member(body, '"number": 0x10'),
    }


def wrong_declarations(body: Json) -> dict[str, tuple[bytes, dict[str, str]]]:
    """The valid body, each time with headers that declare it as something else."""
    whole = json.dumps(body).encode()
    return {
        "plain text": (whole, {"content-type": "text/plain"}),
        "a form": (whole, {"content-type": "application/x-www-form-urlencoded"}),
        "XML": (whole, {"content-type": "application/xml"}),
        "parts": (whole, {"content-type": "multipart/form-data; boundary=x"}),
        "many JSON": (whole, {"content-type": "application/x-ndjson"}),
        "another charset": (whole, {"content-type": "application/json; charset=iso-8859-1"}),
        "gzip": (gzip.compress(whole), {"content-type": "application/json", "content-encoding": "gzip"}),
        "gzip that is none": (whole, {"content-type": "application/json", "content-encoding": "gzip"}),
        "an unknown coding": (whole, {"content-type": "application/json", "content-encoding": "rot13"}),
    }


class Model:
    """A wire model as a JSON schema, walked member by member."""

    def __init__(self, body: object, recipe: Recipe) -> None:
        self._starts, self._nullable = recipe.starts, recipe.nullable
        self._schema: dict[str, Any] = TypeAdapter(cast("type[object]", body)).json_schema()  # Any: a schema is JSON

    @property
    def count(self) -> int:
        """How many members at the top are of one kind."""
        members = self._resolve(self._schema).get("properties", {}).values()
        return sum("type" in self._resolve(member) for member in members)

    def wrong_types(self, base: Json) -> Iterator[tuple[str, Json]]:
        """The dotted path of every member and item, with a body in which just that has a value of another type."""
        for path, build, part in self._members(self._schema, "", lambda value: value):
            for wrong in WRONG[part["type"]]:
                if wrong is None and (part.get("nullable") or path in self._nullable):
                    continue
                yield path, base | build(wrong)

    def long_texts(self, base: Json, text: str) -> Iterator[tuple[str, Json]]:
        """The same with one very long text in every member that is one."""
        for path, build, part in self._members(self._schema, "", lambda value: value):
            if part["type"] == "string":
                yield path, base | build(text)

    def _members(self, part: Json, path: str, build: Any) -> Iterator[tuple[str, Any, Json]]:
        part = self._resolve(part)
        if part.get("type") == "array":
            item = self._resolve(part["items"])
            place = f"{path}[0]"
            if "type" in item:
                yield place, lambda value: build([value]), item
            if item.get("type") == "object":
                yield from self._members(item, place, lambda value: build([value]))
        for name, inner in part.get("properties", {}).items():
            member = self._resolve(inner)
            if "type" not in member:
                continue
            start = {key: value for key, value in self._starts.get(path.removesuffix("[0]"), {}).items() if key != name}

            def put(value: object, name: str = name, start: Json = start) -> Any:  # Any: a body or what is in it
                return build(start | {name: value})

            place = f"{path}.{name}" if path else name
            yield place, put, member
            yield from self._members(member, place, put) if member["type"] in ("array", "object") else ()

    def _resolve(self, part: Json) -> Json:
        if len(choices := part.get("anyOf", ())) == 2 and {"type": "null"} in choices:
            other = next(choice for choice in choices if choice != {"type": "null"})
            return self._resolve(other) | {"nullable": True}
        if "$ref" in part:
            found: Json = self._schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
            return found
        return part
