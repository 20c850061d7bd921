"""Pages of lists in memory: walked either way, each item once, newest first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from customerhub.model.page import Position, Window, created, to_window, window

START = datetime(2026, 3, 4, tzinfo=UTC)


class Item(Struct, frozen=True):
    """Something with a place."""

    created_at: datetime
    id: UUID


# Few times, so that many share one and the id decides.
ITEMS = st.lists(
    st.builds(Item, st.integers(0, 4).map(lambda tick: START + timedelta(microseconds=tick)), st.uuids()), max_size=30
)


def in_order(items: list[Item]) -> list[Item]:
    """Newest first."""
    return sorted(items, key=created, reverse=True)


@given(items=ITEMS, limit=st.integers(1, 7))
def test_a_walk_sees_each_item_once(items: list[Item], limit: int) -> None:
    """Page by page from the newest to the oldest, and then back again over the very same pages."""
    pages: list[Window[Item]] = [window(items, None, limit)]
    assert (pages[0].has_before, pages[0].before) == (False, None)
    while (after := pages[-1].after) is not None:
        assert pages[-1].has_after
        pages.append(window(items, after, limit))
    assert [item for page in pages for item in page.items] == in_order(items)
    assert all(len(page.items) == limit for page in pages[:-1])

    back = pages[-1]
    for page in reversed(pages[:-1]):
        assert back.before is not None
        back = window(items, back.before, limit)
        assert back.items == page.items
        assert (back.has_after, back.after) == (True, page.after)
    assert (back.has_before, back.before) == (False, None)


@given(items=ITEMS.filter(len), extra=ITEMS)
def test_who_comes_and_goes_moves_nobody_else(items: list[Item], extra: list[Item]) -> None:
    """The next page begins behind the last item of this one, also where that is gone and others stand around it."""
    first = window(items, None, 1)
    others = [item for item in items if item not in first.items] + extra
    place = Position(*created(first.items[0]))
    expected = [item for item in in_order(others) if created(item) < created(first.items[0])]
    assert list(window(others, place, 100).items) == expected


@pytest.mark.parametrize("is_backward", [False, True])
@given(items=ITEMS, place=st.builds(Item, st.just(START + timedelta(microseconds=2)), st.uuids()))
def test_where_nothing_is_left_a_way_leads_back(*, items: list[Item], place: Item, is_backward: bool) -> None:
    """A page beyond which all is gone is empty, and the page before it holds the item that the place was made of."""
    rest = [item for item in items if (created(item) < created(place)) == is_backward]
    empty = window(rest, Position(*created(place), is_backward=is_backward), 5)
    assert (empty.items, empty.has_before, empty.has_after) == ((), not is_backward, is_backward)
    way, none = (empty.after, empty.before) if is_backward else (empty.before, empty.after)
    assert none is None
    assert way is not None
    assert place in window([*rest, place], way, 1).items
    assert list(window([*rest, place], way, 100).items) == in_order([*rest, place])


def test_a_list_of_nothing_has_no_ways() -> None:
    """The first page of an empty list is empty and the only one."""
    assert window([], None, 5) == Window((), has_before=False, has_after=False, before=None, after=None)


def test_the_ends_of_all_ids_lead_back_too() -> None:
    """There is no id beyond the first and the last."""
    for number, is_backward in ((0, False), ((1 << 128) - 1, True)):
        place = Position(START, UUID(int=number), is_backward)
        assert place.turned() == Position(START, UUID(int=number), not is_backward)


def test_a_search_that_finds_one_more_than_wanted_has_a_next_page() -> None:
    """The item too many is shown by nobody; a backward search found it at the far end."""
    three = [Item(START, UUID(int=number)) for number in (3, 2, 1)]
    forward = to_window(three, None, 2, created)
    assert (forward.items, forward.has_before, forward.has_after) == (tuple(three[:2]), False, True)
    place = Position(START, UUID(int=0), is_backward=True)
    backward = to_window(three[::-1], place, 2, created)
    assert (backward.items, backward.has_before, backward.has_after) == (tuple(three[1:]), True, True)
    assert backward.before == Position(START, UUID(int=2), is_backward=True)
    assert backward.after == Position(START, UUID(int=1))
