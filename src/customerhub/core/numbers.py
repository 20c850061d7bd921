"""Where the numbers of new customers come from: the team's counter, one at a time or many at once."""

from uuid import UUID

from typing_extensions import override

from customerhub.store import customers as store
from customerhub.store.db import Connection


class Numbers:
    """The team's counter; a number that is taken is not given again, whatever becomes of the creation."""

    async def take(self, connection: Connection, team: UUID) -> int:
        """The next number."""
        return await store.take_numbers(connection, team, 1)

    async def skip(self, connection: Connection, team: UUID, prefix: str, digits: int) -> None:
        """After a clash with a typed number: on past the highest of the form `prefix` + at least `digits` digits."""
        await store.skip_numbers(connection, team, prefix, digits)


class NumbersNeeded(Exception):
    """No error: a transaction needs a number, which is to be taken before the transaction is begun again."""


class Block(Numbers):
    """Numbers of one team that were taken beforehand, and the counter when they are used up.

    A transaction that took from the counter would keep every other creation of its team waiting until it ends. Nothing
    is taken before the first number is needed: inside a transaction that raises NumbersNeeded, once.
    """

    def __init__(self) -> None:
        self._numbers: range | None = None
        self.used = 0

    def fill(self, numbers: range) -> None:
        """Give these out from now on."""
        self._numbers, self.used = numbers, 0

    @override
    async def take(self, connection: Connection, team: UUID) -> int:
        if self._numbers is None and connection.is_in_transaction():
            raise NumbersNeeded
        if self._numbers is None or self.used == len(self._numbers):
            return await super().take(connection, team)
        self.used += 1
        return self._numbers[self.used - 1]

    @override
    async def skip(self, connection: Connection, team: UUID, prefix: str, digits: int) -> None:
        """The same; what is left of the block could clash as well."""
        self.used = len(self._numbers or ())
        await super().skip(connection, team, prefix, digits)
