"""Many customers at once, straight into their table: what a list is asked about must stand there first."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from customerhub.model.customer import CUSTOMER_FIELDS, Address, Customer
from customerhub.store.db import Connection

_encode = msgspec.json.Encoder(decimal_format="string").encode
_NESTED = ("addresses", "contacts", "attributes")


def new_customer(team: UUID, at: datetime, **fields: Any) -> Customer:  # Any: fields of many types
    """A customer born at this moment, with a number of its own."""
    born = {"id": uuid4(), "name": "Company", "number": f"N-{uuid4()}", **fields}
    return Customer(team=team, version=1, created_at=at, updated_at=at, created_by=team, updated_by=team, **born)


def new_address(at: datetime, **fields: Any) -> Address:  # Any: fields of many types
    """An address made at this moment."""
    return Address(id=uuid4(), created_at=at, updated_at=at, **fields)


async def put_customers(connection: Connection, customers: Iterable[Customer]) -> None:
    """Store them as they are, without history."""
    records = (
        tuple(
            _encode(getattr(customer, field)) if field in _NESTED else getattr(customer, field)
            for field in CUSTOMER_FIELDS
        )
        for customer in customers
    )
    await connection.copy_records_to_table("customer", records=records, columns=CUSTOMER_FIELDS)
