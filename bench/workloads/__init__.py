"""What clients of each dialect ask for."""

from collections.abc import Callable, Mapping
from typing import Final

from bench.request import Request
from bench.workloads.augno import to_requests as to_augno_requests
from bench.workloads.count import to_requests as to_count_requests
from bench.workloads.hub import to_requests as to_hub_requests
from bench.workloads.wizcommerce import to_requests as to_wizcommerce_requests

# What is measured, in the order of the table.
WORKLOADS: Final = (
    "update-scalars",
    "update-nested",
    "no-op",
    "replay",
    "dry-run",
    "get",
    "find-by-email",
    "list-first",
    "list-1000",
    "search",
    "create",
    "batch",
    "feed",
)
DIALECTS: Final[Mapping[str, Callable[[Mapping[str, str]], dict[str, Request]]]] = {
    "wizcommerce": to_wizcommerce_requests,
    "count": to_count_requests,
    "augno": to_augno_requests,
    "hub": to_hub_requests,
}
