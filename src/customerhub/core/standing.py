"""The checks that stand before every use case, in one order: credential, key, record, precondition."""

from datetime import datetime

from customerhub.model.answer import Answer, Caller, Guards, IdempotencyKey
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import KeyGone, KeyMismatch, PreconditionFailed, PreconditionRequired, Unauthenticated
from customerhub.store.customers import KeptAnswer

REPLAYED = ("idempotent-replayed", "true")


def check_alive(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> None:
    """Raise Unauthenticated for a credential that was revoked or has expired."""
    if revoked_at is not None:
        raise Unauthenticated("revoked")
    if expires_at is not None and expires_at <= now:
        raise Unauthenticated("expired")


def check_member(catalogue: Catalogue, caller: Caller) -> None:
    """Raise Unauthenticated for what belongs to a member who is disabled.

    The snapshot is of the version that the same query has read as the credential: it knows the member as they are, and
    the query need not look.
    """
    member = catalogue.find_user(caller.actor)
    if member is not None and member.status != "active":
        raise Unauthenticated("revoked")


def replay(kept: KeptAnswer, key: IdempotencyKey) -> Answer:
    """The kept answer, byte for byte and marked; raises KeyMismatch for another request and KeyGone for a secret."""
    if kept.fingerprint != key.fingerprint:
        raise KeyMismatch
    if kept.answer is None:
        raise KeyGone
    return kept.answer.with_header(*REPLAYED)


def check_precondition(guards: Guards, version: int | None, *, is_required: bool) -> None:
    """Raise unless the record (version None: not there yet) is the one that the caller means (RFC 9110, 13.1.1).

    A new record cannot be named, so creating needs no precondition even where the credential demands one.
    """
    if guards.if_match is not None:
        if not guards.if_match.matches(version):
            raise PreconditionFailed(version)
    elif is_required and version is not None:
        raise PreconditionRequired
