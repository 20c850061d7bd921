"""Every column that could hold a value of a customer is told of, and how long every table keeps what is in it."""

import re
from pathlib import Path

from customerhub.core.hub import Hub
from customerhub.settings import Settings
from customerhub.store.personal import ERASED, FREE
from tests.store.test_schema_rules import tables
from tests.support.person import find_columns

DOCS = Path(__file__).parents[2] / "docs"
_ROW = re.compile(r"^\| `(?P<table>\w+)` \| (?P<kind>[a-z ]+) \| (?P<bound>.+) \|$", re.MULTILINE)
KINDS = {"record", "grows", "passes", "configured"}


async def test_every_column_that_can_hold_text_is_told_of_once(hub: Hub) -> None:
    """A new table, or a new column, fails here until it is erased (and tried) or named with its reason."""
    async with hub.database.lease() as connection:
        columns = {(table, column) for table, column, _ in await find_columns(connection)}
    erased = {(table, column) for table, own in ERASED.items() for column in own}
    free = {(table, column) for table, own in FREE.items() for column in own}
    assert erased & free == set()
    assert erased | free == columns
    assert all(reason for own in (*ERASED.values(), *FREE.values()) for reason in own.values())


async def test_every_column_that_is_erased_is_in_the_document(hub: Hub) -> None:
    """`docs/erasure.md` names each table whose values go."""
    del hub
    text = (DOCS / "erasure.md").read_text(encoding="utf-8")
    assert [table for table in ERASED if f"`{table}`" not in text] == []


async def test_every_table_has_a_bound_or_needs_none(hub: Hub) -> None:
    """`docs/retention.md` has a row for each table: what grows names the setting that bounds its age."""
    rows = {row["table"]: row for row in _ROW.finditer((DOCS / "retention.md").read_text(encoding="utf-8"))}
    partitions = {name for name in await tables(hub) if re.fullmatch(r"customer_search_\d", name)}
    assert set(rows) == await tables(hub) - partitions
    assert {row["kind"] for row in rows.values()} == KINDS
    for row in rows.values():
        named = set(re.findall(r"`(\w+)`", row["bound"]))
        assert named <= set(Settings.model_fields) | set(rows), row[0]
        if row["kind"] == "grows":
            assert named & set(Settings.model_fields), row[0]
