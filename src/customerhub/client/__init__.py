"""A client of the hub's own API, blocking or async, that can be used without anything else of customerhub."""

from customerhub.client.asking import JsonPatchOperation, ListEdit, Operation
from customerhub.client.awaiting import AsyncClient
from customerhub.client.blocking import Client
from customerhub.client.errors import (
    BadRequest,
    Conflict,
    CustomerhubError,
    Forbidden,
    Gone,
    Invalid,
    Merged,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Unreadable,
    UnsupportedMediaType,
)
from customerhub.client.finding import Candidate, Common, DuplicateGroup, Duplicates, Found, Shared, Summary
from customerhub.client.history import Actor, Change, FieldChange, HistoryEntry
from customerhub.client.problems import Difference, Fault, Outcome, Problem
from customerhub.client.records import Address, Contact, CreditLimit, Customer, Erased, Unmerged, ViewWritten, Written
from customerhub.client.retries import Patience

__all__ = [
    "Actor",
    "Address",
    "AsyncClient",
    "BadRequest",
    "Candidate",
    "Change",
    "Client",
    "Common",
    "Conflict",
    "Contact",
    "CreditLimit",
    "Customer",
    "CustomerhubError",
    "Difference",
    "DuplicateGroup",
    "Duplicates",
    "Erased",
    "Fault",
    "FieldChange",
    "Forbidden",
    "Found",
    "Gone",
    "HistoryEntry",
    "Invalid",
    "JsonPatchOperation",
    "ListEdit",
    "Merged",
    "NotFound",
    "Operation",
    "Outcome",
    "Patience",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "RateLimited",
    "Refused",
    "Shared",
    "Summary",
    "Unauthenticated",
    "Unavailable",
    "Unmerged",
    "Unreachable",
    "Unreadable",
    "UnsupportedMediaType",
    "ViewWritten",
    "Written",
]
