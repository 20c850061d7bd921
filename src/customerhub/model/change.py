"""What really changed: one change per committed version of a record, field by field."""

from msgspec import Struct


class FieldChange(Struct, frozen=True, omit_defaults=True):
    """One field before and after; `path` is a JSON Pointer, list entries stand by id (`/addresses/<id>/city`).

    Path `""` is the whole record: the first version has exactly this one change, with `new` the record.
    """

    path: str
    old: object = None
    new: object = None
