"""Where a page of a list begins, as it stands in addresses."""

from customerhub.model.page import Position
from customerhub.web.cursor import from_cursor, to_cursor


def to_token(scope: str, position: Position | None) -> str | None:
    """The position as text for the same list only."""
    return to_cursor(scope, position) if position is not None else None


def to_position(scope: str, token: str | None) -> Position | None:
    """The position of a token; None, which is the first page, for what was not made for this list."""
    try:
        return from_cursor(scope, token) if token else None
    except ValueError:
        return None
