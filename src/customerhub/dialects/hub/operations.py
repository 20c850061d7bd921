"""The operations of a batch, as they travel and as they are read."""

from typing import Annotated, Any, Final, Literal, Required, cast
from uuid import UUID

from msgspec import Struct
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.dialects.hub import wire
from customerhub.dialects.hub.read import Body, Draft, strangers
from customerhub.model.catalogue import TeamSettings
from customerhub.model.error import Invalid

MAX_OPERATIONS: Final = 1000
# Room for a thousand operations of 4 kB each, about twice a whole customer.
MAX_BODY: Final = 4 * 1_048_576
JSON_PATCH: Final = "json-patch"

Op = Literal["create", "update", "delete", "restore"]
Form = Literal["list-aware", "merge", "json-patch"]


class BatchOperation(TypedDict, total=False):
    """One write. `patch` is the body that its own route takes: a customer to create, or the changes to one."""

    __pydantic_config__ = wire.CONFIG  # type: ignore[misc]
    op: Required[Op]
    id: Annotated[wire.Id, Field(description="Which customer; of a creation there is none.")]
    if_match: Annotated[int, Field(ge=1, lt=2**63, description="The version that is meant, as `If-Match`.")]
    patch: wire.CustomerBody | wire.ListAwarePatch | wire.MergePatch | wire.JsonPatch
    form: Annotated[Form, Field(description="Which of the forms of patches it is; list-aware if nothing is said.")]


class BatchBody(TypedDict, total=False):
    """Up to 1,000 operations, done in their order; with `atomic` all of them or none."""

    __pydantic_config__ = wire.CONFIG  # type: ignore[misc]
    atomic: bool
    operations: Required[Annotated[list[BatchOperation], Field(min_length=1, max_length=MAX_OPERATIONS)]]


class _Envelope(TypedDict, total=False):
    """A batch whose operations are looked at one by one."""

    __pydantic_config__ = wire.CONFIG  # type: ignore[misc]
    atomic: bool
    operations: Required[Annotated[list[Any], Field(max_length=MAX_OPERATIONS)]]  # Any: whatever was sent


_CHECK_ENVELOPE: Final[TypeAdapter[object]] = TypeAdapter(_Envelope)
_CHECK: Final[TypeAdapter[object]] = TypeAdapter(BatchOperation)
_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "create": ("op", "patch"),
    "update": ("op", "id", "if_match", "patch", "form"),
    "delete": ("op", "id", "if_match"),
    "restore": ("op", "id", "if_match"),
}


class InvalidOperation(Invalid):
    """An operation is none; its `patch` was not looked at."""


class Asked(Struct, frozen=True):
    """One operation: `patch` is an object, or an array where the form is that of JSON Patch."""

    op: Op
    id: UUID | None = None
    if_match: int | None = None
    patch: Any = None  # Any: read by the form, later
    form: Form = "list-aware"


class Sent(Struct, frozen=True):
    """A batch: what it holds is not looked at yet."""

    operations: list[object]
    is_atomic: bool


def read_envelope(raw: Body) -> Sent:
    """The batch as sent; raises Invalid for one that holds no operation or too many, or anything else."""
    draft = Draft(raw, TeamSettings())
    for name in strangers(raw, BatchBody.__annotations__):
        draft.note_unknown((name,))
    body = draft.check(_CHECK_ENVELOPE, raw)
    if body.get("operations") == []:
        draft.refuse(("operations",), "too_short", "must hold one operation at least")
    if draft.errors:
        raise Invalid(draft.found())
    return Sent(cast("list[object]", body["operations"]), body.get("atomic") is True)


def read_operation(raw: object) -> Asked:
    """What an operation asks for; raises InvalidOperation."""
    draft = Draft(raw, TeamSettings())
    if not isinstance(raw, dict):
        draft.refuse((), "type", "must be an object")
        raise InvalidOperation(draft.found())
    body = draft.check(_CHECK, {name: value for name, value in raw.items() if name != "patch"})
    op = cast("Op | None", body.get("op"))
    taken = _MEMBERS.get(op or "update", ())
    for name in strangers(raw, taken):
        told = f"is nothing that {op} takes" if name in BatchOperation.__annotations__ else "is unknown here"
        draft.refuse((name,), "unknown", told)
    for name in ("id", "patch"):
        if op is not None and name in taken and name not in raw:
            draft.refuse((name,), "required", "is required")
    form = cast("Form", body.get("form", "list-aware"))
    if op is not None and "patch" in raw and "patch" in taken and not draft.is_wrong("form"):
        _check_patch(draft, raw["patch"], is_array=form == JSON_PATCH)
    if draft.errors or op is None:
        raise InvalidOperation(draft.found())
    customer = UUID(cast("str", body["id"])) if "id" in body else None
    return Asked(op, customer, cast("int | None", body.get("if_match")), raw.get("patch"), form)


def _check_patch(draft: Draft, patch: object, *, is_array: bool) -> None:
    if not isinstance(patch, list if is_array else dict):
        draft.refuse(("patch",), "type", f"must be an {'array' if is_array else 'object'}")
