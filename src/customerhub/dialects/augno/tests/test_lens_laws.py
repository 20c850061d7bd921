"""The lens laws: what was read may be sent back, what was sent is read back, and nothing else moves."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customerhub.dialects.augno import dialect, exports
from customerhub.dialects.augno.convert import to_new, to_patch
from customerhub.dialects.augno.tests import shapes_customers as shapes
from customerhub.model.apply import TICK, Applied, apply, create
from customerhub.model.catalogue import AccountGroupDetails, Catalogue, Kind, ServiceLevelDetails, UnitDetails
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.model.references import reference_errors
from tests.support.augno import EXPANDABLE, INCLUDES, Json, to_id, uuid_of
from tests.support.soak import sized
from tests.support.strategies import (
    ACTOR,
    EMAILS,
    START,
    TEAM,
    TEXTS,
    catalogues,
    customers,
    ids,
    moment,
    one_or_none,
    some,
)

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(25, 400),
    deadline=None,
    # Without the explanation, which takes minutes for records of this size.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES = TEXTS.filter(str.strip)
NULLABLE = st.none() | TEXTS
# As sent, and as it is kept.
AMOUNTS = {
    **{text: text for text in ("0", "0.00", "25000.00", "0.000000000001", "9" * 30, "1.0")},
    "+1.50": "1.50",
    "007.10": "7.10",
    "1e3": "1000",
    "1E+2": "100",
    "2.50e-2": "0.0250",
}
PLAIN: Mapping[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "number": NAMES,
    "note": NULLABLE,
    "status": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
    "email": st.none() | EMAILS,
    "phone": NULLABLE,
    "url": st.sampled_from([None, "https://kestrel.example/", "HTTP://a"]),
    "is_edi_enabled": st.booleans(),
    "commission_policy": st.sampled_from(["commission_applied", "commission_exempt"]),
    "freight_policy": st.sampled_from(["free_freight", "billed_freight"]),
    "default_priority": st.sampled_from(["low", "normal", "high"]),
    "carrier_billing_type": st.sampled_from(["sender", "third_party"]),
    "carrier_billing_account": NULLABLE,
}
# The canonical fields that a member may move, its consequences with it.
MOVES: Mapping[str, set[str]] = {
    "status": {"standing"},
    "url": {"website"},
    "default_priority": {"priority"},
    "default_carrier_id": {"carrier", "service_level"},
    "default_service_level_id": {"service_level"},
    "default_payment_term_id": {"payment_term"},
    "default_shipping_term_id": {"shipping_term"},
    "default_sales_rep_user_id": {"default_sales_rep", "sales_reps"},
    "bill_to_address_id": {"bill_to"},
    "ship_to_address_id": {"ship_to"},
    "customer_price_group_ids": {"price_groups"},
    "customer_type_group_id": {"type_group"},
    "credit_limit": {"credit_limit", "credit_limit_unit", "credit_limit_id"},
}
# Where a member is read, and what of it.
READ: Mapping[str, tuple[str, ...]] = {**exports.READ, "credit_limit": ("credit_limit", "value")}
MEMBERS = (*READ, "customer_price_group_ids")


def view(customer: Customer, catalogue: Catalogue) -> Json:
    """A customer as clients read it, with every part."""
    shown: Json = msgspec.json.decode(msgspec.json.encode(dialect.show(customer, catalogue)))
    return shown


def read(shown: Json, name: str) -> Any:
    """What a member of a request is read back as."""
    if name == "customer_price_group_ids":
        return [group["id"] for group in shown["price_groups"]["data"]]
    found: Any = shown
    for step in READ.get(name, (name,)):
        if found is None:
            return None
        found = found[step]
    return found


def active(catalogue: Catalogue, kind: Kind, is_kept: Callable[[Any], bool] = lambda _: True) -> list[UUID]:
    """The ids of a kind's entries that a customer may get."""
    entries = catalogue.entries(kind)
    return sorted(entry.id for entry in entries if entry.status == "active" and is_kept(entry.details))


def groups(catalogue: Catalogue, type_: str) -> list[str]:
    """The ids of groups of one type."""
    found = active(catalogue, "account_group", lambda one: isinstance(one, AccountGroupDetails) and one.type == type_)
    return [to_id("acgp", group) for group in found]


@st.composite
def updates(draw: st.DrawFn, customer: Customer, catalogue: Catalogue) -> Json:
    """Bodies of updates that must be accepted."""
    own = [to_id("ad", address.id) for address in customer.addresses]
    reps = [
        to_id(prefix, user.id) for user in catalogue.users() if user.status == "active" for prefix in ("us", "acus")
    ]
    units = active(catalogue, "unit", lambda one: isinstance(one, UnitDetails) and one.type == "currency")
    limits = st.builds(
        lambda value, unit: {"value": value, "unit_id": to_id("un", unit)},
        st.sampled_from(sorted(AMOUNTS)),
        st.sampled_from(units or [UUID(int=0)]),
    )
    choices: dict[str, st.SearchStrategy[Any]] = {
        **PLAIN,
        "default_sales_rep_user_id": one_or_none(reps),
        "bill_to_address_id": one_or_none(own),
        "ship_to_address_id": one_or_none(own),
        "customer_price_group_ids": some(groups(catalogue, "pricing_group")),
        "credit_limit": st.none() | limits if units else st.none(),
    }
    needed = {
        "default_payment_term_id": [to_id("pytm", found) for found in active(catalogue, "payment_term")],
        "default_shipping_term_id": [to_id("shtm", found) for found in active(catalogue, "shipping_term")],
        "customer_type_group_id": groups(catalogue, "type_group"),
    }
    choices |= {name: st.sampled_from(found) for name, found in needed.items() if found}
    body: Json = draw(st.fixed_dictionaries({}, optional=choices))
    return body | draw(carriers(customer, catalogue))


@st.composite
def carriers(draw: st.DrawFn, customer: Customer, catalogue: Catalogue) -> Json:
    """A carrier with one of its service levels, or either alone, or neither."""
    found = active(catalogue, "carrier")
    carrier = draw(st.sampled_from([customer.carrier, *found]))
    body: Json = {"default_carrier_id": to_id("cr", carrier)} if carrier is not None and draw(st.booleans()) else {}
    stands = carrier if body else customer.carrier
    levels = active(
        catalogue, "service_level", lambda one: isinstance(one, ServiceLevelDetails) and one.carrier == stands
    )
    if draw(st.booleans()):
        level = draw(one_or_none(levels))
        body["default_service_level_id"] = to_id("crop", level) if level is not None else None
    return body


def put(body: Json, customer: Customer, catalogue: Catalogue) -> tuple[Applied, Catalogue]:
    """What a PATCH makes of a customer; it must be accepted."""
    mint = ids()
    proposal, ignored = to_patch(body, customer, catalogue)
    assert (proposal.errors, ignored) == ((), [])
    assert reference_errors(customer, proposal.patch, catalogue) == []
    applied = apply(customer, proposal.patch, catalogue, moment(customer, mint))
    return applied, catalogue.with_entries(applied.new_entries)


def check_read(body: Json, shown: Json) -> None:
    """Each member is read as it was sent: groups by name, decimals without what they can do without."""
    for name, value in body.items():
        told = read(shown, name)
        match name:
            case "customer_price_group_ids":
                assert sorted(told) == sorted(value)
            case "default_sales_rep_user_id" if value is not None:
                assert uuid_of(told) == uuid_of(value)
            case "credit_limit" if value is not None:
                assert told == AMOUNTS.get(value["value"], value["value"])
            case _:
                assert told == value, name


@law
@given(st.data())
def test_get_put(data: st.DataObject) -> None:
    """A record of any origin, sent back as it was read, changes nothing; any part of it neither."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    request = dialect.to_request(view(customer, catalogue), customer, catalogue)
    names = data.draw(st.sets(st.sampled_from(sorted(request))))
    for body in (request, {name: request[name] for name in names}):
        applied, _ = put(body, customer, catalogue)
        assert applied.changes == ()
        assert applied.customer is customer


@law
@given(st.data())
def test_put_get_and_twice_is_once(data: st.DataObject) -> None:
    """What a PATCH sets is what is then read, and the same PATCH again changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(updates(customer, catalogue))
    applied, after = put(body, customer, catalogue)
    check_read(body, view(applied.customer, after))
    assert put(body, applied.customer, after)[0].changes == ()


@law
@given(st.data())
def test_frame(data: st.DataObject) -> None:
    """What a PATCH does not name stays, and so does all that this dialect cannot see, but for the consequences."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(updates(customer, catalogue))
    after = put(body, customer, catalogue)[0].customer
    allowed = {"version", "updated_at", "updated_by"}.union(*(MOVES.get(name, {name}) for name in body))
    assert {f for f in CUSTOMER_FIELDS if getattr(after, f) != getattr(customer, f)} <= allowed
    before, now = view(customer, catalogue), view(after, catalogue)
    unnamed = [name for name in MEMBERS if name not in body]
    if "default_carrier_id" in body:
        unnamed = [name for name in unnamed if name != "default_service_level_id"]
    assert {name: read(now, name) for name in unnamed} == {name: read(before, name) for name in unnamed}
    if body.get("default_sales_rep_user_id", "") is None:
        assert after.sales_reps == customer.sales_reps


@law
@given(st.data())
def test_put_get_of_a_new_customer(data: st.DataObject) -> None:
    """What a creation sends is what is then read."""
    catalogue = data.draw(catalogues())
    blank = Customer(TEAM, ACTOR, 0, START, START - TICK, ACTOR, ACTOR, "", "C00001")
    sent = data.draw(updates(blank, catalogue))
    body = {name: value for name, value in sent.items() if value is not None and not name.endswith("_address_id")}
    address = {"name": "Dock 3", "is_drop_ship": True, "country": "no", "locality": "Narvik", "state": None}
    body |= {"name": body.get("name", "New"), "bill_to_address": address, "ship_to_address": address}
    mint = ids()
    lenient = msgspec.structs.replace(catalogue.settings, relaxed_create=True)
    entries = (*(found for kind in KINDS for found in catalogue.entries(kind)),)
    proposal, ignored = to_new(body, Catalogue(1, entries, catalogue.users(), settings=lenient), mint)
    assert (proposal.errors, ignored) == ((), [])
    applied = create(blank, proposal.patch, catalogue, moment(blank, mint))
    shown = view(applied.customer, catalogue)
    check_read({name: value for name, value in body.items() if not name.endswith("_address")}, shown)
    for name, found in (("bill_to_address", applied.customer.bill_to), ("ship_to_address", applied.customer.ship_to)):
        made = applied.customer.find_address(found)
        assert made is not None
        assert (made.name, made.is_drop_ship, made.country, made.city) == ("Dock 3", True, "NO", "Narvik")
        assert shown[name]["id"] == to_id("ad", made.id)


KINDS: tuple[Kind, ...] = (
    *("payment_term", "shipping_term", "carrier", "service_level", "unit", "price_list", "account_group"),
)


@law
@given(st.data())
def test_agreement(data: st.DataObject) -> None:
    """Any record's whole view has the contract's members, types and order, and says what the record says."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = view(customer, catalogue)
    assert list(shapes.customer(frozenset(INCLUDES))(shown, "customer")) == []
    assert (shown["id"], shown["name"]) == (to_id("ac", customer.id), customer.name)
    named = [(group["name"], group["id"]) for group in shown["price_groups"]["data"]]
    assert named == sorted(named)
    assert sorted(uuid_of(group) for _, group in named) == sorted(customer.price_groups)
    absent = {name for name in EXPANDABLE if shown[name] is None}
    expected = {
        "credit_limit": customer.credit_limit,
        "bill_to_address": customer.bill_to,
        "ship_to_address": customer.ship_to,
        "type": customer.type_group,
        "parent_account": None,
        "child_accounts": None,
    }
    assert absent == {name for name, value in expected.items() if value is None}
    if customer.credit_limit is not None:
        assert Decimal(shown["credit_limit"]["value"]) == customer.credit_limit
