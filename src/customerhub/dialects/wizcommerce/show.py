"""The canonical record as WizCommerce shows it: every key always there, empty text where there is nothing."""

from datetime import datetime
from functools import lru_cache

from customerhub.model.catalogue import AttributeDetails, Catalogue, CatalogueEntry, PriceListDetails, User
from customerhub.model.customer import Address, AddressType, Attribute, Contact, Customer

Shown = dict[str, object]


@lru_cache(maxsize=8192)
def to_time(at: datetime) -> str:
    """UTC with whole seconds, cut off, never rounded up into the future."""
    return f"{at.isoformat(timespec='seconds')[:19]}Z"


def to_row(customer: Customer, catalogue: Catalogue) -> Shown:
    """A customer as a row of a list."""
    return {
        "id": str(customer.id),
        "reference_id": customer.reference_id or "",
        "display_id": customer.number,
        "name": customer.name,
        "display_name": customer.display_name or customer.name,
        "first_name": customer.first_name or "",
        "last_name": customer.last_name or "",
        "phone": customer.phone or "",
        "email": customer.email or "",
        "status": customer.status,
        "freight_term": catalogue.name_of("shipping_term", customer.shipping_term) or "",
        "shipping_method": catalogue.name_of("carrier", customer.carrier) or "",
        "payment_mode": customer.payment_mode or "",
        "payment_term": catalogue.name_of("payment_term", customer.payment_term) or "",
        "created_at": to_time(customer.created_at),
        "updated_at": to_time(customer.updated_at),
    }


def to_customer(customer: Customer, catalogue: Catalogue) -> Shown:
    """A customer with everything in it; without a price list the member is left out, since the contract has no null."""
    shown = to_row(customer, catalogue)
    reps = (catalogue.find_user(rep) for rep in customer.sales_reps)
    shown["assigned_sales_reps"] = [to_sales_rep(rep) for rep in reps if rep is not None]
    price_list = catalogue.find_entry("price_list", customer.price_list)
    if price_list is not None:
        shown["assigned_price_list"] = to_price_list_reference(price_list)
    shown["addresses"] = [to_address(customer, address) for address in customer.addresses]
    shown["contacts"] = [to_contact(customer, contact) for contact in customer.contacts]
    shown["attributes"] = to_attributes(customer.attributes)
    return shown


def type_of(customer: Customer, address: Address) -> AddressType:
    """The type shown: one without a type of its own is billing where bills go to it, otherwise shipping."""
    if address.type is not None:
        return address.type
    return "billing" if customer.bill_to == address.id else "shipping"


def is_default(customer: Customer, address: Address) -> bool:
    """Whether the pointer of the address's shown type names it."""
    pointer = customer.bill_to if type_of(customer, address) == "billing" else customer.ship_to
    return pointer == address.id


def to_address(customer: Customer, address: Address) -> Shown:
    """An address; all that the record holds are active, a removed one is gone."""
    return {
        "id": str(address.id),
        "customer_id": str(customer.id),
        "reference_id": address.reference_id or "",
        "address_line_1": address.line1 or "",
        "address_line_2": address.line2 or "",
        "city": address.city or "",
        "state": address.state or "",
        "country": address.country or "",
        "zip_code": address.postal_code or "",
        "first_name": address.first_name or "",
        "last_name": address.last_name or "",
        "phone": address.phone or "",
        "email": address.email or "",
        "type": type_of(customer, address),
        "status": "active",
        "is_default": is_default(customer, address),
        "attributes": to_attributes(address.attributes),
        "created_at": to_time(address.created_at),
        "updated_at": to_time(address.updated_at),
    }


def to_contact_row(customer: Customer, contact: Contact) -> Shown:
    """A contact as a row of a list."""
    return {
        "id": str(contact.id),
        "reference_id": contact.reference_id or "",
        "first_name": contact.first_name or "",
        "last_name": contact.last_name or "",
        "email": contact.email or "",
        "phone": contact.phone or "",
        "designation": contact.designation or "",
        "status": "active",
        "is_default": customer.primary_contact == contact.id,
        "created_at": to_time(contact.created_at),
        "updated_at": to_time(contact.updated_at),
    }


def to_contact(customer: Customer, contact: Contact) -> Shown:
    """A contact."""
    return to_contact_row(customer, contact) | {"attributes": to_attributes(contact.attributes)}


def to_attributes(attributes: tuple[Attribute, ...]) -> list[Shown]:
    """Custom values in order of creation."""
    return [
        {
            "id": str(attribute.id),
            "name": attribute.name,
            "value": attribute.value,
            "created_by": str(attribute.created_by),
            "updated_by": str(attribute.updated_by),
            "created_at": to_time(attribute.created_at),
            "updated_at": to_time(attribute.updated_at),
        }
        for attribute in attributes
    ]


def to_sales_rep(user: User) -> Shown:
    """A user of the team."""
    return {
        "id": str(user.id),
        "email": user.email or "",
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone or "",
        "department": user.department or "",
        "status": user.status,
        "created_by": str(user.created_by),
        "updated_by": str(user.updated_by),
        "created_at": to_time(user.created_at),
        "updated_at": to_time(user.updated_at),
    }


def to_price_list_reference(entry: CatalogueEntry) -> Shown:
    """A price list as a customer shows it."""
    return {
        "id": str(entry.id),
        "name": entry.name,
        "status": entry.status,
        "reference_id": entry.reference_id or "",
        "description": entry.description or "",
        "created_at": to_time(entry.created_at),
        "updated_at": to_time(entry.updated_at),
    }


def to_price_list(entry: CatalogueEntry) -> Shown:
    """A price list as its own endpoints show it."""
    currency = entry.details.currency if isinstance(entry.details, PriceListDetails) else ""
    return to_price_list_reference(entry) | {"currency": currency}


def to_definition(entry: CatalogueEntry) -> Shown:
    """A custom field; options come back as their values."""
    details = entry.details
    if not isinstance(details, AttributeDetails):
        raise TypeError(entry.kind)
    return {
        "id": str(entry.id),
        "name": entry.name,
        "entity": details.entity,
        "data_type": details.data_type,
        "options": [option.value for option in details.options],
        "created_at": to_time(entry.created_at),
        "updated_at": to_time(entry.updated_at),
    }
