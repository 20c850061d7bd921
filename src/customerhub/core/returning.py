"""Whether what a record held may come back: checks that every use case shares which gives a record former values."""

from collections.abc import Collection
from uuid import UUID

from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Customer
from customerhub.model.error import Conflict
from customerhub.model.revert import find_lasting
from customerhub.store.addresses import find_address
from customerhub.store.db import Connection


def check_lasting(customer: Customer, catalogue: Catalogue) -> None:
    """Raise Conflict where a deleted customer refers to entries that mean nothing once they are deleted.

    The write itself would wait for such an entry, and in vain.
    """
    found = (catalogue.find_entry(kind, entry_id) for kind, entry_id in find_lasting(customer))
    gone = [entry.name for entry in found if entry is not None and entry.deleted_at is not None]
    if gone:
        raise Conflict(f"what the customer {customer.id} refers to is deleted: {', '.join(gone)}")


async def check_addresses(
    connection: Connection, team: UUID, coming: Collection[Address], owners: Collection[UUID]
) -> None:
    """Raise Conflict where an address that comes back is somebody else's by now, or nobody's."""
    for address in coming:
        found = await find_address(connection, team, address.id)
        if found is not None and found.customer_id not in owners:
            raise Conflict(f"the address {address.id} belongs to somebody else by now")
