"""Generated histories: a record, patch after patch, and its entries as the database keeps them."""

from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st
from msgspec import Struct

from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.history import HistoryEntry
from customerhub.model.references import reference_errors
from tests.support.patches import customer_patches
from tests.support.strategies import catalogues, customers, ids, moment

_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode = msgspec.json.Decoder(tuple[FieldChange, ...]).decode
Json = dict[str, Any]  # Any: JSON


class History(Struct, frozen=True):
    """Every state of one record, with the entry that led to each, and what it refers to."""

    states: tuple[Customer, ...]
    entries: tuple[HistoryEntry, ...]
    catalogue: Catalogue


def to_entry(customer: Customer, changes: tuple[FieldChange, ...]) -> HistoryEntry:
    """The entry of a version, its values as JSON."""
    return HistoryEntry(
        customer=customer.id,
        version=customer.version,
        at=customer.updated_at,
        action="updated",
        actor=customer.updated_by,
        actor_name="key",
        credential=customer.updated_by,
        dialect="test",
        request_id="req_1",
        changes=_decode(_encode(changes)),
    )


@st.composite
def histories(draw: st.DrawFn, most: int = 5) -> History:
    """A record of any origin and what became of it; references are in order, as core checks before it applies."""
    catalogue = _without_gone(draw(catalogues()))
    customer = draw(customers(catalogue))
    states, entries, mint = [customer], [to_entry(customer, (FieldChange("", None, customer),))], ids()
    for _ in range(draw(st.integers(1, most))):
        patch = draw(customer_patches(customer, catalogue))
        if reference_errors(customer, patch, catalogue):
            continue
        patch = with_new_ids(patch, mint)
        applied = apply(customer, patch, catalogue, moment(customer, mint))
        if applied.changes:
            customer, catalogue = applied.customer, catalogue.with_entries(applied.new_entries)
            states.append(customer)
            entries.append(to_entry(customer, applied.changes))
    assume(len(states) > 1)
    return History(tuple(states), tuple(entries), catalogue)


def _without_gone(catalogue: Catalogue) -> Catalogue:
    """The catalogue with those entries alive that mean nothing once they are deleted: they would not come back."""
    entries = [
        msgspec.structs.replace(entry, deleted_at=None) if entry.kind in ("account_group", "unit") else entry
        for entry in catalogue._entries.values()
    ]
    return Catalogue(catalogue.version, entries, catalogue.users(), settings=catalogue.settings)


def with_new_ids(patch: Any, mint: Any) -> Any:  # Any: a patch whose lists may be UNSET
    """The patch with ids for what it adds that no other patch of the history has."""
    fields: Json = {}
    for name in ("addresses", "contacts"):
        edits = getattr(patch, name)
        if edits:
            added = tuple((mint(), new) for _, new in edits.add)
            adopted = tuple(msgspec.structs.replace(one, id=mint()) for one in edits.adopt)
            fields[name] = msgspec.structs.replace(edits, add=added, adopt=adopted)
    return msgspec.structs.replace(patch, **fields)


def without_stamps(customer: Customer, like: Customer) -> Customer:
    """What a record says: its stamps are those of another, and nothing inside it says when it was changed, or by whom.

    For comparing a record with what it was before it changed and changed back.
    """
    stamps = ("version", "created_at", "updated_at", "created_by", "updated_by")
    return msgspec.structs.replace(
        customer,
        **{name: getattr(like, name) for name in stamps},
        addresses=tuple(_unstamped(entry) for entry in customer.addresses),
        contacts=tuple(_unstamped(entry) for entry in customer.contacts),
        attributes=_plain(customer.attributes),
    )


def _unstamped(entry: Any) -> Any:  # Any: an address or a contact
    return msgspec.structs.replace(entry, updated_at=entry.created_at, attributes=_plain(entry.attributes))


def _plain(attributes: Any) -> Any:  # Any: a tuple of custom values
    return tuple(
        msgspec.structs.replace(one, updated_at=one.created_at, updated_by=one.created_by) for one in attributes
    )
