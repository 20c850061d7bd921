"""Use cases on addresses by themselves, whether a customer has them or not yet."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core import customers
from customerhub.core.command import Command
from customerhub.core.customers import Proposal, Written
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.apply import TICK
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Customer
from customerhub.model.error import Busy, Conflict, FieldError, Invalid, NotFound
from customerhub.model.nested import patch_entry
from customerhub.model.page import Position, Window, to_window
from customerhub.model.patch import AddressPatch, CustomerPatch, ListPatch
from customerhub.store import addresses as store
from customerhub.store.addresses import OwnedAddress, UnownedAddress
from customerhub.store.catalogue import AuditRow, insert_audit

__all__ = [
    "AddressProposal",
    "OwnedAddress",
    "create_address",
    "delete_address",
    "get_address",
    "update_address",
    "walk_addresses",
]

# How often an address may change hands under a write before that gives up.
_ATTEMPTS = 5


class AddressProposal(Struct, frozen=True):
    """What a door makes of a request for an address: a patch, and the errors it found, with its own paths."""

    patch: AddressPatch
    errors: tuple[FieldError, ...] = ()


class _Moved(Exception):
    """The address is no longer where it was found: it came to a customer, or went from one to another."""


Render = Callable[[OwnedAddress], Answer]


async def get_address(hub: Hub, caller: Caller, address_id: UUID) -> OwnedAddress:
    """An address of a live customer or of none; raises Unauthenticated or NotFound."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.find_address(connection, caller.team, address_id)
    if found is None:
        raise NotFound("address", str(address_id))
    return found


async def walk_addresses(
    hub: Hub, caller: Caller, position: Position | None, limit: int, text: str | None = None
) -> Window[OwnedAddress]:
    """A page of all addresses of the team, newest first by (created_at, id); raises Unauthenticated.

    `text` is a part of the name, a street line, city, state, postal code or country, ignoring case.
    """
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.walk_addresses(connection, caller.team, position, limit + 1, text)
    return to_window(found, position, limit, lambda owned: (owned.address.created_at, owned.address.id))


async def create_address(
    hub: Hub, command: Command, decide: Callable[[Catalogue], AddressProposal], render: Render
) -> Answer:
    """Make an address that no customer has yet. Raises Invalid and what every guarded write raises."""

    async def work(scene: Work) -> Done | None:
        check_precondition(command.guards, None, is_required=False)
        patch = _checked(decide(scene.catalogue))
        moment = hub.moment(command.caller)
        blank = Address(id=hub.new_id(), created_at=moment.now, updated_at=moment.now)
        address = patch_entry(blank, patch, moment, "", [])
        await store.insert_unowned(scene.connection, command.caller.team, address)
        owned = OwnedAddress(address, None, 1)
        await _record(command, scene, owned, "created", (FieldChange("", None, address),), moment.now)
        return Done(render(owned))

    return await write_guarded(hub, command, work)


async def update_address(
    hub: Hub,
    command: Command,
    address_id: UUID,
    decide: Callable[[OwnedAddress, Catalogue], AddressProposal],
    render: Render,
) -> Answer:
    """Change an address; one inside a customer by a version of that customer, with its guards and its history.

    Raises NotFound, Invalid and what every write raises. `decide` may be called again with a newer address.
    """

    def change(owned: OwnedAddress, customer: Customer, catalogue: Catalogue) -> Proposal:
        del customer
        proposal = decide(owned, catalogue)
        edit: Mapping[UUID, AddressPatch] = {address_id: proposal.patch}
        return Proposal(CustomerPatch(addresses=ListPatch(change=edit)), proposal.errors)

    async def change_unowned(scene: Work, before: OwnedAddress) -> Done:
        patch = _checked(decide(before, scene.catalogue))
        moment = hub.moment(command.caller)
        moment = msgspec.structs.replace(moment, now=max(moment.now, before.address.updated_at + TICK))
        changes: list[FieldChange] = []
        address = patch_entry(before.address, patch, moment, "", changes)
        if not changes:
            return Done(render(before))
        owned = OwnedAddress(address, None, before.version + 1)
        await store.update_unowned(scene.connection, command.caller.team, UnownedAddress(address, before.version + 1))
        await _record(command, scene, owned, "updated", tuple(changes), moment.now)
        return Done(render(owned))

    return await _write(hub, command, address_id, change, change_unowned, render)


async def delete_address(hub: Hub, command: Command, address_id: UUID, render: Render) -> Answer:
    """Take an address away; `render` gets it as it was, with its customer's new version.

    Raises NotFound, Conflict where its customer bills or ships to it, and what every write raises.
    """

    def remove(owned: OwnedAddress, customer: Customer, catalogue: Catalogue) -> Proposal:
        del catalogue
        for pointer, use in ((customer.bill_to, "bill-to"), (customer.ship_to, "ship-to")):
            if pointer == owned.address.id:
                raise Conflict(f"the address is the {use} address of a customer")
        return Proposal(CustomerPatch(addresses=ListPatch(remove=frozenset((address_id,)))))

    async def remove_unowned(scene: Work, before: OwnedAddress) -> Done:
        await store.delete_unowned(scene.connection, command.caller.team, (address_id,))
        owned = OwnedAddress(before.address, None, before.version + 1)
        at = max(hub.now(), before.address.updated_at + TICK)
        await _record(command, scene, owned, "deleted", (FieldChange("", before.address, None),), at)
        return Done(render(owned))

    return await _write(hub, command, address_id, remove, remove_unowned, render)


async def _write(
    hub: Hub,
    command: Command,
    address_id: UUID,
    decide: Callable[[OwnedAddress, Customer, Catalogue], Proposal],
    write_unowned: Callable[[Work, OwnedAddress], Awaitable[Done]],
    render: Render,
) -> Answer:
    """Write where the address is: in its customer, or in its own row; looked for again where it moved meanwhile."""

    async def alone(scene: Work) -> Done:
        held = await store.get_unowned(scene.connection, command.caller.team, (address_id,), holds=True)
        if not held:
            if await store.find_address(scene.connection, command.caller.team, address_id) is not None:
                raise _Moved
            raise NotFound("address", str(address_id))
        before = OwnedAddress(held[0].address, None, held[0].version)
        check_precondition(command.guards, before.version, is_required=scene.requires_precondition)
        return await write_unowned(scene, before)

    for _ in range(_ATTEMPTS):
        async with hub.database.lease() as connection:
            found = await store.find_address(connection, command.caller.team, address_id)
        try:
            if found is None or found.customer_id is None:
                return await write_guarded(hub, command, alone)
            return await _write_owned(hub, command, address_id, found.customer_id, decide, render)
        except _Moved:
            continue
    raise Busy


async def _write_owned(
    hub: Hub,
    command: Command,
    address_id: UUID,
    customer_id: UUID,
    decide: Callable[[OwnedAddress, Customer, Catalogue], Proposal],
    render: Render,
) -> Answer:
    shown: list[Address] = []

    def decide_in(customer: Customer, catalogue: Catalogue) -> Proposal:
        address = customer.find_address(address_id)
        if address is None:
            raise _Moved
        shown[:] = [address]
        return decide(OwnedAddress(address, customer_id, customer.version), customer, catalogue)

    def render_in(written: Written) -> Answer:
        address = written.customer.find_address(address_id) or shown[0]
        return render(OwnedAddress(address, customer_id, written.customer.version))

    try:
        # A key keeps none of this customer's own ways to be gone: the address may live on in another.
        return await customers.update_customer(hub, replace(command, keeps=()), customer_id, decide_in, render_in)
    except NotFound as error:
        raise _Moved from error


def _checked(proposal: AddressProposal) -> AddressPatch:
    if proposal.errors:
        raise Invalid(proposal.errors)
    return proposal.patch


async def _record(
    command: Command, scene: Work, owned: OwnedAddress, action: str, changes: tuple[FieldChange, ...], at: datetime
) -> None:
    row = AuditRow("address", owned.address.id, owned.version, at, action, command.request_id, changes)
    await insert_audit(scene.connection, command.caller, row)
