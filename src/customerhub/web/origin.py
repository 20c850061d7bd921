"""Which request a failure belongs to, for the shapes of failures."""

from msgspec import Struct


class Origin(Struct, frozen=True):
    """The request's id, and where its entry in the request log can be read; None where no entry is kept."""

    request_id: str
    log_url: str | None = None
