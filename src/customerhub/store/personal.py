"""Which columns may hold values of customers, and how an erasure gets at each: no column is left out."""

from collections.abc import Mapping
from typing import Final

_RECORD: Final = "is blank in the last version of the record"
_OWN: Final = "goes with the record"
_CHANGE: Final = "keeps its paths, in every version of the customer and where it went into another"
_LOG: Final = "goes from every entry that speaks of the customer"
_KEPT: Final = "goes from every key whose answer speaks of the customer"

ERASED: Final[Mapping[str, Mapping[str, str]]] = {
    "customer": dict.fromkeys(
        (
            *("name", "number", "display_name", "reference_id", "first_name", "last_name", "email", "phone"),
            *("website", "note", "payment_mode", "carrier_billing_account", "tax_number", "addresses", "contacts"),
            *("attributes", "email_key", "unique_email_key"),
        ),
        _RECORD,
    ),
    "customer_search": {"text": _OWN},
    "duplicate_key": {"key": _OWN},
    "change": {"changes": _CHANGE},
    "audit": {"changes": "keeps its paths where it is about an address that the customer has had"},
    "delivery": {"reason": "goes, with all that was said"},
    "attempt": dict.fromkeys(("reason", "exchanges"), "goes from every attempt to tell of the customer"),
    "sync": dict.fromkeys(
        ("written", "left_out", "creation", "error"),
        "goes; the mirror over there is emptied by the erasure's own event",
    ),
    "unowned_address": {"address": "moves into the record when a customer gets it; nobody's address is nobody's value"},
    "idempotency_key": {
        "key": "goes, with its row, where it is made of the customer's values",
        "headers": _KEPT,
        "body": _KEPT,
    },
    "import_row": {"cells": "go from every row of a file that tells of the customer, which is refused then"},
    "import_result": dict.fromkeys(
        ("key", "reason", "changes"),
        "goes from what came of every row that tells of the customer or was about it",
    ),
    "request_log": {
        "path": "is its template where it holds a value",
        **dict.fromkeys(
            ("query", "referrer", "idempotency_key", "error_message", "request_body", "response_body"), _LOG
        ),
    },
}
"""By table and column, what becomes of it; these tables are tidied up after an erasure."""

_NAMES: Final = "names a thing of ours, one of a few words"
_MEMBER: Final = "is of a member of the team, a partner or a credential, not of a customer"
_SHARED: Final = "is of the catalogue, which all customers share"
_REQUEST: Final = "is of the program that asks, not of whom it asks about"

FREE: Final[Mapping[str, Mapping[str, str]]] = {
    "audit": dict.fromkeys(("kind", "action", "dialect", "request_id"), _NAMES) | {"actor_name": _MEMBER},
    "browser_session": {"secret_hash": _MEMBER},
    "catalogue_entry": dict.fromkeys(
        ("kind", "name", "unique_key", "reference_id", "description", "status", "details"), _SHARED
    ),
    "change": dict.fromkeys(("action", "dialect", "request_id"), _NAMES)
    | {"actor_name": _MEMBER, "ignored": "names members of requests, not what they held"},
    "attempt": {"outcome": _NAMES},
    "delivery": dict.fromkeys(("type", "status"), _NAMES),
    "credential": dict.fromkeys(("dialect", "name", "scopes", "hint", "rate_limit"), _MEMBER),
    "credential_lookup": {"secret_hash": _MEMBER},
    "customer": dict.fromkeys(
        ("status", "standing", "priority", "commission_policy", "freight_policy", "carrier_billing_type"), _NAMES
    ),
    "duplicate_key": {"kind": _NAMES},
    "erasure": {"marks": "are ids, which stay"},
    "event": {"type": _NAMES},
    "figure": {"name": _NAMES}
    | dict.fromkeys(("state", "shown"), "holds counts, and the id at which counting goes on"),
    "idempotency_key": {"dialect": _NAMES, "fingerprint": "is a hash of the request"},
    "import": dict.fromkeys(
        ("file_name", "format", "columns", "shape", "mapping", "match_by", "mode", "empty_cells", "status", "reason"),
        "is of a file as a whole: what it is called, how it is read, how far it is",
    )
    | {"trial": "holds counts", "digest": "is a hash of the file"}
    | dict.fromkeys(("caller", "door"), _MEMBER),
    "import_row": {"fault": "says what is wrong with a row as a whole, not what it holds"},
    "import_result": dict.fromkeys(("outcome", "pointer", "column_name", "code"), _NAMES),
    "login": dict.fromkeys(("email", "email_key", "password_hash", "status"), _MEMBER),
    "partner_client": dict.fromkeys(("client_id", "dialect", "name", "secret", "redirect_uris"), _MEMBER),
    "partner_code": dict.fromkeys(("code_hash", "client_id"), _MEMBER),
    "partner_grant": {"client_id": _MEMBER},
    "partner_token": dict.fromkeys(("token_hash", "kind"), _MEMBER),
    "request_log": dict.fromkeys(("dialect", "method", "route", "error_code"), _NAMES)
    | dict.fromkeys(("credential_name", "host", "api_version", "client_ip", "user_agent"), _REQUEST),
    "rate_window": {"key": "holds a digest of an address or a login, or the id of a credential"},
    "schema_migration": {"name": _NAMES},
    "secret_key": {"fingerprint": _MEMBER},
    "sink": dict.fromkeys(("kind", "dialect", "form", "events", "types", "fields", "status"), _NAMES)
    | dict.fromkeys(("name", "url", "config", "secret", "former_secret"), _MEMBER)
    | {"reason": "says what became of the sink as a whole"},
    "sync": {"external_id": "is an id, which stays"},
    "sync_message": {"id": "is of a message, not of what it says"},
    "team": dict.fromkeys(("name", "name_key", "settings"), _MEMBER),
    "team_user": dict.fromkeys(
        (
            *("email", "email_key", "first_name", "last_name", "phone", "department", "username", "username_key"),
            *("role", "status"),
        ),
        _MEMBER,
    ),
}
"""The other columns that could hold text, and why they hold nothing of customers."""
