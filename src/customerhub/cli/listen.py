"""The port that the hub answers on: taken before anything else is started, so that a taken one costs nothing."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from customerhub.cli.failure import Refused

BACKLOG: Final = 4096
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what stands for every address


def listen(host: str, port: int, *, is_shared: bool = False, prefix: str = "") -> socket.socket:
    """A socket that listens on host and port; port 0 takes a free one. Raises Refused.

    It listens at once, since a port that is only bound can be bound by others too; who connects before the hub is
    ready waits. Shared sockets stand side by side: each worker process has its own, and the kernel spreads
    connections over them. `prefix` is of the options that the refusal names.
    """
    taken = _bind(host, port, is_shared=is_shared, prefix=prefix)
    try:
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise Refused(_to_sentence(error, host, port, prefix)) from error
    return taken


@contextmanager
def reserve(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that keeps the port for this hub's workers and takes no connection itself.

    Raises Refused where anybody has the port: shared sockets alone would also stand beside those of another hub,
    which would then get half of our connections.
    """
    with ExitStack() as held:
        with listen(host, port) as alone:
            address = alone.getsockname()
            held.enter_context(_claim(*address[:2]))
        yield held.enter_context(_bind(host, address[1], is_shared=True))


def to_url(taken: socket.socket) -> str:
    """The address to type on this machine, without a slash at its end."""
    host, port = taken.getsockname()[:2]
    host = _LOOPBACK.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int, *, is_shared: bool, prefix: str = "") -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise Refused(f"{host!r} is no address of this machine: {_reason(error)}.") from error
    bound = socket.socket(family, kind, protocol)
    try:
        # Connections of a server that has just ended do not keep its port from the next one.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise Refused(_to_sentence(error, host, port, prefix)) from error
    return bound


def _claim(host: str, port: int) -> socket.socket:
    """What two hubs that start at the same moment, before their workers listen, cannot both have.

    A name without a file, which ends with the process and which the kernel keeps apart as it does ports. Other
    systems than Linux have none, and there two such hubs would share the port.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        if sys.platform == "linux":
            claim.bind(f"\0customerhub {host} {port}"[:100])
    except OSError as error:
        claim.close()
        raise Refused(_to_sentence(error, host, port)) from error
    return claim


def _to_sentence(error: OSError, host: str, port: int, prefix: str = "") -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is taken: stop what listens there, or choose another with --{prefix}port."
        case errno.EACCES:
            return f"Port {port} needs permissions that this user lacks: choose one above 1023 with --{prefix}port."
        case errno.EADDRNOTAVAIL:
            return f"{host!r} is no address of this machine: choose another with --{prefix}host."
    return f"Cannot listen on port {port} of {host}: {_reason(error)}."


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) and not isinstance(error, socket.gaierror) else None
    return os.strerror(number) if number is not None else str(error.args[-1] if error.args else error)
