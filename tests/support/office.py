"""A team without any dialect, for tests that call use cases on its catalogue, keys and members themselves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry, delete_entry, update_entry
from customerhub.core.command import Command
from customerhub.core.customers import (
    NumberForm,
    Proposal,
    Written,
    create_customer,
    delete_customer,
    get_customer,
    update_customer,
)
from customerhub.core.hub import Hub
from customerhub.core.system import SystemRole
from customerhub.model.answer import Answer, Caller, Guards, IdempotencyKey
from customerhub.model.catalogue import Catalogue, CatalogueEntry, Details, Kind, NoDetails
from customerhub.model.customer import Customer
from customerhub.model.error import HubError
from customerhub.model.patch import CustomerPatch
from customerhub.store.access import Team
from customerhub.store.catalogue import get_snapshot
from customerhub.store.db import Connection
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.waiting import wait_until

DIALECT = "office"
_DONE = Answer(200, b"done")
_WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like '%' || $1 || '%'
"""

Made = TypeVar("Made")
Failure = TypeVar("Failure", bound=HubError)


@dataclass
class Office:
    """One team and somebody who may do something in it."""

    hub: Hub
    team: Team
    caller: Caller

    def command(self, **guards: Any) -> Command:  # Any: members of Guards
        """A write under these guards, whose failures are raised."""

        def fail(error: HubError) -> Answer:
            raise error

        return Command(self.caller, f"request {uuid4()}", fail, Guards(**guards))

    def on(self, connection: Connection) -> "Office":
        """The same with all its use cases inside the transaction of a connection."""
        return Office(self.hub.on(connection), self.team, self.caller)

    async def add(self, kind: Kind, name: str, details: Details | None = None, **values: Any) -> CatalogueEntry:
        """A new entry; `values` are further members of EntryValues."""
        made: list[CatalogueEntry] = []

        def decide(catalogue: Catalogue) -> EntryProposal:
            return EntryProposal(EntryValues(name, details=details or NoDetails(), **values))

        await create_entry(self.hub, self.command(), kind, decide, keep(made))
        return made[-1]

    async def edit(self, entry: CatalogueEntry, values: EntryValues, **guards: Any) -> CatalogueEntry:
        """An entry with these values."""
        made: list[CatalogueEntry] = []
        command = self.command(**guards)
        await update_entry(self.hub, command, entry.kind, entry.id, lambda *_: EntryProposal(values), keep(made))
        return made[-1]

    async def remove(
        self, entry: CatalogueEntry, *, keeps_in_use: bool = False, dry_run: bool = False
    ) -> CatalogueEntry:
        """An entry as its deletion shows it."""
        made: list[CatalogueEntry] = []
        command = self.command(dry_run=dry_run)
        await delete_entry(self.hub, command, entry.kind, entry.id, keep(made), keeps_in_use=keeps_in_use)
        return made[-1]

    async def catalogue(self) -> Catalogue:
        """What is stored now, past what the hub remembers."""
        async with self.hub.database.lease() as connection:
            return await get_snapshot(connection, self.team.id)

    async def customer(self, **fields: Any) -> Customer:  # Any: members of CustomerPatch
        """A new customer."""
        made: list[Written] = []
        patch = CustomerPatch(**{"name": f"Company {uuid4().hex[:10]}", **fields})
        form = NumberForm("C", 5)
        await create_customer(self.hub, self.command(), lambda _: Proposal(patch), keep(made), form)
        return made[-1].customer

    async def patch(self, customer: Customer, **fields: Any) -> Customer:  # Any: members of CustomerPatch
        """A customer after a change."""
        made: list[Written] = []
        patch = CustomerPatch(**fields)
        await update_customer(self.hub, self.command(), customer.id, lambda *_: Proposal(patch), keep(made))
        return made[-1].customer

    async def drop(self, customer: Customer) -> None:
        """Take a customer away."""
        await delete_customer(self.hub, self.command(), customer.id, lambda _: _DONE)

    async def get(self, customer: Customer) -> Customer:
        """A customer as it stands."""
        return (await get_customer(self.hub, self.caller, customer.id)).customer

    async def audits(self, kind: str) -> list[tuple[UUID, int, str]]:
        """Subject, version and action of every audit row of a kind, in the order of their times and versions."""
        async with self.hub.database.lease() as connection:
            rows = await connection.fetch(
                "select subject, version, action from audit where team = $1 and kind = $2 order by at, version",
                self.team.id,
                kind,
            )
        return [tuple(row) for row in rows]

    async def fingerprint(self) -> Fingerprint:
        """Row count and checksum of every table."""
        return await take_fingerprint(self.hub)

    async def wait_for_lock(self, words: str) -> None:
        """Until a statement with these words in it waits for what somebody else holds."""

        async def is_waiting() -> bool:
            async with self.hub.database.lease() as connection:
                return bool(await connection.fetchval(_WAITING, words))

        await wait_until(is_waiting, f"{words!r} waits for a lock")


def keep(made: list[Made]) -> Callable[[Made], Answer]:
    """An answer to anything, with what it is about put aside."""

    def render(thing: Made) -> Answer:
        made.append(thing)
        return _DONE

    return render


def key(name: str, fingerprint: bytes = b"\0" * 32) -> IdempotencyKey:
    """An idempotency key of a request."""
    return IdempotencyKey(name, fingerprint)


@asynccontextmanager
async def make_office(hub: Hub, role: SystemRole = "admin", team: Team | None = None) -> AsyncIterator[Office]:
    """A team, a new one if none is given, and a credential of this role in it."""
    team = team or await admin.create_team(hub, f"Team {uuid4()}")
    yield Office(hub, team, await make_caller(hub, team, role))


async def make_caller(hub: Hub, team: Team, role: SystemRole = "admin") -> Caller:
    """Somebody with a credential of this role."""
    _, secret = await admin.create_credential(hub, team, dialect=DIALECT, name=f"{role}'s key", prefix="", role=role)
    return await find_caller(hub, DIALECT, secret)


async def refused(error: type[Failure], work: Awaitable[object], office: Office) -> Failure:
    """The error that the work fails with, which must leave everything as it was."""
    before = await office.fingerprint()
    try:
        await work
    except error as failure:
        assert await office.fingerprint() == before
        return failure
    raise AssertionError(f"not refused with {error.__name__}")
