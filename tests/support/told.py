"""What sinks are told, made without a database: a small customer through the versions of its life."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from customerhub.core.outgoing import Sink, Told
from customerhub.model.apply import Applied
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Contact, Customer
from customerhub.model.nested import Moment
from customerhub.store.sinks import to_new_sink

AT = datetime(2026, 11, 21, 21, 0, 0, 412_345, tzinfo=UTC)
TEAM, ACTOR, CUSTOMER, DELIVERY = (UUID(int=number) for number in (0x7EA, 0xAC7, 0xC057, 0xDE1))
BILLING, SHIPPING, BUYER = (UUID(int=number) for number in (0xADD1, 0xADD2, 0xC0))
CATALOGUE = Catalogue(1, team_name="Northside Books", team=TEAM)


def make_customer(**fields: Any) -> Customer:  # Any: fields of many types
    """A record at its first version, with two addresses and a contact."""
    born = AT.replace(hour=9)
    addresses = (
        Address(BILLING, born, born, type="billing", line1="Storgata 8", city="Oslo", country="NO"),
        Address(SHIPPING, born, born, type="shipping", line1="Havnegata 3", city="Bergen", country="NO"),
    )
    made = Customer(TEAM, CUSTOMER, 1, born, born, ACTOR, ACTOR, "Zoë's Bakery", "C00001", email="zoe@bakery.example")
    return msgspec.structs.replace(
        made,
        **{
            "addresses": addresses,
            "contacts": (Contact(BUYER, born, born, first_name="Zoë"),),
            "bill_to": BILLING,
            "ship_to": SHIPPING,
            "primary_contact": BUYER,
            **fields,
        },
    )


def make_moment(new_id: Callable[[], UUID] = lambda: UUID(int=0x1D)) -> Moment:
    """The time at which things happen here."""
    return Moment(ACTOR, AT, new_id)


def make_told(kind: str, before: Customer | None, applied: Applied | Customer, **fields: Any) -> Told:
    """What is told of a version."""
    after, changes = (applied, ()) if isinstance(applied, Customer) else (applied.customer, applied.changes)
    told = Told(
        delivery=DELIVERY,
        type=kind,
        at=after.updated_at,
        position=17,
        customer=after.id,
        version=after.version,
        before=before,
        after=after,
        changes=changes,
        catalogue=CATALOGUE,
        actor=ACTOR,
        actor_name="ERP sync",
        dialect="there",
        request_id="req_1",
    )
    return msgspec.structs.replace(told, **fields)


def make_sink(**fields: Any) -> Sink:
    """A webhook that wants to hear of everything; its address may be any."""
    born = AT.replace(hour=8)
    sink = to_new_sink(TEAM, UUID(int=0x51), "webhook", "there", "hub", born)
    fields = {"name": "Receiver", "url": "https://receiver.example/hook", "is_trusted": True, **fields}
    return msgspec.structs.replace(sink, **fields)
