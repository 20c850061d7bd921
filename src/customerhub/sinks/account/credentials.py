"""An account's credentials, encrypted with the sink; those that end soon are renewed by one process at a time."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Final

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink
from customerhub.core.secrets import seal
from customerhub.model.error import Busy, Unavailable
from customerhub.sinks.account.line import AccountLine
from customerhub.store import sinks as store
from customerhub.web.remote import Json, Locked, Remote, RemoteError, Troubled

# Who renews; a claim that nobody takes back ends by itself.
_CLAIM: Final = "renewing_until"
_CLAIM_SECONDS: Final = 30
_LOOK_AGAIN_SECONDS: Final = 0.2
_STORE_TRIES: Final = 20
_STORE_SECONDS: Final = 0.5


def read_credentials(hub: Hub, sink: Sink) -> Json:
    """What proves who we are over there; empty where there is nothing to read. Raises SecretKeyError."""
    if sink.secret is None:
        return {}
    try:
        found = json.loads(hub.vault.decrypt(sink.secret))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def renew(hub: Hub, sink: Sink, remote: Remote, line: AccountLine) -> None:
    """Have the line use credentials that are newer than those it has; raises RemoteError.

    What renews is good once, and used twice it may end all that came of it. So whoever renews leaves a claim where the
    credentials are, and takes it back with the new ones; the others wait for these. If the hub dies between the answer
    and the keeping, the new ones are lost, and the account has to be connected again.
    """
    used = line.credentials
    claimed = await _claim(hub, sink, line)
    if claimed is None:
        return
    try:
        line.credentials = await remote.renew(line)
    except RemoteError:
        await _store(hub, claimed, used)
        raise
    await _keep(hub, claimed, line.credentials)


async def _claim(hub: Hub, sink: Sink, line: AccountLine) -> Sink | None:
    """The sink with our claim; None where the line has newer credentials by now, which somebody else got."""
    deadline = hub.monotonic() + _CLAIM_SECONDS
    while hub.monotonic() < deadline:
        held = await _find(hub, sink)
        current = read_credentials(hub, held)
        if plain(current) != line.credentials:
            line.credentials = plain(current)
            return None
        if not _is_claimed(current, hub.now()):
            until = hub.now() + timedelta(seconds=_CLAIM_SECONDS)
            claimed = await _store(hub, held, {**current, _CLAIM: until.isoformat()})
            if claimed is not None:
                return claimed
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    raise Troubled("the credentials are being renewed")


async def _find(hub: Hub, sink: Sink) -> Sink:
    async with hub.database.lease() as connection:
        found = await store.find_sink(connection, sink.team, sink.id)
    if found is None:
        raise Locked("the sink has ended")
    return found


async def _store(hub: Hub, sink: Sink, credentials: Json) -> Sink | None:
    """The sink with other credentials; None where somebody was faster."""
    async with hub.database.transaction() as connection:
        secret = await seal(connection, hub.vault, json.dumps(credentials), hub.now())
        if await store.set_secret(connection, sink, secret):
            return msgspec.structs.replace(sink, secret=secret)
    return None


async def _keep(hub: Hub, claimed: Sink, credentials: Json) -> None:
    """Put new credentials where the claim is; what was renewed is dead, so a database that is away is waited for."""
    for _ in range(_STORE_TRIES):
        try:
            if await _store(hub, claimed, credentials) is not None:
                return
            # Encrypted anew, or replaced by whoever set the sink up: only their own claim is taken over.
            claimed_again = await _find(hub, claimed)
            if read_credentials(hub, claimed_again) != read_credentials(hub, claimed):
                return
            claimed = claimed_again
        except (Unavailable, Busy):
            await asyncio.sleep(_STORE_SECONDS)
    raise Troubled("the renewed credentials could not be kept")


def plain(credentials: Json) -> Json:
    """The vendor's own part of them."""
    return {name: value for name, value in credentials.items() if name != _CLAIM}


def _is_claimed(credentials: Json, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(credentials.get(_CLAIM) or "")) > now
    except ValueError:
        return False
