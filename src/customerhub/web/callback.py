"""Where the hub may be told to send things: URLs of the internet, not of the network that it stands in."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

_PATIENCE_SECONDS: Final = 2.0
_PORTS: Final = {"https": 443, "http": 80}
# NAT64 (RFC 6052): an IPv4 address in disguise.
_NAT64: Final = "64:ff9b::"
# What there is of the internet in IPv6 (RFC 4291, 2.4): all else is local, old or not given out.
_INTERNET: Final = IPv6Network("2000::/3")
_LOCAL_NAMES: Final = ("localhost", "local", "internal", "localdomain", "home.arpa")


async def find_callback_fault(url: str, *, allows_private: bool, allows_http: bool = False) -> str | None:
    """Why nothing may be sent to this URL; None where it may.

    `allows_http`: a URL without TLS will do too. A name is looked up, and every address that it has must be a public
    one. A name that leads nowhere yet is let pass: its receiver may still be on the way, and whoever sends must look at
    the address again anyway, since names can be led elsewhere at any time.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "must be a URL"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "must be a URL of printable ASCII characters"
    if parts.scheme not in (("https", "http") if allows_http else ("https",)) or not host:
        return "must be an http or https URL" if allows_http else "must be an https URL"
    if "@" in parts.netloc:
        return "must not hold a user name or a password"
    if "#" in url:
        return "must not hold a fragment"
    if port == 0:
        return "must have a port from 1 to 65535"
    if allows_private or await _is_public(host.rstrip("."), port or _PORTS[parts.scheme]):
        return None
    return "must not lead to a private or local address"


async def _is_public(host: str, port: int) -> bool:
    literal = to_address(host)
    if literal is not None:
        return is_public_address(literal)
    if any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES):
        return False
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return True
    addresses = (to_address(str(place[4][0])) for place in found)
    return all(address is not None and is_public_address(address) for address in addresses)


def to_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, in any of the forms that resolvers read (`127.1`, `0x7f000001`); None for a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not host[-1:].isdigit() and not host.lower().startswith("0x") and ".0x" not in host.lower():
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_public_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the internet, also where it wraps another one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address.exploded.startswith(ip_address(_NAT64).exploded[:29]):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public_address(inner)
        if address not in _INTERNET:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
