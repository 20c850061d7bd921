"""Ceasing to answer so that nobody who has come loses a request: what a process does between the signal and its end."""

import asyncio
import ctypes
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Behind the last connection that was begun: its third packet, and its first request, may still be on their way.
_ARRIVAL_SECONDS: Final = 0.1
# So long a connection that stays silent may still be used for a request; whoever asks is told to come no more.
GRACE_SECONDS: Final = 1.0
_STEP_SECONDS: Final = 0.02
_CLOSE: Final = (b"connection", b"close")

# Linux's name for the option that lets a program decide which packets a socket sees.
_SO_ATTACH_FILTER: Final = 26
# What the program does: load the flags of TCP's header (RFC 9293, 3.1), and drop the packet if SYN is among them.
_DROP_SYN: Final = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
# Where the kernel's `struct tcp_info` has the number of connections that wait to be accepted.
_WAITING_AT: Final = 24


async def drain(server: uvicorn.Server, sockets: Iterable[socket.socket]) -> None:
    """Take nobody new, answer everybody who has come, and let them know that they need another connection next time.

    Ends when nobody is left, or only those who have been silent for a second or are being answered: what is left of
    the server may be shut down then. A second Ctrl-C ends it at once.
    """
    sockets = list(sockets)
    state = server.server_state
    state.default_headers = [*state.default_headers, _CLOSE]
    for taken in sockets:
        turn_away(taken)
    until = time.monotonic() + _ARRIVAL_SECONDS
    await _wait(lambda: time.monotonic() >= until and not any(map(count_waiting, sockets)), server, GRACE_SECONDS)
    for connection in list(state.connections):
        if isinstance(connection, HttpToolsProtocol) and connection.cycle and not connection.cycle.response_complete:
            # Begun with the headers of before; this has it say that it is the last answer here.
            connection.shutdown()
    await _wait(lambda: not state.connections, server, GRACE_SECONDS)


async def stay(server: uvicorn.Server, seconds: float) -> None:
    """Answer as before for so long, unless a second signal comes: whoever sends requests here goes elsewhere first."""
    end = time.monotonic() + seconds
    while not server.force_exit and (left := end - time.monotonic()) > 0:
        # What uvicorn does as long as it is not told to stop: answers bear the time of now.
        await server.on_tick(0)
        await _wait(lambda: False, server, min(1.0, left))


def turn_away(listening: socket.socket) -> None:
    """Let no new connection begin, while those that have begun become whole and can be accepted.

    To close the socket at once would cut off those that wait to be accepted, who take themselves for connected and may
    have sent a request. Who knocks now hears nothing, knocks again within a second, and finds the socket closed, or
    another process that listens there. Where the system cannot do so nothing happens.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    with suppress(OSError):
        order = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(program))
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, order)


def count_waiting(listening: socket.socket) -> int:
    """How many connections wait to be accepted; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    try:
        told = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _WAITING_AT + 4)
    except OSError:
        return 0
    return int.from_bytes(told[_WAITING_AT:], sys.byteorder)


async def _wait(is_over: Callable[[], bool], server: uvicorn.Server, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_over() and not server.force_exit and time.monotonic() < end:  # noqa: ASYNC110 - uvicorn only sets it
        await asyncio.sleep(min(_STEP_SECONDS, seconds))
