"""The `include` parameter: which parts of an answer are filled in and which are left null."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from starlette.datastructures import QueryParams

from customerhub.model.error import FieldError, Invalid
from customerhub.web.body import shorten

INCLUDE: Final = "include[]"
_NAMES: Final = ("include", INCLUDE)


class Includes:
    """Dotted names of what is asked for; a name brings everything that it stands in, and nothing that stands beside."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(part for name in names for part in _with_parents(name))

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __bool__(self) -> bool:
        return bool(self._names)

    def under(self, name: str) -> "Includes":
        """What is asked for inside a part, by the names that it has there."""
        prefix = f"{name}."
        return Includes(found.removeprefix(prefix) for found in self._names if found.startswith(prefix))


NOTHING: Final = Includes()


class Asked(Struct, frozen=True):
    """What a write was asked to show: `check` raises what is wrong with it where a key would keep that."""

    includes: Includes
    error: Invalid | None = None

    def check(self) -> None:
        """Raise what was wrong with the query."""
        if self.error is not None:
            raise self.error


def read_includes(query: QueryParams, allowed: tuple[str, ...]) -> Includes:
    """What a query asks for: `include[]=a&include[]=b`, `include=a,b`, or both in one.

    Raises Invalid for a name that this route does not know, and for a parameter that only looks like this one: left
    alone it would read like data that is missing.
    """
    if not query:
        return NOTHING
    errors = [
        FieldError((name,), "unknown", f"is not a parameter of this request; send {INCLUDE}")
        for name in dict.fromkeys(query)
        if name.startswith("include") and name not in _NAMES
    ]
    asked = dict.fromkeys(_split(query))
    strangers = [name for name in asked if name not in allowed]
    if strangers:
        told = ", ".join(map(shorten, strangers))
        reason = f"knows {', '.join(allowed)}" if allowed else "takes nothing here"
        errors.append(FieldError((INCLUDE,), "query", f"does not know {told}; it {reason}"))
    if errors:
        raise Invalid(tuple(errors))
    return Includes(asked)


def ask(query: QueryParams, allowed: tuple[str, ...]) -> Asked:
    """The same for a write, which says what is wrong when its turn has come."""
    try:
        return Asked(read_includes(query, allowed))
    except Invalid as error:
        return Asked(NOTHING, error)


def _split(query: QueryParams) -> Iterator[str]:
    for name, value in query.multi_items():
        if name in _NAMES:
            yield from (part for text in value.split(",") if (part := text.strip()))


def _with_parents(name: str) -> Iterator[str]:
    steps = name.split(".")
    return (".".join(steps[:length]) for length in range(1, len(steps) + 1))
