"""From the canonical record to what the COUNT partner API answers."""

from datetime import UTC, datetime
from functools import lru_cache

from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Contact, Customer

Shown = dict[str, object]


@lru_cache(maxsize=8192)
def to_time(at: datetime) -> str:
    """UTC with milliseconds: `2026-02-01T10:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_customer(customer: Customer, catalogue: Catalogue) -> Shown:
    """A customer with everything in it; what there is none of is null."""
    return {
        "uuid": str(customer.id),
        "id": str(customer.id),
        "customer": customer.name,
        "email": customer.email,
        "mainPhone": customer.phone,
        "website": customer.website,
        "status": customer.status,
        "billingAddress": to_address(customer.find_address(customer.bill_to)),
        "shippingAddress": to_address(customer.find_address(customer.ship_to)),
        "contacts": [to_contact(customer, contact) for contact in customer.contacts],
        "notes": customer.note,
        "paymentTerm": catalogue.name_of("payment_term", customer.payment_term),
        "taxNumber": customer.tax_number,
        "taxAutoCalculate": customer.tax_auto_calculate,
        "taxExcluded": customer.tax_excluded,
        "createdAt": to_time(customer.created_at),
        "updatedAt": to_time(customer.updated_at),
    }


def to_address(address: Address | None) -> Shown | None:
    """An address; lines 1 and 2 are one `street` with a line feed between them."""
    if address is None:
        return None
    return {
        "street": to_street(address.line1, address.line2),
        "city": address.city,
        "state": address.state,
        "zipCode": address.postal_code,
        "country": address.country,
    }


def to_street(line1: str | None, line2: str | None) -> str | None:
    """Both lines as one text."""
    return line1 if line2 is None else f"{line1 or ''}\n{line2}"


def to_contact(customer: Customer, contact: Contact) -> Shown:
    """A person at the customer."""
    return {
        "uuid": str(contact.id),
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "email": contact.email,
        "phone": contact.phone,
        "isPrimary": contact.id == customer.primary_contact,
    }
