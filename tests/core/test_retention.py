"""What only grows has a bound: the audit trail by a setting, tokens of partners by their own end."""

from datetime import UTC, datetime, timedelta

import pytest

from customerhub.core.housekeeping import Housekeeper
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.serve import Site
from tests.support.count import make_partner
from tests.support.world import World

AUDITS = "select count(*) from audit where team = $1"
OLD = "update audit set at = at - interval '40 days' where team = $1 and kind = 'price_list'"
TOKENS = "select count(*) from partner_token where team = $1"
ENDED = "update partner_token set expires_at = now() - $2::interval where team = $1 and kind = 'access'"


async def sweep(url: str, **settings: float) -> None:
    """Another process keeps house."""
    database = Database(url, size=1)
    await Housekeeper(database, Settings.model_validate(settings), lambda: datetime.now(UTC)).sweep()
    await database.close()


async def ask(world: World, statement: str, *values: object) -> int:
    """A number about the team."""
    async with world.hub.database.lease() as connection:
        return int(await connection.fetchval(statement, world.team.id, *values) or 0)


async def test_old_audit_rows_go_where_a_setting_says_so(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece, and no others; without the setting all of them stay."""
    monkeypatch.setattr("customerhub.store.housekeeping.PIECE", 1)
    before = await ask(world, AUDITS)
    await ask(world, OLD)
    await sweep(database_url)
    assert await ask(world, AUDITS) == before
    await sweep(database_url, audit_days=30)
    assert await ask(world, AUDITS) == before - 2


async def test_tokens_go_a_while_after_their_end(world: World, site: Site, database_url: str) -> None:
    """Until then whoever comes with one is told that it has ended, and not that it never was."""
    async with make_partner(world.hub, site, world.team):
        assert await ask(world, TOKENS) == 2
        for days, left in ((29, 2), (31, 1)):
            await ask(world, ENDED, timedelta(days=days))
            await sweep(database_url)
            assert await ask(world, TOKENS) == left
