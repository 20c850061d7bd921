"""What a patch ties a customer to beyond its own row: a parent above it, an address that belonged to none until now."""

from collections.abc import Iterator
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.core.command import Command
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError
from customerhub.model.patch import CustomerPatch, ListPatch
from customerhub.model.references import strange_addresses
from customerhub.store import addresses as address_store
from customerhub.store import relatives as relative_store
from customerhub.store.addresses import UnownedAddress
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.db import Connection


class Ties(Struct, frozen=True):
    """A patch with the addresses that it adopts, and what else its write depends on.

    `rows` are customers that must stay as they are until it is done, `adopted` the addresses that come; `errors` have
    canonical paths.
    """

    patch: CustomerPatch
    rows: frozenset[UUID] = frozenset()
    adopted: tuple[UnownedAddress, ...] = ()
    errors: tuple[FieldError, ...] = ()

    def are_held(self, held: frozenset[UUID] | None) -> bool:
        """Whether the write may go on: without ties always, otherwise in a transaction that holds what they name."""
        if held is None:
            return not self.rows and not self.adopted
        return self.rows <= held


async def find_ties(connection: Connection, before: Customer, patch: CustomerPatch, *, holds: bool) -> Ties:
    """The ties of a patch, asked for only where it has any; `holds` keeps adopted addresses for this transaction.

    A parent is tied with the whole line above it: only while none of these rows changes is it certain that the
    customer does not stand there itself.
    """
    strange = strange_addresses(before, patch)
    adopted: tuple[UnownedAddress, ...] = ()
    if strange:
        adopted = await address_store.get_unowned(connection, before.team, strange, holds=holds)
        if adopted:
            edits = patch.addresses if patch.addresses is not UNSET else ListPatch()
            edits = msgspec.structs.replace(edits, adopt=tuple(found.address for found in adopted))
            patch = msgspec.structs.replace(patch, addresses=edits)
    if not isinstance(patch.parent, UUID) or patch.parent == before.parent:
        return Ties(patch, adopted=adopted)
    line = await relative_store.get_line(connection, before.team, patch.parent)
    return Ties(patch, frozenset(line), adopted, tuple(_line_errors(before, line)))


def _line_errors(before: Customer, line: tuple[UUID, ...]) -> Iterator[FieldError]:
    if not line:
        yield FieldError(("parent",), "unknown_id", "no such customer")
    elif before.id in line:
        yield FieldError(("parent",), "cycle", "stands below this customer itself")


async def finish_adoption(connection: Connection, command: Command, customer: Customer, ties: Ties) -> None:
    """Take adopted addresses away from where they stood, with an audit row that says who has them now."""
    if not ties.adopted:
        return
    await address_store.delete_unowned(connection, customer.team, [found.address.id for found in ties.adopted])
    for found in ties.adopted:
        what = (FieldChange("/customer", None, customer.id),)
        row = AuditRow(
            "address", found.address.id, found.version + 1, customer.updated_at, "adopted", command.request_id, what
        )
        await insert_audit(connection, command.caller, row)
