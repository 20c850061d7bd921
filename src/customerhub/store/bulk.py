"""Write many versions of customers at once, for imports: what `write_version` does for one, in few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, Customer, email_key
from customerhub.model.duplicates import DuplicateKey, is_matched_alike, to_duplicate_keys
from customerhub.model.search import is_found_alike, to_search_text
from customerhub.store.customers import (
    VALUE_COLUMNS,
    NewVersion,
    columns_to_write,
    email_columns,
    encode,
    kept_entries,
    to_customer,
    values_of,
)
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("bulk.sql")
KeyColumn = Literal["email_key", "number", "reference_id", "id"]
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_FIND_MATCHES: Final[Mapping[KeyColumn, str]] = {
    "email_key": QUERIES["find_matches"].format(columns=_COLUMNS, key="email_key", type="text"),
    "number": QUERIES["find_matches"].format(columns=_COLUMNS, key="number", type="text"),
    "reference_id": QUERIES["find_matches"].format(columns=_COLUMNS, key="reference_id", type="text"),
    "id": QUERIES["find_matches"].format(columns=_COLUMNS, key="id", type="uuid"),
}
_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("is_edi_enabled", "accepts_invoice_emails", "tax_excluded", "tax_auto_calculate"), "boolean"),
    **dict.fromkeys(("payment_term", "shipping_term", "carrier", "service_level", "price_list", "type_group"), "uuid"),
    **dict.fromkeys(("credit_limit_unit", "credit_limit_id", "parent", "bill_to", "ship_to"), "uuid"),
    **dict.fromkeys(("default_sales_rep", "primary_contact", "merged_into"), "uuid"),
    **dict.fromkeys(("sales_reps", "price_groups"), "uuid[]"),
    **dict.fromkeys(("addresses", "contacts", "attributes"), "jsonb"),
    "credit_limit": "numeric",
    "deleted_at": "timestamptz",
}
"""The types of the columns that hold no text."""
_FIRST: Final = ("team", "id", "version", "created_at", "updated_at", "created_by", "updated_by")
_INSERTED: Final = (*_FIRST, *VALUE_COLUMNS, "email_key", "unique_email_key")
_CHANGE: Final = (
    *("team", "customer", "version", "at", "action", "actor", "actor_name", "credential", "dialect", "request_id"),
    *("changes", "ignored"),
)


class HeldTeam(Struct, frozen=True):
    """What the writes of a transaction must know of their team: its policy stands until it ends."""

    emails_are_unique: bool
    has_sinks: bool


class Ready(Struct, frozen=True):
    """A version with what of it can be made before it is written: its rows, and what it is found by.

    `customer` is there of a new one, but for its unique email key; `text` where what is searched for changed; `keys`
    are those of duplicates, None where they stay as they are.
    """

    version: NewVersion
    customer: tuple[object, ...] | None
    change: tuple[object, ...]
    text: str | None
    keys: frozenset[DuplicateKey] | None
    had_keys: bool


class Keys(Struct):
    """Values of which live customers may have one already: email keys, numbers, references."""

    emails: set[str] = msgspec.field(default_factory=set)
    numbers: set[str] = msgspec.field(default_factory=set)
    references: set[str] = msgspec.field(default_factory=set)


async def plan_anew(connection: Connection) -> None:
    """Let each statement be planned for itself until the transaction ends: the tables grow while an import runs."""
    await connection.execute(QUERIES["plan_anew"])


async def learn(connection: Connection) -> None:
    """Let the planner know of what was written; outside any transaction."""
    await connection.execute(QUERIES["learn"])


async def hold_team(connection: Connection, team: UUID) -> HeldTeam:
    """The team's email policy and whether it has sinks; the policy stays until the transaction ends."""
    row = await connection.fetchrow(QUERIES["hold_team"], team)
    assert row is not None  # noqa: S101 - whoever writes has asked for the team's standing
    return HeldTeam(emails_are_unique=row[0], has_sinks=row[1])


async def find_matches(
    connection: Connection, team: UUID, column: KeyColumn, values: Collection[object]
) -> list[Customer]:
    """The live customers that have one of these values; several may have one email key."""
    if not values:
        return []
    return [to_customer(row) for row in await connection.fetch(_FIND_MATCHES[column], team, list(values))]


async def find_taken(connection: Connection, team: UUID, keys: Keys) -> dict[tuple[str, str], UUID]:
    """Whose the values are that live customers have: by field (`email`, `number`, `reference_id`) and value."""
    if not (keys.emails or keys.numbers or keys.references):
        return {}
    values = list(keys.emails), list(keys.numbers), list(keys.references)
    return {(row[0], row[1]): row[2] for row in await connection.fetch(QUERIES["find_taken"], team, *values)}


def make_ready(version: NewVersion) -> Ready:
    """All that a version needs that does not depend on when it is written, so that nobody waits for it then."""
    before, after, caller = version.before, version.after, version.caller
    customer = None
    if before is None:
        at, by = after.updated_at, caller.actor
        customer = (after.team, after.id, after.version, at, at, by, by, *values_of(after), email_key(after.email))
    change = (
        *(after.team, after.id, after.version, after.updated_at, version.action, caller.actor, caller.name),
        *(caller.credential, caller.dialect, version.request_id, encode(version.changes)),
        encode(version.ignored) if version.ignored else None,
    )
    text = to_search_text(after) if before is None or not is_found_alike(before, after) else None
    old, new = _keys_of(before, after)
    return Ready(version, customer, change, text, new if old != new else None, bool(old))


async def write_versions(connection: Connection, ready: Sequence[Ready], team: HeldTeam) -> frozenset[UUID] | None:
    """Write versions of different customers of one team, inside a transaction; which customers got theirs.

    The others were changed since they were read. None, with nothing written, where an entry that one of them names was
    deleted meanwhile. No version may have a key of its own or bring entries along. Raises asyncpg.UniqueViolationError,
    after which the transaction is to be taken back.
    """
    if not ready:
        return frozenset()
    versions = [one.version for one in ready]
    own = versions[0].after.team
    entries = {entry for version in versions for entry in kept_entries(version)}
    if entries and await connection.fetchval(QUERIES["count_held"], own, list(entries)) != len(entries):
        return None
    made = await _insert(connection, ready, team)
    updated = await _update(connection, own, [version for version in versions if version.before is not None], team)
    done = updated | made
    written = ready if len(done) == len(ready) else [one for one in ready if one.version.after.id in done]
    await _insert_changes(connection, written, team)
    await _write_found(connection, own, written)
    return frozenset(done)


async def _insert(connection: Connection, ready: Iterable[Ready], team: HeldTeam) -> frozenset[UUID]:
    """The new ones; which."""
    made = [(one.version.after.id, one.customer) for one in ready if one.customer is not None]
    if made:
        # Of a live customer the unique key is the other one, where the policy says so now.
        records = [(*row, row[-1] if team.emails_are_unique else None) for _, row in made]
        await connection.copy_records_to_table("customer", records=records, columns=_INSERTED)
    return frozenset(customer for customer, _ in made)


def _email_columns(customer: Customer, team: HeldTeam) -> list[tuple[str, object]]:
    """As the policy stands now."""
    key, unique = email_columns(customer)
    return [key, unique if team.emails_are_unique else (unique[0], None)]


async def _update(
    connection: Connection, team: UUID, versions: Sequence[NewVersion], held: HeldTeam
) -> frozenset[UUID]:
    """Those that change the same columns go together."""
    alike: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for version in versions:
        after, columns = version.after, columns_to_write(version)
        if columns and columns[-1][0] == "unique_email_key":
            columns = columns[:-2] + _email_columns(after, held)
        row: dict[str, object] = {name: _to_json(name, value) for name, value in columns}
        row |= {"id": after.id, "version": after.version, "updated_at": after.updated_at}
        alike[tuple(name for name, _ in columns)].append(row | {"updated_by": version.caller.actor})
    done: set[UUID] = set()
    for names, rows in alike.items():
        statement = QUERIES["update"].format(
            assignments="".join(f", {name} = n.{name}" for name in names),
            columns="".join(f", {name} {_TYPES.get(name, 'text')}" for name in names),
        )
        done.update(row[0] for row in await connection.fetch(statement, team, encode(rows)))
    return frozenset(done)


def _to_json(name: str, value: object) -> object:
    return msgspec.Raw(value) if _TYPES.get(name) == "jsonb" and isinstance(value, bytes) else value


async def _insert_changes(connection: Connection, ready: Sequence[Ready], team: HeldTeam) -> None:
    """The history, what waits for its place in the feed, and what is to be told."""
    if not ready:
        return
    waiting: list[tuple[object, ...]] = []
    events: list[tuple[object, ...]] = []
    for one in ready:
        after = one.version.after
        place = (after.id, after.version)
        waiting.append((after.team, after.updated_at, *place))
        events.append((after.team, *place, f"customer.{one.version.action}", after.updated_at))
    await connection.copy_records_to_table("change", records=[one.change for one in ready], columns=_CHANGE)
    await connection.copy_records_to_table(
        "feed_waiting", records=waiting, columns=("team", "at", "customer", "version")
    )
    if team.has_sinks:
        columns = ("team", "customer", "version", "type", "at")
        await connection.copy_records_to_table("event", records=events, columns=columns)


async def _write_found(connection: Connection, team: UUID, ready: Iterable[Ready]) -> None:
    """What searches and duplicates look at, where that changed."""
    texts: list[tuple[UUID, UUID, str]] = []
    other: list[tuple[UUID, str]] = []
    keys: list[tuple[UUID, str, str, UUID]] = []
    unmatched: list[UUID] = []
    for one in ready:
        customer = one.version.after.id
        if one.text is not None:
            if one.version.before is None:
                texts.append((team, customer, one.text))
            else:
                other.append((customer, one.text))
        if one.keys is not None:
            keys += [(team, key.kind, key.key, customer) for key in one.keys]
            unmatched += [customer] if one.had_keys else []
    if texts:
        await connection.copy_records_to_table("customer_search", records=texts, columns=("team", "customer", "text"))
    if other:
        ids, values = zip(*other, strict=True)
        await connection.execute(QUERIES["search"], team, list(ids), list(values))
    if unmatched:
        await connection.execute(QUERIES["unmatch"], team, unmatched)
    if keys:
        columns = ("team", "kind", "key", "customer")
        await connection.copy_records_to_table("duplicate_key", records=keys, columns=columns)


def _keys_of(before: Customer | None, after: Customer) -> tuple[frozenset[DuplicateKey], frozenset[DuplicateKey]]:
    if before is not None and is_matched_alike(before, after):
        return frozenset(), frozenset()
    return to_duplicate_keys(before) if before is not None else frozenset(), to_duplicate_keys(after)
