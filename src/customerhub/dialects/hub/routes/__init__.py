"""The route table of the hub's own API: served, documented and tested from here."""

from typing import Final

from customerhub.dialects.hub.routes import (
    administration,
    batch,
    credentials,
    customers,
    erasure,
    exports,
    history,
    imports,
    merging,
    search,
    sinks,
)
from customerhub.web.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *customers.OPERATIONS,
    *batch.OPERATIONS,
    *search.OPERATIONS,
    *history.OPERATIONS,
    *erasure.OPERATIONS,
    *merging.OPERATIONS,
    *exports.OPERATIONS,
    *imports.OPERATIONS,
    *administration.OPERATIONS,
    *credentials.OPERATIONS,
    *sinks.OPERATIONS,
)
