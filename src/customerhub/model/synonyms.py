"""What the columns of people's spreadsheets are called, by the member that they mean; in lower case, words apart."""

from collections.abc import Mapping
from typing import Final

MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("uuid", "customer id", "hub id", "record id"),
    "name": (
        *("company", "company name", "customer", "customer name", "account", "account name", "business name"),
        *("organisation", "organization", "client", "client name", "legal name", "firma", "kunde"),
    ),
    "number": (
        *("customer number", "customer no", "account number", "account no", "client number", "display id", "no", "nr"),
        *("cust no", "cust number", "customer code", "debtor number", "kundennummer", "kundenummer"),
    ),
    "display_name": ("trading name", "trade name", "dba", "doing business as", "short name", "nickname"),
    "reference_id": (
        *("reference", "external id", "external reference", "erp id", "source id", "foreign id", "legacy id", "ref"),
    ),
    "first_name": ("first name", "given name", "forename", "vorname"),
    "last_name": ("last name", "surname", "family name", "nachname"),
    "email": ("e mail", "email address", "e mail address", "mail", "main email", "company email"),
    "phone": (
        *("tel", "telephone", "phone number", "telephone number", "main phone", "mobile", "cell", "telefon"),
        *("office phone", "work phone", "mainphone"),
    ),
    "website": ("url", "web", "web site", "homepage", "web page", "site"),
    "note": ("notes", "comment", "comments", "remark", "remarks", "memo", "description"),
    "status": ("state of account", "active", "account status", "customer status"),
    "standing": ("credit status", "hold", "order status"),
    "payment_term": ("payment terms", "terms", "term", "net terms", "paymentterm"),
    "shipping_term": ("shipping terms", "freight term", "freight terms", "incoterm", "incoterms", "delivery terms"),
    "carrier": ("shipping method", "ship via", "shipper", "forwarder", "delivery method"),
    "service_level": ("shipping service", "carrier service", "service"),
    "payment_mode": ("payment method", "pay by", "payment type"),
    "sales_reps": (
        "sales rep",
        "sales representative",
        "rep",
        "reps",
        "salesperson",
        "sales person",
        "account manager",
    ),
    "default_sales_rep": ("main sales rep", "primary sales rep"),
    "price_list": ("pricelist", "price book", "price level", "pricing"),
    "price_groups": ("price group", "pricing group", "pricing groups", "customer groups"),
    "type_group": ("customer type", "type", "customer group", "category", "segment"),
    "carrier_billing_account": ("shipping account", "freight account", "carrier account"),
    "credit_limit.value": ("credit limit", "credit", "credit line", "limit"),
    "credit_limit.unit": ("credit limit currency", "currency", "credit currency"),
    "tax_number": (
        "tax id",
        "vat",
        "vat number",
        "vat id",
        "vat no",
        "tax no",
        "ein",
        "gst number",
        "taxnumber",
        "ust id",
    ),
    "tax_excluded": ("tax exempt", "tax excluded", "no tax", "taxexcluded"),
    "accepts_invoice_emails": ("invoice emails", "email invoices", "invoices by email"),
    "is_edi_enabled": ("edi", "edi enabled"),
    "parent": ("parent id", "parent account", "parent customer"),
}
ADDRESS: Final[Mapping[str, tuple[str, ...]]] = {
    "line1": (
        *(
            "street",
            "address",
            "address 1",
            "address line 1",
            "address line",
            "street 1",
            "street address",
            "street line 1",
        ),
        *("addr", "addr 1", "line 1", "address1"),
    ),
    "line2": (
        "address 2",
        "address line 2",
        "street 2",
        "street line 2",
        "addr 2",
        "line 2",
        "suite",
        "unit",
        "address2",
    ),
    "city": ("town", "locality", "place", "city town"),
    "state": ("province", "region code", "county", "state province", "province state"),
    "postal_code": ("zip", "zip code", "postcode", "post code", "postal", "zipcode", "postal zip code", "plz"),
    "country": ("country code", "land", "nation"),
    "name": ("recipient", "attention", "attn", "company", "addressee"),
    "first_name": ("first name", "given name"),
    "last_name": ("last name", "surname", "family name"),
    "phone": ("tel", "telephone", "phone number"),
    "email": ("e mail", "email address"),
    "reference_id": ("reference", "external id"),
}
CONTACT: Final[Mapping[str, tuple[str, ...]]] = {
    "first_name": ("first name", "given name", "name", "forename"),
    "last_name": ("last name", "surname", "family name"),
    "email": ("e mail", "email address", "mail"),
    "phone": ("tel", "telephone", "phone number", "mobile"),
    "designation": ("title", "job title", "position", "role", "function"),
    "reference_id": ("reference", "external id"),
}
OWNERS: Final[Mapping[str, tuple[str, ...]]] = {
    "bill_to": (
        "bill to",
        "billing",
        "bill",
        "invoice",
        "invoicing",
        "billing address",
        "bill to address",
        "billingaddress",
    ),
    "ship_to": (
        *("ship to", "shipping", "ship", "delivery", "deliver to", "shipping address", "ship to address"),
        *("delivery address", "shippingaddress"),
    ),
    "primary_contact": ("contact", "primary contact", "main contact", "contact person"),
}
# Without saying whose it is, an address is the one where bills go.
PLAIN_OWNER: Final = "bill_to"
