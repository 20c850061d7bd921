"""Check what a patch refers to against the team's catalogue; only values that differ from the record are checked."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from msgspec import UNSET, UnsetType

from customerhub.model.catalogue import AccountGroupDetails, Catalogue, CatalogueEntry, Kind, ServiceLevelDetails
from customerhub.model.customer import Address, Contact, Customer, name_key
from customerhub.model.error import FieldError
from customerhub.model.patch import AddressPatch, ContactPatch, CustomerPatch, ListPatch, Named

_KINDS: tuple[tuple[str, Kind, str], ...] = (
    ("payment_term", "payment_term", "payment term"),
    ("shipping_term", "shipping_term", "shipping term"),
    ("carrier", "carrier", "carrier"),
    ("service_level", "service_level", "service level"),
    ("price_list", "price_list", "price list"),
    ("credit_limit_unit", "unit", "unit"),
)


def reference_errors(before: Customer, patch: CustomerPatch, catalogue: Catalogue) -> list[FieldError]:
    """Every reference of the patch that names nothing usable, with canonical paths.

    An inactive entry is refused as a new value and kept where it stands, so that a record stays editable after a
    term is retired.
    """
    return [
        *_entry_errors(before, patch, catalogue),
        *_group_errors(before, patch, catalogue),
        *_user_errors(before, patch, catalogue),
        *_service_level_errors(before, patch, catalogue),
        *_pointer_errors(before, patch),
    ]


def find_term(kind: Kind, current: UUID | None, value: UUID | Named, catalogue: Catalogue) -> CatalogueEntry | None:
    """The entry that a patch means by its id or its name.

    By name it is the one that the record has already (`current`), if that bears the name: also where it is inactive
    or deleted, so that what is shown may be sent back.
    """
    if not isinstance(value, Named):
        return catalogue.find_entry(kind, value)
    present = catalogue.find_entry(kind, current)
    if present is not None and name_key(present.name) == name_key(value.name):
        return present
    return catalogue.find_named(kind, value.name)


def strange_addresses(before: Customer, patch: CustomerPatch) -> frozenset[UUID]:
    """What the patch's pointers name that the customer will not have: addresses of none, or nothing."""
    pointers = {value for value in (patch.bill_to, patch.ship_to) if isinstance(value, UUID)}
    return frozenset(pointers - _ids_after(before.addresses, patch.addresses)) if pointers else frozenset()


def _entry_errors(before: Customer, patch: CustomerPatch, catalogue: Catalogue) -> Iterator[FieldError]:
    for field, kind, noun in _KINDS:
        value = getattr(patch, field)
        if value is UNSET or value is None:
            continue
        is_named = isinstance(value, Named)
        entry = find_term(kind, getattr(before, field), value, catalogue)
        if entry is None:
            # A name that nothing has yet brings its entry along.
            if not is_named and value != getattr(before, field):
                yield FieldError((field,), "unknown_id", f"no such {noun}")
        elif entry.status != "active" and entry.id != getattr(before, field):
            yield FieldError((field,), "inactive", f"this {noun} is inactive")


def _group_errors(before: Customer, patch: CustomerPatch, catalogue: Catalogue) -> Iterator[FieldError]:
    if patch.price_groups is not UNSET:
        for position, group in enumerate(patch.price_groups):
            if group not in before.price_groups:
                yield from _one_group(group, "pricing_group", ("price_groups", position), catalogue)
    if patch.type_group is not UNSET and patch.type_group is not None and patch.type_group != before.type_group:
        yield from _one_group(patch.type_group, "type_group", ("type_group",), catalogue)


def _one_group(group: UUID, wanted: str, path: tuple[str | int, ...], catalogue: Catalogue) -> Iterator[FieldError]:
    entry = catalogue.find_entry("account_group", group)
    if entry is None or not isinstance(entry.details, AccountGroupDetails):
        yield FieldError(path, "unknown_id", "no such account group")
    elif entry.details.type != wanted:
        yield FieldError(path, "wrong_type", f"must name an account group of type {wanted}")
    elif entry.status != "active":
        yield FieldError(path, "inactive", "this account group is inactive")


def _user_errors(before: Customer, patch: CustomerPatch, catalogue: Catalogue) -> Iterator[FieldError]:
    if patch.sales_reps is not UNSET:
        for position, rep in enumerate(patch.sales_reps):
            if rep not in before.sales_reps:
                yield from _one_user(rep, ("sales_reps", position), catalogue)
    rep_patch = patch.default_sales_rep
    if isinstance(rep_patch, UUID) and rep_patch != before.default_sales_rep and rep_patch not in before.sales_reps:
        yield from _one_user(rep_patch, ("default_sales_rep",), catalogue)


def _one_user(user_id: UUID, path: tuple[str | int, ...], catalogue: Catalogue) -> Iterator[FieldError]:
    user = catalogue.find_user(user_id)
    if user is None:
        yield FieldError(path, "unknown_id", "no such sales rep")
    elif user.status != "active":
        yield FieldError(path, "inactive", "this sales rep is inactive")


def _service_level_errors(before: Customer, patch: CustomerPatch, catalogue: Catalogue) -> Iterator[FieldError]:
    """A level that is set must belong to the carrier that the customer then has."""
    level = (
        catalogue.find_entry("service_level", patch.service_level) if isinstance(patch.service_level, UUID) else None
    )
    if level is None or not isinstance(level.details, ServiceLevelDetails):
        return
    carrier = before.carrier if isinstance(patch.carrier, UnsetType) else patch.carrier
    if isinstance(carrier, Named):
        named = find_term("carrier", before.carrier, carrier, catalogue)
        carrier = named.id if named is not None else None
    if level.details.carrier != carrier:
        yield FieldError(("service_level",), "wrong_carrier", "this service level belongs to another carrier")


def _pointer_errors(before: Customer, patch: CustomerPatch) -> Iterator[FieldError]:
    for list_field, pointers, noun in (
        ("addresses", ("bill_to", "ship_to"), "address"),
        ("contacts", ("primary_contact",), "contact"),
    ):
        values = [(pointer, value) for pointer in pointers if isinstance(value := getattr(patch, pointer), UUID)]
        ids = _ids_after(getattr(before, list_field), getattr(patch, list_field)) if values else set()
        for pointer, value in values:
            if value not in ids:
                yield FieldError((pointer,), "unknown_id", f"no such {noun} on this customer")


def _ids_after(
    entries: Iterable[Address | Contact], edits: ListPatch[AddressPatch] | ListPatch[ContactPatch] | UnsetType
) -> set[UUID]:
    """The ids that a nested list has once its edits are made."""
    ids = {entry.id for entry in entries}
    if isinstance(edits, UnsetType):
        return ids
    if not ids and not edits.adopt:
        return {entry_id for entry_id, _ in edits.add}
    ids = ids - edits.remove if edits.keep_others else ids & set(edits.change)
    return ids | {entry_id for entry_id, _ in edits.add} | {address.id for address in edits.adopt}
