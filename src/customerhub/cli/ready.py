"""What comes before a process serves or works: the newest schema, and a key that reads the secrets that are stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from customerhub.app import create_hub
from customerhub.cli.database import migrate_at
from customerhub.cli.opened import check_pooler
from customerhub.core.hub import Hub
from customerhub.core.rotation import check_key
from customerhub.settings import Settings
from customerhub.web.log import get_logger


@asynccontextmanager
async def ready_hub(settings: Settings) -> AsyncIterator[Hub]:
    """A hub on a database that was brought to this version's schema.

    Raises Refused for a server that cannot be used, and SecretKeyError where the stored secrets have another key.
    """
    done, version = await migrate_at(settings.session_url)
    if done:
        get_logger().info("migrated", applied=done, version=version)
    hub = create_hub(settings)
    try:
        await check_pooler(hub)
        await check_key(hub)
        yield hub
    finally:
        await hub.close()
