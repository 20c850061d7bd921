"""Fill the demo team through the use cases that every door calls, once; what an interrupted start left out is made."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.cli.demo.data import (
    ENTRIES,
    OWNER,
    SALES_REPS,
    SERVICE_LEVELS,
    DemoAddress,
    DemoContact,
    DemoCustomer,
    get_customers,
)
from customerhub.core.admin import (
    create_credential,
    create_user,
    list_credentials,
    revoke_credential,
)
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry
from customerhub.core.command import Command
from customerhub.core.customers import NumberForm, Proposal, create_customer
from customerhub.core.hub import Hub
from customerhub.core.lists import CustomerFilter, CustomerQuery, get_catalogue, list_customers
from customerhub.model.answer import COMMAND_LINE, Answer, Caller
from customerhub.model.catalogue import Catalogue, Kind, ServiceLevelDetails
from customerhub.model.error import HubError, Taken
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, CustomerPatch, ListPatch, Named
from customerhub.store.access import Team

# The dialect and the name of the credential that fills the team; once it is revoked, the team is whole, and what
# people then delete stays deleted.
_DOOR: Final = COMMAND_LINE
_LOADER: Final = "demo data"
_NUMBERS: Final = NumberForm("C", 5)

Wanted = TypeVar("Wanted", DemoAddress, DemoContact)
Patch = TypeVar("Patch", AddressPatch, ContactPatch)


async def fill(hub: Hub, team: Team) -> None:
    """Make what the demo team holds, unless that was done before."""
    loaders = [one for one in await list_credentials(hub, team) if (one["dialect"], one["name"]) == (_DOOR, _LOADER)]
    if any(one["revoked_at"] is not None for one in loaders):
        return
    # Nobody keeps its secret: it gives the history somebody to name.
    credential, _ = await create_credential(hub, team, dialect=_DOOR, name=_LOADER, prefix="")
    caller = Caller(team.id, credential.id, credential.id, credential.name, credential.dialect)
    await _make_users(hub, team)
    await _make_entries(hub, caller)
    await _make_customers(hub, caller)
    for loader in (*(one["id"] for one in loaders), credential.id):
        if isinstance(loader, UUID):
            await revoke_credential(hub, loader)


async def _make_users(hub: Hub, team: Team) -> None:
    for new in (OWNER, *SALES_REPS):
        # The owner's password is set later, to one that the data directory remembers.
        password = hub.new_id().hex if new is OWNER else None
        try:
            await create_user(hub, team, msgspec.structs.replace(new, password=password))
        except Taken:
            continue


async def _make_entries(hub: Hub, caller: Caller) -> None:
    for kind, values in ENTRIES:
        await _make_entry(hub, caller, kind, values)
    catalogue = await get_catalogue(hub, caller)
    with_default: set[str] = set()
    for carrier_name, name, token in SERVICE_LEVELS:
        carrier = catalogue.find_named("carrier", carrier_name)
        if carrier is not None:
            details = ServiceLevelDetails(carrier.id, token, is_default=carrier_name not in with_default)
            await _make_entry(hub, caller, "service_level", EntryValues(name, details=details))
            with_default.add(carrier_name)


async def _make_entry(hub: Hub, caller: Caller, kind: Kind, values: EntryValues) -> None:
    with suppress(Taken):
        await create_entry(hub, _to_command(caller), kind, lambda _: EntryProposal(values), _no_answer)


async def _make_customers(hub: Hub, caller: Caller) -> None:
    for customer in get_customers():
        parent = await _find_parent(hub, caller, customer)

        def decide(catalogue: Catalogue, wanted: DemoCustomer = customer, parent: UUID | None = parent) -> Proposal:
            return Proposal(to_patch(wanted, catalogue, hub.new_id, parent))

        try:
            await create_customer(hub, _to_command(caller), decide, _no_answer, _NUMBERS)
        except Taken:
            continue


async def _find_parent(hub: Hub, caller: Caller, customer: DemoCustomer) -> UUID | None:
    """The customer that this one is below; it was made before."""
    if customer.parent is UNSET:
        return None
    query = CustomerQuery(filter=CustomerFilter(reference_ids=(customer.parent,)))
    page = await list_customers(hub, caller, query)
    return page.customers[0].id if page.customers else None


def to_patch(
    wanted: DemoCustomer, catalogue: Catalogue, new_id: Callable[[], UUID], parent: UUID | None
) -> CustomerPatch:
    """A demo customer as a patch, its names looked up in the team's catalogue."""
    addresses = tuple((new_id(), _to_nested(address, AddressPatch)) for address in wanted.addresses)
    contacts = tuple((new_id(), _to_nested(contact, ContactPatch)) for contact in wanted.contacts)
    of_type = {str(patch.type): address for address, patch in reversed(addresses)}
    users = {user.email: user.id for user in catalogue.users()}
    lists = {entry.name: entry.id for entry in catalogue.entries("price_list")}
    groups = {entry.name: entry.id for entry in catalogue.entries("account_group")}
    units = {entry.name: entry.id for entry in catalogue.entries("unit")}
    return CustomerPatch(
        name=wanted.name,
        reference_id=wanted.reference_id,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        email=wanted.email,
        phone=wanted.phone,
        website=wanted.website,
        note=wanted.note,
        payment_term=Named(wanted.payment_term),
        shipping_term=Named(wanted.shipping_term),
        carrier=Named(wanted.carrier),
        payment_mode=wanted.payment_mode,
        sales_reps=tuple(users[email] for email in wanted.sales_reps),
        price_list=lists[wanted.price_list],
        attributes=AttributesPatch(put=wanted.attributes),
        addresses=ListPatch(add=addresses),
        contacts=ListPatch(add=contacts),
        bill_to=of_type.get("billing", UNSET),
        ship_to=of_type.get("shipping", UNSET),
        primary_contact=contacts[0][0],
        type_group=groups[wanted.type_group],
        price_groups=tuple(groups[name] for name in wanted.price_groups),
        credit_limit=wanted.credit_limit,
        credit_limit_unit=units[wanted.currency] if wanted.currency is not UNSET else UNSET,
        standing=wanted.standing,
        parent=parent if parent is not None else UNSET,
    )


def _to_nested(wanted: Wanted, patch: type[Patch]) -> Patch:
    return patch(**msgspec.structs.asdict(wanted))


def _to_command(caller: Caller) -> Command:
    return Command(caller, _DOOR, _no_failure)


def _no_answer(_: Struct) -> Answer:
    """Nobody waits for an answer here."""
    return Answer(204)


def _no_failure(_: HubError) -> Answer:
    """Only kept under a key, and there is none."""
    return Answer(500)
