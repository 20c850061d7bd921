"""Properties of what is made of a history: any former state, the way from one state to another, and back."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customerhub.model.change import FieldChange
from customerhub.model.customer import Attribute, Customer
from customerhub.model.error import HistoryGone
from customerhub.model.replay import CONTENT, STAMPS, Stamp, differences, follow, replay
from tests.support.histories import History, histories, to_entry, without_stamps
from tests.support.soak import sized
from tests.support.strategies import ACTOR, START, TEAM, catalogues, customers, moment

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(12, 200),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@law
@given(histories())
def test_a_history_leads_to_each_of_its_states(history: History) -> None:
    """Exactly, stamps and digits included, from the first entry or from any that holds the whole record."""
    for place, state in enumerate(history.states):
        assert repr(replay(history.entries[: place + 1])) == repr(state)
        folded = to_entry(state, (FieldChange("", None, state),))
        assert replay([folded, *history.entries[place + 1 :]]) == history.states[-1]


def test_nothing_leads_to_a_state_without_a_whole_record() -> None:
    """Where every entry that held one is gone it is said which version is not known."""
    customer = Customer(TEAM, ACTOR, 2, START, START, ACTOR, ACTOR, name="A", number="1")
    for entries in ((), (to_entry(customer, (FieldChange("/name", "B", "A"),)),)):
        with pytest.raises(HistoryGone):
            replay(entries)


@law
@given(st.data())
def test_differences_lead_from_any_state_to_any_other(data: st.DataObject) -> None:
    """By the rules of change paths, to all that the other says, and in the order in which it says it."""
    catalogue = data.draw(catalogues())
    before, goal = data.draw(customers(catalogue)), data.draw(customers(catalogue))
    goal = msgspec.structs.replace(
        goal,
        **{name: getattr(before, name) for name in STAMPS},
        attributes=_mixed(data, before.attributes, goal.attributes),
    )
    changes = differences(before, goal)
    stamp = Stamp(before.version + 1, moment(before).now, ACTOR)
    after = follow(before, changes, stamp)
    assert without_stamps(after, before) == without_stamps(goal, before)
    assert (after.version, after.updated_at, after.updated_by) == (stamp.version, stamp.at, stamp.actor)
    assert after == follow(before, to_entry(before, changes).changes, stamp)
    assert bool(changes) == (without_stamps(before, before) != without_stamps(goal, before))
    assert differences(before, before) == ()


def _mixed(data: st.DataObject, before: Sequence[Attribute], others: Sequence[Attribute]) -> tuple[Attribute, ...]:
    """Custom values of both, in any order, each name once: some as they are, some with another value."""
    chosen = data.draw(st.permutations([*before, *others])) if before or others else []
    mixed: dict[str, Attribute] = {}
    for one in chosen[: data.draw(st.integers(0, len(chosen)))]:
        value = data.draw(st.sampled_from([one.value, "another"]))
        if all(one.id != other.id for other in mixed.values()):
            mixed.setdefault(one.name, msgspec.structs.replace(one, value=value))
    return tuple(mixed.values())


@law
@given(histories(most=2))
def test_what_a_patch_changed_is_what_tells_the_states_apart(history: History) -> None:
    """The differences of two neighbouring states are the changes of the version between them."""
    before, after = history.states[-2:]
    entry = history.entries[-1]
    found = to_entry(after, differences(before, after)).changes
    assert {change.path for change in found} == {change.path for change in entry.changes}
    assert sorted(map(repr, found)) == sorted(map(repr, entry.changes))


def test_a_custom_value_out_of_its_place_is_taken_away_and_comes_back() -> None:
    """One change that has both values, so that what a history leads to stands in the same order."""
    marks = (ACTOR, ACTOR, START, START)
    a, b, c = (Attribute(UUID(int=place), name, name, *marks) for place, name in enumerate("abc"))
    before = Customer(TEAM, ACTOR, 1, START, START, ACTOR, ACTOR, name="A", number="1", attributes=(a, b, c))
    goal = msgspec.structs.replace(before, attributes=(b, a))
    changes = differences(before, goal)
    assert changes == (FieldChange("/attributes/c", c, None), FieldChange("/attributes/a", a, a))
    assert follow(before, changes, Stamp(2, START, ACTOR)).attributes == (b, a)


def test_everything_is_a_stamp_or_content() -> None:
    """No field of a record is forgotten."""
    assert {*STAMPS, *CONTENT} == set(Customer.__struct_fields__)
    assert not STAMPS & set(CONTENT)
