"""What a dialect does so that an account of its vendor's, elsewhere, can be kept like this hub's customers."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol, cast
from uuid import UUID

from msgspec import Struct

from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer

Json = dict[str, Any]  # Any: decoded JSON
Values = dict[str, Any]  # Any: JSON
"""A customer's portable values by canonical names: texts, flags, None, and addresses as objects of texts.

Nothing in them is an id of one system. A field that is left out has no value, and its API cannot take one away.
"""

# The tag of another hub's record; what else might stand there (a proxy's hash of the body) guards nothing.
_TAG: Final = re.compile(r'"[1-9][0-9]*"', re.ASCII)
COUNTERPART: Final = "customerhub-counterpart"
"""The header by which another hub says which of its customers our record is the copy of; see `web/counterpart.py`."""
PENDING: Final = "pending"

_SUCCESS: Final = range(200, 300)
_LATER: Final = (408, 423, 425, 429)
_FAULTS: Final = range(500, 600)
_LONGEST_REASON: Final = 500


class RemoteError(Exception):
    """Base of what may come of speaking to the other side; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(RemoteError):
    """The other side will not take these values; `fields` says why for each canonical field that it names."""

    def __init__(self, reason: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.fields = dict(fields or {})


class Missing(RemoteError):
    """There is no such record over there."""


class Stale(RemoteError):
    """The record over there is not any more what was read."""


class Locked(RemoteError):
    """The other side does not accept the credential, or does not let it do this."""


class Troubled(RemoteError):
    """The other side gives no answer, or one that says nothing of the request; it may go well later.

    `retry_after` are the seconds that it asks for. `is_uncertain`: the request may have been done all the same.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, is_uncertain: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_uncertain = is_uncertain


class RemoteAnswer(Struct, frozen=True):
    """What was answered; `headers` by names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """The body as an object; empty where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def tag(self) -> str | None:
        """The record's tag where the other side is a hub that checks it; vendors give none."""
        tag = self.headers.get("etag", "")
        return tag if _TAG.fullmatch(tag) else None


class Found(Struct, frozen=True):
    """A record over there: its id, its portable values, its tag where it has one, and as it was answered."""

    id: str
    values: Values
    tag: str | None
    record: Json


class Candidates(Struct, frozen=True):
    """Records over there that may be a customer: those with a key of its own, and those that only have its name.

    `counterpart` is the id of the one that the other side says it is. `is_pending`: it is just making a copy of one of
    its customers here, and that may be the one; it knows more in a moment.
    """

    certain: tuple[Found, ...] = ()
    alike: tuple[Found, ...] = ()
    counterpart: str | None = None
    is_pending: bool = False


class Line(Protocol):
    """A way to one account: who we are over there, and how a request gets there.

    `defaults` are members of the vendor's own that each new record gets, unless the customer says otherwise.
    """

    @property
    def credentials(self) -> Json:
        """What proves who we are, by the vendor's names."""

    @property
    def defaults(self) -> Json:
        """Members of new records."""

    def now(self) -> datetime:
        """The time."""

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, is_secret: bool = False
    ) -> RemoteAnswer:
        """Ask, `path` with its query; where it `is_secret` no body is logged. Raises Troubled without an answer."""


class Remote(Protocol):
    """One vendor's API, used the other way. Every method that asks raises RemoteError."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The canonical fields that travel."""

    @property
    def required(self) -> tuple[str, ...]:
        """Those of them that a new record has whatever else is chosen."""

    @property
    def remains(self) -> str:
        """What of a record over there no request of ours can empty, for people."""

    @property
    def credential_names(self) -> tuple[str, ...]:
        """The names of the texts that credentials must hold."""

    def check_credentials(self, credentials: Json) -> str | None:
        """What is wrong with them as such; None where nothing is."""

    def to_values(self, customer: Customer, catalogue: Catalogue) -> Values:
        """A customer of ours as this vendor would show it."""

    def to_blank(self, found: Found) -> Values:
        """What to set so that nothing of a person is left in a record, as far as its API allows."""

    async def verify(self, line: Line) -> None:
        """Read something harmless."""

    async def renew(self, line: Line) -> Json:
        """The credentials after a renewal; what was renewed is dead afterwards."""

    @property
    def renews(self) -> bool:
        """Whether credentials end soon and are renewed with what is in them."""

    def is_running_out(self, credentials: Json, now: datetime) -> bool:
        """Whether they should be renewed before they are used."""

    async def read(self, line: Line, external_id: str) -> Found:
        """The record as it stands; raises Missing."""

    async def find(self, line: Line, customer: UUID, values: Values) -> Candidates:
        """Records over there that may be this customer."""

    async def draft(self, line: Line, customer: UUID, values: Values) -> Json:
        """The body that makes a record of these values."""

    async def create(self, line: Line, body: bytes, key: str) -> str:
        """Make a record of a drafted body, and give its id.

        The same bytes under the same key again make no second one, where the other side looks at keys.
        """

    async def update(self, line: Line, found: Found, values: Values) -> Found:
        """Set these values of a record as it was found; how it stands then. Raises Stale."""


class KeyRemote:
    """What all vendors have in common that know their callers by one API key, which does not renew itself."""

    renews = False
    credential_names: tuple[str, ...] = ("api_key",)

    def check_credentials(self, credentials: Json) -> str | None:
        """An API key."""
        return None if to_text(credentials.get("api_key")) is not None else "api_key must be given"

    def is_running_out(self, credentials: Json, now: datetime) -> bool:
        """When a key ends only its answers say."""
        del credentials, now
        return False

    async def renew(self, line: Line) -> Json:
        """A key does not renew itself."""
        return line.credentials


def check(answer: RemoteAnswer, reason: str, fields: Mapping[str, str]) -> None:
    """Raise what a failure means by its status; `reason` and `fields` are what its body says."""
    status = answer.status
    told = to_reason(f"{status}: {reason}" if reason else str(status))
    if status in _SUCCESS:
        return
    if status in _LATER or status in _FAULTS:
        raise Troubled(told, retry_after=_to_seconds(answer), is_uncertain=status in _FAULTS)
    match status:
        case 401 | 403:
            raise Locked(told)
        case 404 | 410 if answer.json():
            raise Missing(told)
        case 404 | 410:
            # A page of something in between, which knows no records: taken for the vendor's, it would give up one.
            raise Troubled(told)
        case 412:
            raise Stale(told)
        case 409 if answer.headers.get("retry-after"):
            raise Troubled(told, retry_after=_to_seconds(answer))
    if status < _SUCCESS.start or status < 400:  # noqa: PLR2004 - a redirect is never followed
        raise Troubled(told)
    raise Refused(told, {name: to_reason(text) for name, text in fields.items()})


def to_reason(text: str) -> str:
    """What somebody else wrote, as text that can be stored and is not too long."""
    return text[:_LONGEST_REASON].encode("utf-8", "replace").decode().replace("\0", "")


def _to_seconds(answer: RemoteAnswer) -> float | None:
    """`Retry-After` in seconds (RFC 9110, 10.2.3); a date is left to our own schedule."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def to_body(body: Json | bytes | None) -> bytes:
    """What is sent of a body; nothing where there is none."""
    if body is None or isinstance(body, bytes):
        return body or b""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def find_counterpart(answer: RemoteAnswer) -> Candidates | None:
    """What another hub says of the record that it was asked about; None where it says nothing, as vendors do."""
    told = answer.headers.get(COUNTERPART)
    if not told:
        return None
    return Candidates(is_pending=True) if told == PENDING else Candidates(counterpart=told)


def guarded(tag: str | None) -> dict[str, str]:
    """The header that keeps a write from passing over somebody else's, where the other side looks at it."""
    return {"if-match": tag} if tag is not None else {}


def to_text(value: object) -> str | None:
    """Text of an answer; blank is none."""
    return value if isinstance(value, str) and value.strip() else None


def to_address(texts: Mapping[str, object]) -> Json | None:
    """An address as a value: the texts that it has, in one order; None where there is nothing in it."""
    found: Json = {name: text for name in sorted(texts) if (text := to_text(texts[name])) is not None}
    return found or None


def part(record: Mapping[str, object], *names: str) -> Json:
    """An object inside an answer; empty where there is none."""
    value: object = record
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return cast("Json", value) if isinstance(value, dict) else {}


def get_id(record: Mapping[str, object], *names: str) -> str:
    """The id of a record, by the first of the names that it has; raises Troubled for an answer that shows no record.

    Such an answer (a page that says 200) must be taken neither for a record without values nor for one that was made.
    """
    for name in names:
        if (found := to_text(record.get(name))) is not None:
            return found
    raise Troubled("the answer shows no record", is_uncertain=True)


def get_rows(record: Mapping[str, object], *names: str) -> list[Json]:
    """The objects of a list that an answer must have; raises Troubled where there is no list, which is no empty one."""
    if not isinstance(part(record, *names[:-1]).get(names[-1]), list):
        raise Troubled("the answer shows no list")
    return rows(record, *names)


def rows(record: Mapping[str, object], *names: str) -> list[Json]:
    """The objects of a list inside an answer."""
    value = part(record, *names[:-1]).get(names[-1])
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
