"""Put settings, database, dialects and web together: the ASGI application of one process."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from customerhub.console.readying import make_ready
from customerhub.console.routes import PREFIX, SCREENS, UPLOADS, to_static_pages
from customerhub.core.board import Slot
from customerhub.core.hub import Hub
from customerhub.core.pulse import Pulse
from customerhub.core.sandbox import SandboxHub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.sinks import create_carriers, create_hooks
from customerhub.store.db import Database
from customerhub.store.statements import Statements
from customerhub.web import consent, signin
from customerhub.web.counter import DATABASE
from customerhub.web.docs import to_document_pages
from customerhub.web.health import to_health_pages
from customerhub.web.limit import Limits
from customerhub.web.log import set_up_logging
from customerhub.web.render import STYLE, to_style_page
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from customerhub.worker.run import Worker


def create_app(settings: Settings, slot: Slot | None = None) -> Site:
    """The application on the database that `database_url` names; connections are opened when first needed.

    It counts in `slot`, or for itself.
    Raises ValueError where a setting cannot be read or two dialects claim one route.
    """
    set_up_logging(settings.log_level, settings.log_format)
    hub = create_hub(settings)
    hub.slot = slot or hub.slot
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
        pulse = Pulse(hub, lambda: worker.lanes if worker is not None else 0)
        pulse.start()
        readying = asyncio.create_task(make_ready())
        try:
            yield
        finally:
            readying.cancel()
            await pulse.close()
            if worker is not None:
                await worker.close()
            await hub.close()

    pages = {**to_health_pages(hub), **to_document_pages(dialects), STYLE: to_style_page(), **to_static_pages()}
    screens = Screens({**signin.SCREENS, **consent.SCREENS, **SCREENS}, prefixes=(PREFIX,), uploads=UPLOADS)
    return Site(
        hub,
        dialects,
        limits=to_limits(settings, hub.database),
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
        direct_url=settings.direct_url,
        statements=Statements(settings.slow_statement_ms),
    )
    hub = SandboxHub(database, settings) if settings.sandbox else Hub(database, settings)
    hub.carriers = create_carriers()
    return hub


def to_limits(settings: Settings, database: Database) -> Limits:
    """The limits that the settings ask for; raises ValueError where one cannot be read."""
    # With a seed one process answers, by a clock of its own, and nothing else may come to stand in the database.
    in_memory = settings.seed is not None and settings.rate_limit_storage == DATABASE
    return Limits(
        rate_limit=settings.rate_limit,
        address_rate_limit=settings.address_rate_limit,
        password_failures=settings.password_failures,
        signing_failures=settings.signing_failures,
        storage="memory://" if in_memory else settings.rate_limit_storage,
        database=database,
    )
