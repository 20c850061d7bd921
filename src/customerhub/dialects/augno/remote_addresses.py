"""Addresses of an Augno account elsewhere: read with their places, changed in place or made anew, and how to ask."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from customerhub.dialects.augno.auth import VERSION_HEADERS, VERSIONS
from customerhub.dialects.augno.convert import ADDRESS_TEXTS
from customerhub.web.remote import (
    Found,
    Json,
    Line,
    Missing,
    Refused,
    RemoteAnswer,
    Stale,
    Values,
    check,
    guarded,
    part,
    to_address,
    to_body,
)

POINTERS: Final[Mapping[str, str]] = {"bill_to": "bill_to_address", "ship_to": "ship_to_address"}
_ADDRESSES: Final = "/v1/sales/addresses"
_PLACED: Final = ("line1", "line2", "city", "state", "postal_code", "country")
_MEMBERS: Final[Mapping[str, str]] = {
    **{field: member for member, field in ADDRESS_TEXTS.items()},
    "country": "country",
}
# What an update of an address cannot clear.
_KEPT: Final = ("line1", "city", "state", "postal_code")
_VERSION: Final = {VERSION_HEADERS[0]: VERSIONS[0]}


async def ask(
    line: Line,
    method: str,
    path: str,
    body: Json | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    fields: Mapping[str, str] | None = None,
) -> RemoteAnswer:
    """Send with the account's key; `fields` are canonical names by those of requests. Raises RemoteError."""
    content = to_body(body)
    all_headers = {
        "authorization": f"Bearer {line.credentials['api_key']}",
        **_VERSION,
        **({"content-type": "application/json"} if content else {}),
        **(headers or {}),
    }
    answer = await line.send(method, path, all_headers, content)
    error = part(answer.json(), "error")
    reason = str(error.get("message") or "")
    member = str(error.get("param") or "").partition(".")[0]
    field = (fields or {}).get(member)
    check(answer, reason, {field: reason} if field is not None else {})
    return answer


async def read_places(line: Line, shown: Json) -> Json:
    """A customer with both its addresses as their own endpoint shows them, each asked for once."""
    places: dict[str, Json] = {}
    placed = dict(shown)
    for member in POINTERS.values():
        address = part(shown, member)
        if address:
            known = str(address.get("id") or "")
            if known not in places:
                places[known] = await _read_place(line, known)
            placed[member] = places[known]
    return placed


async def _read_place(line: Line, known: str) -> Json:
    try:
        return (await ask(line, "GET", f"{_ADDRESSES}/{quote(known, safe='')}")).json()
    except Missing as error:
        # It went between the two requests; the customer did not.
        raise Stale("an address of the record over there changed meanwhile") from error


def to_address_value(shown: Json) -> Json | None:
    """An address as a value; whether it is drop-shipped to is told where it is."""
    if not shown:
        return None
    place = part(shown, "geolocation")
    texts = {field: (place if field in _PLACED else shown).get(_MEMBERS[field]) for field in _MEMBERS}
    value = to_address(texts)
    if shown.get("is_drop_ship"):
        value = {**(value or {}), "is_drop_ship": True}
    return value


def to_address_body(value: Json) -> Json:
    """A whole address to make."""
    texts: Json = {member: value[field] for field, member in _MEMBERS.items() if field in value}
    return {**texts, "is_drop_ship": bool(value.get("is_drop_ship"))}


async def update_addresses(line: Line, found: Found, wanted: Values) -> tuple[Json, str | None]:
    """Bring addresses to what is wanted; the pointers that are still to be set, and the record's tag by then.

    An address that a pointer names is changed in place, unless the other pointer needs it as it is, or a text of it is
    to go that this API cannot clear: then there is a new one. Raises RemoteError.
    """
    pointers: Json = {}
    tag = found.tag
    for field, value in wanted.items():
        member = f"{POINTERS[field]}_id"
        current = part(found.record, POINTERS[field])
        before = to_address_value(current) or {}
        try:
            if value is None:
                pointers[member] = None
            elif _stays(found, field, wanted) and _can_edit(current, before, value):
                edit = _to_edit(before, value)
                path = f"{_ADDRESSES}/{quote(str(current.get('id')), safe='')}"
                tag = (await ask(line, "PATCH", path, edit, guarded(tag))).tag or tag
            else:
                pointers[member] = (await ask(line, "POST", _ADDRESSES, to_address_body(value))).json().get("id")
        except Refused as error:
            raise Refused(error.reason, {field: error.reason}) from error
    return pointers, tag


def _can_edit(current: Json, before: Json, value: Json) -> bool:
    return bool(current) and not any(name in before for name in _KEPT if name not in value)


def _stays(found: Found, field: str, wanted: Values) -> bool:
    """Whether an address may be changed where it is: the other pointer names another, or is to read the same."""
    [other] = [name for name in POINTERS if name != field]
    if part(found.record, POINTERS[field]).get("id") != part(found.record, POINTERS[other]).get("id"):
        return True
    return bool(wanted.get(other, found.values.get(other)) == wanted[field])


def _to_edit(before: Json, value: Json) -> Json:
    """The members that differ; null where a text is to go."""
    edit: Json = {
        member: value.get(field) for field, member in _MEMBERS.items() if value.get(field) != before.get(field)
    }
    if bool(value.get("is_drop_ship")) != bool(before.get("is_drop_ship")):
        edit["is_drop_ship"] = bool(value.get("is_drop_ship"))
    return edit
