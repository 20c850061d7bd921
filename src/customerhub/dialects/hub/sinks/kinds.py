"""How this hub's dialects let sinks be told."""

from functools import cache

from customerhub.dialects.base import find_dialects
from customerhub.web.sink_request import Ways, to_ways


@cache
def find_ways() -> Ways:
    """What the dialects that there are can do for sinks."""
    return to_ways(find_dialects())
