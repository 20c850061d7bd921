"""COUNT used the other way: an account of that vendor's, elsewhere, kept like this hub's customers."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

from customerhub.dialects.count.show import to_customer
from customerhub.dialects.count.signing import MOUNT, sign
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer, name_key
from customerhub.web.remote import (
    COUNTERPART,
    Candidates,
    Found,
    Json,
    Line,
    Missing,
    RemoteAnswer,
    Troubled,
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

_CUSTOMERS: Final = "/customers"
_RENEWAL: Final = "/refresh-user-access-token"
# Canonical fields and their members here, in the order of requests.
_MEMBERS: Final[Mapping[str, str]] = {
    "name": "customer",
    "email": "email",
    "phone": "mainPhone",
    "website": "website",
    "status": "status",
    "bill_to": "billingAddress",
    "ship_to": "shippingAddress",
    "note": "notes",
    "payment_term": "paymentTerm",
    "tax_number": "taxNumber",
    "tax_auto_calculate": "taxAutoCalculate",
    "tax_excluded": "taxExcluded",
}
_FIELDS: Final = {member: field for field, member in _MEMBERS.items()}
_ADDRESSES: Final = ("bill_to", "ship_to")
_PLACE: Final = {"city": "city", "state": "state", "postal_code": "zipCode", "country": "country"}
# What its requests cannot clear: without a value it is not told.
_KEPT: Final = ("name", "email")
_NEEDED: Final = ("client_id", "client_secret", "access_token", "refresh_token")
# Renewed this long before it ends: clocks differ, and a request takes its time.
_EARLY: Final = timedelta(seconds=60)
_MOST_ALIKE: Final = 100
_BLANK: Final = {"name": "erased", "status": "inactive", "tax_auto_calculate": False, "tax_excluded": False}


class CountRemote:
    """The COUNT partner API, of which `url` is the base with or without `/partners`."""

    fields: tuple[str, ...] = tuple(_MEMBERS)
    required: tuple[str, ...] = _KEPT
    renews = True
    credential_names: tuple[str, ...] = _NEEDED
    remains: str = "its people (contacts), its times and an email address that leads nowhere"

    def check_credentials(self, credentials: Json) -> str | None:
        """A client with its secret and its tokens."""
        missing = [name for name in _NEEDED if to_text(credentials.get(name)) is None]
        return f"{', '.join(missing)} must be given" if missing else None

    def to_values(self, customer: Customer, catalogue: Catalogue) -> Values:
        """A customer of ours as COUNT would show it."""
        return _to_values(to_customer(customer, catalogue))

    def to_blank(self, found: Found) -> Values:
        """An email address must be there and be nobody else's."""
        return {
            **dict.fromkeys(found.values),
            **_BLANK,
            "email": f"erased+{found.id}@erased.invalid",
        }

    async def verify(self, line: Line) -> None:
        """A page of one customer."""
        await _send(line, "GET", f"{_CUSTOMERS}?limit=1")

    def is_running_out(self, credentials: Json, now: datetime) -> bool:
        """Whether the access token ends in a minute; one without a known end is used until it is refused."""
        try:
            end = datetime.fromisoformat(str(credentials.get("access_token_expires_at") or ""))
        except ValueError:
            return False
        return (end if end.tzinfo else end.replace(tzinfo=UTC)) - _EARLY <= now

    async def renew(self, line: Line) -> Json:
        """New tokens for the refresh token, which is good once."""
        old = line.credentials
        body = {"grantType": "refresh_token", "refreshToken": old["refresh_token"]}
        answer = await _send(line, "POST", _RENEWAL, body, has_token=False)
        result = part(answer.json(), "data", "result")
        if to_text(result.get("accessToken")) is None or to_text(result.get("refreshToken")) is None:
            raise Troubled("the answer shows no tokens", is_uncertain=True)
        return {
            **old,
            "access_token": result.get("accessToken"),
            "refresh_token": result.get("refreshToken"),
            "access_token_expires_at": result.get("accessTokenExpiresAt"),
            "refresh_token_expires_at": result.get("refreshTokenExpiresAt"),
        }

    async def read(self, line: Line, external_id: str) -> Found:
        """`GET /partners/customers/{uuid}`."""
        return _to_found(await _send(line, "GET", f"{_CUSTOMERS}/{quote(external_id, safe='')}"))

    async def find(self, line: Line, customer: UUID, values: Values) -> Candidates:
        """By email address, and those of the very same name."""
        query = urlencode({"search": values["name"], "limit": _MOST_ALIKE})
        answer = await _send(line, "GET", f"{_CUSTOMERS}?{query}", headers={COUNTERPART: str(customer)})
        if (told := find_counterpart(answer)) is not None:
            return told
        page = answer.json()
        found = [_to_record(row) for row in rows(page, "data", "records") or get_rows(page, "data", "customers")]
        key = name_key(values["name"])
        alike = tuple(one for one in found if name_key(one.values.get("name") or "") == key)
        if (email := values.get("email")) is not None:
            with suppress(Missing):
                owner = await _send(line, "GET", f"{_CUSTOMERS}/find-by-email?{urlencode({'email': email})}")
                return Candidates((_to_found(owner),), alike)
        return Candidates((), alike)

    async def draft(self, line: Line, customer: UUID, values: Values) -> Json:
        """Every value by its member; what there is none of is left out."""
        del customer
        return {**line.defaults, **_to_members({field: value for field, value in values.items() if value is not None})}

    async def create(self, line: Line, body: bytes, key: str) -> str:
        """`POST /partners/customers`."""
        return _to_found(await _send(line, "POST", _CUSTOMERS, body, {"idempotency-key": key})).id

    async def update(self, line: Line, found: Found, values: Values) -> Found:
        """`PUT /partners/customers/{uuid}`, which changes what it names."""
        path = f"{_CUSTOMERS}/{quote(found.id, safe='')}"
        return _to_found(await _send(line, "PUT", path, _to_members(values), guarded(found.tag)))


def _to_values(shown: Mapping[str, object]) -> Values:
    values: Values = {}
    for field, member in _MEMBERS.items():
        value = shown.get(member)
        if field in _ADDRESSES:
            values[field] = _to_address(part(shown, member))
        elif isinstance(value, bool):
            values[field] = value
        elif (text := to_text(value)) is not None or field not in _KEPT:
            values[field] = text
    return values


def _to_address(shown: Mapping[str, object]) -> Json | None:
    line1, _, line2 = (to_text(shown.get("street")) or "").replace("\r\n", "\n").partition("\n")
    place = {field: shown.get(member) for field, member in _PLACE.items()}
    return to_address({"line1": line1, "line2": line2, **place})


def _to_members(values: Values) -> Json:
    body: Json = {}
    for field, member in _MEMBERS.items():
        if field in values:
            value = values[field]
            body[member] = _from_address(value) if field in _ADDRESSES and value is not None else value
    return body


def _from_address(value: Json) -> Json:
    street = value.get("line1") if "line2" not in value else f"{value.get('line1') or ''}\n{value['line2']}"
    return {"street": street, **{member: value.get(field) for field, member in _PLACE.items()}}


def _to_found(answer: RemoteAnswer) -> Found:
    return _to_record(part(answer.json(), "data"), answer.tag)


def _to_record(shown: Json, tag: str | None = None) -> Found:
    return Found(get_id(shown, "uuid", "id"), _to_values(shown), tag, shown)


async def _send(
    line: Line,
    method: str,
    path: str,
    body: Json | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    has_token: bool = True,
) -> RemoteAnswer:
    """Sign and send; raises RemoteError for every answer that is no success."""
    content = to_body(body)
    known = line.credentials
    timestamp = str(int(line.now().timestamp()))
    # Signed is the path behind the mount, without its query.
    signed = sign(known["client_secret"], method, path.partition("?")[0], timestamp, content)
    all_headers = {
        "x-client-id": str(known["client_id"]),
        "x-timestamp": timestamp,
        "x-signature": signed,
        **({"authorization": f"Bearer {known['access_token']}"} if has_token else {}),
        **({"content-type": "application/json"} if content else {}),
        **(headers or {}),
    }
    answer = await line.send(method, f"{MOUNT}{path}", all_headers, content, is_secret=not has_token)
    reason, fields = _explain(answer.json())
    check(answer, reason, fields)
    return answer


def _explain(body: Json) -> tuple[str, dict[str, str]]:
    """What a failure says, and of which of our fields."""
    reason = str(body.get("message") or body.get("error_description") or body.get("error") or "")
    named = {str(row.get("field")): str(row.get("message") or reason) for row in rows(body, "errors")}
    if (field := part(body, "details").get("field")) is not None:
        named.setdefault(str(field), reason)
    tops = {member.partition(".")[0]: told for member, told in named.items()}
    return reason, {_FIELDS[member]: told for member, told in tops.items() if member in _FIELDS}
