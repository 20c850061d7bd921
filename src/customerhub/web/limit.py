"""Rate limits: of each credential and address where the seller wishes one, of password attempts always."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar
from uuid import UUID

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, parse_many

from customerhub.model.error import Full, RateLimited, Unauthenticated, Unavailable
from customerhub.store.db import Database
from customerhub.web.counter import Key, RateState, create_counter

__all__ = ["MAX_WAITING", "Limits", "RateState"]

MAX_WAITING: Final = 64

_LOGIN_FAILURES: Final = RateLimitItemPerHour(100)
_ADDRESS_FACTOR: Final = 3

_T = TypeVar("_T")


class Limits:
    """The limits of one process, or of all processes where `storage` is the `database`, or a Redis.

    `rate_limit` is what one credential may ask that has no limit of its own, as `100/minute` or `10/second;1000/hour`,
    and `address_rate_limit` what one address may; empty is no limit. `password_failures` is how often one login may
    fail from one address. An address may fail three times as often over all logins, so that one colleague's typing does
    not lock an office out; a login 100 times an hour over all addresses (NIST SP 800-63B, 5.2.2). Only failures count.
    `signing_failures` is how often one address may send a request that does not prove who signed it. Raises ValueError
    where a setting cannot be read.
    """

    def __init__(
        self,
        *,
        rate_limit: str = "",
        address_rate_limit: str = "",
        password_failures: str = "10/minute",  # noqa: S107 - a number of failures, no password
        signing_failures: str = "60/minute",
        storage: str = "memory://",
        database: Database | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._counter = create_counter(storage, database, clock)
        self._credential_limits = _read(rate_limit) if rate_limit.strip() else []
        self._address_limits = _read(address_rate_limit) if address_rate_limit.strip() else []
        self.counts_addresses = bool(self._address_limits)
        self._pair_limits = _read(password_failures)
        self._signing_limits = _read(signing_failures)
        self._turn = asyncio.Semaphore(2)
        self._waiting = 0

    async def check_credential(self, credential: UUID, own_limit: str = "") -> None:
        """Count one request, by the credential's own limit if it has one; raises RateLimited.

        Where nothing can be counted that is logged, and the request passes.
        """
        for item in _parse(own_limit) if own_limit else self._credential_limits:
            await self._count((item, "credential", str(credential)))

    async def count_address(self, address: str) -> RateState | None:
        """Count one request, and say what is left of the limit that is the nearest; None where none can be counted."""
        place = _digest(_to_place(address))
        try:
            states = [await self._counter.take_and_look((item, "visit", place)) for item in self._address_limits]
        except Unavailable as error:
            _tell(error)
            return None
        return min(states, key=lambda state: (not state.is_over, state.remaining, -state.reset))

    async def count_failure(self, address: str) -> None:
        """Count one request that did not prove who signed it; raises RateLimited where there were too many.

        Never asked about a request that does: whoever shares an address with an attacker is not locked out.
        """
        for item in self._signing_limits:
            await self._count((item, "signing", _digest(_to_place(address))))

    async def _count(self, key: Key) -> None:
        try:
            refused = await self._counter.take(key)
        except Unavailable as error:
            _tell(error)
            return
        if refused is not None:
            raise RateLimited(refused.reset)

    async def try_password(self, address: str, login: str, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Run `attempt`, at most two at a time; its Unauthenticated counts as a failure of this address and login.

        Raises RateLimited instead of running it once there were too many failures, Full where too many wait already,
        Unavailable where failures cannot be counted.
        """
        keys = self._to_keys(address, login)
        # Before the wait, so that a flood over its limit costs nothing; after it, so that attempts made at the same
        # moment do not all pass before the first of them has failed.
        await self._check_failures(keys)
        if self._waiting >= MAX_WAITING:
            raise Full
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            await self._check_failures(keys)
            return await attempt()
        except Unauthenticated:
            for key in keys:
                await self._counter.take(key)
            raise
        finally:
            self._turn.release()

    def _to_keys(self, address: str, login: str) -> list[Key]:
        """What is counted, under digests: a login is a client's text of any length, and nobody else's business."""
        place = _to_place(address)
        person = login.strip().lower()
        keys: list[Key] = [(_LOGIN_FAILURES, "login", _digest(person))]
        for item in self._pair_limits:
            wider = type(item)(item.amount * _ADDRESS_FACTOR, item.multiples)
            keys += [(item, "pair", _digest(f"{place} {person}")), (wider, "address", _digest(place))]
        return keys

    async def _check_failures(self, keys: list[Key]) -> None:
        states = [await self._counter.look(key) for key in keys]
        waits = [state.reset for state in states if state.is_over]
        if waits:
            raise RateLimited(max(waits))


def _read(text: str) -> list[RateLimitItem]:
    items = parse_many(text)
    if any(item.amount < 1 or item.multiples < 1 for item in items):
        raise ValueError(f"{text!r} lets nobody pass: a limit is at least 1")
    return items


@lru_cache(maxsize=10_000)
def _parse(text: str) -> tuple[RateLimitItem, ...]:
    return tuple(parse_many(text))


def _tell(error: Unavailable) -> None:
    structlog.get_logger().warning("rate limit not counted", cause=type(error.__cause__ or error).__name__)


def _to_place(address: str) -> str:
    """The address; of IPv6 its network of 64 bits, since one customer of a provider holds all of that."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
