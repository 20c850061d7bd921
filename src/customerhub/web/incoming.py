"""A request before anything is known of it."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from customerhub.model.error import InvalidHeader
from customerhub.web.limit import Limits

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Incoming:
    """`path` is decoded, `raw_path` and `raw_query` are as sent.

    The body of a GET or HEAD is not read: `has_body` says whether one was declared.
    """

    method: str
    path: str
    raw_path: str
    raw_query: str
    headers: Headers
    body: bytes
    has_body: bool
    scheme: str
    client_address: str
    limits: Limits

    def base_url(self, public_url: str) -> str:
        """Where the client reaches the hub, without a slash at its end: the setting's address, or what it asked for.

        Raises InvalidHeader where that is no host: it goes into answers that people follow.
        """
        return to_base_url(self.headers, self.scheme, public_url)


def to_base_url(headers: Headers, scheme: str, public_url: str) -> str:
    """See `Incoming.base_url`."""
    if public_url:
        return public_url.rstrip("/")
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise InvalidHeader("Host", "is not the name of a host")
    return f"{scheme}://{host}"
