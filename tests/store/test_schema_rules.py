"""Rules of the schema and of the statements, so that teams stay apart and can be spread over machines."""

import re
from collections import Counter
from importlib.resources import files
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from customerhub.core.hub import Hub
from customerhub.model import customer as model
from customerhub.model.catalogue import Kind
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.store.deliveries import DeliveryStatus
from customerhub.store.imports import EmptyCells, FileFormat, ImportStatus, MatchBy, Mode, Outcome
from customerhub.store.queries import load_queries
from customerhub.store.sinks import SinkKind, SinkStatus

# Tables that are no team's data, each with its reason.
WITHOUT_TEAM = {
    "team": "is what the others name",
    "login": "is a person, who can be a member of many teams",
    "credential_lookup": "finds the team of a secret",
    "schema_migration": "belongs to the database as a whole",
    "partner_client": "finds the team of a client id; a client may act for several teams",
    "partner_token": "finds the team of a token",
    "partner_code": "finds the team of a code",
    "browser_session": "is a person's, who can be a member of many teams",
    "secret_key": "belongs to the database as a whole",
    "rate_window": "is an address's, a login's or a credential's, before anybody knows of which team",
}
# Foreign keys of a team's tables that lead to one of those, each with its reason.
BEYOND_THE_TEAM = {
    ("browser_session", "login"): "a person signs in, not a team",
    ("partner_code", "client_id"): "a client may act for other teams than its own",
    ("partner_grant", "client_id"): "a client may act for other teams than its own",
    ("team_user", "login"): "the member is a person, who is no team's",
}
# Statements that read tables of more than one team, each with its reason.
WITHOUT_TEAM_PARAMETER = {
    ("access.sql", "find_team"): "finds a team by its name",
    ("access.sql", "list_teams"): "is the operator's list of teams",
    ("access.sql", "find_login"): "finds the teams of a person",
    ("access.sql", "find_credential"): "finds the team of a secret",
    ("access.sql", "find_credential_by_id"): "is the operator's, who names a credential by its id alone",
    ("access.sql", "list_credentials"): "is the operator's, of one team or of all",
    ("members.sql", "is_shared"): "asks whether a person is a member of other teams",
    ("catalogue.sql", "list_teams_without_entries"): "finds the teams of older versions after migrating",
    ("erasure.sql", "list_unsettled"): "finds the erasures that are to be seen to their end",
    ("feed.sql", "list_next"): "finds out for which teams there is news",
    ("feed.sql", "list_waiting_teams"): "finds the teams whose changes wait for positions",
    ("feed.sql", "survey"): "is the operator's, who watches the feeds of every team",
    ("folding.sql", "list_teams_with_old_changes"): "finds the teams that have something to tidy up",
    ("imports.sql", "list_due"): "finds the imports of which teams are to be run",
    ("imports.sql", "list_teams_with_old"): "finds the teams that have something to tidy up",
    ("housekeeping.sql", "list_teams_with_old_audits"): "finds the teams that have something to tidy up",
    ("housekeeping.sql", "list_teams_with_old_events"): "finds the teams that have something to tidy up",
    ("housekeeping.sql", "list_teams_with_old_keys"): "finds the teams that have something to tidy up",
    ("housekeeping.sql", "list_teams_with_old_logs"): "finds the teams that have something to tidy up",
    ("partners.sql", "find_access"): "finds the team of a token",
    ("partners.sql", "list_grants"): "ends a client in every team that allowed it",
    ("partners.sql", "lock_grant_of_code"): "finds the team of a code",
    ("partners.sql", "lock_grant_of_refresh_token"): "finds the team of a token",
    ("request_logs.sql", "insert"): "stores entries of any teams, each by what its own team has erased",
    ("secrets.sql", "list_former_secrets"): "is the operator's, who changes the key of every team's secrets",
    ("secrets.sql", "list_sink_secrets"): "is the operator's, who changes the key of every team's secrets",
    ("sinks.sql", "survey"): "is the operator's, who watches the sinks of every team",
    ("sinks.sql", "find_anywhere"): "finds the team of a message that comes from outside",
    ("deliveries.sql", "announce"): "names no table: a hint to all processes",
    ("deliveries.sql", "list_due"): "finds out for which sinks of which teams there is something to do",
    ("deliveries.sql", "list_ended"): "finds the sinks that have something to tidy up",
    ("deliveries.sql", "list_teams_with_old"): "finds the teams that have something to tidy up",
    ("deliveries.sql", "renew"): "renews the claims of a process, each by its own team",
    ("sessions.sql", "list_memberships"): "finds the teams of a person",
}
# Files for the operator's doctor and backups and for sandboxes: every statement is about the database as a whole.
OPERATOR_FILES = {"backup.sql", "doctor.sql", "sandbox.sql"}

# What a customer's row holds beside the record.
KEYS = [("email_key", True), ("unique_email_key", True)]

SQL_FILES = sorted(path.name for path in files("customerhub.store").iterdir() if path.name.endswith(".sql"))
STATEMENTS = [(file, name) for file in SQL_FILES for name in load_queries(file)]
_NAMED = re.compile(
    r"\b(?P<verb>from|join|update|delete\s+from|insert\s+into)\s+(?P<table>[a-z_]+)\b(?:\s+(?:as\s+)?(?P<alias>[a-z]+)\b)?"
)
_NO_ALIAS = {"set", "where", "join", "left", "cross", "on", "order", "limit", "for", "group", "returning", "values"}

INDEXED = """
select t.relname, i.relname, (
    select a.attname from pg_attribute a where a.attrelid = t.oid and a.attnum = x.indkey[0]
)
from pg_index x
join pg_class t on t.oid = x.indrelid
join pg_class i on i.oid = x.indexrelid
where t.relnamespace = 'public'::regnamespace and (x.indisprimary or x.indisunique)
order by t.relname, i.relname
"""
REFERENCES = """
select t.relname, first.attname, target.relname, pointed.attname
from pg_constraint c
join pg_class t on t.oid = c.conrelid
join pg_class target on target.oid = c.confrelid
join pg_attribute first on first.attrelid = c.conrelid and first.attnum = c.conkey[1]
join pg_attribute pointed on pointed.attrelid = c.confrelid and pointed.attnum = c.confkey[1]
where c.contype = 'f' and c.connamespace = 'public'::regnamespace
order by t.relname, c.conname
"""
COLUMNS = """
select column_name::text, is_nullable = 'YES' from information_schema.columns
where table_schema = 'public' and table_name = $1 order by ordinal_position
"""
CHECKS = """
select t.relname || '.' || a.attname, pg_get_constraintdef(c.oid)
from pg_constraint c
join pg_class t on t.oid = c.conrelid
join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1]
where c.contype = 'c' and c.connamespace = 'public'::regnamespace
"""


async def fetch(hub: Hub, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    """What the catalogue of PostgreSQL says."""
    async with hub.database.lease() as connection:
        return [tuple(row) for row in await connection.fetch(statement, *parameters)]


async def tables(hub: Hub) -> set[str]:
    """Every table of ours."""
    rows = await fetch(hub, "select tablename::text from pg_tables where schemaname = 'public'")
    return {str(name) for (name,) in rows}


async def test_every_table_is_keyed_by_team_first(hub: Hub) -> None:
    """Each table has a primary key, and `team` is the first column of every primary key and unique index."""
    indexes = await fetch(hub, INDEXED)
    assert {table for table, _, _ in indexes} == await tables(hub)
    assert [row for row in indexes if row[0] not in WITHOUT_TEAM and row[2] != "team"] == []


async def test_every_reference_stays_within_the_team(hub: Hub) -> None:
    """Foreign keys begin with `team` on both sides, so that a row cannot name another team's."""
    references = await fetch(hub, REFERENCES)
    wrong = [
        (table, column)
        for table, column, target, pointed in references
        if (column, pointed) != ("team", "id" if target == "team" else "team")
    ]
    assert wrong == list(BEYOND_THE_TEAM)
    assert len(references) > len(wrong)


async def test_every_exception_is_still_one(hub: Hub) -> None:
    """The lists of exceptions name tables and statements that exist."""
    assert set(WITHOUT_TEAM) <= await tables(hub)
    assert set(WITHOUT_TEAM_PARAMETER) <= set(STATEMENTS)
    assert set(SQL_FILES) >= OPERATOR_FILES


async def test_a_customer_is_its_row(hub: Hub) -> None:
    """The columns are the fields of the record in the same order, null where a field may be None, and two keys."""
    hints = get_type_hints(Customer)
    fields = [(field, NoneType in get_args(hints[field])) for field in CUSTOMER_FIELDS]
    columns = await fetch(hub, COLUMNS, "customer")
    assert [column for column in columns if column not in KEYS] == fields
    assert [column for column in columns if column in KEYS] == KEYS


async def test_choices_are_the_models(hub: Hub) -> None:
    """A column that takes certain words takes exactly those that the model knows."""
    found = {str(column): set(re.findall(r"'(\w+)'::text", str(text))) for column, text in await fetch(hub, CHECKS)}
    hints = get_type_hints(Customer)
    for field in CUSTOMER_FIELDS:
        if get_origin(hints[field]) is Literal:
            assert found.pop(f"customer.{field}") == set(get_args(hints[field]))
    assert found.pop("catalogue_entry.kind") == set(get_args(Kind))
    for table in ("catalogue_entry", "team_user", "login"):
        assert found.pop(f"{table}.status") == set(get_args(model.Status))
    assert found.pop("delivery.status") == set(get_args(DeliveryStatus))
    assert found.pop("sink.kind") == set(get_args(SinkKind))
    assert found.pop("sink.status") == set(get_args(SinkStatus))
    assert found.pop("import.format") == set(get_args(FileFormat))
    assert found.pop("import.match_by") == set(get_args(MatchBy))
    assert found.pop("import.mode") == set(get_args(Mode))
    assert found.pop("import.empty_cells") == set(get_args(EmptyCells))
    assert found.pop("import.status") == set(get_args(ImportStatus))
    assert found.pop("import_result.outcome") == set(get_args(Outcome))
    assert sorted(found) == ["change.action", "partner_token.kind", "team_user.role"]


async def test_nothing_runs_behind_a_statement(hub: Hub) -> None:
    """There are no triggers of ours, no rules, no functions and no sequences: what a statement does stands in it.

    Functions that belong to an extension are PostgreSQL's own.
    """
    nothing = {
        "triggers": "select tgname from pg_trigger where not tgisinternal",
        "rules": "select rulename from pg_rules where schemaname = 'public'",
        "functions": "select proname from pg_proc p where pronamespace = 'public'::regnamespace"
        " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
        "sequences": "select sequencename from pg_sequences",
    }
    assert {what: await fetch(hub, statement) for what, statement in nothing.items()} == {what: [] for what in nothing}


def without_comments(statement: str) -> str:
    """A statement as PostgreSQL reads it, on one line."""
    return " ".join(re.sub(r"--.*", "", statement).split())


def lacking_team(statement: str, team_tables: set[str]) -> list[str]:
    """The tables of a statement that no condition of their own holds to the team in the first parameter.

    As many conditions as uses of a table are asked for, each by the name that the table goes by there.
    """
    uses: Counter[tuple[str, str]] = Counter()
    for match in _NAMED.finditer(statement):
        if match["table"] in team_tables and not match["verb"].startswith("insert"):
            is_named = match["alias"] is not None and match["alias"] not in _NO_ALIAS
            uses[match["table"], f"{match['alias']}." if is_named else ""] += 1
    lacking: list[str] = []
    for (table, prefix), times in uses.items():
        column = "id" if table == "team" else "team"
        if len(re.findall(rf"(?<![.\w]){re.escape(prefix)}{column} = \$1(?!\d)", statement)) < times:
            lacking.append(table)
    return lacking


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select name from customer where team = $1 and id = $2", []),
        ("select name from customer where id = $2", ["customer"]),
        ("select c.name from customer c where c.team = $10", ["customer"]),
        ("select c.name from customer c join change h on h.customer = c.id where c.team = $1", ["change"]),
        ("select c.name from customer c join change h on h.team = $1 where c.team = $1", []),
        ("select t.name from team t where t.id = $2", ["team"]),
        ("update customer set name = $2 where id = $3", ["customer"]),
        ("delete from change where customer = $2", ["change"]),
        ("insert into change (team) values ($1)", []),
        ("select exists (select from change where team = $1), exists (select from change where at > $2)", ["change"]),
    ],
)
def test_the_reader_of_statements_finds_what_lacks_a_team(statement: str, expected: list[str]) -> None:
    """A table without a condition of its own is found, wherever it stands."""
    assert lacking_team(statement, {"team", "customer", "change"}) == expected


async def test_every_statement_names_the_team_of_each_table(hub: Hub) -> None:
    """Whatever a statement reads or changes is held to the team in its first parameter, table by table."""
    ours = await tables(hub) - (set(WITHOUT_TEAM) - {"team"})
    lacking = {
        (file, name): found
        for file, name in STATEMENTS
        if file not in OPERATOR_FILES and (file, name) not in WITHOUT_TEAM_PARAMETER
        if (found := lacking_team(without_comments(load_queries(file)[name]), ours))
    }
    assert lacking == {}
