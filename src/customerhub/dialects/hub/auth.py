"""Bearer keys with scopes: how a caller of the hub's own API is known, and what it may do."""

from typing import Final

from customerhub.core.access import OPERATOR, find_caller
from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.error import FieldError, Invalid, Unauthenticated
from customerhub.web.incoming import Incoming

NAME: Final = "hub"
PREFIX: Final = "hub_"
READ: Final = "read"
WRITE: Final = "write"
ADMIN: Final = "admin"
# Each includes those before it; the last one is for those who run the hub, and must be asked for by its name.
SCOPES: Final = (READ, WRITE, ADMIN, OPERATOR)
DEFAULT: Final = (READ, WRITE, ADMIN)


async def authenticate(hub: Hub, incoming: Incoming) -> Caller:
    """The caller of `Authorization: Bearer <key>`, the scheme in any case (RFC 9110, 11.1); raises Unauthenticated."""
    lines = incoming.headers.getlist("authorization")
    if len(lines) != 1:
        raise Unauthenticated("ambiguous" if lines else "missing")
    scheme, _, key = lines[0].partition(" ")
    if scheme.lower() != "bearer" or not key.strip(" "):
        raise Unauthenticated("missing")
    return await find_caller(hub, NAME, key.strip(" "))


def to_scopes(asked: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes that a credential has where these were asked for, with those that they include.

    None asked for are all that a team can give.

    Raises Invalid for a word that is no scope.
    """
    strangers = [scope for scope in asked if scope not in SCOPES]
    if strangers:
        reason = f"knows {', '.join(SCOPES)}"
        raise Invalid(tuple(FieldError(("scopes",), "enum", reason) for _ in strangers[:1]))
    if not asked:
        return DEFAULT
    return SCOPES[: max(map(SCOPES.index, asked)) + 1]
