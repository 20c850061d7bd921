"""The record of what indexes cost, and the indexes that there are."""

import re
from pathlib import Path

from bench.indexes import list_indexes
from customerhub.core.hub import Hub

_FILE = Path(__file__).parents[2] / "docs/decisions/0024-what-each-index-costs.md"
RECORD = _FILE.read_text(encoding="utf-8")


async def test_every_index_of_the_schema_has_its_line_in_the_record_of_costs(hub: Hub) -> None:
    """Who adds an index says what it costs and what for; who takes one away takes its line away too."""
    async with hub.database.lease() as connection:
        indexes = [index.name for index in await list_indexes(connection)]
    listed = re.findall(r"^\| `(\w+)` \|", RECORD, re.MULTILINE)
    assert sorted(listed) == sorted(indexes)
