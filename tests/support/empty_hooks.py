"""Read by schemathesis: leaves out empty query parameters, which count as none, and sends files as they are."""

from typing import Any

import schemathesis

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:  # Any: schemathesis has no types for them
    """Whether every parameter says something."""
    return not any(value in ("", [""]) for value in (query or {}).values())


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:  # Any: schemathesis has no types for them
    """The same, of a whole request."""
    return bool(filter_query(context, case.query))


@schemathesis.serializer("text/csv", "application/jsonl", "application/x-ndjson", _WORKBOOK)
def to_file(context: Any, value: Any) -> Any:  # Any: schemathesis has no types for them
    """A file of rows as it is, whatever it says it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
