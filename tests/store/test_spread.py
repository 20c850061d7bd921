"""Teams spread over machines: which table is distributed, in which order, once; by stand-ins for the extension."""

import pytest

from customerhub.core.hub import Hub
from customerhub.model.error import Conflict
from customerhub.store import migrate as module
from customerhub.store.db import Connection
from customerhub.store.migrate import migrate, migrations, spread_tables
from customerhub.store.spread import Table, crossing, in_order, list_tables, spread
from tests.support.documents import DOCS
from tests.support.spread import with_sections

# What the extension has of these names. They write down that they were called, and refuse what it refuses: a reference
# to a table that has no place yet, and one from a table that is on all machines to one that is spread.
STAND_INS = """
create schema stand_in;
create table stand_in.call (number integer generated always as identity, what text not null);
create table stand_in.pg_dist_partition (logicalrelid regclass primary key, partmethod "char", repmodel "char");
create function stand_in.place(placed regclass, method "char", model "char", what text) returns void
language plpgsql as $$
begin
    if exists (
        select from pg_constraint c
        left join stand_in.pg_dist_partition p on p.logicalrelid = c.confrelid
        where c.contype = 'f' and c.conrelid = placed and c.confrelid <> placed
            and (p.logicalrelid is null or (method = 'n' and p.partmethod = 'h'))
            and not exists (select from pg_inherits i where i.inhrelid = c.confrelid)
    ) then
        raise feature_not_supported using message = 'cannot create foreign key constraint';
    end if;
    insert into stand_in.pg_dist_partition values (placed, method, model);
    insert into stand_in.call (what) values (what);
end
$$;
create function stand_in.create_distributed_table(table_name regclass, column_name text, colocate_with text)
returns void language sql as $$
    select stand_in.place(table_name, 'h', 's', format('%s by %s beside %s', table_name, column_name, colocate_with))
$$;
create function stand_in.create_reference_table(table_name regclass) returns void language sql as $$
    select stand_in.place(table_name, 'n', 't', format('%s everywhere', table_name))
$$;
set search_path = public, stand_in;
"""
REFERENCES = "select count(*) from pg_constraint where contype = 'f' and conparentid = 0"
LATER = """
create table later (team uuid references team (id), customer uuid, primary key (team, customer),
    foreign key (team, customer) references customer (team, id));
create table later_finder (secret_hash bytea primary key, team uuid not null references team (id));
"""


@pytest.fixture
async def cluster_of_many(empty: Connection) -> Connection:
    """A connection to a migrated database that says of itself that it is a cluster."""
    await migrate(empty)
    await empty.execute(STAND_INS)
    return empty


async def calls(connection: Connection) -> list[str]:
    """What the cluster was asked, in order."""
    rows = await connection.fetch("select what from stand_in.call order by number")
    return [what for (what,) in rows]


def add(monkeypatch: pytest.MonkeyPatch, statements: str) -> None:
    """Let this version have one more migration."""
    number = len(migrations()) + 1
    every = [*migrations(), (number, f"{number:04}_more.sql", statements)]
    monkeypatch.setattr(module, "migrations", lambda: every)


def test_a_table_comes_after_those_that_it_refers_to() -> None:
    """What is on all machines comes first; within both kinds the tables that others refer to; then by name.

    What no team owns, and nothing is tied to, is left where it is.
    """
    order = Table("order", True, ("customer", "team"), False)
    customer = Table("customer", True, ("team", "entry"), False)
    entry = Table("entry", True, ("team",), False)
    token = Table("token", False, ("grant", "client"), False)
    client = Table("client", False, ("team",), False)
    team = Table("team", False, (), False)
    grant = Table("grant", True, ("client",), False)
    window = Table("window", False, (), False)
    tables = [order, token, customer, client, grant, entry, team, window]
    assert [table.name for table in in_order(tables)] == [
        *("team", "client", "token"),
        *("entry", "customer", "grant", "order"),
    ]
    assert crossing(tables) == [(token, grant)]


async def test_every_table_gets_its_place(cluster_of_many: Connection) -> None:
    """Teams' tables are distributed by team, side by side; what finds a team is everywhere; each table once."""
    tables = in_order(await list_tables(cluster_of_many))
    placed = await spread_tables(cluster_of_many)
    assert placed == [table.name for table in tables]
    first = next(table.name for table in tables if table.is_of_team)
    assert await calls(cluster_of_many) == [
        f"{table.name} by team beside {'none' if table.name == first else first}"
        if table.is_of_team
        else f"{table.name} everywhere"
        for table in tables
    ]


async def test_only_references_that_cross_machines_go(cluster_of_many: Connection) -> None:
    """What finds a team is held to the team's rows by nothing any more; every other reference stands."""
    before = await cluster_of_many.fetchval(REFERENCES)
    crossed = [(finder.name, table.name) for finder, table in crossing(await list_tables(cluster_of_many))]
    await spread_tables(cluster_of_many)
    assert crossed == [
        ("credential_lookup", "credential"),
        ("partner_code", "partner_grant"),
        ("partner_token", "partner_grant"),
    ]
    assert await cluster_of_many.fetchval(REFERENCES) == before - len(crossed)


async def test_spreading_twice_does_nothing(cluster_of_many: Connection) -> None:
    """A table that has its place is left alone."""
    await spread_tables(cluster_of_many)
    asked = await calls(cluster_of_many)
    assert await spread_tables(cluster_of_many) == []
    assert await migrate(cluster_of_many) == []
    assert await calls(cluster_of_many) == asked


async def test_tables_of_later_migrations_are_spread_with_them(
    cluster_of_many: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A migration of a database that is spread gives its new tables their places, and says so."""
    await spread_tables(cluster_of_many)
    before = len(await calls(cluster_of_many))
    caplog.clear()
    add(monkeypatch, LATER)
    assert len(await migrate(cluster_of_many)) == 1
    new = (await calls(cluster_of_many))[before:]
    assert new == ["later_finder everywhere", "later by team beside attempt"]
    assert caplog.messages == ["tables spread over machines by team: later_finder, later"]


async def test_a_cluster_is_not_spread_without_being_asked(
    cluster_of_many: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migrations leave a database as it is that nobody has spread yet, extension or not."""
    add(monkeypatch, LATER)
    assert len(await migrate(cluster_of_many)) == 1
    assert await calls(cluster_of_many) == []


async def test_a_refusal_leaves_everything_as_it_was(cluster_of_many: Connection) -> None:
    """Where the cluster refuses one table none is spread, no reference is gone, and the error names the table."""
    await cluster_of_many.execute("create table zone (team uuid, id uuid, primary key (team, id))")
    before = await cluster_of_many.fetchval(REFERENCES)
    await cluster_of_many.execute("alter table stand_in.pg_dist_partition add check (logicalrelid <> 'zone'::regclass)")
    with pytest.raises(Conflict) as refused:
        await spread_tables(cluster_of_many)
    assert refused.value.reason.startswith("The cluster refused the table zone (new row for relation")
    assert refused.value.reason.endswith("Nothing was spread: mend that, and try again while nobody writes.")
    assert await calls(cluster_of_many) == []
    assert await cluster_of_many.fetchval(REFERENCES) == before


async def test_a_database_that_is_no_cluster_is_refused(empty: Connection) -> None:
    """Without the extension nothing can be spread, and the error says what is missing."""
    await migrate(empty)
    with pytest.raises(Conflict, match="The database is no Citus cluster: run `create extension citus`"):
        await spread_tables(empty)
    assert await spread(empty, is_first=False) == []


async def test_the_page_on_scale_lists_every_table(hub: Hub) -> None:
    """A table that a migration adds, or a statement that a cluster takes now, changes the page."""
    page = (DOCS / "scale.md").read_text(encoding="utf-8")
    async with hub.database.lease() as connection:
        written = with_sections(page, await list_tables(connection))
    assert page == written, "run python -m tests.support.documents"
