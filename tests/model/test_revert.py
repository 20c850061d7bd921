"""Properties of going back: to a whole former state or to parts of it."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from customerhub.dialects.base import find_dialects
from customerhub.model.apply import Applied
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import differs
from customerhub.model.customer import Address, Attribute, Customer
from customerhub.model.error import Invalid
from customerhub.model.replay import differences, to_steps
from customerhub.model.revert import revert
from tests.support.changes import replay
from tests.support.histories import History, histories, without_stamps
from tests.support.patches import check_whole
from tests.support.soak import sized
from tests.support.strategies import ACTOR, START, TEAM, entry, moment

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(12, 200),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
LIMIT = {"credit_limit", "credit_limit_unit", "credit_limit_id"}
CONSEQUENCES: dict[str, set[str]] = {
    "carrier": {"service_level"},
    "sales_reps": {"default_sales_rep"},
    "default_sales_rep": {"sales_reps"},
    **dict.fromkeys(LIMIT, LIMIT),
    "addresses": {"bill_to", "ship_to"},
    "contacts": {"primary_contact"},
}
OTHER = UUID(int=0x07E5)


def views(customer: Customer, catalogue: Catalogue) -> dict[str, Any]:
    """What every door shows."""
    return {dialect.name: dialect.show(customer, catalogue) for dialect in find_dialects()}


@law
@given(histories(), st.data())
def test_any_version_comes_back_as_it_was(history: History, data: st.DataObject) -> None:
    """As one new version, in all views; every entry with its id and time of creation, and nothing else is touched."""
    before, then = history.states[-1], data.draw(st.sampled_from(history.states))
    applied = revert(before, then, None, history.catalogue, moment(before))
    after = applied.customer
    if not applied.changes:
        assert after is before
        assert without_stamps(before, then) == without_stamps(then, then)
        return
    assert (after.version, after.updated_at) == (before.version + 1, moment(before).now)
    assert not differs(without_stamps(after, then), without_stamps(then, then))
    assert views(without_stamps(after, then), history.catalogue) == views(without_stamps(then, then), history.catalogue)
    assert replay(before, applied) == after
    check_stamps(before, then, after)
    again = revert(after, then, None, history.catalogue, moment(after))
    assert again == Applied(after, ())
    back = revert(after, before, None, history.catalogue, moment(after)).customer
    assert not differs(without_stamps(back, before), without_stamps(before, before))


def check_stamps(before: Customer, then: Customer, after: Customer) -> None:
    """What stays as it is keeps its time, what comes back has its own, what changes has that of the change."""
    for field in ("addresses", "contacts"):
        now = {entry.id: entry for entry in getattr(before, field)}
        old = {entry.id: entry for entry in getattr(then, field)}
        for entry_ in getattr(after, field):
            if entry_.id not in now:
                assert entry_ == old[entry_.id]
            elif entry_.updated_at != after.updated_at:
                assert entry_ == now[entry_.id]
            else:
                assert entry_ != now[entry_.id]


@law
@given(histories(), st.data())
def test_parts_come_back_by_their_paths(history: History, data: st.DataObject) -> None:
    """What the paths name is as it was, what nothing names and nothing entails is as it is, and the record is whole."""
    before, then = history.states[-1], history.states[0]
    found = differences(before, then)
    assume(found)
    paths = data.draw(st.lists(st.sampled_from([change.path for change in found]), min_size=1, unique=True))
    after, refused = revert_if_possible(before, then, paths, history.catalogue)
    # A pointer to what is not there, or a service level of another carrier: it has to be asked for too.
    assert refused <= {"bill_to", "ship_to", "primary_contact", "service_level"}
    assume(after is not None)
    assert after is not None
    check_whole(after, history.catalogue)
    named = {to_steps(path)[0] for path in paths}
    allowed = named.union(*(CONSEQUENCES.get(name, ()) for name in named))
    left = {change.path for change in differences(after, then)}
    for path in paths:
        field, *inner = to_steps(path)
        if inner:
            assert path not in left or (inner[-1] != "value" and "attributes" in (field, *inner))
        elif field not in {"sales_reps", "default_sales_rep", "service_level", "credit_limit_unit", "credit_limit_id"}:
            assert not differs(getattr(after, field), getattr(then, field))
    moved = {to_steps(change.path)[0] for change in differences(before, after)}
    assert moved <= allowed
    for change in differences(before, after):
        field, *inner = to_steps(change.path)
        if inner and field in ("addresses", "contacts"):
            assert any(meets(change.path, path) for path in paths)


def revert_if_possible(
    before: Customer, then: Customer, paths: list[str], catalogue: Catalogue
) -> tuple[Customer | None, set[str]]:
    """The record with some of its values back, or else the fields for which that is refused."""
    try:
        return revert(before, then, paths, catalogue, moment(before)).customer, set()
    except Invalid as error:
        return None, {str(one.path[0]) for one in error.errors}


def meets(one: str, other: str) -> bool:
    """Whether one path is the other, in it or around it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def a_customer(**fields: object) -> Customer:
    """A record with one address and one custom value."""
    value = Attribute(UUID(int=1), "a/b", "x", ACTOR, ACTOR, START, START)
    address = Address(UUID(int=2), START, START, city="Oslo", attributes=(value,))
    born: dict[str, Any] = {"name": "A", "number": "1", "addresses": (address,), "attributes": (value,), **fields}
    return Customer(TEAM, OTHER, 3, START, START, ACTOR, ACTOR, **born)


@pytest.mark.parametrize(
    "path",
    [
        *("name", "/", "/nothing", "/id", "/version", "/updated_at", "/deleted_at", "/merged_into", "/name/first"),
        *("/addresses/x", f"/addresses/{UUID(int=9)}", f"/addresses/{UUID(int=2)}/id", "/contacts/0", "/team"),
        *(f"/addresses/{UUID(int=2)}/created_at", f"/addresses/{UUID(int=2)}/attributes/b", "/attributes/b"),
        *("/attributes/a~1b/name", "/attributes/a/b", f"/addresses/{UUID(int=2)}/city/x", "/addresses/"),
    ],
)
def test_a_path_that_names_nothing_is_refused(path: str) -> None:
    """All of them at once, by their places in the request."""
    customer = a_customer()
    with pytest.raises(Invalid) as caught:
        revert(customer, a_customer(name="B"), ["/name", path, "/none"], Catalogue(1, [], []), moment(customer))
    assert [(error.path, error.code) for error in caught.value.errors] == [
        (("paths", 1), "unknown_path"),
        (("paths", 2), "unknown_path"),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/name", {"/name"}),
        ("", {"/name", "/note", f"/addresses/{UUID(int=2)}/city", f"/addresses/{UUID(int=2)}/attributes/a~1b"}),
        ("/addresses", {f"/addresses/{UUID(int=2)}/city", f"/addresses/{UUID(int=2)}/attributes/a~1b"}),
        (f"/addresses/{UUID(int=2)}", {f"/addresses/{UUID(int=2)}/city", f"/addresses/{UUID(int=2)}/attributes/a~1b"}),
        (f"/addresses/{UUID(int=2)}/city", {f"/addresses/{UUID(int=2)}/city"}),
        (f"/addresses/{UUID(int=2)}/attributes", {f"/addresses/{UUID(int=2)}/attributes/a~1b"}),
        (f"/addresses/{UUID(int=2)}/attributes/a~1b/value", {f"/addresses/{UUID(int=2)}/attributes/a~1b"}),
        ("/attributes/a~1b", set()),
    ],
)
def test_a_path_names_one_place(path: str, expected: set[str]) -> None:
    """A field, a list, an entry, what is in it, a custom value by its name; `""` is everything."""
    address = Address(UUID(int=2), START, START, city="Bergen")
    before, then = a_customer(name="B", note="new", addresses=(address,)), a_customer()
    applied = revert(before, then, [path], Catalogue(1, [], []), moment(before))
    assert {change.path for change in applied.changes} == expected
    assert replay(before, applied) == applied.customer


def test_what_means_nothing_without_its_entry_comes_back_only_while_that_is_there() -> None:
    """Groups and units; a deleted term does come back, as it would be shown had it stayed."""
    unit, term = UUID(int=5), UUID(int=6)
    from_then = {"credit_limit_unit": unit, "type_group": UUID(int=7), "price_groups": (UUID(int=8),)}
    then, before = a_customer(**from_then, payment_term=term), a_customer()
    details: Any = None
    gone = entry("payment_term", 6, "NET30", details, "inactive", START)
    catalogue = Catalogue(1, [gone, entry("unit", 5, "EUR", details, "inactive", START)], [])
    with pytest.raises(Invalid) as caught:
        revert(before, then, None, catalogue, moment(before))
    assert {error.path: error.code for error in caught.value.errors} == {
        ("price_groups", 0): "unknown_id",
        ("type_group",): "unknown_id",
        ("credit_limit_unit",): "unknown_id",
    }
    applied = revert(before, then, ["/payment_term"], catalogue, moment(before))
    assert applied.customer == msgspec.structs.replace(
        before, payment_term=term, version=4, updated_at=moment(before).now, updated_by=ACTOR
    )


def test_references_that_are_nowhere_are_refused() -> None:
    """No foreign key would hold them."""
    nowhere = UUID(int=0xDEAD)
    then = a_customer(payment_term=nowhere, carrier=nowhere, default_sales_rep=nowhere, bill_to=nowhere)
    with pytest.raises(Invalid) as caught:
        revert(a_customer(), then, None, Catalogue(1, [], []), moment(then))
    fields = [error.path[0] for error in caught.value.errors]
    assert fields == ["payment_term", "carrier", "default_sales_rep", "bill_to"]
