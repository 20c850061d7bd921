"""What the APIs of the hub are called on pages."""

from typing import Final

from customerhub.web.dialect import Dialect

_CANONICAL: Final = "Customerhub API"


def to_api_title(dialect: Dialect) -> str:
    """The title of a dialect's document without the hub's own name in it; the canonical one is the hub's."""
    return _CANONICAL if dialect.is_canonical else dialect.document.title.split(" of ")[0]
