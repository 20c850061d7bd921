"""Ids on the wire: a prefix that tells what it names, an underscore, and a record's own id in 26 characters."""

from typing import Final
from uuid import UUID

from customerhub.model.base32 import from_base32, to_base32

# Accounts are the team itself and its customers alike; an address is also the place where it stands.
ACCOUNT: Final = "ac"
ACCOUNT_GROUP: Final = "acgp"
ADDRESS: Final = "ad"
GEOLOCATION: Final = "gl"
QUANTITY: Final = "qty"
UNIT: Final = "un"
CARRIER: Final = "cr"
SERVICE_LEVEL: Final = "crop"
PAYMENT_TERM: Final = "pytm"
SHIPPING_TERM: Final = "shtm"
PRIORITY: Final = "pi"
USER: Final = "us"
ACCOUNT_USER: Final = "acus"
ACCOUNT_STATUS: Final = "acss"
API_KEY: Final = "apke"
ROLE: Final = "rl"
REQUEST_LOG: Final = "rq"
AUDIT_EVENT: Final = "ae"

# No record has it: what is no id at all is looked up under it, and is as unknown as any other stranger.
NOBODY: Final = UUID(int=0)


def to_id(prefix: str, record: UUID) -> str:
    """The id of a record of this kind, as in `ac_01jrhqpcmrc9h1mmb4r2hwjxyz`."""
    return f"{prefix}_{to_base32(record.int)}"


def to_id_or_none(prefix: str, record: UUID | None) -> str | None:
    """The same, None for none."""
    return to_id(prefix, record) if record is not None else None


def from_id(text: object, *prefixes: str) -> UUID | None:
    """The record that an id with one of the prefixes names; None for anything else."""
    if not isinstance(text, str):
        return None
    prefix, _, rest = text.rpartition("_")
    return from_base32(rest) if prefix in prefixes else None


def from_path(text: object, *prefixes: str) -> UUID:
    """The same, and what no record has where there is none: the use case runs, asks who calls, and finds nothing."""
    return from_id(text, *prefixes) or NOBODY
