"""What most tests start from: a team that was furnished by copying is what one furnished by the use cases is."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any

import pytest

from customerhub.core.hub import Hub
from customerhub.store.access import Team
from customerhub.store.db import Database
from customerhub.web.serve import Site
from tests.support.augno import Account, make_account
from tests.support.hub import Desk, make_desk
from tests.support.world import World, make_world

Make = Callable[[Hub, Site], AbstractAsyncContextManager[Account | Desk | World]]

_TABLES = """
select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'team'
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
and c.relname not in ('request_log', 'credential_lookup') order by c.relname
"""
_OF_ITS_OWN = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|re?q_\w{26}"
    r'|"last_used_at":(?:null|"[^"]*")|"hint":"[^"]*"|\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)'
)


async def rows_of(hub: Hub, team: Team) -> dict[str, list[str]]:
    """All rows of a team by table, with a mark where each has an id, a time or a secret of its own."""
    found: dict[str, list[str]] = {}
    async with hub.database.lease() as connection:
        for (table,) in await connection.fetch(_TABLES):
            rows = await connection.fetch(f"select to_json(t)::text from {table} t where team = $1", team.id)  # noqa: S608 - names from the catalogue
            found[table] = sorted(_OF_ITS_OWN.sub("<own>", row[0]) for row in rows)
        version = await connection.fetchval("select catalogue_version from team where id = $1", team.id)
        return found | {"team": [str(version)]}


@pytest.mark.parametrize("make", [make_account, make_desk, make_world])
async def test_copied_furniture_is_what_the_use_cases_make(make: Make, hub: Hub, site: Site) -> None:
    """Made and copied teams have the same rows, but for ids, times and secrets; two copies have no id in common."""
    plain = Hub(Database(hub.database.url), hub.settings)
    async with make(plain, site) as made:
        expected = await rows_of(plain, made.team)
    await plain.close()
    copies: list[set[Any]] = []
    for _ in range(3):
        async with make(hub, site) as copied:
            assert await rows_of(hub, copied.team) == expected
            async with hub.database.lease() as connection:
                ids = await connection.fetch(
                    "select id from catalogue_entry where team = $1 union select id from team_user where team = $1",
                    copied.team.id,
                )
                copies.append({row[0] for row in ids})
    assert [len(one & other) for one, other in pairwise(copies)] == [0, 0]
