"""The demo team of `customerhub serve --demo`: made at the first start, found at the next ones."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import Struct

from customerhub.cli.demo.data import OWNER, TEAM
from customerhub.cli.demo.load import fill
from customerhub.cli.demo.memory import Memory, held
from customerhub.core.access import hash_password, sign_in
from customerhub.core.admin import create_team, get_team, list_credentials, revoke_credential
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.model.customer import Customer
from customerhub.model.error import NotFound, Taken, Unauthenticated
from customerhub.store import access as access_store
from customerhub.store.access import Team
from customerhub.store.lists import CustomerQuery, list_customers
from customerhub.web.dialect import CredentialOrder, Dialect

_CREDENTIAL: Final = "demo"


class Demo(Struct, frozen=True):
    """What a person needs to play with the demo team; credentials and commands by the dialect's name."""

    team: str
    name: str
    email: str
    password: str
    credentials: dict[str, Mapping[str, object]]
    examples: dict[str, str]

    def to_lines(self) -> list[str]:
        """The same, to read."""
        lines = [
            f"Demo team: {self.name} ({self.team})",
            f"Sign in to the console as {self.email} with password {self.password}",
        ]
        for dialect, credential in self.credentials.items():
            shown = ", ".join(f"{name} {value}" for name, value in credential.items())
            lines += ["", f"Credential for {dialect}: {shown}"]
            if dialect in self.examples:
                lines += ["Change a demo customer (ready to paste):", "", self.examples[dialect]]
        return lines


async def prepare_demo(hub: Hub, base_url: str, memory_file: Path | None) -> Demo:
    """Make the demo team or find it, with a living credential for every dialect.

    Secrets are kept in `memory_file`, so that they are the same at the next start; without one they are new each
    time and the old ones end.
    """
    dialects = find_dialects()
    with held(memory_file):
        team = await _get_team(hub)
        await fill(hub, team)
        memory = Memory.read(memory_file, team.id)
        password = await _settle_password(hub, team, memory)
        credentials = {dialect.name: await _settle_credential(hub, team, dialect, memory) for dialect in dialects}
        memory.write(memory_file)
    customer = await _find_customer(hub, team)
    return Demo(
        team=str(team.id),
        name=team.name,
        email=OWNER.email,
        password=password,
        credentials=credentials,
        examples={
            dialect.name: dialect.example(base_url, credentials[dialect.name], customer)
            for dialect in dialects
            if customer is not None
        },
    )


async def _get_team(hub: Hub) -> Team:
    try:
        return await get_team(hub, TEAM)
    except NotFound:
        pass
    try:
        return await create_team(hub, TEAM)
    except Taken:
        return await get_team(hub, TEAM)


async def _settle_password(hub: Hub, team: Team, memory: Memory) -> str:
    """The remembered password where it still signs in, otherwise a new one."""
    if memory.password:
        try:
            await sign_in(hub, OWNER.email, memory.password)
            return memory.password
        except Unauthenticated:
            pass
    memory.password = secrets.token_urlsafe(9)
    password_hash = await hash_password(hub, memory.password)
    async with hub.database.transaction() as connection:
        login = await access_store.find_login(connection, OWNER.email)
        # Logins are instance-wide: one of this address may be another team's, and its password is not ours.
        if login is not None and login.team == team.id:
            await access_store.set_password(connection, login.id, password_hash, hub.now())
    return memory.password


async def _settle_credential(hub: Hub, team: Team, dialect: Dialect, memory: Memory) -> Mapping[str, object]:
    """The remembered credential where it still lives, otherwise a new one, and the demo's older ones end."""
    living = await _living_credentials(hub, team, dialect)
    known = memory.credentials.get(dialect.name)
    if known is not None and known.id in living and not _is_over(known.shown, hub.now()):
        return known.shown
    for old in living:
        await revoke_credential(hub, old)
    shown = dict(await dialect.create_credential(hub, team, CredentialOrder(name=_CREDENTIAL, is_lasting=True)))
    for new in await _living_credentials(hub, team, dialect):
        memory.remember(dialect.name, new, shown)
    return shown


def _is_over(shown: Mapping[str, object], now: datetime) -> bool:
    """Whether something that was shown has had its time, or will within the day."""
    ends = [str(value) for name, value in shown.items() if name.endswith("expires_at")]
    return any(datetime.fromisoformat(end) < now + timedelta(days=1) for end in ends)


async def _living_credentials(hub: Hub, team: Team, dialect: Dialect) -> list[UUID]:
    return [
        UUID(str(one["id"]))
        for one in await list_credentials(hub, team)
        if (one["dialect"], one["name"], one["revoked_at"]) == (dialect.name, _CREDENTIAL, None)
        and one["expires_at"] is None
    ]


async def _find_customer(hub: Hub, team: Team) -> Customer | None:
    """The oldest customer that is left, with all it holds."""
    query = CustomerQuery(order="created_at", is_descending=False, page_size=1, with_nested=True)
    async with hub.database.lease() as connection:
        customers, _ = await list_customers(connection, team.id, query)
    return customers[0] if customers else None
