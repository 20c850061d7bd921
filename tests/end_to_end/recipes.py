"""The route tables of all dialects, and what a recipe for a write says: a request that changes something, and others.

The recipes themselves are in one module for each dialect; `doors` finds them by the dialects that there are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from typing_extensions import override

from customerhub.dialects.base import find_dialects
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Operation
from tests.support.augno import to_id
from tests.support.world import Json

PASSWORD = "correct horse battery"
SURPRISE: Json = {"surprise": "nobody knows this member"}


@dataclass(frozen=True)
class Route:
    """One row of a dialect's route table; as text, and in the names of tests, `POST /v1/customers`."""

    dialect: Dialect
    operation: Operation

    @override
    def __str__(self) -> str:
        return f"{self.operation.method} {self.operation.path}"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to ask a write route for something that it does.

    `body` changes something, `other` would change something else, `wrong` is refused with 400, naming `wrong_field`;
    all of them are None where the route takes no body. `tag` is the ETag of the record that is written, None where
    there is no record yet, or none that a tag could name: then `changes_untagged` tells that records change all the
    same. `is_final`: the record is gone afterwards; `is_silent`: it is there, and the answer shows nothing of it.
    `changes_nothing`: nothing is stored but the key, so that the tag stays as it is.
    `starts` are members that an object inside, or an item of a list, needs before it is looked at, by its member's or
    the list's name; `nullable` are members whose null counts as left out.
    """

    path: str
    tag: str | None = None
    body: Json | None = None
    other: Json | None = None
    wrong: Json | None = None
    wrong_field: str = ""
    changes_untagged: bool = False
    is_final: bool = False
    is_silent: bool = False
    changes_nothing: bool = False
    starts: Mapping[str, Json] = field(default_factory=dict)
    nullable: frozenset[str] = frozenset()


def to_routes() -> tuple[Route, ...]:
    """The route tables of all dialects."""
    return tuple(Route(dialect, operation) for dialect in find_dialects() for operation in dialect.operations)


ROUTES = to_routes()
WRITES = tuple(route for route in ROUTES if route.operation.writes)
WITH_BODY = tuple(route for route in WRITES if route.operation.body is not None)
# Where the contract says that a key has no effect, it has none.
KEYED = tuple(route for route in WRITES if route.operation.takes_key)

every_write = pytest.mark.parametrize("route", WRITES, ids=str)
every_body = pytest.mark.parametrize("route", WITH_BODY, ids=str)
every_keyed_write = pytest.mark.parametrize("route", KEYED, ids=str)
every_keyed_body = pytest.mark.parametrize("route", [route for route in WITH_BODY if route in KEYED], ids=str)


UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A record's id in any dialect's form.
ID = re.compile(rf"{UUID.pattern}|\b(?!re?q_)[a-z]{{2,4}}_[0-7][0-9a-hjkmnp-tv-z]{{25}}(?![0-9a-z])")
_GENERATED = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z"), "<time>"),
    (re.compile(r"WC_\d{10,}"), "<number>"),
    (re.compile(r"tok_[0-9a-f]{32}"), "<id>"),
    (re.compile(r"re?q_[0-9a-z]{26}"), "<request>"),
    (re.compile(r"(?:api_prod_|aug_sk_prod_|hub_|at_|rt_)[\w-]{43}|whsec_[A-Za-z0-9+/]{43}="), "<secret>"),
    (re.compile(r"(?:aug_sk_prod_\*{4}|hub_…)[\w-]{4}"), "<hint>"),
)


def to_nowhere(text: str) -> str:
    """The text with ids that nobody has in the places of all that it names."""
    return ID.sub(lambda found: nobodys(found[0]), text)


def nobodys(record: str) -> str:
    """An id of the same form that nobody has."""
    prefix, mark, _ = record.rpartition("_")
    return to_id(prefix, uuid4()) if mark else str(uuid4())


def without_generated(first: str, second: str) -> tuple[str, str]:
    """Two bodies with a mark where each has a time, a number, a secret, or an id that only one of them has."""
    common = set(ID.findall(first)) & set(ID.findall(second))

    def mark(text: str) -> str:
        text = ID.sub(lambda found: found[0] if found[0] in common else "<id>", text)
        for pattern, name in _GENERATED:
            text = pattern.sub(name, text)
        return text

    return mark(first), mark(second)
