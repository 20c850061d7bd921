"""WizCommerce used the other way: an account of that vendor's, elsewhere, kept like this hub's customers."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

from customerhub.dialects.wizcommerce.nested import ADDRESS_TEXTS
from customerhub.dialects.wizcommerce.show import to_customer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.web.remote import (
    COUNTERPART,
    Candidates,
    Found,
    Json,
    KeyRemote,
    Line,
    Missing,
    Refused,
    RemoteAnswer,
    Values,
    check,
    find_counterpart,
    get_id,
    get_rows,
    guarded,
    part,
    rows,
    to_address,
    to_body,
    to_text,
)

_CUSTOMERS: Final = "/v1/customers"
# Canonical fields and their members in requests; answers call the first one `name`.
_MEMBERS: Final[Mapping[str, str]] = {
    "name": "company_name",
    "display_name": "display_name",
    "number": "display_id",
    "reference_id": "reference_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "email": "email",
    "payment_mode": "payment_mode",
    "payment_term": "payment_term",
    "shipping_term": "freight_term",
    "carrier": "shipping_method",
}
_FIELDS: Final = {member: field for field, member in _MEMBERS.items()}
# What its requests cannot clear: without a value it is not told.
_KEPT: Final = ("name", "display_name", "number", "reference_id")
_POINTERS: Final = {"bill_to": "billing", "ship_to": "shipping"}
_TEXTS: Final = {field: member for member, field in ADDRESS_TEXTS.items() if field != "reference_id"}
_PLACE: Final = re.compile(r"addresses\[([0-9]+)\]", re.ASCII)
_ERASED: Final = "erased"
_NOWHERE: Final = {"line1": _ERASED, "city": _ERASED}
_STATUSES: Final = ("active", "inactive")


class WizCommerceRemote(KeyRemote):
    """The WizCommerce Open API."""

    fields: tuple[str, ...] = (*_MEMBERS, *_POINTERS)
    required: tuple[str, ...] = ("name", "reference_id")
    remains: str = "its contacts, custom values, reps and price list, its status and times, and addresses it once had"

    def to_values(self, customer: Customer, catalogue: Catalogue) -> Values:
        """A customer of ours as WizCommerce would show it."""
        return _to_values(to_customer(customer, catalogue))

    def to_blank(self, found: Found) -> Values:
        """Names and keys must be there, and keys be nobody else's; so must an address have a street and a city."""
        return {
            **dict.fromkeys(field for field in _MEMBERS if field not in _KEPT),
            "name": _ERASED,
            "display_name": _ERASED,
            "number": f"{_ERASED}-{found.id}",
            "reference_id": f"{_ERASED}-{found.id}",
            **{field: _NOWHERE for field in _POINTERS if found.values.get(field) is not None},
        }

    async def verify(self, line: Line) -> None:
        """A page of one customer."""
        await _ask(line, "GET", f"{_CUSTOMERS}?page_size=1")

    async def read(self, line: Line, external_id: str) -> Found:
        """`GET /v1/customers/{id}`."""
        return _to_found(await _ask(line, "GET", _to_path(external_id)))

    async def find(self, line: Line, customer: UUID, values: Values) -> Candidates:
        """By reference id, which a record that was made from here has of its customer.

        Where our customer's own reference is an id, it was made from over there: then that is its record. Lists over
        there look for nothing else.
        """
        reference = values.get("reference_id") or str(customer)
        certain: list[Found] = []
        if _is_id(reference):
            with suppress(Missing):
                certain.append(await self.read(line, reference))
        for status in _STATUSES:
            query = urlencode({"reference_ids": reference, "status": status})
            answer = await _ask(line, "GET", f"{_CUSTOMERS}?{query}", headers={COUNTERPART: str(customer)})
            if (told := find_counterpart(answer)) is not None:
                return told
            page = answer.json()
            ids = [str(row.get("id")) for row in get_rows(page, "data") if row.get("reference_id") == reference]
            certain += [await self.read(line, one) for one in ids]
        return Candidates(tuple(certain))

    async def draft(self, line: Line, customer: UUID, values: Values) -> Json:
        """Every value by its member; without a reference id the customer's own id, by which it is found again."""
        told = {field: value for field, value in values.items() if value is not None}
        told.setdefault("reference_id", str(customer))
        addresses = [_to_new(field, told[field]) for field in _POINTERS if field in told]
        return {**line.defaults, **_to_members(told), **({"addresses": addresses} if addresses else {})}

    async def create(self, line: Line, body: bytes, key: str) -> str:
        """`POST /v1/customers`."""
        types = [str(address.get("type")) for address in rows(json.loads(body), "addresses")]
        places = [field for kind in types for field in _POINTERS if _POINTERS[field] == kind]
        return _to_found(await _ask(line, "POST", _CUSTOMERS, body, {"idempotency-key": key}, places)).id

    async def update(self, line: Line, found: Found, values: Values) -> Found:
        """One PATCH for what is there; addresses that are not yet there are made after it."""
        body = _to_members(values)
        if "company_name" in body and "display_name" in found.values:
            # Else a display name that follows the name over there would move along with it.
            body.setdefault("display_name", found.values["display_name"])
        edits, places, new = _to_edits(found, values)
        if edits:
            body["addresses"] = edits
        tag = found.tag
        if body:
            answer = await _ask(line, "PATCH", _to_path(found.id), body, guarded(tag), places)
            found, tag = _to_found(answer), answer.tag
        for field, address in new.items():
            try:
                answer = await _ask(line, "POST", f"{_to_path(found.id)}/addresses", address, guarded(tag))
            except Refused as error:
                raise Refused(error.reason, {field: error.reason}) from error
            tag = answer.tag
        return await self.read(line, found.id) if new else found


def _to_path(external_id: str) -> str:
    return f"{_CUSTOMERS}/{quote(external_id, safe='')}"


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _to_found(answer: RemoteAnswer) -> Found:
    shown = part(answer.json(), "data")
    return Found(get_id(shown, "id"), _to_values(shown), answer.tag, shown)


def _to_values(shown: Mapping[str, object]) -> Values:
    values: Values = {}
    for field, member in _MEMBERS.items():
        text = to_text(shown.get("name" if field == "name" else member))
        if text is not None or field not in _KEPT:
            values[field] = text
    for field, kind in _POINTERS.items():
        address = _find_default(shown, kind)
        values[field] = _to_value(address) if address is not None else None
    return values


def _find_default(shown: Mapping[str, object], kind: str) -> Json | None:
    of_kind = (address for address in rows(shown, "addresses") if address.get("type") == kind)
    return next((address for address in of_kind if address.get("is_default") is True), None)


def _to_value(address: Json) -> Json | None:
    return to_address({field: address.get(member) for field, member in _TEXTS.items()})


def _to_members(values: Values) -> Json:
    """Values by their members, but for addresses; an empty text clears."""
    return {member: values[field] or "" for field, member in _MEMBERS.items() if field in values}


def _to_new(field: str, value: Json, beside: Sequence[Json] = ()) -> Json:
    """An address to make; its reference follows from what it says and stands beside, so that it is not made twice."""
    texts = {member: value[name] for name, member in _TEXTS.items() if name in value}
    known = [field, value, sorted(str(one.get("id")) for one in beside)]
    mark = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
    return {"reference_id": f"{field}-{mark}", **texts, "type": _POINTERS[field], "is_default": True}


def _to_edits(found: Found, values: Values) -> tuple[list[Json], list[str], dict[str, Json]]:
    """Edits of addresses that are there, the field that each is for, and addresses that are to be made."""
    edits: list[Json] = []
    places: list[str] = []
    new: dict[str, Json] = {}
    for field, kind in _POINTERS.items():
        if field not in values:
            continue
        value, current = values[field], _find_default(found.record, kind)
        if value is None:
            edit: Json | None = {"id": current["id"], "is_default": False} if current is not None else None
        elif current is not None:
            before = _to_value(current) or {}
            texts = {
                member: value.get(name) or "" for name, member in _TEXTS.items() if value.get(name) != before.get(name)
            }
            edit = {"id": current["id"], **texts}
        else:
            of_kind = [one for one in rows(found.record, "addresses") if one.get("type") == kind]
            alike = next((one for one in of_kind if _to_value(one) == value), None)
            edit = {"id": alike["id"], "is_default": True} if alike is not None else None
            if edit is None:
                new[field] = _to_new(field, value, rows(found.record, "addresses"))
        if edit is not None:
            edits.append(edit)
            places.append(field)
    return edits, places, new


async def _ask(
    line: Line,
    method: str,
    path: str,
    body: Json | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    places: Sequence[str] = (),
) -> RemoteAnswer:
    """Send with the account's key; `places` are the fields that the body's addresses are for. Raises RemoteError."""
    content = to_body(body)
    all_headers = {
        "x-api-key": str(line.credentials["api_key"]),
        **({"content-type": "application/json"} if content else {}),
        **(headers or {}),
    }
    answer = await line.send(method, path, all_headers, content)
    reason, fields = _explain(answer.json(), places)
    check(answer, reason, fields)
    return answer


def _explain(body: Json, places: Sequence[str]) -> tuple[str, dict[str, str]]:
    """What a failure says, and of which of our fields."""
    fields: dict[str, str] = {}
    told = [str(body.get("message") or "")]
    for row in rows(body, "details"):
        name, reason = str(row.get("field") or ""), str(row.get("reason") or "")
        told.append(f"{name} {reason}")
        place = _PLACE.match(name)
        if place is not None and int(place[1]) < len(places):
            fields.setdefault(places[int(place[1])], f"{name.partition('.')[2]} {reason}")
        elif name in _FIELDS:
            fields[_FIELDS[name]] = reason
    return "; ".join(text for text in told if text), fields
