"""Whose value stands: every case by itself, and two sides that settle equal however their edits and syncs cross."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from customerhub.sinks.account.decide import OWNED, Owner, compare, decide
from tests.support.soak import sized

# Few, so that what was there before comes back and both sides hit upon the same.
VALUES = ("a", "b", "c", None)
# A write that meets another one is tried again; each of them ends with the edits.
MOST_STEPS = 200


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "seen", "hub", "other"),
    [
        ("a", "a", "b", ["b"], "equal", "equal"),
        ("a", "a", UNSET, [], "equal", "equal"),
        ("b", "a", "a", ["a"], "send", "send"),
        ("a", "b", "a", [], "keep", "keep"),
        ("b", "c", "a", ["a"], "send", "leave"),
        ("b", "c", "a", ["a", "c"], "send", "send"),
        ("a", "b", "a", ["c"], "send", "leave"),
        ("a", "b", "a", ["b"], "send", "send"),
        ("a", "b", UNSET, [], "send", "leave"),
        (None, "a", "a", ["a"], "send", "send"),
        (None, "a", UNSET, [], "keep", "keep"),
        (None, "b", UNSET, ["a"], "send", "leave"),
    ],
    ids=[
        *("both changed alike", "never equal before and equal now", "only ours changed", "only theirs changed"),
        *("both changed", "theirs was seen here", "ours went away and came back", "theirs was taken back here"),
        *("never compared", "taken away here", "never had here", "taken away here before anything was compared"),
    ],
)
def test_each_case_has_one_verdict(
    ours: object, theirs: object, base: object, seen: list[object], hub: str, other: str
) -> None:
    """What is the later one is sent whoever owns the field; only a real conflict is decided by ownership."""
    assert decide(ours, theirs, base, seen, "hub") == hub
    assert decide(ours, theirs, base, seen, "other") == other


def test_fields_are_decided_one_by_one() -> None:
    """Of one record some values are sent, some kept and some left; a field that we do not tell is left alone."""
    plan = compare(
        {"name": "N", "phone": "2", "note": "ours", "status": "active", "number": "1"},
        {"name": "N", "phone": "1", "note": "theirs", "status": "inactive", "website": "w"},
        {"name": "M", "phone": "1", "note": "old", "status": "active"},
        [{"name": "M", "phone": "1", "note": "old", "status": "active", "number": "1"}],
        {"note": "other"},
    )

    assert plan.send == {"phone": "2", "number": "1"}
    assert plan.base == {"name": "N", "phone": "2", "note": "old", "status": "active", "number": "1"}
    assert plan.left == {"note": OWNED}


@dataclass
class Side:
    """One hub with one field: its versions, what it knows of the other side, and whether its worker has to tell."""

    owner: Owner
    history: list[str | None] = field(default_factory=lambda: ["a"])
    base: str | UnsetType | None = UNSET
    base_version: int = 0
    is_due: bool = True
    writes: int = 0

    @property
    def value(self) -> str | None:
        return self.history[-1]

    @property
    def version(self) -> int:
        return len(self.history)

    def set(self, value: str | None) -> None:
        """A write of anybody's; one that changes nothing makes no version."""
        if value != self.value:
            self.history.append(value)
            self.is_due = True


@dataclass
class Telling:
    """One attempt of one side's worker: what it read, and what it is about to write."""

    ours: Side
    theirs: Side
    version: int
    read: str | None
    tag: int
    sends: str | UnsetType | None
    base: str | UnsetType | None

    def finish(self, *, is_answered: bool) -> None:
        """The write arrives: refused where the record over there is another one by now; the answer may get lost."""
        ours, theirs = self.ours, self.theirs
        if self.sends is not UNSET:
            if theirs.version != self.tag:
                ours.is_due = True
                return
            ours.writes += theirs.value != self.sends
            theirs.set(self.sends)
        if not is_answered:
            ours.is_due = True
            return
        ours.base, ours.base_version = self.base, self.version


def begin(ours: Side, theirs: Side) -> Telling:
    """Read the other side and decide, as the carrier does."""
    ours.is_due = False
    past = ours.history[max(ours.base_version, 1) - 1 : -1] if ours.base_version < ours.version else []
    base = {} if ours.base is UNSET else {"f": ours.base}
    plan = compare({"f": ours.value}, {"f": theirs.value}, base, [{"f": value} for value in past], {"f": ours.owner})
    return Telling(
        ours,
        theirs,
        ours.version,
        theirs.value,
        theirs.version,
        plan.send.get("f", UNSET),
        plan.base.get("f", UNSET),
    )


def drain(sides: tuple[Side, Side]) -> int:
    """Let both workers do what they have to, in turn; how often they had to."""
    steps = 0
    while any(side.is_due for side in sides):
        for ours, theirs in (sides, sides[::-1]):
            if ours.is_due:
                begin(ours, theirs).finish(is_answered=True)
                steps += 1
        assert steps < MOST_STEPS, "they go on for ever"
    return steps


Step = Callable[[tuple[Side, Side], list[Telling]], None]


def edit(number: int, value: str | None) -> Step:
    return lambda sides, _: sides[number].set(value)


def start(number: int) -> Step:
    def step(sides: tuple[Side, Side], under_way: list[Telling]) -> None:
        if sides[number].is_due and not any(telling.ours is sides[number] for telling in under_way):
            under_way.append(begin(sides[number], sides[1 - number]))

    return step


def end(number: int, *, is_answered: bool) -> Step:
    def step(sides: tuple[Side, Side], under_way: list[Telling]) -> None:
        for telling in [telling for telling in under_way if telling.ours is sides[number]]:
            under_way.remove(telling)
            # Right before it is sent the worker looks whether that is still what stands here.
            if telling.sends is not UNSET and telling.version != telling.ours.version:
                telling.ours.is_due = True
            else:
                telling.finish(is_answered=is_answered)

    return step


_numbers = st.integers(0, 1)
_steps = st.lists(
    st.one_of(
        st.builds(edit, _numbers, st.sampled_from(VALUES)),
        st.builds(start, _numbers),
        st.builds(end, _numbers, is_answered=st.sampled_from((True, True, True, False))),
    ),
    max_size=40,
)


@given(
    steps=_steps,
    owners=st.sampled_from((("hub", "other"), ("other", "hub"))),
    first=st.sampled_from(VALUES),
)
@hypothesis_settings(max_examples=sized(400, 20_000))
def test_two_sides_settle_equal_however_they_cross(
    steps: list[Step], owners: tuple[Owner, Owner], first: str | None
) -> None:
    """Edits on both sides, tellings that read early and write late, answers that get lost: in the end all are equal.

    One is made as the other's copy, and never compared yet.
    """
    sides = (Side(owners[0], [first]), Side(owners[1], [first]))
    under_way: list[Telling] = []
    for step in steps:
        step(sides, under_way)
    for number in (0, 1):
        end(number, is_answered=True)(sides, under_way)

    assert drain(sides) <= 12
    assert sides[0].value == sides[1].value
    # Quiet: nobody has anything to tell, and asked again nobody writes.
    before = [side.version for side in sides]
    for side in sides:
        side.is_due = True
    drain(sides)
    assert [side.version for side in sides] == before


@given(first=st.lists(st.sampled_from(VALUES), min_size=1), second=st.lists(st.sampled_from(VALUES), min_size=1))
def test_a_real_conflict_ends_with_the_owners_value(first: list[str], second: list[str]) -> None:
    """Where both sides changed a value to another one without seeing the other's, that of the side that wins stands."""
    for winner in (0, 1):
        owners: list[Owner] = ["other", "other"]
        owners[winner] = "hub"
        sides = (Side(owners[0]), Side(owners[1]))
        drain(sides)
        for side, values in zip(sides, (first, second), strict=True):
            for value in values:
                side.set(value)
        wins, loses = sides[winner], sides[1 - winner]
        is_conflict = wins.value != loses.value and wins.value not in loses.history and loses.value not in wins.history
        expected = wins.value

        drain(sides)

        assert sides[0].value == sides[1].value
        if is_conflict:
            assert sides[0].value == expected
