"""The lens laws over everything that decides which address is the default: tried out case by case."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.dialects.wizcommerce import dialect
from customerhub.dialects.wizcommerce.convert import to_patch
from customerhub.dialects.wizcommerce.show import to_customer
from customerhub.dialects.wizcommerce.tests.wire_bodies import unread
from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Customer
from tests.support.strategies import ACTOR, START, TEAM, moment
from tests.support.world import Json

FIRST, SECOND = UUID(int=1), UUID(int=2)
IDS = (FIRST, SECOND)
NOBODY = Catalogue(1)
BASE = Customer(TEAM, UUID(int=9), 1, START, START, ACTOR, ACTOR, name="Nordlys", number="C00001")


def customers() -> Iterator[Customer]:
    """Two addresses of every pair of types, with and without type, and every pair of pointers."""
    types: tuple[Any, ...] = (None, "billing", "shipping")
    pointers = (None, *IDS)
    for first, second, bill_to, ship_to in product(types, types, pointers, pointers):
        addresses = (Address(FIRST, START, START, type=first), Address(SECOND, START, START, type=second))
        yield msgspec.structs.replace(BASE, addresses=addresses, bill_to=bill_to, ship_to=ship_to)


def items(name: str, values: tuple[Any, ...]) -> list[Json]:
    """A member with each of its values, and absent."""
    return [{}, *({name: value} for value in values)]


def flag_bodies() -> Iterator[Json]:
    """Every pair of types and marks for two addresses."""
    pairs = product(items("type", ("billing", "shipping")), items("is_default", (True, False)))
    edits = [kind | mark for kind, mark in pairs]
    for first, second in product(edits, edits):
        yield {"addresses": [{"id": str(FIRST), **first}, {"id": str(SECOND), **second}]}


def pointer_bodies() -> Iterator[Json]:
    """Every pair of default addresses by id, with the types of the two."""
    ids = tuple(map(str, IDS))
    members = (items("default_billing_address_id", ids), items("default_shipping_address_id", ids))
    types = items("type", ("billing", "shipping"))
    for billing, shipping, first, second in product(*members, types, types):
        yield {**billing, **shipping, "addresses": [{"id": ids[0], **first}, {"id": ids[1], **second}]}


def views(customer: Customer) -> Any:
    """The customer as shown."""
    return to_customer(customer, NOBODY)


@pytest.mark.parametrize("bodies", [flag_bodies, pointer_bodies])
def test_every_choice_of_defaults_is_read_back_and_settles(bodies: Any) -> None:
    """Whatever is accepted is what is then read, and the same again changes nothing."""
    accepted = 0
    for customer, body in product(list(customers()), list(bodies())):
        proposal, _ = to_patch(body, customer, NOBODY)
        if proposal.errors:
            continue
        accepted += 1
        after = apply(customer, proposal.patch, NOBODY, moment(customer)).customer
        assert unread(body, views(after)) == [], (customer, body)
        again, _ = to_patch(body, after, NOBODY)
        assert again.errors == ()
        assert apply(after, again.patch, NOBODY, moment(after)).changes == (), (customer, body)
    assert accepted > 1000


def test_what_is_not_named_looks_as_before() -> None:
    """An address that a body does not name keeps the type that it is shown with."""
    for customer, one in product(list(customers()), items("type", ("billing", "shipping"))):
        for other in items("is_default", (True, False)):
            body: Json = {"addresses": [{"id": str(FIRST), **one, **other}]}
            proposal, _ = to_patch(body, customer, NOBODY)
            assert proposal.errors == ()
            after = apply(customer, proposal.patch, NOBODY, moment(customer)).customer
            assert views(after)["addresses"][1]["type"] == views(customer)["addresses"][1]["type"], (customer, body)


def test_every_choice_sent_back_changes_nothing() -> None:
    """Each of the records, as it is read, is a request without effect."""
    for customer in customers():
        proposal, _ = to_patch(dialect.to_request(views(customer), customer, NOBODY), customer, NOBODY)
        assert proposal.errors == ()
        assert apply(customer, proposal.patch, NOBODY, moment(customer)).customer is customer
