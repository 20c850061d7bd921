"""Every way in which a request can fail, as one tree; no HTTP in it, each dialect gives its own shape and status.

HubError
├── Malformed              the body is not a JSON object, or cannot be read as one
│   └── UnreadableFile     the file is no table that can be read, or goes beyond a limit
├── BodyTooLarge           the body is longer than the route takes
├── UnsupportedMediaType   the body is declared as something that is not JSON
├── InvalidHeader          a header of ours has a value outside its rule
├── Invalid                the request was read, but values in it break rules (all of them at once)
│   └── Taken              a value that must be unique belongs to another record
├── Unauthenticated        no credential, or none that is alive
├── InvalidGrant           a code or a refresh token that is not, or no longer, good for tokens
├── Forbidden              the credential may not do this
├── NotFound               no such record for this team (never says whether another team has it)
│   └── HistoryGone        there was such a version, but what it held is not kept any more
├── NoSuchRoute            no such path
├── MethodNotAllowed       the path exists, the method does not
├── Conflict               the state of the record does not allow this
│   ├── InTheWay           what was changed since would be lost
│   └── EmailsShared       customers share email addresses, which must be unique
├── PreconditionFailed     If-Match names another version
├── PreconditionRequired   the credential demands If-Match
├── KeyMismatch            an idempotency key came back with another request
├── KeyGone                the answer of this key held a secret and was not kept
├── Busy                   the record is contended; try again
│   └── Full               as much of this is under way as may be at once
├── RateLimited            too many requests
├── RequestTimeout         the client was too slow to send its body
├── Unavailable            the database cannot be reached
├── SecretKeyError         the key of stored secrets is missing, or another one
└── Internal               a fault of ours
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

Path = tuple[str | int, ...]

# More wrong fields than this are only counted: to tell a megabyte of them apart would take seconds from everybody.
MAX_ERRORS = 1000


class FieldError(Struct, frozen=True):
    """One wrong value: `path` as in the request (names and positions), `code` for programs, `reason` for people."""

    path: Path
    code: str
    reason: str

    def dotted(self) -> str:
        """The path as `addresses[1].phone`."""
        return dotted(self.path)


def dotted(path: Path) -> str:
    """A path as `addresses[1].phone`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def in_order(errors: Iterable[FieldError], sent: object) -> tuple[FieldError, ...]:
    """The errors in the order of the request `sent`, the first of each path; what an object lacks stands at its end."""
    once: dict[Path, FieldError] = {}
    for error in errors:
        once.setdefault(error.path, error)
    if not once:
        return ()

    def place(error: FieldError) -> tuple[int, ...]:
        steps: list[int] = []
        value = sent
        for step in error.path:
            names: list[object] = list(value) if isinstance(value, dict) else []
            steps.append(step if isinstance(step, int) else names.index(step) if step in names else len(names))
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
        return tuple(steps)

    return tuple(sorted(once.values(), key=place))


class HubError(Exception):
    """Base of the tree. `is_permanent` errors answer the same request the same way, so a key keeps them."""

    is_permanent: ClassVar[bool] = False


class Malformed(HubError):
    """The body is no JSON object: `reason` says where it stops being one."""

    is_permanent = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnreadableFile(Malformed):
    """A file is no table that can be read: `code` for programs, and the line where it ends to be one, where there is.

    `encrypted`, `legacy`, `format`, `encoding`, `empty`, `no_sheet`, `broken`, `document_type`, `expansion`,
    `too_many_rows`, `too_many_columns`, `name`.
    """

    def __init__(self, code: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.code = code
        self.line = line


def check_count(number: int) -> None:
    """Raise Malformed where a body has more wrong fields than are told apart."""
    if number > MAX_ERRORS:
        raise Malformed(f"the body has more than {MAX_ERRORS} invalid fields")


class BodyTooLarge(HubError):
    """The body is longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes")
        self.limit = limit


class UnsupportedMediaType(HubError):
    """The body is declared as `media_type`, which this route does not read; it reads those in `accepted`."""

    def __init__(self, media_type: str, accepted: tuple[str, ...] = ()) -> None:
        super().__init__(f"cannot read a body of type {media_type}")
        self.media_type = media_type
        self.accepted = accepted


class InvalidHeader(HubError):
    """The request header `name` breaks its rule; `reason` names the rule."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class Invalid(HubError):
    """Values in the request break rules; `errors` names every one of them, in the order of the request."""

    is_permanent = True

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.dotted()}: {error.reason}" for error in errors))
        self.errors = errors


class Taken(Invalid):
    """Unique values that belong to another live record; paths are canonical (`email`, `number`, `reference_id`, …)."""


class Unauthenticated(HubError):
    """No credential, an unknown one, a revoked or an expired one: `cause` is for the log and for dialects that tell.

    Of requests that are signed: `missing_credentials`, `invalid_client`, `timestamp_out_of_range`,
    `invalid_signature`, `invalid_token`, `token_expired`. `details` may be told along with it.
    """

    def __init__(self, cause: str = "missing", details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"the credential is {cause}")
        self.cause = cause
        self.details = details or {}


class InvalidGrant(HubError):
    """The `kind` (authorization code, refresh token) is unknown, another client's, used, revoked or too old."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"this {kind} is no longer valid")
        self.kind = kind


class Forbidden(HubError):
    """The credential is alive but lacks `permission`."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"the credential lacks {permission}")
        self.permission = permission


class NotFound(HubError):
    """The team has no live `kind` of this id; the same for unknown, deleted, malformed and foreign ids."""

    def __init__(self, kind: str, id: str) -> None:  # noqa: A002 - the field's own name
        super().__init__(f"no such {kind}: {id}")
        self.kind = kind
        self.id = id


class HistoryGone(NotFound):
    """What this version held was erased, or is older than the history is kept."""

    def __init__(self, version: int) -> None:
        super().__init__("version", str(version))
        self.version = version


class NoSuchRoute(HubError):
    """No route has this path."""


class MethodNotAllowed(HubError):
    """The path takes only the methods in `allowed`."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"this path takes only {', '.join(allowed)}")
        self.allowed = allowed


class Conflict(HubError):
    """The record's state forbids the change; `reason` says what stands in the way."""

    is_permanent = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InTheWay(Conflict):
    """Nothing is undone, since that would undo what was changed later too: `errors` says at which places."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("changes that were made since stand in the way")
        self.errors = errors


class EmailsShared(Conflict):
    """So many customers (`count`) share an email address with others; `customers` are the ids of a few of them."""

    def __init__(self, count: int, customers: tuple[UUID, ...]) -> None:
        named = ", ".join(map(str, customers)) + (", …" if count > len(customers) else "")
        super().__init__(f"{count} customers of this team share an email address with others: {named}")
        self.count = count
        self.customers = customers


class PreconditionFailed(HubError):
    """`If-Match` does not name the version that the record has now (`current`, None where there is no record yet)."""

    def __init__(self, current: int | None) -> None:
        super().__init__("the record is at another version" if current else "there is no record to match yet")
        self.current = current


class PreconditionRequired(HubError):
    """The credential is marked so that each write must carry `If-Match`."""


class KeyMismatch(HubError):
    """The idempotency key was used for another request (method, path, query or body)."""


class KeyGone(HubError):
    """The key's request was done, but its answer held a secret, which is shown once and not kept."""


class Busy(HubError):
    """The record is contended; try again in `retry_after` seconds."""

    def __init__(self, retry_after: int = 1, told: str = "the record is being changed by others") -> None:
        super().__init__(told)
        self.retry_after = retry_after


class Full(Busy):
    """As much of this is under way in the process as it does at once; try again in `retry_after` seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(retry_after, "as much of this is under way as may be at once")


class RateLimited(HubError):
    """The caller is over its limit; try again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class RequestTimeout(HubError):
    """The body did not arrive in time."""


class Unavailable(HubError):
    """The database cannot be reached; try again in `retry_after` seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("the database cannot be reached")
        self.retry_after = retry_after


class Internal(HubError):
    """A fault of ours; the log has the trace under the request id."""


class SecretKeyError(HubError):
    """The key is missing, cannot be read, or is not the one that the stored secrets were encrypted with."""
