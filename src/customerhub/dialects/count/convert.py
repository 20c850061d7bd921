"""From a COUNT request to a patch of the canonical record: every wire name and its meaning is in this file."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from msgspec import UNSET, UnsetType
from pydantic import TypeAdapter

from customerhub.core.customers import Proposal
from customerhub.dialects.count import answers, wire
from customerhub.dialects.count.addresses import find_own_addresses, to_address_fields
from customerhub.dialects.count.read import Body, Draft, Warned, check, without_nulls
from customerhub.dialects.count.show import to_customer
from customerhub.model.catalogue import Catalogue, TeamSettings
from customerhub.model.customer import Customer
from customerhub.model.patch import ContactPatch, CustomerPatch, ListPatch, Named

# Any: canonical fields by name, each of its own type; CustomerPatch is built from them.
Fields = dict[str, Any]

# The names that canonical fields have here, for errors that the core finds.
NAMES: Mapping[str, str] = {"name": "customer", "payment_term": "paymentTerm"}
# Members that hold text or null, where blank text is null too.
TEXTS = {"mainPhone": "phone", "website": "website", "notes": "note", "taxNumber": "tax_number"}
PLAIN = {
    "customer": "name",
    "status": "status",
    "taxAutoCalculate": "tax_auto_calculate",
    "taxExcluded": "tax_excluded",
}
# Members that are never null; a team may have their nulls ignored instead of refused.
KEPT = ("customer", "email", "status", "taxAutoCalculate", "taxExcluded", "contacts")
# Members that answers have, or clients send, and that no request sets.
INTERNAL = frozenset(("uuid", "id", "createdAt", "updatedAt", "_partnerWarnings", "taxes"))
_CHECK_UPDATE: TypeAdapter[object] = TypeAdapter(wire.CustomerUpdate)
_CHECK_BODY: TypeAdapter[object] = TypeAdapter(wire.CustomerBody)
_EDITED = frozenset(wire.CustomerEdit.__annotations__)
_ADDRESS = frozenset(answers.Address.__annotations__)
_CONTACT = frozenset(wire.ContactBody.__annotations__)


def to_patch(
    raw: Body, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]
) -> tuple[Proposal, list[Warned]]:
    """What an update asks of a customer, and the members without effect.

    Members left out stay; an address is replaced whole. Contacts are left alone. A value equal to what is shown now
    always passes and changes nothing.
    """
    shown = to_customer(customer, catalogue)
    draft = check_update(raw, {**shown, **find_own_addresses(raw, customer)}, catalogue.settings)
    if draft.errors:
        return Proposal(CustomerPatch(), tuple(draft.errors), NAMES), draft.warnings
    body = {name: value for name, value in draft.value.items() if name in _EDITED and value != shown[name]}
    patch = CustomerPatch(**_to_fields(body), **to_address_fields(body, customer, mint))
    return Proposal(patch, (), NAMES), draft.warnings


def check_update(raw: Body, shown: Mapping[str, object], settings: TeamSettings) -> Draft:
    """The body of an update after its checks; `shown` is empty where there is no record to compare with."""
    draft = check(_CHECK_UPDATE, _without_ignored_nulls(raw, settings), shown)
    _note_others(draft, settings, {*INTERNAL, "contacts"})
    return draft


def to_new(raw: Body, catalogue: Catalogue, mint: Callable[[], UUID]) -> tuple[Proposal, list[Warned]]:
    """What a creation makes, and the members without effect.

    A name and an email address are required; a team may do without the address. Nobody is the primary contact
    unless marked; two marks are refused.
    """
    settings = catalogue.settings
    draft = check(_CHECK_BODY, _without_ignored_nulls(raw, settings), {})
    if settings.relaxed_create and "email" not in draft.value:
        draft.errors = [error for error in draft.errors if error.path != ("email",)]
    _note_others(draft, settings, INTERNAL)
    contacts, primary = _new_contacts(draft, mint, settings)
    if draft.errors:
        return Proposal(CustomerPatch(), tuple(draft.errors), NAMES), draft.warnings
    body = {name: value for name, value in draft.value.items() if name in _EDITED}
    patch = CustomerPatch(
        **_to_fields(body), **to_address_fields(body, None, mint), contacts=contacts, primary_contact=primary
    )
    return Proposal(patch, (), NAMES), draft.warnings


def to_text(value: object) -> str | None:
    """Optional text: blank is none."""
    text = cast("str | None", value)
    return text if text is not None and text.strip() else None


def _to_fields(body: Body) -> Fields:
    """The members at the top of a checked body as canonical fields, but for addresses and contacts."""
    fields: Fields = {field: body[member] for member, field in PLAIN.items() if member in body}
    fields |= {field: to_text(body[member]) for member, field in TEXTS.items() if member in body}
    if "email" in body:
        fields["email"] = cast("str", body["email"]).strip()
    if "paymentTerm" in body:
        term = to_text(body["paymentTerm"])
        fields["payment_term"] = Named(term) if term is not None else None
    return fields


def _without_ignored_nulls(raw: Body, settings: TeamSettings) -> Body:
    return without_nulls(raw, KEPT) if settings.null_members == "ignore" else raw


def _note_others(draft: Draft, settings: TeamSettings, internal: frozenset[str] | set[str]) -> None:
    refuses = settings.unknown_members == "refuse"
    known = _EDITED if "contacts" in internal else {*_EDITED, "contacts"}
    draft.note_others(draft.value, (), known, internal, refuses_unknown=refuses)
    for member in ("billingAddress", "shippingAddress"):
        draft.note_others(draft.value.get(member), (member,), _ADDRESS, (), refuses_unknown=refuses)


def _new_contacts(
    draft: Draft, mint: Callable[[], UUID], settings: TeamSettings
) -> tuple[ListPatch[ContactPatch] | UnsetType, UUID | UnsetType]:
    bodies = draft.value.get("contacts")
    if not isinstance(bodies, list) or not bodies:
        return UNSET, UNSET
    marked: list[UUID] = []
    add: list[tuple[UUID, ContactPatch]] = []
    for position, (contact_id, body) in enumerate(zip(sorted(mint() for _ in bodies), bodies, strict=True)):
        if not isinstance(body, dict):
            continue  # refused by its model
        refuses = settings.unknown_members == "refuse"
        draft.note_others(body, ("contacts", position), _CONTACT, ("uuid", "id"), refuses_unknown=refuses)
        if body.get("isPrimary") is True:
            marked.append(contact_id)
            if len(marked) > 1:
                draft.refuse(("contacts", position, "isPrimary"), "second_primary", "must mark one contact at most")
        if not any(error.path[:2] == ("contacts", position) for error in draft.errors):
            add.append((contact_id, _to_contact(draft, body, position)))
    return ListPatch(add=tuple(add)), marked[0] if marked else UNSET


def _to_contact(draft: Draft, body: Body, position: int) -> ContactPatch:
    first, last, name, email, phone = (
        to_text(body.get(member)) for member in ("firstName", "lastName", "name", "email", "phone")
    )
    if name is not None and first is None and last is None:
        first, _, rest = name.strip().partition(" ")
        last = to_text(rest.strip())
    elif name is not None:
        draft.warnings.append(Warned(f"contacts[{position}].name", "internal_only"))
    if first is None and last is None and email is None and phone is None:
        draft.refuse(("contacts", position), "empty", "must hold a name, an email address or a phone number")
    return ContactPatch(
        first_name=first, last_name=last, email=email.strip() if email is not None else None, phone=phone
    )
