"""What the hub says of what cannot be done, and of each operation of a batch."""

from uuid import UUID

from msgspec import Struct

from customerhub.client.records import Json


class Fault(Struct, frozen=True, kw_only=True):
    """One wrong value: where it stands, as a JSON Pointer, a query parameter or a header; a code, a sentence."""

    code: str = ""
    detail: str = ""
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


class Difference(Struct, frozen=True, kw_only=True):
    """One place at which a write and somebody else's meet: as it was read, as it was wanted, as it is now."""

    path: str
    base: Json = None
    mine: Json = None
    theirs: Json = None


class Problem(Struct, frozen=True, kw_only=True):
    """The members of problem details.

    `current` and `difference` come with 412, `merged_into` with 301, `results` where a batch that was all or nothing
    came to nothing.
    """

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    instance: str = ""
    errors: tuple[Fault, ...] = ()
    request_id: str = ""
    current: int | None = None
    difference: tuple[Difference, ...] = ()
    merged_into: UUID | None = None
    results: tuple["Outcome", ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one operation of a batch, as `status` tells too; `error` is the problem, None where it was done.

    `merged_into` is the customer that the one that was meant went into. The `index` counts from 0.
    """

    index: int
    status: int
    id: UUID | None = None
    version: int | None = None
    changed: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    error: Problem | None = None
    merged_into: UUID | None = None
