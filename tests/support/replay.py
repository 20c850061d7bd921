"""Read a customer's history back: from its change rows alone to the record, by the rules in which they were written."""

import copy
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, Address, Contact, Customer
from customerhub.model.duplicates import DuplicateKey, to_duplicate_keys
from customerhub.model.search import to_search_text
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from tests.support.world import DIALECT, Json, World

_COLUMNS = ", ".join(CUSTOMER_FIELDS)
_ENTRIES: dict[str, type[Struct]] = {"addresses": Address, "contacts": Contact}
_READ_ROWS = f"select {_COLUMNS} from customer where team = $1 order by id"  # noqa: S608 - names of columns
_READ_TEXTS = "select customer, text from customer_search where team = $1"
_READ_DUPLICATES = "select customer, kind, key from duplicate_key where team = $1"
_READ_CHANGES = "select * from change where team = $1 order by customer, version"
_READ_EVENTS = "select customer, version, type from event where team = $1"
_READ_KEYS = "select headers, body from idempotency_key where team = $1 and dialect = $2 and status = 201"


class Change(Struct, frozen=True):
    """One row of the history, as far as it says what became of the record."""

    customer: UUID
    version: int
    at: datetime
    action: str
    dialect: str
    actor: UUID
    changes: list[Json]


class Stored(Struct, frozen=True):
    """All that a team has of its customers at one moment."""

    customers: dict[UUID, Customer]
    changes: dict[UUID, list[Change]]
    events: set[tuple[UUID, int, str]]
    answers: list[tuple[UUID, int]]
    texts: dict[UUID, str]
    duplicate_keys: dict[UUID, set[DuplicateKey]]


async def read_stored(connection: Connection, team: UUID) -> Stored:
    """Customers, changes by customer, events, and what the kept answers say was written, of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        customers = [to_customer(row) for row in await connection.fetch(_READ_ROWS, team)]
        changes: dict[UUID, list[Change]] = {}
        for row in await connection.fetch(_READ_CHANGES, team):
            edits = msgspec.json.decode(row["changes"], type=list[Json])
            change = Change(
                row["customer"], row["version"], row["at"], row["action"], row["dialect"], row["actor"], edits
            )
            changes.setdefault(change.customer, []).append(change)
        events = {tuple(row) for row in await connection.fetch(_READ_EVENTS, team)}
        texts = dict(await connection.fetch(_READ_TEXTS, team))
        keys: dict[UUID, set[DuplicateKey]] = {}
        for customer, kind, key in await connection.fetch(_READ_DUPLICATES, team):
            keys.setdefault(customer, set()).add(DuplicateKey(kind, key))
        answers = [
            _written_by(row["headers"], row["body"]) for row in await connection.fetch(_READ_KEYS, team, DIALECT)
        ]
    return Stored({customer.id: customer for customer in customers}, changes, events, answers, texts, keys)


def _written_by(headers: bytes, body: bytes) -> tuple[UUID, int]:
    """Which customer a kept answer shows, at which version."""
    tag = dict(msgspec.json.decode(headers, type=list[tuple[str, str]]))["etag"]
    return UUID(msgspec.json.decode(body)["data"]["id"]), int(tag.strip('"'))


async def check_whole(connection: Connection, team: UUID, *, has_sinks: bool = False) -> Stored:
    """Assert that nothing of a team is half there, and return what is.

    Every record stands at its newest change, its versions have no gap, its history replays to the very record, each
    change has its event where the team has a sink, and each kept answer has its change. A search looks at every live
    record as it stands, and at no other; so does whoever looks for duplicates.
    """
    stored = await read_stored(connection, team)
    live = [customer for customer in stored.customers.values() if customer.deleted_at is None]
    assert stored.texts == {customer.id: to_search_text(customer) for customer in live}
    keys = {customer.id: set(to_duplicate_keys(customer)) for customer in live}
    assert stored.duplicate_keys == {customer: own for customer, own in keys.items() if own}
    assert set(stored.customers) == set(stored.changes)
    for customer_id, customer in stored.customers.items():
        changes = stored.changes[customer_id]
        assert [change.version for change in changes] == list(range(1, customer.version + 1))
        assert replay(changes) == customer
    written = {(change.customer, change.version) for changes in stored.changes.values() for change in changes}
    assert {(customer, version) for customer, version, _ in stored.events} == (written if has_sinks else set())
    assert set(stored.answers) <= written
    assert len(stored.answers) == len(set(stored.answers))
    return stored


async def check_history(world: World, customer: Json, versions: int) -> None:
    """Assert that a customer has exactly these versions, and that nothing of its team is half there."""
    assert await world.versions(customer["id"]) == list(range(1, versions + 1))
    async with world.hub.database.lease() as connection:
        stored = await check_whole(connection, world.team.id)
    assert stored.customers[UUID(customer["id"])].version == versions


def replay(changes: Sequence[Change]) -> Customer:
    """The record that a history leads to; fails where a change does not start from what stood there."""
    first, *others = changes
    (whole,) = first.changes
    assert (first.version, first.action, whole["path"], whole.get("old")) == (1, "created", "", None)
    record: Json = copy.deepcopy(whole["new"])
    for change in others:
        for edit in change.changes:
            _follow(record, edit, change)
        record |= {"version": change.version, "updated_at": change.at, "updated_by": change.actor}
    customer = msgspec.convert(record, Customer, strict=False)
    return msgspec.structs.replace(
        customer,
        addresses=tuple(sorted(customer.addresses, key=lambda entry: (entry.created_at, entry.id))),
        contacts=tuple(sorted(customer.contacts, key=lambda entry: (entry.created_at, entry.id))),
    )


def _follow(record: Json, edit: Json, change: Change) -> None:
    """Make one edit. What changes inside a list carries the time of its change, and custom values its actor too."""
    assert set(edit) <= {"path", "old", "new"}
    _, *steps = (step.replace("~1", "/").replace("~0", "~") for step in edit["path"].split("/"))
    match steps:
        case ["attributes", name, *rest]:
            _follow_attribute(record, name, rest, edit, change)
        case ["addresses" | "contacts" as field, entry_id]:
            _put(record[field], "id", entry_id, edit)
        case ["addresses" | "contacts" as field, entry_id, "attributes", name, *rest]:
            entry = _find(record[field], "id", entry_id)
            _follow_attribute(entry, name, rest, edit, change)
            entry["updated_at"] = change.at
        case ["addresses" | "contacts" as field, entry_id, member]:
            entry = _find(record[field], "id", entry_id)
            _set(entry, member, edit, default=_default_of(field, member))
            entry["updated_at"] = change.at
        case [field]:
            assert field in record
            _set(record, field, edit, default=None)
        case _:
            raise AssertionError(edit["path"])


def _follow_attribute(owner: Json, name: str, rest: list[str], edit: Json, change: Change) -> None:
    attributes = owner.setdefault("attributes", [])
    if rest:
        assert rest == ["value"]
        attribute = _find(attributes, "name", name)
        _set(attribute, "value", edit, default=None)
        attribute |= {"updated_at": change.at, "updated_by": change.actor}
    else:
        _put(attributes, "name", name, edit)


def _put(entries: list[Json], key: str, value: str, edit: Json) -> None:
    """Add an entry, or take it away; or both, which gives it the last place."""
    if "old" in edit:
        entries.remove(_find(entries, key, value))
    if "new" in edit:
        assert edit["new"][key] == value
        assert all(entry[key] != value for entry in entries)
        entries.append(copy.deepcopy(edit["new"]))


def _find(entries: list[Json], key: str, value: str) -> Json:
    (found,) = (entry for entry in entries if entry[key] == value)
    return found


def _set(owner: Json, member: str, edit: Json, *, default: object) -> None:
    assert owner.get(member, default) == edit.get("old"), edit
    owner[member] = edit.get("new")


def _default_of(field: str, member: str) -> object:
    """What a nested record has where its JSON leaves the member out."""
    return next(one.default for one in msgspec.structs.fields(_ENTRIES[field]) if one.name == member)
