"""What an import gives its new customers: numbers of the team's counter and new ids, many at a time."""

import os
from collections import deque
from typing import Final
from uuid import UUID, uuid4

from asyncpg.pgproto.pgproto import UUID as FastUUID  # noqa: N811 - beside the other one

from customerhub.core.customers import NumberForm
from customerhub.core.hub import Hub
from customerhub.store import customers as customer_store
from customerhub.store.db import Connection
from customerhub.store.imports import Import

NUMBERS: Final = NumberForm("C", 5)
"""How numbers of customers look that come from no dialect."""
_NUMBERS_AT_ONCE: Final = 1000
_IDS_AT_ONCE: Final = 256


class Numbers:
    """Numbers for new customers, taken from the team's counter many at a time; a trial only looks at the next."""

    def __init__(self, hub: Hub, one: Import) -> None:
        self._hub, self._team, self._is_trial = hub, one.team, one.is_trial
        # Those that are taken and not given are never given: a file of three rows must not cost a thousand.
        self._at_once = min(_NUMBERS_AT_ONCE, one.rows)
        self._left: deque[int] = deque()
        self._last = 0

    async def have(self, count: int) -> None:
        """See to it that so many can be taken."""
        if len(self._left) >= count:
            return
        more = max(self._at_once, count)
        async with self._hub.database.lease() as connection:
            if self._is_trial:
                first = max(self._last + 1, await customer_store.find_next_number(connection, self._team))
            else:
                first = await customer_store.take_numbers(connection, self._team, more)
        self._left.extend(range(first, first + more))
        self._last = first + more - 1

    async def skip(self, connection: Connection) -> None:
        """On past what was typed, inside the transaction: it has the counter until it ends."""
        await customer_store.skip_numbers(connection, self._team, NUMBERS.prefix, NUMBERS.digits)
        first = await customer_store.take_numbers(connection, self._team, self._at_once)
        self._left = deque(range(first, first + self._at_once))
        self._last = first + self._at_once - 1

    def take(self) -> str:
        """The next one, as it is written."""
        return NUMBERS.of(self._left.popleft())


class Ids:
    """New ids, as the hub makes them; where these are chance many at a time, for each call of the system takes long."""

    def __init__(self, hub: Hub) -> None:
        self._make = hub.new_id
        self._is_chance = hub.new_id is uuid4
        self._block: list[UUID] = []

    def new(self) -> UUID:
        """The next one."""
        if not self._is_chance:
            return self._make()
        if not self._block:
            self._block = _make_ids(_IDS_AT_ONCE)
        return self._block.pop()


def _make_ids(number: int) -> list[UUID]:
    """So many random ids (RFC 9562, 5.4), of the class that what is read from the database has."""
    octets = bytearray(os.urandom(number * 16))
    octets[6::16] = bytes(one & 0x0F | 0x40 for one in octets[6::16])
    octets[8::16] = bytes(one & 0x3F | 0x80 for one in octets[8::16])
    return [FastUUID(bytes(octets[place : place + 16])) for place in range(0, len(octets), 16)]
