"""What is too old or too much goes, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from customerhub.core.access import find_caller
from customerhub.core.housekeeping import Housekeeper
from customerhub.core.request_logs import walk_request_logs
from customerhub.model.answer import Caller
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.logs import AT, to_entry
from tests.support.world import DIALECT, World


async def test_what_is_old_goes_and_what_is_too_much(
    database_url: str, world: World, other_world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries go by age in every team, and by number in the teams that have written; the newest stay."""
    monkeypatch.setattr("customerhub.store.housekeeping.PIECE", 2)
    stranger = await find_caller(other_world.hub, DIALECT, other_world.api_key)
    days = [timedelta(days=number) for number in (0, 1, 2, 3, 40, 41, 42, 43, 44)]
    for who in (caller, stranger):
        for age in days:
            world.hub.recorder.record(to_entry(who, AT - age))
    await world.hub.recorder.flush()
    settings = Settings(request_log_days=30, request_log_rows=3)
    keeper = Housekeeper(Database(database_url, size=1), settings, lambda: AT)
    keeper.written = {caller.team}
    await keeper.sweep()
    assert keeper.written == set()
    for who, left in ((caller, days[:3]), (stranger, days[:4])):
        found = (await walk_request_logs(world.hub, who, None, 20)).items
        assert [AT - log.at for log in found] == left
    await keeper._database.close()


async def test_old_keys_go(database_url: str, world: World) -> None:
    """Idempotency keys are kept as long as the setting says and then taken away, piece by piece."""
    made = await world.create()
    path = f"/v1/customers/{made['id']}"
    for key in ("a", "b", "c"):
        answer = await world.api.patch(path, json={"phone": "+4722334455"}, headers={"idempotency-key": key})
        assert answer.status_code == 201
    statement = "select count(*) from idempotency_key where team = $1"
    left = []
    for hours in (23, 25):
        now = datetime.now(UTC) + timedelta(hours=hours)
        keeper = Housekeeper(Database(database_url, size=1), Settings(), lambda now=now: now)  # type: ignore[misc]
        await keeper.sweep()
        await keeper._database.close()
        async with world.hub.database.lease() as connection:
            left.append(await connection.fetchval(statement, world.team.id))
    assert left == [3, 0]
