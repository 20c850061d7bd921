"""`/v1/customers/{customer_id}/addresses` and `/contacts`: the records inside a customer, one at a time.

Each write is a write of the customer: its version moves, and its tag is the one that `If-Match` names. Addresses and
contacts differ in their `Family` only.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast
from uuid import UUID

from msgspec import Struct, UnsetType
from pydantic import TypeAdapter

from customerhub.core import customers as core
from customerhub.core.customers import Proposal, Written
from customerhub.core.lists import page_of
from customerhub.dialects.wizcommerce import answers, wire
from customerhub.dialects.wizcommerce.customers import get_id, respond
from customerhub.dialects.wizcommerce.nested import (
    REFERENCE_TAKEN,
    Flag,
    keep_look,
    to_address_patch,
    to_contact_patch,
    to_pointer,
)
from customerhub.dialects.wizcommerce.paging import QueryReader, to_pagination
from customerhub.dialects.wizcommerce.read import Body, Draft, Members, check, members_of, note_ignored
from customerhub.dialects.wizcommerce.show import Shown, to_address, to_contact, to_contact_row
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, AddressType, Contact, Customer
from customerhub.model.error import NotFound
from customerhub.model.patch import CustomerPatch, ListPatch
from customerhub.web.operation import Call

Pointers = Mapping[str, UUID | UnsetType | None]
# Any: an address in one family, a contact in the other; the functions of a family go together.
Show = Callable[[Customer, Any], Shown]


class Family(Struct, frozen=True):
    """What sets addresses apart from contacts: names, wire model, conversion, look, pointers."""

    member: str
    noun: str
    path_id: str
    adapter: TypeAdapter[object]
    members: Members
    to_patch: Callable[..., Any]
    to_pointers: Callable[[Draft, Customer, UUID], Pointers]
    show: Show
    show_row: Show

    def find(self, customer: Customer, record_id: UUID) -> Address | Contact | None:
        """The record of this id, if it is this customer's."""
        entries: tuple[Address | Contact, ...] = getattr(customer, self.member)
        return next((entry for entry in entries if entry.id == record_id), None)

    def get(self, customer: Customer, record_id: UUID) -> Address | Contact:
        """The record of this id; raises NotFound."""
        found = self.find(customer, record_id)
        if found is None:
            raise NotFound(self.noun, str(record_id))
        return found


def _address_pointers(draft: Draft, customer: Customer, address_id: UUID) -> Pointers:
    kind = cast("AddressType | None", draft.value.get("type"))
    flag = draft.value.get("is_default")
    if kind is None or not isinstance(flag, bool):
        return {}
    pointer = "bill_to" if kind == "billing" else "ship_to"
    flags = [Flag(("is_default",), address_id, kind, flag)]
    return {pointer: to_pointer(draft, flags, kind, getattr(customer, pointer), None, "")}


def _contact_pointers(draft: Draft, customer: Customer, contact_id: UUID) -> Pointers:
    flag = draft.value.get("is_default")
    flags = [Flag(("is_default",), contact_id, None, flag)] if isinstance(flag, bool) else []
    return {"primary_contact": to_pointer(draft, flags, None, customer.primary_contact, None, "")}


ADDRESSES = Family(
    member="addresses",
    noun="address",
    path_id="address_id",
    adapter=TypeAdapter(wire.AddressBody),
    members=members_of(wire.AddressBody, answers.Address),
    to_patch=to_address_patch,
    to_pointers=_address_pointers,
    show=to_address,
    show_row=to_address,
)
CONTACTS = Family(
    member="contacts",
    noun="contact",
    path_id="contact_id",
    adapter=TypeAdapter(wire.ContactBody),
    members=members_of(wire.ContactBody, answers.Contact),
    to_patch=to_contact_patch,
    to_pointers=_contact_pointers,
    show=to_contact,
    show_row=to_contact_row,
)


def without_status(customer: Customer, address: Address) -> Shown:
    """An address as version 2 answers it."""
    shown = to_address(customer, address)
    del shown["status"]
    return shown


async def create_record(family: Family, show: Show, call: Call) -> Answer:
    """`POST`: 201 with the new record."""
    # Drawn once: an attempt after a lost race makes the same record.
    return await _write(call, family, show, call.hub.new_id(), is_new=True)


async def replace_record(family: Family, call: Call) -> Answer:
    """`PUT`: 201 with the record as the body has it whole; `is_default` left out keeps the flag."""
    return await _write(call, family, family.show, get_id(call, family.path_id), is_new=False)


async def remove_record(family: Family, call: Call) -> Answer:
    """`DELETE`: 204; where it was the default, the next of its kind is. Twice is 404: it is gone."""
    record_id = get_id(call, family.path_id)

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        del catalogue
        family.get(customer, record_id)
        members: dict[str, Any] = {family.member: ListPatch(remove=frozenset((record_id,)))}
        return Proposal(CustomerPatch(**members))

    def render(written: Written) -> Answer:
        return respond(call, 204, None, written.customer.version)

    return await core.update_customer(call.hub, call.command, get_id(call, "customer_id"), decide, render)


async def get_record(family: Family, call: Call) -> Answer:
    """`GET` of one: 200."""
    written = await core.get_customer(call.hub, call.caller, get_id(call, "customer_id"))
    record = family.get(written.customer, get_id(call, family.path_id))
    return respond(call, 200, {"data": family.show(written.customer, record)}, written.customer.version)


async def list_records(family: Family, call: Call) -> Answer:
    """`GET` of all: a page; inactive ones are none, since a removed record is gone."""
    reader = QueryReader(call.query)
    page, page_size = reader.page()
    status, is_descending = reader.status(), reader.is_descending()
    order = reader.choice("sort_by", ("created_at", "updated_at"), "updated_at")
    windows = {name: reader.time(name) for name in _WINDOWS} if family is CONTACTS else {}
    references = reader.texts("reference_ids") if family is ADDRESSES else None
    reader.check()
    written = await core.get_customer(call.hub, call.caller, get_id(call, "customer_id"))
    customer = written.customer
    entries: tuple[Address | Contact, ...] = getattr(customer, family.member) if status == "active" else ()
    chosen = [
        entry
        for entry in entries
        if (references is None or entry.reference_id in references)
        and all(at is None or _WINDOWS[name](entry, at) for name, at in windows.items())
    ]
    rows, total = page_of(
        chosen,
        order=lambda entry: (getattr(entry, order), entry.id),
        is_descending=is_descending,
        page=page,
        page_size=page_size,
    )
    data = [family.show_row(customer, entry) for entry in rows]
    return respond(call, 200, {"data": data, "pagination": to_pagination(page, page_size, total)})


_WINDOWS: dict[str, Callable[[Any, Any], bool]] = {
    "created_after": lambda entry, at: entry.created_at >= at,
    "created_before": lambda entry, at: entry.created_at < at,
    "updated_after": lambda entry, at: entry.updated_at >= at,
    "updated_before": lambda entry, at: entry.updated_at < at,
}


async def _write(call: Call, family: Family, show: Show, record_id: UUID, *, is_new: bool) -> Answer:
    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        if not is_new:
            family.get(customer, record_id)
        proposal, call.command.ignored[:] = to_proposal(family, call.json_object(), customer, catalogue, record_id)
        return proposal

    def render(written: Written) -> Answer:
        data = show(written.customer, family.get(written.customer, record_id))
        return respond(call, 201, {"data": data}, written.customer.version)

    return await core.update_customer(call.hub, call.command, get_id(call, "customer_id"), decide, render)


def to_proposal(
    family: Family, raw: Body, customer: Customer, catalogue: Catalogue, record_id: UUID
) -> tuple[Proposal, list[str]]:
    """What a whole record asks of its customer, and the paths that are ignored by contract.

    It is put in the place of the record of this id, or added where there is none. A value that is shown now passes
    every check.
    """
    current = family.find(customer, record_id)
    get_shown = partial(family.show, customer, current) if current is not None else None
    settings = catalogue.settings
    draft = check(family.adapter, raw, get_shown, ignores_null=settings.null_members == "ignore")
    note_ignored(draft, family.members, refuses_unknown=settings.unknown_members == "refuse")
    entries: tuple[Address | Contact, ...] = getattr(customer, family.member)
    reference = draft.value.get("reference_id")
    is_shown = current is not None and current.reference_id == reference
    if reference and not is_shown and any(entry.reference_id == reference for entry in entries):
        draft.refuse(("reference_id",), "taken", REFERENCE_TAKEN)
    patch = family.to_patch(draft, draft.value, (), catalogue, customer, current, is_whole=True)
    edits: ListPatch[Any] = ListPatch(change={record_id: patch}) if current else ListPatch(add=((record_id, patch),))
    pointers = family.to_pointers(draft, customer, record_id)
    members: dict[str, Any] = {family.member: edits, **pointers}
    if "bill_to" in pointers:
        members[family.member] = keep_look(customer, edits, pointers["bill_to"])
    return Proposal(CustomerPatch(**members), draft.found(), sent=draft.sent), draft.ignored
