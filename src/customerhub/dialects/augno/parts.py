"""What customers refer to, as it is shown inside one: owners and everything further down are null there.

Services that show such a record by itself fill in what is null here.
"""

from uuid import UUID

from customerhub.core.system import Choice
from customerhub.dialects.augno.answers import Shown, to_page, to_time, to_time_or_none
from customerhub.dialects.augno.ids import (
    ACCOUNT_GROUP,
    ADDRESS,
    CARRIER,
    GEOLOCATION,
    PAYMENT_TERM,
    PRIORITY,
    SERVICE_LEVEL,
    SHIPPING_TERM,
    USER,
    to_id,
)
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    ServiceLevelDetails,
    ShippingTermDetails,
    User,
)
from customerhub.model.customer import Address


def to_times(record: CatalogueEntry | User | Address) -> Shown:
    """When a record was made and when it last changed."""
    return {"created_at": to_time(record.created_at), "updated_at": to_time(record.updated_at)}


def to_address(address: Address) -> Shown:
    """An address; a client of this contract relies on its name, which other doors may leave out."""
    person = " ".join(name for name in (address.first_name, address.last_name) if name)
    return {
        "id": to_id(ADDRESS, address.id),
        "object": "address",
        "name": address.name or person,
        "phone": address.phone,
        "email": address.email,
        "is_drop_ship": address.is_drop_ship,
        "geolocation": None,
        **to_times(address),
    }


def to_geolocation(address: Address) -> Shown:
    """Where an address is; only its own endpoints tell."""
    return {
        "id": to_id(GEOLOCATION, address.id),
        "object": "geolocation",
        "street_line_1": address.line1,
        "street_line_2": address.line2,
        "locality": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country or "",
    }


def to_account_group(entry: CatalogueEntry) -> Shown:
    """A group of customers."""
    details = entry.details
    if not isinstance(details, AccountGroupDetails):
        raise TypeError(f"{entry.id} is no account group")
    return {
        "id": to_id(ACCOUNT_GROUP, entry.id),
        "object": "account_group",
        "name": entry.name,
        "description": entry.description,
        "commission_policy": details.commission_policy,
        "freight_policy": details.freight_policy,
        "type": details.type,
        **to_times(entry),
    }


def to_account_groups(groups: tuple[UUID, ...], catalogue: Catalogue) -> Shown:
    """A list of groups, by name."""
    entries = [entry for group in groups if (entry := catalogue.find_entry("account_group", group)) is not None]
    return to_page([to_account_group(entry) for entry in sorted(entries, key=lambda entry: (entry.name, entry.id))])


def to_carrier(entry: CatalogueEntry) -> Shown:
    """A carrier, also one that is gone from the catalogue and still set somewhere."""
    details = entry.details
    if not isinstance(details, CarrierDetails):
        raise TypeError(f"{entry.id} is no carrier")
    return {
        "id": to_id(CARRIER, entry.id),
        "object": "carrier",
        "name": entry.name,
        "code": details.code,
        "account_number": details.account_number,
        "customer_portal_visibility": details.visibility,
        "owner": None,
        "service_levels": None,
        "deleted_at": to_time_or_none(entry.deleted_at),
        **to_times(entry),
    }


def to_service_level(entry: CatalogueEntry) -> Shown:
    """A carrier's service level; customers show it without its owner, not even as null."""
    details = entry.details
    if not isinstance(details, ServiceLevelDetails):
        raise TypeError(f"{entry.id} is no service level")
    return {
        "id": to_id(SERVICE_LEVEL, entry.id),
        "object": "service_level",
        "name": entry.name,
        "service_level_token": details.token,
        "customer_portal_visibility": details.visibility,
        "is_default": details.is_default,
        **to_times(entry),
    }


def to_payment_term(entry: CatalogueEntry) -> Shown:
    """A payment term."""
    return {
        "id": to_id(PAYMENT_TERM, entry.id),
        "object": "payment_term",
        "name": entry.name,
        "status": entry.status,
        "owner": None,
        **to_times(entry),
    }


def to_shipping_term(entry: CatalogueEntry) -> Shown:
    """A shipping term."""
    details = entry.details
    if not isinstance(details, ShippingTermDetails):
        raise TypeError(f"{entry.id} is no shipping term")
    return {
        "id": to_id(SHIPPING_TERM, entry.id),
        "object": "shipping_term",
        "name": entry.name,
        "type": details.type,
        "owner": None,
        "flat_rate": None,
        "minimum_order_value": None,
        "free_shipping_service_levels": None,
        **to_times(entry),
    }


def to_priority(priority: Choice) -> Shown:
    """A priority; every team has the same ones from its first day, each with ids of its own."""
    born = to_time(priority.created_at)
    return {
        "id": to_id(PRIORITY, priority.id),
        "object": "priority",
        "code": priority.code,
        "name": priority.name,
        "owner": None,
        "created_at": born,
        "updated_at": born,
    }


def to_user(user: User) -> Shown:
    """A member of the team; nobody has verified an email address here, and nobody has a picture."""
    return {
        "id": to_id(USER, user.id),
        "object": "user",
        "email": user.email,
        "name": " ".join(name for name in (user.first_name, user.last_name) if name) or None,
        "username": user.username,
        "email_verified_at": None,
        "image_url": None,
        **to_times(user),
    }
