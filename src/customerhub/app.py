"""Put settings, database, dialects and web together: the ASGI application of one process."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from customerhub.core.hub import Hub
from customerhub.core.sandbox import SandboxHub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.sinks import create_carriers, create_hooks
from customerhub.store.db import Database
from customerhub.web import consent, signin
from customerhub.web.docs import to_document_pages
from customerhub.web.health import to_health_pages
from customerhub.web.limit import Limits
from customerhub.web.log import set_up_logging
from customerhub.web.render import STYLE, to_style_page
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from customerhub.worker.run import Worker


def create_app(settings: Settings) -> Site:
    """The application on the database that `database_url` names; connections are opened when first needed.

    Raises ValueError where a setting cannot be read or two dialects claim one route.
    """
    set_up_logging(settings.log_level, settings.log_format)
    hub = create_hub(settings)
    dialects = find_dialects()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        # What stands now stays as long as the process: the collector need never look at it again.
        gc.collect()
        gc.freeze()
        hub.recorder.start()
        if settings.seed is None:
            # Otherwise nothing may depend on when it comes by: readers of a feed give positions themselves.
            hub.publisher.start()
        worker = Worker(hub) if settings.deliveries and settings.seed is None else None
        if worker is not None:
            worker.start()
        try:
            yield
        finally:
            if worker is not None:
                await worker.close()
            await hub.close()

    pages = {**to_health_pages(hub), **to_document_pages(dialects), STYLE: to_style_page()}
    screens = Screens({**signin.SCREENS, **consent.SCREENS})
    return Site(
        hub,
        dialects,
        limits=to_limits(settings),
        pages=pages,
        screens=screens,
        hooks=create_hooks(hub.carriers),
        lifespan=lifespan,
    )


def create_hub(settings: Settings) -> Hub:
    """The hub on the database that `database_url` names; a sandbox's where the settings say so."""
    database = Database(
        settings.database_url,
        size=settings.connections,
        uses_prepared=settings.prepared_statements,
        patience=settings.patience_seconds,
    )
    hub = SandboxHub(database, settings) if settings.sandbox else Hub(database, settings)
    hub.carriers = create_carriers()
    return hub


def to_limits(settings: Settings) -> Limits:
    """The limits that the settings ask for; raises ValueError where one cannot be read."""
    return Limits(
        rate_limit=settings.rate_limit,
        address_rate_limit=settings.address_rate_limit,
        password_failures=settings.password_failures,
        signing_failures=settings.signing_failures,
        storage=settings.rate_limit_storage,
    )
