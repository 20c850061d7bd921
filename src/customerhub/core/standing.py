"""The checks that stand before every use case, in one order: credential, key, record, precondition."""

from datetime import datetime

from customerhub.model.answer import Answer, Guards, IdempotencyKey
from customerhub.model.error import KeyGone, KeyMismatch, PreconditionFailed, PreconditionRequired, Unauthenticated
from customerhub.store.customers import KeptAnswer

REPLAYED = ("idempotent-replayed", "true")


def check_alive(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> None:
    """Raise Unauthenticated for a credential that was revoked or has expired."""
    if revoked_at is not None:
        raise Unauthenticated("revoked")
    if expires_at is not None and expires_at <= now:
        raise Unauthenticated("expired")


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
