"""Administration through the hub's own API: the audit trail, another process, keys and people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from customerhub.core.access import sign_in
from customerhub.core.hub import Hub
from customerhub.core.sessions import start_session
from customerhub.dialects.base import find_dialects
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.hub import Desk, Json

PASSWORD = "correct horse battery"
USERS = "/hub/v1/users"
ROLES = "/hub/v1/roles"
CREDENTIALS = "/hub/v1/credentials"
SESSIONS = "/hub/v1/sessions"
AUDIT = "/hub/v1/audit"


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def twin_of(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the same key on a hub that shares nothing with the first but the database."""
    hub = Hub(Database(desk.hub.database.url), desk.hub.settings)
    transport = httpx.ASGITransport(Site(hub, find_dialects(), limits=Limits()))
    async with httpx.AsyncClient(transport=transport, base_url="http://twin", headers=bearer(desk.api_key)) as api:
        yield api
    await hub.close()


async def audits(desk: Desk, **filters: str) -> list[Json]:
    """The audit trail, the newest first."""
    answer = await desk.api.get(AUDIT, params=filters)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["data"]
    return found


async def add_user(desk: Desk, **members: object) -> Json:
    """A new member of the team."""
    body = {"first_name": "Mira", "last_name": "Okafor", "email": f"{uuid4().hex}@kestrel.example", **members}
    answer = await desk.api.post(USERS, json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()["user"]
    return made


async def add_credential(desk: Desk, **members: object) -> tuple[Json, Json]:
    """A new credential as it is shown, and its secrets."""
    answer = await desk.api.post(CREDENTIALS, json={"dialect": "hub", "name": "Till", **members})
    assert answer.status_code == 201, answer.text
    return answer.json()["credential"], answer.json()["secrets"]


async def start(desk: Desk, email: str) -> str:
    """The secret of a new session of somebody who signs in with the usual password."""
    return await start_session(desk.hub, await sign_in(desk.hub, email, PASSWORD), None)
