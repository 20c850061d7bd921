"""What a trial remembers of rows that it has taken back: later rows may be about the same customers, or want the same.

A run finds in the database what the rows before have written; a trial writes nothing, so rows that share a key with
earlier ones are tried once more after those. Of each value only a number is remembered, and which lines had it.
"""

from collections.abc import Iterable
from typing import Final

from customerhub.core.imports.deciding import Group, Scene, to_item
from customerhub.store import imports as store

# Of many rows that share one value the first ones made it what it is, and the last ones say what it is now.
_MOST: Final = 20
_DEPTH: Final = 4


class Ancestors:
    """Which lines had which values."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[int, ...]] = {}
        self._values: dict[int, tuple[int, ...]] = {}

    async def join(self, scene: Scene, group: Group) -> None:
        """Put the rows before those of a group that have a say in them, done anew for themselves; and these too."""
        own = [item for item in group.items if not item.is_extra]
        wanted: set[int] = set()
        for item in own:
            found = self._find(hash(one) for one in item.claims)
            if found:
                item.forget()
                wanted |= found
        for _ in range(_DEPTH):
            wanted |= {line for one in list(wanted) for line in self._find(self._values.get(one, ()))}
        if not wanted:
            return
        async with scene.hub.database.lease() as connection:
            rows = await store.get_rows(connection, scene.one.team, scene.one.id, wanted)
        extras = [to_item(scene, row, is_extra=True) for row in rows]
        for item in extras:
            item.is_careful = True
        group.items = [*(item for item in extras if not item.results), *own]

    def note(self, group: Group) -> None:
        """Remember what rows of a group brought."""
        for item in group.items:
            if item.is_extra:
                continue
            values = tuple({hash(one) for one in item.claims})
            if not values or item.results[0].outcome == "refused":
                continue
            if len(values) > 1:
                self._values[item.line] = values
            for one in values:
                lines = (*self._lines.get(one, ()), item.line)
                self._lines[one] = lines if len(lines) <= _MOST else (*lines[: _MOST // 2], *lines[-_MOST // 2 :])

    def _find(self, values: Iterable[int]) -> set[int]:
        return {line for one in values for line in self._lines.get(one, ())}
