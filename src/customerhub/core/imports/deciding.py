"""Decide the next rows of an import, while those before them are being written: what each makes of its customer."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.core import versions
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.imports.forms import Asked, Form
from customerhub.core.imports.items import (
    COLUMNS,
    Item,
    Refused,
    choose,
    claims_of,
    errors_of,
    find_sought,
    is_taken,
    refuse,
    to_keys,
)
from customerhub.core.imports.minting import Ids, Numbers
from customerhub.core.standing import check_member
from customerhub.core.versions import Proposal
from customerhub.model.answer import IMPORT, Answer, Caller
from customerhub.model.apply import TICK, Applied, apply, create
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer, email_key
from customerhub.model.error import FieldError, Invalid, Malformed, PreconditionRequired
from customerhub.model.nested import Moment
from customerhub.model.references import strange_addresses
from customerhub.store import bulk
from customerhub.store.customers import NewVersion, ReadForWrite
from customerhub.store.db import Connection
from customerhub.store.imports import Import, Row

GROUP_SIZE: Final = 1000
"""Rows in one transaction: a commit costs little then, and whoever wants a customer of it does not wait long."""
# So many rows take each step of a decision together: a processor that runs one step for many rows keeps its code at
# hand, and needs a sixth less than for all steps row by row.
_STEP: Final = 64
# So many are done before whoever else wants the process comes to it.
_SLICE: Final = 16
_UNSEEN: Final = Answer(200)
One = TypeVar("One")
Made = TypeVar("Made")


@dataclass
class Group:
    """Rows that are written together, behind the line `behind`; `claims` are what they bring, move or change."""

    behind: int
    items: list[Item]
    claims: set[tuple[str, object]] = field(default_factory=set)

    @property
    def last_line(self) -> int:
        """Where the import is once they are done."""
        return max(item.line for item in self.items if not item.is_extra)


@dataclass
class Scene:
    """One run of an import: on which hub, by whom, in what form its rows are."""

    hub: Hub
    one: Import
    form: Form
    numbers: Numbers

    def __post_init__(self) -> None:
        """Who its rows are written by, as the history shows them: the person, by this door."""
        self.caller: Caller = msgspec.structs.replace(self.one.caller, dialect=IMPORT)
        self.new_id = Ids(self.hub).new

    def moment(self) -> Moment:
        """Now, by the caller."""
        return Moment(self.caller.actor, self.hub.now(), self.new_id)

    def to_command(self, line: int, ignored: Iterable[str] = ()) -> Command:
        """The write of a row, whose failures are raised."""
        return Command(self.caller, to_request_id(self.one.id, line), _raise, ignored=list(ignored))


def to_request_id(import_id: UUID, line: int) -> str:
    """What the history names a row by: `imp_<id>:<line>`."""
    return f"imp_{import_id}:{line}"


def _raise(error: Exception) -> Answer:
    raise error


async def read_state(hub: Hub, connection: Connection, caller: Caller) -> tuple[ReadForWrite, Catalogue]:
    """What writes start from, but for customers. Raises Unauthenticated where who runs it may do so no more."""
    standing = await hub.get_standing(connection, caller)
    catalogue = await hub.catalogue(connection, caller.team, standing.catalogue_version)
    check_member(catalogue, caller)
    state = ReadForWrite(
        None,
        None,
        requires_precondition=standing.requires_precondition,
        catalogue_version=standing.catalogue_version,
        has_sinks=True,
        kept=None,
        customer=None,
    )
    return state, catalogue


async def decide_group(scene: Scene, rows: Sequence[Row], behind: int, busy: set[tuple[str, object]]) -> Group:
    """Decide rows; what `busy` names is being written at this moment, so that its rows are decided once it is."""
    group = Group(behind, [to_item(scene, row) for row in rows])
    await _decide(scene, group, busy)
    return group


def to_item(scene: Scene, row: Row, *, is_extra: bool = False) -> Item:
    """A row with the value by which it is matched; refused where it has none that can be looked for."""
    item = Item(row.line, row.cells, is_extra=is_extra)
    try:
        if row.cells is None:
            raise refuse(scene.one.options.match_by, "erased", "the row told of a customer who was erased meanwhile")
        if row.fault is not None:
            raise Refused((row.fault,))
        item.key = scene.form.find_key(row.cells)
        item.sought = find_sought(scene.one.options.match_by, item.key)
        if item.sought is not None:
            item.claims.add((scene.one.options.match_by, item.sought))
    except Refused as error:
        item.is_readable = False
        item.fail(error.errors)
    return item


async def _decide(scene: Scene, group: Group, busy: set[tuple[str, object]]) -> None:
    hub = scene.hub
    pending = [item for item in group.items if not item.results]
    for item in pending:
        for claim in item.claims:
            item.is_careful = claim in busy or claim in group.claims
        group.claims |= item.claims
    bold = [item for item in pending if not item.is_careful]
    async with hub.database.transaction() as connection:
        await bulk.plan_anew(connection)
        base = await _read_base(scene, hub, connection, bold)
    await scene.numbers.have(base.count_new(bold))
    for start in range(0, len(bold), _STEP):
        await _decide_some(base, bold[start : start + _STEP], group, busy)
    async with hub.database.transaction() as connection:
        await bulk.plan_anew(connection)
        await _find_taken(scene, connection, bold)


async def _decide_some(base: "_Base", items: Sequence[Item], group: Group, busy: set[tuple[str, object]]) -> None:
    """Decide rows step by step; one that meets another is left to be decided again."""

    def decide(told: tuple[Item, _Wish | None]) -> None:
        item, wish = told
        known = set(item.claims)
        base.decide(item, wish)
        if any(claim in busy or claim in group.claims for claim in item.claims if claim not in known):
            item.forget()
        group.claims |= item.claims

    wishes = await _in_turns(base.ask, items)
    await _in_turns(decide, list(zip(items, wishes, strict=True)))
    await _in_turns(_make_ready, items)


async def _in_turns(step: Callable[[One], Made], items: Sequence[One]) -> list[Made]:
    made: list[Made] = []
    for start in range(0, len(items), _SLICE):
        made += map(step, items[start : start + _SLICE])
        await asyncio.sleep(0)
    return made


def _make_ready(item: Item) -> None:
    """Make the rows of what is to be written."""
    if item.version is not None:
        item.ready = bulk.make_ready(item.version)


class _Wish(Struct, frozen=True):
    """What a row wants: of the customer that is there, or of a blank one."""

    before: Customer | None
    record: Customer
    asked: Asked


@dataclass
class _Base:
    """What rows are decided by: the catalogue, and the customers that they are about, by their keys."""

    scene: Scene
    state: ReadForWrite
    catalogue: Catalogue
    found: Mapping[object, list[Customer]]

    def count_new(self, items: Iterable[Item]) -> int:
        """How many of these rows may make a customer."""
        return sum(item.sought not in self.found for item in items)

    def ask(self, item: Item) -> _Wish | None:
        """What a row wants; None where it is refused already."""
        scene, options = self.scene, self.scene.one.options
        found = self.found.get(item.sought, []) if item.sought is not None else []
        try:
            before = choose(found, options.match_by, options.mode, has_key=item.sought is not None)
            check_seen(scene, item, before, self.state)
            record = before or make_blank(scene)
            return _Wish(before, record, ask(scene, item, record, self.catalogue))
        except (Invalid, Malformed, Refused) as error:
            item.fail(errors_of(error))
            return None

    def decide(self, item: Item, wish: _Wish | None) -> None:
        """The version that a row makes, or what else came of it; careful where more than its own row has a say."""
        if wish is None:
            return
        before, record, asked = wish.before, wish.record, wish.asked
        try:
            check(asked, record, self.catalogue)
        except (Invalid, Malformed, Refused) as error:
            item.fail(errors_of(error), asked)
            return
        proposal = asked.proposal
        item.claims |= claims_of(proposal, before)
        patch = proposal.patch
        if (isinstance(patch.parent, UUID) and patch.parent != record.parent) or strange_addresses(record, patch):
            item.is_careful = True
            return
        applied = advance(self.scene, record, proposal, self.catalogue)
        if applied.new_entries:
            item.is_careful, item.brings = True, frozenset((one.kind, one.unique_key) for one in applied.new_entries)
        elif not applied.changes:
            item.end("equal", applied.customer.id)
        else:
            item.version = to_version(self.scene, item, self.state, self.catalogue, before, applied, asked.ignored)


async def _read_base(scene: Scene, hub: Hub, connection: Connection, items: Iterable[Item]) -> _Base:
    match_by = scene.one.options.match_by
    state, catalogue = await read_state(hub, connection, scene.one.caller)
    sought = [item.sought for item in items if item.sought is not None]
    found: dict[object, list[Customer]] = defaultdict(list)
    for customer in await bulk.find_matches(connection, scene.one.team, COLUMNS[match_by], sought):
        value = email_key(customer.email) if match_by == "email" else getattr(customer, match_by)
        found[value].append(customer)
    return _Base(scene, state, catalogue, found)


async def decide_again(scene: Scene, hub: Hub, connection: Connection, items: Sequence[Item]) -> None:
    """Decide rows that meet no others by what is there now, inside the transaction that writes them."""
    base = await _read_base(scene, hub, connection, items)
    await scene.numbers.have(base.count_new(items))
    for item in items:
        item.is_careful, item.brings = False, frozenset()
        base.decide(item, base.ask(item))
        _make_ready(item)
    await _find_taken(scene, connection, items)


async def _find_taken(scene: Scene, connection: Connection, items: Iterable[Item]) -> None:
    """Leave rows whose values others have to be written one by one: the database then says what it refuses.

    Only so that not each of them takes the whole group back: whether a value is free the index decides.
    """
    decided = [item for item in items if item.version is not None]
    keys = to_keys(item.version for item in decided if item.version is not None)
    if scene.one.options.match_by == "number":
        # These were looked for just now, and nobody has them.
        keys.numbers -= {str(item.sought) for item in decided if item.sought is not None}
    taken = await bulk.find_taken(connection, scene.one.team, keys)
    for item in decided:
        if taken and item.version is not None and is_taken(item.version, taken):
            item.is_careful, item.version = True, None


def check_seen(scene: Scene, item: Item, before: Customer | None, state: ReadForWrite) -> None:
    """Raise Refused where the customer is not as the row has it, if whoever writes must say what they have seen.

    Raises PreconditionRequired where no row of the file can say it.
    """
    if before is None or not state.requires_precondition:
        return
    if not scene.form.names_versions:
        raise PreconditionRequired
    version = scene.form.find_version(item.cells or [])
    if version is None:
        raise Refused(
            (FieldError(("version",), "required", "is required: this credential changes only what it names"),)
        )
    if version != before.version:
        raise Refused((FieldError(("version",), "stale", f"the customer is at version {before.version} by now"),))


def make_blank(scene: Scene) -> Customer:
    """What a new customer begins as."""
    moment = scene.moment()
    return Customer(
        scene.one.team, scene.new_id(), 0, moment.now, moment.now - TICK, moment.actor, moment.actor, name="", number=""
    )


def ask(scene: Scene, item: Item, record: Customer, catalogue: Catalogue) -> Asked:
    """What a row asks of a customer. Raises Invalid, Malformed."""
    return scene.form.ask(item.cells or [], record, catalogue, scene.new_id)


def check(asked: Asked, record: Customer, catalogue: Catalogue, ties: Iterable[FieldError] = ()) -> None:
    """Raise Refused or Invalid with all that is wrong with what a row asks of a customer."""
    canonical: list[FieldError] = [*ties]
    if not record.version and not asked.proposal.patch.name:
        canonical.append(FieldError(("name",), "required", "is required"))
    versions.check(asked.proposal, record, catalogue, canonical)
    if asked.errors:
        raise Refused(())


def advance(scene: Scene, record: Customer, proposal: Proposal, catalogue: Catalogue) -> Applied:
    """The customer after the row; a new one gets a number where the row has none."""
    moment = scene.moment()
    if record.version:
        return apply(record, proposal.patch, catalogue, moment)
    if proposal.patch.number is UNSET:
        record = msgspec.structs.replace(record, number=scene.numbers.take())
    return create(record, proposal.patch, catalogue, moment)


def to_version(
    scene: Scene,
    item: Item,
    state: ReadForWrite,
    catalogue: Catalogue,
    before: Customer | None,
    applied: Applied,
    ignored: tuple[str, ...],
) -> NewVersion:
    """The version that a row makes, as it is to be stored."""
    command = scene.to_command(item.line, ignored)
    action = "updated" if before is not None else "created"
    return versions.next_version(command, state, catalogue, before, applied, action, _UNSEEN)
