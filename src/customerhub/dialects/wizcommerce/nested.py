"""Addresses and contacts: from their wire bodies to list patches, with the default flags turned into pointers."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customerhub.dialects.wizcommerce.attributes import to_attributes_patch
from customerhub.dialects.wizcommerce.read import Body, Draft
from customerhub.dialects.wizcommerce.show import Shown, to_address, to_contact_row, type_of
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, AddressType, Contact, Customer
from customerhub.model.error import Path
from customerhub.model.patch import AddressPatch, ContactPatch, ListPatch

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# What an id that is no UUID becomes: it names nothing, so it is refused where every unknown id is.
NOWHERE = UUID(int=0)
ADDRESS_TEXTS = {
    "reference_id": "reference_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "email": "email",
    "address_line_1": "line1",
    "address_line_2": "line2",
    "city": "city",
    "state": "state",
    "country": "country",
    "zip_code": "postal_code",
}
CONTACT_TEXTS = {name: name for name in ("reference_id", "first_name", "last_name", "email", "phone", "designation")}
_TIDY: dict[str, Callable[[str], str]] = {"email": str.strip, "country": str.upper}


def to_id(text: object) -> UUID:
    """An id, or one that names nothing."""
    return UUID(text) if isinstance(text, str) and _UUID.fullmatch(text) else NOWHERE


def find_id(text: str) -> UUID | None:
    """The id in a path; None for anything that is no UUID, which then leads nowhere like any unknown one."""
    return UUID(text) if _UUID.fullmatch(text) else None


def to_texts(body: Body, names: dict[str, str], shown: Shown | None, *, is_whole: bool) -> dict[str, Any]:
    """Canonical text fields: empty is None, what is shown already is left out; a whole body clears what it lacks."""
    texts: dict[str, Any] = {}  # Any: fields of a patch, of many types
    for wire, field in names.items():
        value = body.get(wire)
        if value is None:
            if is_whole:
                texts[field] = None
        elif shown is None or value != shown[wire]:
            text = cast("str", value)
            texts[field] = _TIDY[wire](text) if wire in _TIDY and text else text or None
    return texts


class Flag(Struct, frozen=True):
    """One `is_default` in a request: on which record, at which place, and of which kind the record then is."""

    path: Path
    id: UUID
    kind: AddressType | None
    is_set: bool


def to_address_patch(
    draft: Draft,
    body: Body,
    path: Path,
    catalogue: Catalogue,
    customer: Customer | None = None,
    address: Address | None = None,
    *,
    is_whole: bool,
) -> AddressPatch:
    """What a body asks of an address (none yet: a new one); a whole body also clears what it does not name."""
    shown = to_address(customer, address) if customer is not None and address is not None else None
    address_type = cast("AddressType | None", body.get("type"))
    return AddressPatch(
        **to_texts(body, ADDRESS_TEXTS, shown, is_whole=is_whole),
        type=UNSET if address_type is None or (shown and shown["type"] == address_type) else address_type,
        attributes=to_attributes_patch(
            draft,
            body.get("attributes"),
            path,
            "address",
            catalogue,
            address.attributes if address else None,
            is_whole=is_whole,
        ),
    )


def to_contact_patch(
    draft: Draft,
    body: Body,
    path: Path,
    catalogue: Catalogue,
    customer: Customer | None = None,
    contact: Contact | None = None,
    *,
    is_whole: bool,
) -> ContactPatch:
    """What a body asks of a contact, as `to_address_patch`."""
    shown = to_contact_row(customer, contact) if customer is not None and contact is not None else None
    return ContactPatch(
        **to_texts(body, CONTACT_TEXTS, shown, is_whole=is_whole),
        attributes=to_attributes_patch(
            draft,
            body.get("attributes"),
            path,
            "contact",
            catalogue,
            contact.attributes if contact else None,
            is_whole=is_whole,
        ),
    )


def edit_addresses(
    draft: Draft, customer: Customer, catalogue: Catalogue
) -> tuple[ListPatch[AddressPatch] | UnsetType, list[Flag]]:
    """The edits of addresses by id, and the default flags among them."""
    change: dict[UUID, AddressPatch] = {}
    flags: list[Flag] = []
    addresses = {address.id: address for address in customer.addresses}
    for position, body in draft.objects("addresses"):
        path: Path = ("addresses", position)
        address = addresses.get(to_id(body["id"]))
        if address is None:
            draft.refuse((*path, "id"), "unknown_id", "no such address on this customer")
        elif address.id in change:
            draft.refuse((*path, "id"), "repeated", "is named twice")
        else:
            change[address.id] = to_address_patch(draft, body, path, catalogue, customer, address, is_whole=False)
            if isinstance(flag := body.get("is_default"), bool):
                kind = cast("AddressType", body.get("type") or type_of(customer, address))
                flags.append(Flag((*path, "is_default"), address.id, kind, flag))
    _check_references(draft, "addresses", customer.addresses, change)
    return (ListPatch(change=change) if change else UNSET), flags


def edit_contacts(
    draft: Draft, customer: Customer, catalogue: Catalogue
) -> tuple[ListPatch[ContactPatch] | UnsetType, list[Flag]]:
    """The edits of contacts by id, and the default flags among them."""
    change: dict[UUID, ContactPatch] = {}
    flags: list[Flag] = []
    contacts = {contact.id: contact for contact in customer.contacts}
    for position, body in draft.objects("contacts"):
        path: Path = ("contacts", position)
        contact = contacts.get(to_id(body["id"]))
        if contact is None:
            draft.refuse((*path, "id"), "unknown_id", "no such contact on this customer")
        elif contact.id in change:
            draft.refuse((*path, "id"), "repeated", "is named twice")
        else:
            change[contact.id] = to_contact_patch(draft, body, path, catalogue, customer, contact, is_whole=False)
            if isinstance(flag := body.get("is_default"), bool):
                flags.append(Flag((*path, "is_default"), contact.id, None, flag))
    _check_references(draft, "contacts", customer.contacts, change)
    return (ListPatch(change=change) if change else UNSET), flags


def _check_references(
    draft: Draft,
    member: str,
    current: Iterable[Address | Contact],
    change: dict[UUID, AddressPatch] | dict[UUID, ContactPatch],
) -> None:
    """A reference id stands once within its customer, as the edits leave it."""
    named = {entry_id: patch.reference_id for entry_id, patch in change.items() if patch.reference_id is not UNSET}
    if not named:
        return
    after = {entry.id: entry.reference_id for entry in current} | named
    owners = Counter(after.values())
    for position, body in draft.objects(member):
        edit = change.get(to_id(body["id"]))
        reference = edit.reference_id if edit is not None else None
        if isinstance(reference, str) and owners[reference] > 1:
            draft.refuse((member, position, "reference_id"), "taken", REFERENCE_TAKEN)


REFERENCE_TAKEN = "belongs to another record of this customer"


def check_new_references(draft: Draft, member: str) -> None:
    """The same among records that are only being made."""
    seen: set[object] = set()
    for position, body in draft.objects(member):
        if (reference := body.get("reference_id")) in seen and reference is not None:
            draft.refuse((member, position, "reference_id"), "taken", REFERENCE_TAKEN)
        seen.add(reference)


def to_pointer(
    draft: Draft, flags: Iterable[Flag], kind: AddressType | None, current: UUID | None, named: UUID | None, member: str
) -> UUID | UnsetType | None:
    """The pointer that flags of one kind and an id member ask for; contradictions are refused, none wins silently."""
    flags = [flag for flag in flags if flag.kind == kind]
    chosen = named
    for flag in flags:
        if flag.is_set and chosen is not None and chosen != flag.id:
            other = member if named is not None else "another record"
            draft.refuse(flag.path, "contradiction", f"contradicts {other}: there is one default")
        elif flag.is_set:
            chosen = flag.id
        elif flag.id == named:
            draft.refuse(flag.path, "contradiction", f"contradicts {member}")
    if chosen is not None:
        return chosen
    if any(flag.id == current for flag in flags):
        return None
    return UNSET


def keep_look(
    customer: Customer, edits: ListPatch[AddressPatch] | UnsetType, bill_to: UUID | UnsetType | None
) -> ListPatch[AddressPatch] | UnsetType:
    """The edits, and where bills move away from an address without a type of its own, the type it was shown with.

    Such an address is shown as billing only while bills go to it; without this it would turn into another type here
    although nobody named that.
    """
    address = customer.find_address(customer.bill_to)
    if bill_to is UNSET or address is None or address.type is not None or address.id == bill_to:
        return edits
    edits = ListPatch() if edits is UNSET else edits
    edit = edits.change.get(address.id, AddressPatch())
    if edit.type is not UNSET:
        return edits
    change = {**edits.change, address.id: msgspec.structs.replace(edit, type="billing")}
    return msgspec.structs.replace(edits, change=change)
