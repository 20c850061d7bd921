"""API keys: how an Augno caller is known, and the headers that say how and for whom it speaks."""

from typing import Final

from customerhub.core.access import find_caller
from customerhub.core.hub import Hub
from customerhub.dialects.augno.errors import VERSION, VersionMissing
from customerhub.dialects.augno.ids import ACCOUNT, from_id
from customerhub.model.answer import Caller
from customerhub.model.error import Forbidden, HubError, InvalidHeader, Unauthenticated
from customerhub.web.body import shorten
from customerhub.web.incoming import Incoming

NAME: Final = "augno"
PREFIX: Final = "aug_sk_prod_"
# Between the prefix and the last four characters, where a key is shown again.
MASK: Final = "****"
# The first is what a request without the header speaks.
VERSIONS: Final = ("1.0.forge-preview.1", "1.0.forge-preview.2", "1.0.forge-preview.3")

ACCOUNT_HEADER: Final = "Augno-Account"
# Clients renamed these two in the summer of 2026; the old names go on.
VERSION_HEADERS: Final = (VERSION.lower(), "openmrp-version")
_ACCOUNT_HEADERS: Final = (ACCOUNT_HEADER.lower(), "openmrp-account")


async def authenticate(hub: Hub, incoming: Incoming) -> Caller:
    """The caller of `Authorization: Bearer <key>`.

    Raises Unauthenticated, then InvalidHeader for a version of the contract that is not spoken here, and Forbidden
    for another account than the key's.
    """
    caller = await find_caller(hub, NAME, _to_key(incoming))
    try:
        _check_version(hub, incoming)
        _check_account(caller, incoming)
    except HubError:
        # Whoever holds a key that has ended learns nothing else of the request.
        await hub.check_caller(caller)
        raise
    return caller


def _to_key(incoming: Incoming) -> str:
    """The key behind the scheme, which may be in any case (RFC 9110, 11.1)."""
    lines = incoming.headers.getlist("authorization")
    if len(lines) != 1:
        raise Unauthenticated("ambiguous" if lines else "missing")
    scheme, _, key = lines[0].partition(" ")
    if scheme.lower() != "bearer" or not key.strip(" "):
        raise Unauthenticated("missing")
    return key.strip(" ")


def _check_version(hub: Hub, incoming: Incoming) -> None:
    versions = _sent(incoming, VERSION_HEADERS)
    for version in versions:
        if version not in VERSIONS:
            raise InvalidHeader(VERSION, f"{shorten(version)} is not spoken here; {', '.join(VERSIONS)} are")
    if not versions and hub.settings.require_api_version:
        raise VersionMissing


def _check_account(caller: Caller, incoming: Incoming) -> None:
    if any(from_id(account, ACCOUNT) != caller.team for account in _sent(incoming, _ACCOUNT_HEADERS)):
        raise Forbidden(f"access to the account that {ACCOUNT_HEADER} names")


def _sent(incoming: Incoming, names: tuple[str, ...]) -> list[str]:
    """What these headers say; clients send them empty where they have nothing to say."""
    return [text for name in names for line in incoming.headers.getlist(name) if (text := line.strip(" \t"))]
