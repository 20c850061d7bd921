"""What really changed: one change per committed version of a record, field by field."""

from decimal import Decimal

from msgspec import Struct


class FieldChange(Struct, frozen=True, omit_defaults=True):
    """One field before and after; `path` is a JSON Pointer, list entries stand by id (`/addresses/<id>/city`).

    Path `""` is the whole record: the first version has exactly this one change, with `new` the record. `erased`: there
    were values, and nobody knows them any more.
    """

    path: str
    old: object = None
    new: object = None
    erased: bool = False


def differs(old: object, new: object) -> bool:
    """Whether a value is another one. Of decimals the digits count: `1.00` is not `1.0`, also inside other values."""
    if old is new:
        return False
    if old != new:
        return True
    match old, new:
        case Decimal(), Decimal():
            return f"{old:f}" != f"{new:f}"
        case Struct(), Struct():
            return any(differs(getattr(old, field), getattr(new, field)) for field in old.__struct_fields__)
        case tuple(), tuple():
            return any(map(differs, old, new))
    return False


def touches(one: str, other: str) -> bool:
    """Whether two places of a record (JSON Pointers) are the same, or one lies inside the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
