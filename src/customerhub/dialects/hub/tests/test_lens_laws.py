"""The lens laws of all three forms: what was read may be sent back, what was sent is read back, nothing else moves."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customerhub.dialects.hub.canonical import LISTS, READ_ONLY, SETS, to_body
from customerhub.dialects.hub.fields import Reading
from customerhub.dialects.hub.patches import from_body, from_json_patch, from_list_aware, from_merge_patch
from customerhub.model.apply import TICK, Applied, apply, create
from customerhub.model.catalogue import AccountGroupDetails, Catalogue, Kind, ServiceLevelDetails, UnitDetails
from customerhub.model.customer import Customer
from customerhub.model.references import reference_errors
from tests.support.hub import Json
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
    max_examples=sized(20, 400),
    deadline=None,
    # Without the explanation, which takes minutes for records of this size.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Send = Callable[[Json, Customer, Catalogue, Callable[[], UUID]], Reading]
NAMES = TEXTS.filter(str.strip)
MAYBE = st.none() | NAMES
TEXT_MEMBERS = (
    *("display_name", "reference_id", "first_name", "last_name", "phone", "website", "note", "payment_mode"),
    *("carrier_billing_account", "tax_number"),
)
CHOICES = {
    "name": NAMES,
    "number": NAMES,
    "email": st.none() | EMAILS,
    "status": st.sampled_from(["active", "inactive"]),
    "standing": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
    "priority": st.sampled_from(["low", "normal", "high"]),
    "commission_policy": st.sampled_from(["commission_applied", "commission_exempt"]),
    "freight_policy": st.sampled_from(["free_freight", "billed_freight"]),
    "carrier_billing_type": st.sampled_from(["sender", "third_party"]),
    **dict.fromkeys(("is_edi_enabled", "accepts_invoice_emails", "tax_excluded", "tax_auto_calculate"), st.booleans()),
    **dict.fromkeys(TEXT_MEMBERS, MAYBE),
}
AMOUNTS = ("0", "0.00", "25000.00", "0.000000000001", "9" * 30)
# Members that others move by themselves.
CONSEQUENCES = {
    "carrier": {"service_level"},
    "sales_reps": {"default_sales_rep"},
    "default_sales_rep": {"sales_reps"},
    "addresses": {"bill_to", "ship_to"},
    "contacts": {"primary_contact"},
}
MARKS = ("version", "updated_at", "updated_by")


def send_merge(target: Json, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """The members as a merge patch; what an object no longer has is named with null."""
    patch = dict(target)
    if "attributes" in target:
        gone = dict.fromkeys(to_body(customer)["attributes"])
        patch["attributes"] = {**gone, **target["attributes"]}
    return from_merge_patch(patch, customer, catalogue, mint)


def send_steps(target: Json, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """The members as operations of a JSON Patch, each after a test of what stands there."""
    shown = to_body(customer)
    steps: list[Json] = []
    for member, value in target.items():
        steps.append({"op": "test", "path": f"/{member}", "value": shown[member]})
        step: Json = {"op": "replace", "path": f"/{member}", "value": value}
        steps.append(step if value is not None else {"op": "remove", "path": f"/{member}"})
    return from_json_patch(cast("list[object]", steps), customer, catalogue, mint)


def send_lists(target: Json, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """The members as a list-aware patch that replaces lists."""
    patch = dict(target)
    for member in (*LISTS, "attributes"):
        if member in target:
            patch[member] = {"mode": "replace", "items": target[member], "max_removals": 99}
    for member in SETS:
        if member in target:
            now = to_body(customer)[member]
            if target[member][: len(now)] == now:
                patch[member] = {"add": target[member][len(now) :]}
    return from_list_aware(patch, customer, catalogue, mint)


FORMS: dict[str, Send] = {"merge patch": send_merge, "JSON Patch": send_steps, "list-aware": send_lists}
every_form = pytest.mark.parametrize("send", FORMS.values(), ids=FORMS)


def view(customer: Customer) -> Json:
    """A customer as clients read it."""
    shown: Json = msgspec.json.decode(msgspec.json.encode(to_body(customer)))
    return shown


def put(send: Send, target: Json, customer: Customer, catalogue: Catalogue) -> tuple[Applied, Catalogue]:
    """What a patch makes of a customer; it must be accepted."""
    mint = ids()
    reading = send(target, customer, catalogue, mint)
    assert (reading.proposal.errors, reading.ignored) == ((), ())
    assert reference_errors(customer, reading.proposal.patch, catalogue) == []
    applied = apply(customer, reading.proposal.patch, catalogue, moment(customer, mint))
    return applied, catalogue.with_entries(applied.new_entries)


def active(catalogue: Catalogue, kind: Kind, is_kept: Callable[[Any], bool] = lambda _: True) -> list[str]:
    """The ids of a kind's entries that a customer may get."""
    entries = catalogue.entries(kind)
    return sorted(str(entry.id) for entry in entries if entry.status == "active" and is_kept(entry.details))


def groups(catalogue: Catalogue, type_: str) -> list[str]:
    """The ids of groups of one type."""
    return active(catalogue, "account_group", lambda one: isinstance(one, AccountGroupDetails) and one.type == type_)


@st.composite
def entries(draw: st.DrawFn, shown: list[Json], texts: dict[str, st.SearchStrategy[Any]]) -> list[Json]:
    """Some of the entries, some of them changed, and new ones."""
    kept = [{**entry, **draw(st.fixed_dictionaries({}, optional=texts))} for entry in shown if draw(st.booleans())]
    new = draw(st.lists(st.fixed_dictionaries({}, optional=texts), max_size=2))
    return [*kept, *new]


@st.composite
def targets(draw: st.DrawFn, customer: Customer, catalogue: Catalogue) -> Json:
    """Members and what they are to be; it must be accepted."""
    shown = view(customer)
    reps = sorted(str(user.id) for user in catalogue.users() if user.status == "active")
    units = active(catalogue, "unit", lambda one: isinstance(one, UnitDetails) and one.type == "currency")
    limits = st.fixed_dictionaries({"value": st.sampled_from(AMOUNTS), "unit": st.sampled_from(units or [""])})
    choices: dict[str, st.SearchStrategy[Any]] = {
        **CHOICES,
        "payment_term": one_or_none(active(catalogue, "payment_term")),
        "shipping_term": one_or_none(active(catalogue, "shipping_term")),
        "price_list": one_or_none(active(catalogue, "price_list")),
        "type_group": one_or_none(groups(catalogue, "type_group")),
        "price_groups": some(groups(catalogue, "pricing_group")),
        "sales_reps": some(reps),
        "default_sales_rep": one_or_none(reps),
        "credit_limit": st.none() | limits if units else st.none(),
        "contacts": entries(shown["contacts"], {"first_name": MAYBE, "phone": MAYBE, "email": st.none() | EMAILS}),
        "addresses": entries(
            shown["addresses"],
            {"city": MAYBE, "line1": MAYBE, "is_drop_ship": st.booleans(), "type": st.sampled_from(["billing", None])},
        ),
    }
    if not catalogue.attribute_definitions("customer"):
        choices["attributes"] = st.dictionaries(NAMES, TEXTS | st.just(""), max_size=3)
    body: Json = draw(st.fixed_dictionaries({}, optional=choices))
    if draw(st.booleans()):
        body |= draw(carriers(catalogue))
    return body


@st.composite
def carriers(draw: st.DrawFn, catalogue: Catalogue) -> Json:
    """A carrier with one of its service levels, or with none."""
    carrier = draw(one_or_none(active(catalogue, "carrier")))
    levels = active(
        catalogue, "service_level", lambda one: isinstance(one, ServiceLevelDetails) and str(one.carrier) == carrier
    )
    return {"carrier": carrier, "service_level": draw(one_or_none(levels))}


def content(entry: Json) -> Json:
    """What an entry says, without its marks."""
    blank = {"attributes": {}, "is_drop_ship": False}
    said = {name: value for name, value in entry.items() if name not in ("id", "created_at", "updated_at")}
    return {name: value for name, value in said.items() if value is not None and value != blank.get(name)}


def check_read(target: Json, shown: Json) -> None:
    """Each member is read as it was sent: lists in their own order, a default rep joins the reps."""
    for member, value in target.items():
        told = shown[member]
        match member:
            case "addresses" | "contacts":
                assert sorted(map(repr, map(sorted_items, told))) == sorted(map(repr, map(sorted_items, value)))
                kept = {entry["id"] for entry in value if "id" in entry}
                assert kept <= {entry["id"] for entry in told}
            case "sales_reps" if target.get("default_sales_rep") is not None:
                assert [*value, target["default_sales_rep"]][: len(told)] == told
            case "price_groups":
                assert sorted(told) == sorted(value)
            case _:
                assert told == value, member


def sorted_items(entry: Json) -> list[tuple[str, Any]]:
    """What an entry says, to be compared."""
    return sorted(content(entry).items())


@every_form
@law
@given(st.data())
def test_get_put(send: Send, data: st.DataObject) -> None:
    """A record of any origin, sent back as it was read, changes nothing; any part of it neither."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = view(customer)
    if send is send_steps:
        shown = {member: value for member, value in shown.items() if value is not None}
    names = data.draw(st.sets(st.sampled_from(sorted(shown))))
    for target in (shown, {name: shown[name] for name in names}):
        applied, _ = put(send, target, customer, catalogue)
        assert applied.changes == ()
        assert applied.customer is customer


@law
@given(st.data())
def test_a_whole_record_is_a_list_aware_patch(data: st.DataObject) -> None:
    """As it was read, with plain arrays and plain values, it changes nothing either."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    applied, _ = put(from_list_aware, view(customer), customer, catalogue)
    assert applied.customer is customer


@every_form
@law
@given(st.data())
def test_put_get_and_twice_is_once(send: Send, data: st.DataObject) -> None:
    """What a patch sets is what is then read, and the same patch again changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    target = data.draw(targets(customer, catalogue))
    applied, after = put(send, target, customer, catalogue)
    check_read(target, view(applied.customer))
    # What an entry was like before is told by its mark, which a second time is another one.
    again = {member: [without_marks(entry) for entry in target[member]] for member in LISTS if member in target}
    assert put(send, target | again, applied.customer, after)[0].changes == ()


def without_marks(entry: Json) -> Json:
    """An entry without the times of its making."""
    return {name: value for name, value in entry.items() if name not in ("created_at", "updated_at")}


@every_form
@law
@given(st.data())
def test_frame(send: Send, data: st.DataObject) -> None:
    """What is not named stays as it is, but for what follows from what is named."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    target = data.draw(targets(customer, catalogue))
    applied, _ = put(send, target, customer, catalogue)
    before, after = view(customer), view(applied.customer)
    moved = set(target) | {other for name in target for other in CONSEQUENCES.get(name, ())} | set(MARKS)
    assert {name for name in after if after[name] != before[name]} <= moved
    for member in LISTS:
        if member in target:
            entries_before = {entry["id"]: entry for entry in before[member]}
            for entry in after[member]:
                known = entries_before.get(entry["id"])
                assert known is None or entry["created_at"] == known["created_at"]


@law
@given(st.data())
def test_a_new_record_is_read_as_it_was_sent(data: st.DataObject) -> None:
    """Every member of a creation that is sent is what is then read."""
    catalogue = data.draw(catalogues())
    example = data.draw(customers(catalogue))
    body = {"name": "Kestrel", **data.draw(targets(example, catalogue))}
    for member in LISTS:
        # Ids are given by the hub.
        new = [content(entry) for entry in body.get(member, ())]
        body[member] = [entry for entry in new if is_sound(member, entry)]
    mint = ids()
    reading = from_body(body, catalogue, mint)
    assert reading.proposal.errors == ()
    blank = Customer(TEAM, UUID(int=5), 0, START, START - TICK, ACTOR, ACTOR, name="", number="C00001")
    assert reference_errors(blank, reading.proposal.patch, catalogue) == []
    made = create(blank, reading.proposal.patch, catalogue, moment(None, mint)).customer
    check_read(body, view(made))
    assert set(view(made)) == set(view(example))
    assert READ_ONLY[1] == "version"
    assert made.version == 1


def is_sound(member: str, entry: Json) -> bool:
    """Whether a new entry may say all that: an old one may say more."""
    return (
        "attributes" not in entry and not from_body({"name": "x", member: [entry]}, Catalogue(1), ids()).proposal.errors
    )
