"""How far a page looks that may look through many rows: a first part of them, and the rest only where that was quick.

Where nothing is in memory yet, reading takes a hundred times as long.
"""

from typing import Final

from customerhub.core.hub import Hub

_FIRST_PART: Final = 8
_QUICK_SECONDS: Final = 0.02


class Patience:
    """Runs from the moment it is made."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._begun = hub.monotonic()

    @staticmethod
    def first_of(most: int) -> int:
        """How many rows are looked through first, of so many at most."""
        return max(1, most // _FIRST_PART)

    @property
    def is_left(self) -> bool:
        """Whether the first part was quick."""
        return self._hub.monotonic() - self._begun <= _QUICK_SECONDS
