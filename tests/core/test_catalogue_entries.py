"""Entries of the catalogue: made, changed and deleted, whatever happens beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec import structs

from customerhub.core.catalogue import EntryValues, get_entry, values_of
from customerhub.core.hub import Hub
from customerhub.model.answer import IfMatch
from customerhub.model.catalogue import (
    AccountGroupDetails,
    Amount,
    CarrierDetails,
    CatalogueEntry,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
)
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound, PreconditionFailed, Taken
from customerhub.model.patch import Named
from customerhub.store.db import Database
from tests.support.office import Office, make_office, refused

PRICING = AccountGroupDetails("pricing_group")
KIND = AccountGroupDetails("type_group")

Work = Callable[[Office], Awaitable[object]]
Fields = dict[str, Any]  # Any: members of CustomerPatch


@pytest.fixture
async def office(hub: Hub) -> AsyncIterator[Office]:
    """A team and somebody who may do everything in it."""
    async with make_office(hub) as made:
        yield made


async def test_a_deleted_entry_is_found_nowhere(office: Office) -> None:
    """It is in no list, no path leads to it, each further write of it is refused; its row and its history stay."""
    term = await office.add("payment_term", "Net 10")
    gone = await office.remove(term)
    assert (gone.status, gone.version, gone.deleted_at, gone.updated_at) == (
        "inactive",
        2,
        gone.updated_at,
        gone.updated_at,
    )
    catalogue = await office.catalogue()
    assert catalogue.find_entry("payment_term", term.id) == gone
    assert catalogue.find_live("payment_term", term.id) is None
    assert catalogue.find_named("payment_term", "Net 10") is None
    assert term.id not in {entry.id for entry in catalogue.entries("payment_term")}
    for attempt in (
        get_entry(office.hub, office.caller, "payment_term", term.id),
        office.edit(term, EntryValues("Net 11")),
        office.remove(term),
    ):
        failure = await refused(NotFound, attempt, office)
        assert (failure.kind, failure.id) == ("payment_term", str(term.id))
    assert await office.audits("payment_term") == [(term.id, 1, "created"), (term.id, 2, "deleted")]


async def test_what_a_deleted_entry_held_is_free(office: Office) -> None:
    """Its name and its reference can be another's, by hand and by free text."""
    first = await office.add("price_list", "Wholesale", PriceListDetails(), reference_id="PL-1")
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    level = await office.add("service_level", "Express", ServiceLevelDetails(carrier.id, "express"))
    for entry in (first, level, carrier):
        await office.remove(entry)
    second = await office.add("price_list", "Wholesale", PriceListDetails(), reference_id="PL-1")
    assert second.id != first.id
    customer = await office.customer(carrier=Named("dhl"))
    assert customer.carrier not in {None, carrier.id}
    assert (await office.catalogue()).name_of("carrier", customer.carrier) == "dhl"
    with pytest.raises(Taken):
        await office.add("carrier", "DHL", CarrierDetails())


async def test_a_deleted_entry_stays_where_it_is_set(office: Office) -> None:
    """A customer keeps it and can be changed beside it and written with it again; nobody gets it anew."""
    term = await office.add("payment_term", "Net 10")
    customer = await office.customer(payment_term=term.id)
    await office.remove(term)
    assert (await office.get(customer)).payment_term == term.id
    assert (await office.patch(customer, payment_term=term.id, phone="1")).version == 2
    other = await office.customer()
    failure = await refused(Invalid, office.patch(other, payment_term=term.id), office)
    assert failure.errors == (FieldError(("payment_term",), "inactive", "this payment term is inactive"),)
    catalogue = await office.catalogue()
    assert catalogue.name_of("payment_term", term.id) == "Net 10"


async def test_a_carrier_takes_its_service_levels_along(office: Office) -> None:
    """They are deleted in the same transaction, each with its history; another carrier's stay."""
    ups, dhl = [await office.add("carrier", name, CarrierDetails()) for name in ("UPS", "DHL")]
    details = [
        ServiceLevelDetails(ups.id, "ground"),
        ServiceLevelDetails(ups.id, "air"),
        ServiceLevelDetails(dhl.id, "air"),
    ]
    levels = [await office.add("service_level", each.token, each) for each in details]
    shown = await office.customer(carrier=ups.id, service_level=levels[0].id)
    await office.remove(ups)
    catalogue = await office.catalogue()
    assert [catalogue.find_live("service_level", level.id) is None for level in levels] == [True, True, False]
    assert {
        (subject, version) for subject, version, action in await office.audits("service_level") if action == "deleted"
    } == {
        (levels[0].id, 2),
        (levels[1].id, 2),
    }
    assert (await office.get(shown)).service_level == levels[0].id


async def test_what_is_used_is_kept_where_that_is_asked_for(office: Office) -> None:
    """With `keeps_in_use` an entry stays while a live customer has it, whatever field it stands in."""
    group, kind = await office.add("account_group", "Tier 1", PRICING), await office.add("account_group", "Cafe", KIND)
    unit = await office.add("unit", "Shilling", UnitDetails("currency", "KSh"))
    customers = [
        await office.customer(price_groups=(group.id,)),
        await office.customer(type_group=kind.id),
        await office.customer(credit_limit=Decimal("1.00"), credit_limit_unit=unit.id),
    ]
    for entry, customer in zip((group, kind, unit), customers, strict=True):
        failure = await refused(Conflict, office.remove(entry, keeps_in_use=True), office)
        assert failure.reason == "a customer refers to it"
        await office.drop(customer)
        assert (await office.remove(entry, keeps_in_use=True)).version == 2


async def test_a_shipping_term_keeps_its_unit_and_levels(office: Office) -> None:
    """A unit and a service level stay while a shipping term that is not deleted names them."""
    unit = await office.add("unit", "Shilling", UnitDetails("currency", "KSh"))
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    level = await office.add("service_level", "Air", ServiceLevelDetails(carrier.id, "air"))
    for details in (
        ShippingTermDetails("flat_rate_freight", flat_rate=Amount(uuid4(), Decimal("12.00"), unit.id)),
        ShippingTermDetails(
            minimum_order_value=Amount(uuid4(), Decimal(5), unit.id), free_shipping_service_levels=(level.id,)
        ),
    ):
        term = await office.add("shipping_term", "Usual", details)
        failure = await refused(Conflict, office.remove(unit, keeps_in_use=True), office)
        assert failure.reason == "a shipping term refers to it"
        if details.free_shipping_service_levels:
            await refused(Conflict, office.remove(level, keeps_in_use=True), office)
        await office.remove(term)
    assert (await office.remove(level, keeps_in_use=True)).version == 2
    assert (await office.remove(unit, keeps_in_use=True)).version == 2


async def test_a_dry_run_deletes_nothing(office: Office) -> None:
    """It shows what would be, and leaves everything as it was."""
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    await office.add("service_level", "Air", ServiceLevelDetails(carrier.id, "air"))
    before = await office.fingerprint()
    assert (await office.remove(carrier, dry_run=True)).deleted_at is not None
    assert await office.fingerprint() == before


async def test_a_tag_of_another_version_deletes_and_changes_nothing(office: Office) -> None:
    """`If-Match` names the version of the entry."""
    term = await office.add("payment_term", "Net 10")
    changed = await office.edit(term, EntryValues("Net 11"), if_match=IfMatch(frozenset((1,))))
    assert changed.version == 2
    await refused(
        PreconditionFailed, office.edit(term, EntryValues("Net 12"), if_match=IfMatch(frozenset((1,)))), office
    )


async def test_digits_of_an_amount_are_a_change(office: Office) -> None:
    """1.0 becomes 1.00 when that is what is sent, and the same digits again change nothing."""
    unit = await office.add("unit", "Shilling", UnitDetails("currency", "KSh"))
    amount = Amount(uuid4(), Decimal("1.0"), unit.id)
    term = await office.add("shipping_term", "Flat", ShippingTermDetails("flat_rate_freight", flat_rate=amount))
    finer = ShippingTermDetails("flat_rate_freight", flat_rate=structs.replace(amount, value=Decimal("1.00")))
    changed = await office.edit(term, structs.replace(values_of(term), details=finer))
    assert (changed.version, '"1.00"' in msgspec.json.encode(changed).decode()) == (2, True)
    assert (await office.edit(changed, values_of(changed))).version == 2
    assert (await office.catalogue()).find_entry("shipping_term", term.id) == changed


async def test_references_inside_an_entry_are_checked(office: Office) -> None:
    """A door that lets an unknown or deleted reference through is refused by the use case."""
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    await office.remove(carrier)
    wrong = (carrier.id, uuid4())
    for place in wrong:
        failure = await refused(Invalid, office.add("service_level", "Air", ServiceLevelDetails(place, "air")), office)
        assert failure.errors == (FieldError(("details", "carrier"), "unknown_id", "no such entry"),)
    term = await office.add("shipping_term", "Usual", ShippingTermDetails())
    details = ShippingTermDetails(free_shipping_service_levels=wrong)
    failure = await refused(Invalid, office.edit(term, EntryValues("Usual", details=details)), office)
    assert [error.path[-1] for error in failure.errors] == [0, 1]


async def one_waits(office: Office, first: Work, second: Work, words: str) -> object:
    """What the second comes to, begun while the first is done but not committed: it has to wait in this statement."""
    async with office.hub.database.transaction() as connection:
        await first(office.on(connection))
        waiting = asyncio.ensure_future(second(office))
        await office.wait_for_lock(words)
    return (await asyncio.gather(waiting, return_exceptions=True))[0]


async def takers(office: Office) -> list[tuple[CatalogueEntry, Fields]]:
    """New entries that are kept in use, each with the fields of a customer that takes it."""
    mark = uuid4().hex
    pricing = await office.add("account_group", f"Tier {mark}", PRICING)
    kind = await office.add("account_group", f"Kind {mark}", KIND)
    unit = await office.add("unit", f"Unit {mark}", UnitDetails("currency", mark))
    return [
        (pricing, {"price_groups": (pricing.id,)}),
        (kind, {"type_group": kind.id}),
        (unit, {"credit_limit": Decimal(1), "credit_limit_unit": unit.id}),
    ]


async def test_what_is_being_taken_is_not_deleted(office: Office) -> None:
    """A deletion that comes while a customer takes the entry waits, and then sees that it is in use."""
    customer = await office.customer()
    for entry, fields in await takers(office):
        outcome = await one_waits(
            office,
            partial(Office.patch, customer=customer, **fields),
            partial(Office.remove, entry=entry, keeps_in_use=True),
            "for update",
        )
        assert isinstance(outcome, Conflict), outcome
        assert (await office.catalogue()).find_live(entry.kind, entry.id) == entry


async def test_what_is_being_deleted_is_not_taken(office: Office) -> None:
    """Changes and creations that come while the entry is deleted wait, and are refused as any time later."""
    customer = await office.customer()
    for take in (Office.customer, partial(Office.patch, customer=customer)):
        for entry, fields in await takers(office):
            outcome = await one_waits(
                office,
                partial(Office.remove, entry=entry, keeps_in_use=True),
                partial(take, **fields),
                "for key share",
            )
            assert isinstance(outcome, Invalid), outcome
            assert [error.code for error in outcome.errors] == ["inactive"]
    assert (await office.get(customer)).version == 1


async def test_a_carrier_is_deleted_with_the_level_that_is_just_made(office: Office) -> None:
    """A deletion that comes while a service level is added waits for it, and takes it along."""
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    details = ServiceLevelDetails(carrier.id, "air")
    outcome = await one_waits(
        office,
        partial(Office.add, kind="service_level", name="Air", details=details),
        partial(Office.remove, entry=carrier),
        "for update",
    )
    assert isinstance(outcome, CatalogueEntry), outcome
    assert (await office.catalogue()).entries("service_level") == ()
    assert [action for _, _, action in await office.audits("service_level")] == ["created", "deleted"]


async def test_no_level_is_added_to_a_carrier_that_is_being_deleted(office: Office) -> None:
    """One that comes while the carrier is deleted waits for it and is refused."""
    carrier = await office.add("carrier", "DHL", CarrierDetails())
    details = ServiceLevelDetails(carrier.id, "air")
    outcome = await one_waits(
        office,
        partial(Office.remove, entry=carrier),
        partial(Office.add, kind="service_level", name="Air", details=details),
        "for key share",
    )
    assert isinstance(outcome, Invalid), outcome
    assert await office.audits("service_level") == []


async def test_an_entry_is_deleted_once(office: Office) -> None:
    """Of two deletions at once one finds nothing to delete; a change at the same moment is made before or refused."""
    term = await office.add("payment_term", "Net 10")
    outcome = await one_waits(
        office, partial(Office.remove, entry=term), partial(Office.remove, entry=term), "for update"
    )
    assert isinstance(outcome, NotFound), outcome
    term = await office.add("payment_term", "Net 10")
    edit = partial(Office.edit, entry=term, values=EntryValues("Net 11"))
    assert isinstance(await one_waits(office, partial(Office.remove, entry=term), edit, "catalogue_entry"), NotFound)
    term = await office.add("payment_term", "Net 10")
    edit = partial(Office.edit, entry=term, values=EntryValues("Net 11"))
    outcome = await one_waits(office, edit, partial(Office.remove, entry=term), "for update")
    assert isinstance(outcome, CatalogueEntry), outcome
    assert (outcome.name, outcome.version) == ("Net 11", 3)


async def test_many_at_once_leave_no_customer_with_a_group_that_is_gone(office: Office, database_url: str) -> None:
    """Whatever the order of customers that take groups and groups that are deleted, in two processes at once."""
    other = Hub(Database(database_url), office.hub.settings)
    there = Office(other, office.team, office.caller)
    customers = [await office.customer() for _ in range(4)]
    for round_ in range(10):
        groups = [await office.add("account_group", f"Tier {round_} {place}", PRICING) for place in range(4)]
        await asyncio.gather(
            *(there.remove(group, keeps_in_use=True) for group in groups),
            *(
                office.patch(customer, price_groups=(group.id,))
                for customer, group in zip(customers, groups, strict=True)
            ),
            return_exceptions=True,
        )
        catalogue = await office.catalogue()
        for customer in customers:
            for group in (await office.get(customer)).price_groups:
                assert catalogue.find_live("account_group", group) is not None
        for customer in customers:
            await office.patch(customer, price_groups=())
    await other.close()
