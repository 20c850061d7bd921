"""Pages of lists that stand newest first: where a page begins, and what is on it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct


class Position(Struct, frozen=True):
    """A place between two items: behind the item of this time and id, or before it where the walk goes backward.

    The item itself need not exist any more. Lists stand newest first, by time and then by id, both descending.
    """

    at: datetime
    id: UUID
    is_backward: bool = False

    @property
    def key(self) -> tuple[datetime, UUID]:
        """What items are compared with."""
        return self.at, self.id

    def turned(self) -> "Position":
        """From the same place the other way, so that the item it was made of is not left out."""
        number = self.id.int + (1 if self.is_backward else -1)
        # No item has the first or the last id of all.
        around = UUID(int=number) if 0 <= number < 1 << 128 else self.id
        return Position(self.at, around, not self.is_backward)


class Dated(Protocol):
    """What has a time of creation and an id."""

    @property
    def created_at(self) -> datetime: ...

    @property
    def id(self) -> UUID: ...


Item = TypeVar("Item")
DatedItem = TypeVar("DatedItem", bound=Dated)


class Window(Struct, Generic[Item], frozen=True):
    """One page, newest first whichever way it was walked to.

    `before` and `after` are the positions of the pages of newer and of older items, None where there is none. What a
    walk has passed by counts as being there: it is not looked for again.
    """

    items: tuple[Item, ...]
    has_before: bool = False
    has_after: bool = False
    before: Position | None = None
    after: Position | None = None


def created(item: Dated) -> tuple[datetime, UUID]:
    """What most lists stand in the order of."""
    return item.created_at, item.id


def window(items: Iterable[DatedItem], position: Position | None, limit: int) -> Window[DatedItem]:
    """A page of at most `limit` items of a list in memory, whose order does not matter."""
    ordered = sorted(items, key=created, reverse=position is None or not position.is_backward)
    if position is not None and position.is_backward:
        ordered = [item for item in ordered if created(item) > position.key]
    elif position is not None:
        ordered = [item for item in ordered if created(item) < position.key]
    return to_window(ordered[: limit + 1], position, limit, created)


def to_window(
    found: Sequence[Item], position: Position | None, limit: int, key: Callable[[Item], tuple[datetime, UUID]]
) -> Window[Item]:
    """The page of what a search from `position` found: in walking order, `limit` + 1 items if there are so many."""
    is_backward = position is not None and position.is_backward
    has_more = len(found) > limit
    items = tuple(found[:limit][::-1] if is_backward else found[:limit])
    has_before = has_more if is_backward else position is not None
    has_after = True if is_backward else has_more
    if items:
        before: Position | None = Position(*key(items[0]), is_backward=True)
        after: Position | None = Position(*key(items[-1]))
    else:
        # Everything beyond is gone: one way leads back, to the very item that the position was made of.
        before = after = position.turned() if position is not None else None
    return Window(items, has_before, has_after, before if has_before else None, after if has_after else None)
