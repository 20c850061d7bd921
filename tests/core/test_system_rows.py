"""What comes with every team: the same rows everywhere, changed by nobody, added to teams of older versions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from customerhub.cli.checks import Check, check_database
from customerhub.core import system
from customerhub.core.access import find_caller
from customerhub.core.admin import create_credential
from customerhub.core.catalogue import EntryValues, values_of
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.model.catalogue import Catalogue, CatalogueEntry, Kind, RoleDetails, UnitDetails
from customerhub.model.error import Conflict, Taken
from customerhub.settings import Settings
from customerhub.store.catalogue import get_snapshot
from customerhub.store.db import Database
from customerhub.store.migrate import migrate, migrations
from tests.support.databases import empty_database
from tests.support.office import DIALECT, Office, make_office, refused

NEWEST = [name for _, name, _ in migrations()]
LONG_AGO = datetime(2024, 3, 1, 12, tzinfo=UTC)
OLD_TEAM = UUID("6b1f7b0e-6f2a-4c39-9b1e-0d6c7b8a9f10")
OLDER_VERSION = 2
OLD_ROWS = """
insert into team (id, name, name_key, created_at, updated_at) values ('{team}', 'Old', 'old', '{at}', '{at}');
insert into catalogue_entry (
    team, id, kind, name, unique_key, created_at, updated_at, created_by, updated_by
) values ('{team}', '{team}', 'payment_term', 'NET 30', 'net 30', '{at}', '{at}', '{team}', '{team}')
"""


@pytest.fixture
async def office(hub: Hub) -> AsyncIterator[Office]:
    """A team and somebody who may do everything in it."""
    async with make_office(hub) as made:
        yield made


@pytest.fixture
async def older(cluster: Cluster) -> AsyncIterator[Database]:
    """A database of an older version, with a team that made a term of its own of a name that comes with every team."""
    async with empty_database(cluster) as url:
        database = Database(url, size=2)
        async with database.lease() as connection:
            await migrate(connection, up_to=OLDER_VERSION)
            await connection.execute(OLD_ROWS.format(team=OLD_TEAM, at=LONG_AGO))
        yield database
        await database.close()


def system_rows(catalogue: Catalogue) -> dict[UUID, CatalogueEntry]:
    """The entries of a snapshot that come with every team, by id."""
    kinds: tuple[Kind, ...] = ("unit", "payment_term", "role")
    return {entry.id: entry for kind in kinds for entry in catalogue.entries(kind) if entry.is_system}


async def test_every_team_is_made_with_them(office: Office) -> None:
    """A new team has currencies with the dollar as base unit, usual terms and three roles, as old as the team."""
    catalogue = await office.catalogue()
    assert catalogue.team == office.team.id
    rows = system_rows(catalogue)
    assert rows == {entry.id: entry for entry in system.to_entries(office.team.id, catalogue.team_created_at)}
    dollar = rows[uuid5(office.team.id, "unit/usd")]
    assert (dollar.name, dollar.details) == ("US Dollar", UnitDetails("currency", "$", is_base_unit=True))
    terms = {entry.name for entry in rows.values() if entry.kind == "payment_term"}
    assert terms == {"Due on receipt", "Net 15", "Net 30", "Net 45", "Net 60", "Net 90"}
    assert {entry.name for entry in rows.values() if entry.kind == "role"} == {"Admin", "Editor", "Viewer"}


async def test_what_each_role_may(office: Office) -> None:
    """Admin may everything, Editor reads and writes business records, Viewer reads them; neither hands out keys."""
    catalogue = await office.catalogue()

    def permissions(role: system.SystemRole) -> tuple[str, ...]:
        entry = catalogue.find_live("role", system.to_role_id(office.team.id, role))
        assert entry is not None
        assert isinstance(entry.details, RoleDetails)
        return entry.details.permissions

    assert permissions("admin") == system.PERMISSIONS
    assert len(set(system.PERMISSIONS)) == len(system.PERMISSIONS)
    assert {permission.partition(":")[0] for permission in permissions("editor")} == {
        *("customers", "account_groups", "addresses", "payment_terms", "shipping_terms", "carriers", "service_levels"),
        *("units", "priorities", "account_statuses", "account_users"),
    }
    assert "customers:delete" in permissions("editor")
    assert [one for one in permissions("editor") if one.startswith("account_users")] == ["account_users:read"]
    assert set(permissions("viewer")) == {one for one in permissions("editor") if one.endswith(":read")}


def test_what_routes_ask_for_can_be_given() -> None:
    """Each permission on a resource that a route of any dialect asks for is one that the Admin role has.

    A word without a resource is a scope, which whoever makes a credential names.
    """
    asked = {one for dialect in find_dialects() for operation in dialect.operations for one in operation.permissions}
    assert {one for one in asked if ":" in one} <= set(system.PERMISSIONS)


async def test_a_credential_made_with_a_role_may_what_the_role_may(office: Office) -> None:
    """The operator names a role; without one a credential has no permissions."""
    cases: tuple[tuple[system.SystemRole | None, tuple[str, ...]], ...] = (
        ("viewer", system.ROLES["viewer"][1]),
        (None, ()),
    )
    for role, expected in cases:
        _, secret = await create_credential(
            office.hub, office.team, dialect=DIALECT, name="key", prefix="k_", role=role
        )
        assert (await find_caller(office.hub, DIALECT, secret)).scopes == frozenset(expected)


async def test_nobody_changes_them(office: Office) -> None:
    """Changing and deleting are refused, as is another entry of the name; nothing is written."""
    one_of_each_kind = {entry.kind: entry for entry in system_rows(await office.catalogue()).values()}
    assert set(one_of_each_kind) == {"unit", "payment_term", "role"}
    for entry in one_of_each_kind.values():
        failure = await refused(Conflict, office.edit(entry, EntryValues("Mine", details=entry.details)), office)
        assert failure.reason == "entries that come with every team cannot be changed"
        await refused(Conflict, office.edit(entry, values_of(entry)), office)
        await refused(Conflict, office.remove(entry), office)
    await refused(Taken, office.add("payment_term", "net 30"), office)


async def test_priorities_and_statuses_are_the_teams_own(office: Office, hub: Hub) -> None:
    """They have no rows, yet ids that last and no two teams share, and the team's own times."""
    catalogue = await office.catalogue()
    assert [(one.code, one.name) for one in system.list_priorities(catalogue)] == [
        ("low", "Low"),
        ("normal", "Normal"),
        ("high", "High"),
    ]
    assert [one.code for one in system.list_account_statuses(catalogue)] == [
        *("normal", "preferred", "hold_shipment", "hold_all")
    ]
    high = system.get_priority(catalogue, "high")
    assert (high.id, high.created_at) == (uuid5(office.team.id, "priority/high"), catalogue.team_created_at)
    hold = system.get_account_status(catalogue, "hold_all")
    assert (hold.id, hold.name) == (uuid5(office.team.id, "account_status/hold_all"), "Hold all")
    async with make_office(hub) as other:
        assert system.get_priority(await other.catalogue(), "high").id != high.id


async def test_a_team_of_an_older_version_gets_them(older: Database) -> None:
    """After migrating it has them all, but for a name that it gave itself; its processes read their catalogue anew."""
    async with older.lease() as connection:
        assert await system.bring_up(connection) == NEWEST[OLDER_VERSION:]
        catalogue = await get_snapshot(connection, OLD_TEAM)
    expected = {entry.id: entry for entry in system.to_entries(OLD_TEAM, LONG_AGO) if entry.name != "Net 30"}
    assert system_rows(catalogue) == expected
    own = catalogue.find_named("payment_term", "Net 30")
    assert own is not None
    assert (own.id, own.name, own.is_system, own.version) == (OLD_TEAM, "NET 30", False, 1)
    assert catalogue.version == 2


async def test_they_are_added_once(older: Database) -> None:
    """Two processes at the same moment, and one any time later, come to the same as one."""

    async def bring_up() -> list[str]:
        async with older.lease() as connection:
            return await system.bring_up(connection)

    applied = await asyncio.gather(bring_up(), bring_up())
    assert sorted(applied, key=len) == [[], NEWEST[OLDER_VERSION:]]
    async with older.lease() as connection:
        before = await connection.fetch("select e::text from catalogue_entry e order by 1")
        assert len(before) == len(system.to_entries(OLD_TEAM, LONG_AGO))
        assert await system.bring_up(connection) == []
        assert await connection.fetch("select e::text from catalogue_entry e order by 1") == before
        assert (await get_snapshot(connection, OLD_TEAM)).version == 2


async def test_the_doctor_names_teams_that_lack_them(older: Database) -> None:
    """It says which teams, and that `migrate` mends it; afterwards it finds nothing."""
    async with older.lease() as connection:
        await migrate(connection)

        async def examine() -> Check:
            checks = [check async for check in check_database(connection, Settings())]
            return next(check for check in checks if check.name == "system rows")

        check = await examine()
        assert (check.ok, check.found) == (False, "units, payment terms or roles are missing in Old")
        assert check.mend == "Run `customerhub migrate`: it adds them."
        await system.bring_up(connection)
        assert (await examine()).ok
