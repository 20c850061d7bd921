"""Where a partner may have people sent back to: addresses it registered, and what lies under them."""

import re
from typing import Final
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

MAX_LENGTH: Final = 2000

_PORTS: Final = {"http": 80, "https": 443}
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%]+", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)
# A server may undo these before it looks at the path, and would then see other segments than we do.
_HIDDEN: Final = re.compile(r"%(?:2e|2f|5c|00|25)", re.IGNORECASE)


class Target(Struct, frozen=True):
    """A redirect URI in its parts; `path` without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str


def find_target(uri: str) -> Target | None:
    """The parts of a redirect URI.

    None unless it is http or https with a host, and without user, query, fragment or dot segments, written or hidden.
    """
    if len(uri) > MAX_LENGTH or not _CHARACTERS.fullmatch(uri) or _HIDDEN.search(uri):
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    if parts.netloc.endswith(":") or port == 0 or {".", ".."} & set(parts.path.split("/")):
        return None
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Whether a redirect URI is a registered one, or lies under one by whole segments of the path."""
    asked = find_target(uri)
    if asked is None:
        return False
    for one in registered:
        known = find_target(one)
        if known is None or (known.scheme, known.host, known.port) != (asked.scheme, asked.host, asked.port):
            continue
        if asked.path == known.path or asked.path.startswith(f"{known.path}/"):
            return True
    return False


def to_origin(uri: str) -> str:
    """Scheme, host and port of a redirect URI as a browser compares them."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(uri))


def add_query(uri: str, **values: str) -> str:
    """A redirect URI with what its owner is told."""
    return f"{uri}?{urlencode(values)}"
