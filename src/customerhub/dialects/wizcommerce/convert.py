"""From a WizCommerce request to a patch of the canonical record: every wire name and its meaning is in this file."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from msgspec import UNSET, UnsetType
from pydantic import TypeAdapter

from customerhub.core.customers import Proposal
from customerhub.dialects.wizcommerce import answers, wire
from customerhub.dialects.wizcommerce.attributes import to_attributes_patch
from customerhub.dialects.wizcommerce.nested import (
    Flag,
    check_new_references,
    edit_addresses,
    edit_contacts,
    keep_look,
    to_address_patch,
    to_contact_patch,
    to_id,
    to_pointer,
    to_texts,
)
from customerhub.dialects.wizcommerce.read import (
    Body,
    Draft,
    check,
    members_of,
    note_ignored,
)
from customerhub.dialects.wizcommerce.show import Shown, to_customer, to_row, type_of
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import AddressType, Customer
from customerhub.model.error import Path
from customerhub.model.patch import AddressPatch, ContactPatch, CustomerPatch, ListPatch, Named

# Any: canonical fields by name, each of its own type; CustomerPatch is built from them.
Fields = dict[str, Any]

# The names that canonical fields have here, for errors that the core finds.
NAMES: Mapping[str, str] = {
    "name": "company_name",
    "number": "display_id",
    "shipping_term": "freight_term",
    "carrier": "shipping_method",
    "sales_reps": "assigned_sales_rep_ids",
    "price_list": "assigned_price_list_id",
    "bill_to": "default_billing_address_id",
    "ship_to": "default_shipping_address_id",
    "primary_contact": "primary_contact_id",
}
TEXTS = {name: name for name in ("payment_mode", "first_name", "last_name", "phone", "email")}
TERMS = {"freight_term": "shipping_term", "shipping_method": "carrier", "payment_term": "payment_term"}
POINTERS: tuple[tuple[str, str, AddressType], ...] = (
    ("default_billing_address_id", "bill_to", "billing"),
    ("default_shipping_address_id", "ship_to", "shipping"),
)
_CHECK_BODY: TypeAdapter[object] = TypeAdapter(wire.CustomerBody)
_CHECK_EDIT: TypeAdapter[object] = TypeAdapter(wire.CustomerEdit)
_BODY = members_of(wire.CustomerBody, answers.Customer)
_EDIT = members_of(wire.CustomerEdit, answers.Customer)


def to_patch(raw: Body, customer: Customer, catalogue: Catalogue) -> tuple[Proposal, list[str]]:
    """What `PATCH /v1/customers/{id}` asks of a customer, and the paths that are ignored by contract.

    Members left out stay, also inside nested records, which are found by their id. A value equal to what is shown
    now always passes. Nested records are edited first, then defaults are chosen among them.
    """
    settings = catalogue.settings

    def get_shown() -> Body:
        return to_customer(customer, catalogue) | {"company_name": customer.name}

    draft = check(_CHECK_EDIT, raw, get_shown, ignores_null=settings.null_members == "ignore")
    note_ignored(draft, _EDIT, refuses_unknown=settings.unknown_members == "refuse")
    addresses, address_flags = edit_addresses(draft, customer, catalogue)
    contacts, contact_flags = edit_contacts(draft, customer, catalogue)
    pointers = _address_pointers(draft, customer, address_flags)
    patch = CustomerPatch(
        **_scalars(draft.value, to_row(customer, catalogue), customer),
        attributes=to_attributes_patch(
            draft, draft.value.get("attributes"), (), "customer", catalogue, customer.attributes
        ),
        addresses=keep_look(customer, addresses, pointers["bill_to"]),
        contacts=contacts,
        **pointers,
        primary_contact=_contact_pointer(draft, customer, contact_flags),
    )
    return Proposal(patch, draft.found(), NAMES, draft.sent), draft.ignored


def to_new(raw: Body, catalogue: Catalogue, mint: Callable[[], UUID], creator: UUID) -> tuple[Proposal, list[str]]:
    """What `POST /v1/customers` makes, and the paths that are ignored by contract.

    A reference id, a sales rep and a price list are required; the team may relax the last two: then the creating
    user is the rep and the team's default price list is taken. One of company and display name fills the other.
    """
    settings = catalogue.settings
    draft = check(_CHECK_BODY, raw, ignores_null=settings.null_members == "ignore")
    body = draft.value
    note_ignored(draft, _BODY, refuses_unknown=settings.unknown_members == "refuse")
    _require(draft, is_relaxed=settings.relaxed_create)
    values = _scalars(body, None, None)
    values["name"] = body.get("company_name") or body.get("display_name") or "?"
    if "assigned_sales_rep_ids" not in draft.sent and catalogue.find_user(creator) is not None:
        values["sales_reps"] = (creator,)
    addresses, address_flags = _new_addresses(draft, catalogue, mint)
    contacts, contact_flags = _new_contacts(draft, catalogue, mint)
    patch = CustomerPatch(
        **values,
        attributes=to_attributes_patch(draft, body.get("attributes"), (), "customer", catalogue, is_whole=True),
        addresses=addresses,
        contacts=contacts,
        bill_to=to_pointer(draft, address_flags, "billing", None, None, ""),
        ship_to=to_pointer(draft, address_flags, "shipping", None, None, ""),
        primary_contact=to_pointer(draft, contact_flags, None, None, None, ""),
    )
    return Proposal(patch, draft.found(), NAMES, draft.sent), draft.ignored


def _scalars(body: Body, shown: Shown | None, before: Customer | None) -> Fields:
    """The members at the top of a body as canonical fields; what is shown already is left out."""
    values: Fields = dict(to_texts(body, TEXTS, shown, is_whole=False))
    for member, field in TERMS.items():
        name = cast("str | None", body.get(member))
        if name is not None and (shown is None or name != shown[member]):
            values[field] = Named(name) if name else None
    for member, field in (("company_name", "name"), ("display_id", "number"), ("reference_id", "reference_id")):
        if member in body:
            values[field] = body[member] or None
    if "display_name" in body:
        # A display name that only repeats the name it follows is set on its own once the name moves away from it.
        follows = before is not None and before.display_name is None and body["display_name"] == before.name
        if not follows or (before is not None and values.get("name", before.name) != before.name):
            values["display_name"] = body["display_name"]
    if "assigned_sales_rep_ids" in body:
        values["sales_reps"] = tuple(map(to_id, cast("list[object]", body["assigned_sales_rep_ids"])))
    if "assigned_price_list_id" in body:
        values["price_list"] = to_id(body["assigned_price_list_id"])
    return values


def _address_pointers(draft: Draft, customer: Customer, flags: list[Flag]) -> Fields:
    """Both default addresses, as id members and flags of the request say together."""
    types = _types_after(draft, customer)
    pointers: Fields = {}
    for member, pointer, kind in POINTERS:
        named = to_id(draft.value[member]) if member in draft.value else None
        if named is not None and types.get(named) != kind:
            draft.refuse((member,), "unknown_id", f"must name a {kind} address of this customer")
            named = None
        pointers[pointer] = to_pointer(draft, flags, kind, getattr(customer, pointer), named, member)
    return pointers


def _types_after(draft: Draft, customer: Customer) -> dict[UUID, object]:
    """The type that each address is shown with once the request's edits are made."""
    types: dict[UUID, object] = {address.id: type_of(customer, address) for address in customer.addresses}
    for _, body in draft.objects("addresses"):
        address_id = to_id(body["id"])
        if "type" in body and address_id in types:
            types[address_id] = body["type"]
    return types


def _contact_pointer(draft: Draft, customer: Customer, flags: list[Flag]) -> UUID | UnsetType | None:
    member = "primary_contact_id"
    named = to_id(draft.value[member]) if member in draft.value else None
    if named is not None and customer.find_contact(named) is None:
        draft.refuse((member,), "unknown_id", "must name a contact of this customer")
        named = None
    return to_pointer(draft, flags, None, customer.primary_contact, named, member)


def _require(draft: Draft, *, is_relaxed: bool) -> None:
    """What a new customer cannot be without."""
    required = ["reference_id"] if is_relaxed else ["reference_id", "assigned_sales_rep_ids", "assigned_price_list_id"]
    for member in required:
        if member not in draft.sent:
            draft.refuse((member,), "missing", "is required")
    if "company_name" not in draft.sent and "display_name" not in draft.sent:
        draft.refuse(("company_name",), "missing", "is required where there is no display_name")


def _new_addresses(
    draft: Draft, catalogue: Catalogue, mint: Callable[[], UUID]
) -> tuple[ListPatch[AddressPatch] | UnsetType, list[Flag]]:
    bodies = draft.objects("addresses")
    add: list[tuple[UUID, AddressPatch]] = []
    flags: list[Flag] = []
    check_new_references(draft, "addresses")
    for entry_id, (position, body) in zip(sorted(mint() for _ in bodies), bodies, strict=True):
        path: Path = ("addresses", position)
        add.append((entry_id, to_address_patch(draft, body, path, catalogue, is_whole=True)))
        if body.get("is_default"):
            flags.append(Flag((*path, "is_default"), entry_id, cast("AddressType", body.get("type")), is_set=True))
    return (ListPatch(add=tuple(add)) if add else UNSET), flags


def _new_contacts(
    draft: Draft, catalogue: Catalogue, mint: Callable[[], UUID]
) -> tuple[ListPatch[ContactPatch] | UnsetType, list[Flag]]:
    bodies = draft.objects("contacts")
    add: list[tuple[UUID, ContactPatch]] = []
    flags: list[Flag] = []
    check_new_references(draft, "contacts")
    for entry_id, (position, body) in zip(sorted(mint() for _ in bodies), bodies, strict=True):
        path: Path = ("contacts", position)
        add.append((entry_id, to_contact_patch(draft, body, path, catalogue, is_whole=True)))
        if body.get("is_default"):
            flags.append(Flag((*path, "is_default"), entry_id, None, is_set=True))
    return (ListPatch(add=tuple(add)) if add else UNSET), flags
