"""Augno used the other way: an account of that vendor's, elsewhere, kept like this hub's customers."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

from customerhub.dialects.augno.ids import ACCOUNT, to_id
from customerhub.dialects.augno.parts import to_address as show_address
from customerhub.dialects.augno.parts import to_geolocation
from customerhub.dialects.augno.remote_addresses import (
    POINTERS,
    ask,
    read_places,
    to_address_body,
    to_address_value,
    update_addresses,
)
from customerhub.dialects.augno.show import ALONE, EVERYTHING, to_customer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer, email_key, name_key
from customerhub.web.remote import (
    COUNTERPART,
    Candidates,
    Found,
    Json,
    KeyRemote,
    Line,
    Refused,
    Values,
    find_counterpart,
    get_id,
    get_rows,
    guarded,
    part,
    to_text,
)

_CUSTOMERS: Final = "/v1/sales/customers"
_INCLUDES: Final = (
    "bill_to_address,ship_to_address,type,contact_info,freight_preferences,freight_preferences.carrier,"
    "defaults,defaults.payment_term,defaults.shipping_term,defaults.priority"
)
# Canonical fields, their members in requests, and where they stand in answers.
_MEMBERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "name": ("name", ("name",)),
    "number": ("number", ("number",)),
    "note": ("note", ("note",)),
    "standing": ("status", ("status",)),
    "email": ("email", ("contact_info", "email")),
    "phone": ("phone", ("contact_info", "phone")),
    "website": ("url", ("contact_info", "url")),
    "is_edi_enabled": ("is_edi_enabled", ("is_edi_enabled",)),
    "commission_policy": ("commission_policy", ("commission_policy",)),
    "freight_policy": ("freight_policy", ("freight_preferences", "status")),
    "priority": ("default_priority", ("defaults", "priority", "code")),
    "carrier_billing_type": ("carrier_billing_type", ("freight_preferences", "billing_type")),
    "carrier_billing_account": ("carrier_billing_account", ("freight_preferences", "billing_account")),
}
# What is told by its name and written by the id that this name has over there.
_NAMED: Final[Mapping[str, tuple[str, tuple[str, ...], str]]] = {
    "payment_term": (
        "default_payment_term_id",
        ("defaults", "payment_term", "name"),
        "/v1/finance/payment-terms",
    ),
    "shipping_term": (
        "default_shipping_term_id",
        ("defaults", "shipping_term", "name"),
        "/v1/operations/shipping-terms",
    ),
    "carrier": ("default_carrier_id", ("freight_preferences", "carrier", "name"), "/v1/operations/carriers"),
    "type_group": ("customer_type_group_id", ("type", "name"), "/v1/sales/account-groups"),
}
_CLEARABLE: Final = frozenset(("note", "email", "phone", "website", "carrier_billing_account"))
_BLANK: Final = {
    "name": "erased",
    "standing": "normal",
    "is_edi_enabled": False,
    "commission_policy": "commission_exempt",
    "freight_policy": "billed_freight",
    "priority": "normal",
    "carrier_billing_type": "sender",
    **dict.fromkeys(("note", "email", "phone", "website", "carrier_billing_account", *POINTERS)),
}
_FIELDS: Final = {
    **{member: field for field, (member, _) in _MEMBERS.items()},
    **{member: field for field, (member, _, _) in _NAMED.items()},
    **{member: field for field, member in POINTERS.items()},
    **{f"{member}_id": field for field, member in POINTERS.items()},
}


class AugnoRemote(KeyRemote):
    """The Augno API; an address is told from an answer of its own, since customers show it without its place."""

    fields: tuple[str, ...] = (*_MEMBERS, *_NAMED, *POINTERS)
    required: tuple[str, ...] = ("name", *_NAMED, *POINTERS)
    remains: str = "its terms, carrier, groups, sales rep and credit limit, its times, and addresses it once had"

    def to_values(self, customer: Customer, catalogue: Catalogue) -> Values:
        """A customer of ours as Augno would show it, with the places of its addresses."""
        shown = to_customer(customer, catalogue, ALONE, EVERYTHING)
        for field, member in POINTERS.items():
            address = customer.find_address(getattr(customer, field))
            placed = {**show_address(address), "geolocation": to_geolocation(address)} if address is not None else None
            shown[member] = placed
        return _to_values(shown)

    def to_blank(self, found: Found) -> Values:
        """A number must be there and be nobody else's."""
        return {**_BLANK, "number": f"erased-{found.id}"}

    async def verify(self, line: Line) -> None:
        """A page of one customer."""
        await ask(line, "GET", f"{_CUSTOMERS}?limit=1")

    async def read(self, line: Line, external_id: str) -> Found:
        """`GET /v1/sales/customers/{id}`, and its addresses."""
        answer = await ask(line, "GET", _to_path(external_id), fields=_FIELDS)
        return await _to_found(line, answer.json(), answer.tag)

    async def find(self, line: Line, customer: UUID, values: Values) -> Candidates:
        """By number where the name agrees, by email address where one alone has it or the name agrees; and by name.

        A number alone says little: two systems count alike. Nor does an address that several records share.
        """
        name, number, email = values["name"], values.get("number"), email_key(values.get("email"))
        headers = {COUNTERPART: to_id(ACCOUNT, customer)}
        alike: dict[str, Json] = {}
        certain: dict[str, Json] = {}
        strangers: dict[str, Json] = {}
        for text in dict.fromkeys(text for text in (name, number, email) if text):
            query = urlencode({"q": text, "limit": 100, "include": "contact_info"})
            answer = await ask(line, "GET", f"{_CUSTOMERS}?{query}", headers=headers)
            if (told := find_counterpart(answer)) is not None:
                return told
            for row in get_rows(answer.json(), "data"):
                is_alike = name_key(str(row.get("name") or "")) == name_key(name)
                has_email = email is not None and email_key(part(row, "contact_info").get("email")) == email
                if is_alike and (has_email or row.get("number") == number):
                    certain[get_id(row, "id")] = row
                elif has_email:
                    strangers[get_id(row, "id")] = row
                elif is_alike:
                    alike[get_id(row, "id")] = row
        if not certain:
            certain, alike = (strangers, alike) if len(strangers) == 1 else (certain, {**alike, **strangers})
        return Candidates(
            tuple([await self.read(line, one) for one in certain]),
            tuple([_to_bare(row) for one, row in alike.items() if one not in certain]),
        )

    async def draft(self, line: Line, customer: UUID, values: Values) -> Json:
        """Every value by its member, addresses whole; raises Refused where a name is not known over there."""
        del customer
        told = {field: value for field, value in values.items() if value is not None}
        body = {**line.defaults, **await _to_members(line, told)}
        for field, member in POINTERS.items():
            if field in told:
                body[member] = to_address_body(told[field])
        return body

    async def create(self, line: Line, body: bytes, key: str) -> str:
        """`POST /v1/sales/customers`."""
        answer = await ask(line, "POST", _CUSTOMERS, body, {"idempotency-key": key}, fields=_FIELDS)
        return get_id(answer.json(), "id")

    async def update(self, line: Line, found: Found, values: Values) -> Found:
        """Addresses first, each under the tag that the write before it left; then everything else in one PATCH."""
        body = await _to_members(line, values)
        wanted = {field: values[field] for field in POINTERS if field in values}
        pointers, tag = await update_addresses(line, found, wanted)
        if body or pointers:
            body = {**body, **pointers}
            answer = await ask(line, "PATCH", _to_path(found.id), body, guarded(tag), fields=_FIELDS)
            return await _to_found(line, answer.json(), answer.tag)
        return await self.read(line, found.id)


def _query() -> str:
    return urlencode({"include": _INCLUDES})


def _to_path(external_id: str) -> str:
    return f"{_CUSTOMERS}/{quote(external_id, safe='')}?{_query()}"


async def _to_found(line: Line, shown: Json, tag: str | None) -> Found:
    known = get_id(shown, "id")
    placed = await read_places(line, shown)
    return Found(known, _to_values(placed), tag, placed)


def _to_bare(row: Json) -> Found:
    """A row of a list, enough to know whose it is."""
    email = to_text(part(row, "contact_info").get("email"))
    return Found(str(row.get("id") or ""), {"email": email}, None, row)


def _to_values(shown: Mapping[str, object]) -> Values:
    values: Values = {}
    for field, (_, place) in _MEMBERS.items():
        value = part(shown, *place[:-1]).get(place[-1]) if place[:-1] else shown.get(place[-1])
        told = value if isinstance(value, bool) else to_text(value)
        if told is not None or field in _CLEARABLE:
            values[field] = told
    for field, (_, place, _) in _NAMED.items():
        if (name := to_text(part(shown, *place[:-1]).get(place[-1]))) is not None:
            values[field] = name
    for field, member in POINTERS.items():
        address = to_address_value(part(shown, member))
        # No address can be made or set without a name; one that has none is the customer's.
        values[field] = {"name": values["name"], **address} if address is not None and "name" in values else address
    return values


async def _to_members(line: Line, values: Values) -> Json:
    """Values by their members, but for addresses; names by the ids that they have over there."""
    body: Json = {member: values[field] for field, (member, _) in _MEMBERS.items() if field in values}
    unknown: dict[str, str] = {}
    for field, (member, _, path) in _NAMED.items():
        if field in values:
            found = await _find_id(line, path, values[field])
            if found is None:
                unknown[field] = f"there is no {field.replace('_', ' ')} of this name over there"
            else:
                body[member] = found
    if unknown:
        raise Refused("; ".join(unknown.values()), unknown)
    return body


async def _find_id(line: Line, path: str, name: str) -> str | None:
    """The id of a catalogue entry of exactly this name, in any case."""
    page = (await ask(line, "GET", f"{path}?{urlencode({'q': name, 'limit': 100})}")).json()
    found = [row for row in get_rows(page, "data") if name_key(str(row.get("name") or "")) == name_key(name)]
    live = [row for row in found if row.get("status", "active") == "active" and not row.get("deleted_at")]
    return str(live[0].get("id")) if live else None
