"""Read and write customers: rows to records, and one call for a version with everything that belongs to it."""

from collections.abc import Callable, Collection
from datetime import datetime
from operator import attrgetter
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.answer import Answer, Caller, IdempotencyKey
from customerhub.model.catalogue import CatalogueEntry
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import CUSTOMER_FIELDS, Address, Attribute, Contact, Customer, email_key
from customerhub.model.duplicates import is_matched_alike, to_duplicate_keys
from customerhub.model.search import is_found_alike, to_search_text
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("customers.sql")
_DECODE: dict[str, Callable[[bytes], object]] = {
    "addresses": msgspec.json.Decoder(tuple[Address, ...]).decode,
    "contacts": msgspec.json.Decoder(tuple[Contact, ...]).decode,
    "attributes": msgspec.json.Decoder(tuple[Attribute, ...]).decode,
}
_ARRAYS = frozenset(("sales_reps", "price_groups"))
encode = msgspec.json.Encoder(decimal_format="string").encode
# Set by the statement itself, from parameters that the change row shares.
_GIVEN = frozenset(("team", "id", "version", "created_at", "updated_at", "created_by", "updated_by"))
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_READ_FOR_WRITE = QUERIES["read_for_write"].format(columns=_COLUMNS)
_GET = QUERIES["get"].format(columns=_COLUMNS)
_GET_MANY = QUERIES["get_many"].format(columns=_COLUMNS)
_FIND_BY_EMAIL = QUERIES["find_by_email"].format(columns=_COLUMNS)
# Columns that name what is not deleted while a customer has it.
_KEEPING = frozenset(("price_groups", "type_group", "credit_limit_unit", "deleted_at"))
_UNDER_POLICY = {"unique_email_key": QUERIES["unique_email_piece"]}
_FIRST_READ_COLUMN = 11
_FIRST_GET_COLUMN = 4


class KeptAnswer(Struct, frozen=True):
    """What an idempotency key remembers, and since when; `answer` is None where it held a secret."""

    fingerprint: bytes
    answer: Answer | None
    created_at: datetime


class ReadForWrite(Struct, frozen=True):
    """All that a write must know first; `customer` is None where the team has no live one of that id."""

    revoked_at: datetime | None
    expires_at: datetime | None
    requires_precondition: bool
    catalogue_version: int
    has_sinks: bool
    kept: KeptAnswer | None
    customer: Customer | None


class NewVersion(Struct, frozen=True):
    """One version to be written, with everything that stands or falls with it."""

    before: Customer | None
    after: Customer
    changes: tuple[FieldChange, ...]
    action: str
    caller: Caller
    request_id: str
    ignored: tuple[str, ...]
    new_entries: tuple[CatalogueEntry, ...]
    key: IdempotencyKey | None
    answer: Answer
    tells_sinks: bool
    emails_are_unique: bool


def to_customer(row: Record, first: int = 0) -> Customer:
    """The record of a row whose columns stand in the order of the fields, from position `first` on."""
    values = list(row)[first : first + len(CUSTOMER_FIELDS)]
    for position, decode in _NESTED:
        values[position] = decode(values[position])
    for position in _ARRAY_POSITIONS:
        values[position] = tuple(values[position])
    return Customer(*values)


_NESTED = tuple((CUSTOMER_FIELDS.index(field), decode) for field, decode in _DECODE.items())
_ARRAY_POSITIONS = tuple(CUSTOMER_FIELDS.index(field) for field in sorted(_ARRAYS))


async def read_for_write(
    connection: Connection, caller: Caller, customer_id: UUID | None, key: IdempotencyKey | None
) -> ReadForWrite | None:
    """The state that a write starts from, in one query; None where the credential is gone."""
    row = await connection.fetchrow(
        _READ_FOR_WRITE, caller.team, caller.credential, customer_id, caller.dialect, key.key if key else None
    )
    if row is None:
        return None
    return ReadForWrite(
        revoked_at=row[0],
        expires_at=row[1],
        requires_precondition=row[2],
        catalogue_version=row[3],
        has_sinks=row[4],
        kept=to_kept_answer(row[5], row[6], row[7], row[8], row[9]) if row[5] is not None else None,
        customer=to_customer(row, _FIRST_READ_COLUMN) if row[10] is not None else None,
    )


def to_kept_answer(
    fingerprint: bytes, status: int, headers: bytes, body: bytes | None, created_at: datetime
) -> KeptAnswer:
    """What a key's row remembers."""
    if body is None:
        return KeptAnswer(fingerprint, None, created_at)
    pairs = msgspec.json.decode(headers, type=tuple[tuple[str, str], ...])
    return KeptAnswer(fingerprint, Answer(status, body, pairs), created_at)


class Reading(Struct, frozen=True):
    """A customer as a reader finds it, with the state of the reader's credential."""

    revoked_at: datetime | None
    expires_at: datetime | None
    catalogue_version: int
    customer: Customer | None


async def get_for_reader(connection: Connection, caller: Caller, customer_id: UUID | None) -> Reading | None:
    """A live customer and the credential's state in one query; None where the credential is gone."""
    row = await connection.fetchrow(_GET, caller.team, caller.credential, customer_id)
    if row is None:
        return None
    return Reading(row[0], row[1], row[2], to_customer(row, _FIRST_GET_COLUMN) if row[3] is not None else None)


async def find_by_email(connection: Connection, caller: Caller, email: str) -> Reading | None:
    """The live customer of an email address, ignoring case, with the credential's state, as `get_for_reader`.

    Where the team lets several have one address it is the oldest of them.
    """
    row = await connection.fetchrow(_FIND_BY_EMAIL, caller.team, caller.credential, email_key(email))
    if row is None:
        return None
    return Reading(row[0], row[1], row[2], to_customer(row, _FIRST_GET_COLUMN) if row[3] is not None else None)


async def lock_customers(connection: Connection, team: UUID, customer_ids: Collection[UUID]) -> None:
    """Hold the rows until the transaction ends; a missing row holds nothing.

    They are taken in the order of their ids: two who want the same rows wait for each other, and never crosswise.
    """
    if customer_ids:
        await connection.fetch(QUERIES["lock"], team, list(customer_ids))


async def get_customers(connection: Connection, team: UUID, customer_ids: Collection[UUID]) -> dict[UUID, Customer]:
    """The live ones of these customers, by id."""
    rows = await connection.fetch(_GET_MANY, team, list(customer_ids))
    return {customer.id: customer for customer in map(to_customer, rows)}


async def write_version(connection: Connection, version: NewVersion) -> bool:
    """Write one version, all or nothing; False where somebody was faster. Raises asyncpg.UniqueViolationError."""
    after = version.after
    parameters: list[object] = [
        after.team,
        after.id,
        after.version - 1,
        after.updated_at,
        version.caller.actor,
        version.caller.name,
        version.caller.credential,
        version.caller.dialect,
        version.request_id,
        encode(version.changes),
        encode(version.ignored) if version.ignored else None,
        version.action,
    ]
    places = [(column, _place(parameters, value)) for column, value in columns_to_write(version)]
    pieces = _pieces(version, parameters)
    policy = held = if_held = ""
    entries = kept_entries(version) if any(column in _KEEPING for column, _ in places) else []
    if entries:
        place = _place(parameters, entries)
        held, if_held = QUERIES["held_piece"].format(place) + " ", " " + QUERIES["if_held_piece"].format(place)
    if _brings_email(version):
        policy = QUERIES["policy_piece"] + " "
        places = [(column, _UNDER_POLICY.get(column, "{0}").format(place)) for column, place in places]
    if version.before is None:
        statement = QUERIES["insert"].format(
            columns="".join(f", {column}" for column, _ in places),
            values="".join(f", {place}" for _, place in places),
            pieces=pieces,
            policy=policy,
            held=held,
            if_held=if_held,
        )
    else:
        statement = QUERIES["update"].format(
            assignments="".join(f", {column} = {place}" for column, place in places),
            pieces=pieces,
            policy=policy,
            held=held,
            if_held=if_held,
        )
    return bool(await connection.fetchval(statement, *parameters))


def columns_to_write(version: NewVersion) -> list[tuple[str, object]]:
    """Only what differs, so that an update touches as few indexes and bytes as it can."""
    before, after = version.before, version.after
    columns: list[tuple[str, object]] = []
    for field in CUSTOMER_FIELDS:
        if field in _GIVEN:
            continue
        value = getattr(after, field)
        if before is not None and (value is (old := getattr(before, field)) or not differs(old, value)):
            continue
        columns.append((field, encode(value) if field in _DECODE else value))
    if _writes_email(version):
        columns += email_columns(after)
    return columns


def values_of(customer: Customer) -> list[object]:
    """The values of a new record in the columns of `VALUE_COLUMNS`, but for those of its email address."""
    values = list(_get_values(customer))
    for place in _ENCODED_PLACES:
        values[place] = encode(values[place])
    return values


VALUE_COLUMNS = tuple(field for field in CUSTOMER_FIELDS if field not in _GIVEN)
_get_values = attrgetter(*VALUE_COLUMNS)
_ENCODED_PLACES = tuple(VALUE_COLUMNS.index(field) for field in _DECODE)


def kept_entries(version: NewVersion) -> list[UUID]:
    """The account groups and the unit that the live record did not have: these are not deleted while one has them.

    Terms, carriers and price lists may be deleted while records have them, so one that is deleted at this very moment
    is one that was deleted just afterwards, and the common write asks nothing.
    """
    before, after = version.before, version.after
    old, new = (
        (*c.price_groups, c.type_group, c.credit_limit_unit) if c is not None and c.deleted_at is None else ()
        for c in (before, after)
    )
    return list(dict.fromkeys(entry for entry in new if entry is not None and entry not in old))


def _writes_email(version: NewVersion) -> bool:
    before, after = version.before, version.after
    return before is None or before.email != after.email or before.deleted_at != after.deleted_at


def _brings_email(version: NewVersion) -> bool:
    return version.after.email is not None and _writes_email(version)


def email_columns(customer: Customer) -> list[tuple[str, object]]:
    """The two keys of an email address: one to find it by, one that is unique while the policy and the record live."""
    key = email_key(customer.email)
    return [("email_key", key), ("unique_email_key", None if customer.deleted_at else key)]


def _pieces(version: NewVersion, parameters: list[object]) -> str:
    text = _search_piece(version, parameters) + _duplicate_pieces(version, parameters)
    if version.tells_sinks:
        text += QUERIES["event_piece"]
    if version.key is not None:
        text += QUERIES["key_piece"].format(
            key=_place(parameters, version.key.key),
            fingerprint=_place(parameters, version.key.fingerprint),
            status=_place(parameters, version.answer.status) + "::smallint",
            headers=_place(parameters, encode(version.answer.headers)) + "::jsonb",
            body=_place(parameters, version.answer.body) + "::bytea",
        )
    if version.new_entries:
        text += QUERIES["terms_piece"].format(
            terms=_place(parameters, encode([_term(entry) for entry in version.new_entries])) + "::jsonb"
        )
    return text


def _search_piece(version: NewVersion, parameters: list[object]) -> str:
    """What search needs of this version; nothing where no searched value changed, which spares its index an entry."""
    before, after = version.before, version.after
    if after.deleted_at is not None:
        return QUERIES["forget_piece"]
    if before is not None and before.deleted_at is None and is_found_alike(before, after):
        return ""
    return QUERIES["search_piece"].format(text=_place(parameters, to_search_text(after)))


def _duplicate_pieces(version: NewVersion, parameters: list[object]) -> str:
    """What finds its duplicates by this version; nothing where no key changed."""
    before, after = version.before, version.after
    if before is not None and before.deleted_at == after.deleted_at and is_matched_alike(before, after):
        return ""
    old, new = to_duplicate_keys(before) if before is not None else frozenset(), to_duplicate_keys(after)
    if old == new:
        return ""
    rows = sorted(new)
    places = {
        "kinds": _place(parameters, [row.kind for row in rows]) + "::text[]",
        "keys": _place(parameters, [row.key for row in rows]) + "::text[]",
    }
    names = [name for name, has_rows in (("matched_piece", new), ("unmatched_piece", old)) if has_rows]
    return "".join(QUERIES[name].format(**places) for name in names)


def _term(entry: CatalogueEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "name": entry.name,
        "unique_key": entry.unique_key,
        "details": entry.details,
    }


def _place(parameters: list[object], value: object) -> str:
    parameters.append(value)
    return f"${len(parameters)}"


async def find_taken(connection: Connection, customer: Customer, *, emails_are_unique: bool) -> tuple[str, ...]:
    """The canonical fields whose unique value another live customer of the team has."""
    row = await connection.fetchrow(
        QUERIES["find_taken"],
        customer.team,
        customer.id,
        email_key(customer.email) if emails_are_unique else None,
        customer.number,
        customer.reference_id,
    )
    return tuple(field for field, taken in row.items() if taken) if row is not None else ()


async def take_numbers(connection: Connection, team: UUID, count: int) -> int:
    """The first of the team's next `count` customer numbers; those of refused creations are not given again."""
    number = await connection.fetchval(QUERIES["take_numbers"], team, count)
    assert isinstance(number, int)  # noqa: S101 - each team is made with its counter
    return number


async def find_next_number(connection: Connection, team: UUID) -> int:
    """The number that would be given next; it is not taken."""
    number = await connection.fetchval(QUERIES["find_next_number"], team)
    assert isinstance(number, int)  # noqa: S101 - as above
    return number


async def skip_numbers(connection: Connection, team: UUID, prefix: str, digits: int) -> None:
    """Set the counter past the highest number of the form `prefix` + at least `digits` digits."""
    await connection.execute(QUERIES["skip_numbers"], team, prefix, digits)
