"""What a write asks for, where it is more than values by their names."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired
from uuid import UUID

from typing_extensions import TypedDict


class Operation(TypedDict):
    """One operation of a batch; `patch` is what a creation or an update takes, list-aware unless `form` says else."""

    op: Literal["create", "update", "delete", "restore"]
    id: NotRequired[UUID | str]
    if_match: NotRequired[int]
    patch: NotRequired[Mapping[str, object] | Sequence[Mapping[str, object]]]
    form: NotRequired[Literal["list-aware", "merge", "json-patch"]]


class JsonPatchOperation(TypedDict):
    """One operation of a JSON Patch (RFC 6902) without `from`; any mapping of the RFC's members does as well."""

    op: Literal["add", "remove", "replace", "test"]
    path: str
    value: NotRequired[object]


class ListEdit(TypedDict):
    """What becomes of a nested list; `items` are entries, or ids or references where the mode is `remove`.

    `replace` refuses to take away more entries than `max_removals`, which is 0 unless it is said.
    """

    mode: Literal["replace", "merge", "remove"]
    items: Sequence[Mapping[str, object] | str]
    by: NotRequired[Literal["id", "reference_id"]]
    max_removals: NotRequired[int]
