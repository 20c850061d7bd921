"""Read by schemathesis: leaves out empty query parameters, which count as none, what no document can say."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:  # Any: schemathesis has no types for them
    """Whether every parameter says something."""
    return not any(value in ("", [""]) for value in (query or {}).values())


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:  # Any: schemathesis has no types for them
    """The same, of a whole request."""
    return bool(filter_query(context, case.query))
