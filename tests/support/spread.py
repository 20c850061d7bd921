"""What stands in the way of a cluster: references that it cannot hold, and statements that it refuses."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Final

from customerhub.store.queries import load_queries
from customerhub.store.spread import Table, in_order

LET_GO: Final[Mapping[tuple[str, str], str]] = {
    ("credential_lookup", "credential"): "finds the team of a secret, and so cannot stand with it",
    ("partner_code", "partner_grant"): "finds the team of a code, and so cannot stand with it",
    ("partner_token", "partner_grant"): "finds the team of a token, and so cannot stand with it",
}
"""References from what is on all machines to what is spread, which go when teams are spread."""

REFUSED: Final[Mapping[tuple[str, str], str]] = {
    (
        "customers.sql",
        "update",
    ): "its pieces run one after the other there, so that a new term comes after the row that "
    "refers to it; a function that does one after the other in the right order would stay on the team's machine",
    ("customers.sql", "insert"): "as `update`",
    ("customers.sql", "read_for_write"): "a null for the customer or the key is a join on nothing: another value that "
    "nothing has would do",
    ("customers.sql", "get"): "as `read_for_write`",
    ("catalogue.sql", "list_teams_without_entries"): "asks each team's row about the team's data; runs at each start",
    ("deliveries.sql", "renew"): "holds rows of several teams; one statement for each team would do",
    ("feed.sql", "list_waiting_teams"): "goes from team to team by an index; `select distinct` would do",
    ("folding.sql", "list_teams_with_old_changes"): "asks each team's row about the team's data",
    ("housekeeping.sql", "list_teams_with_old_logs"): "asks each team's row about the team's data",
    ("housekeeping.sql", "list_teams_with_old_audits"): "asks each team's row about the team's data",
    ("members.sql", "delete_session"): "looks into a team while it changes what is everywhere; two statements would do",
    ("partners.sql", "lock_grant_of_code"): "holds a row of a team that it does not know yet; two statements would do",
    ("partners.sql", "lock_grant_of_refresh_token"): "as `lock_grant_of_code`",
    ("relatives.sql", "get_line"): "`cycle … set` is handed on wrongly; a list of what was visited would do",
    ("relatives.sql", "find_successor"): "as `get_line`",
    ("request_logs.sql", "insert"): "entries of several teams, each by what its own has erased; one statement for each "
    "team would do",
    ("sinks.sql", "settle_sinks"): "looks into a team while it changes what is everywhere; two statements would do",
}
"""Statements that a cluster refuses or does otherwise, seen with Citus 13.2, and what would do."""


def without_comments(statement: str) -> str:
    """A statement as PostgreSQL reads it, on one line."""
    return " ".join(re.sub(r"--.*", "", statement).split())


def statements() -> Iterator[tuple[tuple[str, str], str]]:
    """Every statement of the store by file and name, on one line."""
    for path in sorted(files("customerhub.store").iterdir(), key=lambda one: one.name):
        if path.name.endswith(".sql"):
            for name, statement in load_queries(path.name).items():
                yield (path.name, name), without_comments(statement)


def to_tables_section(tables: Sequence[Table]) -> str:
    """Which table goes where in a cluster, as a table of the page on scale."""
    placed = {table.name for table in in_order(list(tables))}
    lines = ["| table | in a cluster | refers to |", "| --- | --- | --- |"]
    for table in tables:
        place = "by `team`" if table.is_of_team else "on every machine" if table.name in placed else "on the first"
        refers = ", ".join(f"`{name}`" for name in sorted(table.refers_to) if (table.name, name) not in LET_GO)
        lines.append(f"| `{table.name}` | {place} | {refers or '–'} |")
    return "\n".join([*lines, "| `schema_migration` | on the first | – |"])


def to_refused_section() -> str:
    """What a cluster refuses, as a table of the page on scale."""
    lines = ["| statement | why, and what would do |", "| --- | --- |"]
    lines += (f"| `{name}` in `{file}` | {why} |" for (file, name), why in REFUSED.items())
    return "\n".join(lines)


def with_sections(page: str, tables: Sequence[Table]) -> str:
    """The page on scale with its tables as the schema and the list above have them."""
    for name, text in (("tables", to_tables_section(tables)), ("refused", to_refused_section())):
        start, end = f"<!-- {name} -->\n", "\n<!-- end -->"
        before, _, rest = page.partition(start)
        page = before + start + text + end + rest.partition(end)[2]
    return page
