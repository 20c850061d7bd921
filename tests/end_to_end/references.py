"""Which members of a route's body refer to something: found in its wire model, so that none can be forgotten."""

import re
from collections.abc import Iterator
from typing import cast

from pydantic import TypeAdapter

from tests.end_to_end.recipes import Route
from tests.support.world import Json

# Ids that a client gives itself.
_OWN = ("reference_id", "display_id")


def references_in(route: Route) -> set[str]:
    """Their dotted names, as `addresses[].id`; custom values refer to what defines them by its name."""
    schema = TypeAdapter(cast("type[object]", route.operation.body)).json_schema()

    def walk(part: Json, path: str) -> Iterator[str]:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        for choice in part.get("anyOf", ()):
            yield from walk(choice, path)
        if part.get("type") == "array":
            yield from walk(part["items"], f"{path}[]")
        for name, inner in part.get("properties", {}).items():
            place = f"{path}.{name}" if path else name
            is_id = re.search(r"(^|_)ids?$", name) and name not in _OWN
            if is_id or place.endswith("attributes[].name"):
                yield place
            yield from walk(inner, place)

    return set(walk(schema, ""))
