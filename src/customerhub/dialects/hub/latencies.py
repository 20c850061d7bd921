"""How long the hub's own answers take: for those who run it."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core.latencies import get_latencies
from customerhub.dialects.hub.answers import respond
from customerhub.model.answer import Answer
from customerhub.web.operation import Call

Milliseconds = Annotated[float | None, Field(description="What this share of the requests did not exceed.")]


class ShownQuantiles(TypedDict):
    """Of so many requests, in milliseconds; null where there were none."""

    requests: int
    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class ShownLatency(TypedDict):
    """Of one route, or of a whole API; `dialect` is null for pages, `method` and `path` for an API."""

    dialect: Annotated[str | None, Field(description="The API; null for pages and for messages of other systems.")]
    method: str | None
    path: Annotated[str | None, Field(description="The template: no id is ever in it.")]
    recent: Annotated[ShownQuantiles, Field(description="Of the last minutes, `window_seconds`.")]
    since_start: ShownQuantiles


class ShownLatencies(TypedDict):
    """Latencies of all processes that answer on this port, from a request's first line to its answer's last byte."""

    window_seconds: int
    error: Annotated[float, Field(description="How far a figure may be from the true one, as a share of it.")]
    dialects: list[ShownLatency]
    routes: Annotated[list[ShownLatency], Field(description="Those that were asked for since the hub was started.")]


async def read(call: Call) -> Answer:
    """`GET /hub/v1/latencies`: 200 with p50, p95 and p99 of each API and of each route."""
    return respond(call, 200, await get_latencies(call.hub, call.caller))
