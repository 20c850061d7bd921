"""The dialects' views of a customer, as exports have them."""

from functools import cache

from customerhub.core.exports import View
from customerhub.dialects.base import find_dialects


@cache
def find_views() -> dict[str, View]:
    """Every dialect's view, by the dialect's name."""
    return {
        dialect.name: View(dialect.name, dialect.shape.columns, dialect.show, dialect.is_canonical)
        for dialect in find_dialects()
    }


def find_canonical_view() -> View | None:
    """The view that is the record itself; None where no dialect has it."""
    return next((view for view in find_views().values() if view.is_canonical), None)
