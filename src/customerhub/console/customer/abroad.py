"""Where else a customer is kept, in words: under which id, and whether the other side has what stands here."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from customerhub.core.abroad import Abroad
from customerhub.model.customer import Customer


@dataclass(frozen=True, slots=True)
class Place:
    """One sink: what it is called, the record's id there, how the two sides stand, since when, and why not in step."""

    sink: UUID
    name: str
    kind: str
    external_id: str | None
    state: str
    tone: str
    reasons: tuple[str, ...]
    version: int | None
    pause: str


def to_places(found: Iterable[Abroad], customer: Customer) -> list[Place]:
    """The customer at each sink; webhooks only where one was told of it."""
    return [_to_place(one, customer) for one in found if one.is_mirror or one.latest is not None]


def _to_place(one: Abroad, customer: Customer) -> Place:
    sink, sync = one.sink, one.sync
    state, tone, reasons = _judge(one, customer)
    version = sync.version if sync is not None and sync.version else None
    return Place(
        sink.id,
        sink.name or sink.url or sink.kind.capitalize(),
        sink.kind,
        sync.external_id if sync is not None else None,
        state,
        tone,
        reasons,
        version if version is not None or one.latest is None or one.is_mirror else one.latest.version,
        sink.status if sink.status != "active" else "",
    )


def _judge(one: Abroad, customer: Customer) -> tuple[str, str, tuple[str, ...]]:
    sync, latest = one.sync, one.latest
    said = tuple(filter(None, dict.fromkeys((latest.reason if latest else None, sync.error if sync else None))))
    if latest is not None and latest.status == "dead":
        return "failed", "bad", said
    if latest is not None and latest.status == "waiting":
        return ("failed, is tried again", "warn", said) if latest.tries else ("waiting", "warn", said)
    if sync is not None and sync.error:
        return "failed", "bad", said
    if sync is not None and sync.left_out:
        return "in step but for some fields", "warn", tuple(f"{name}: {why}" for name, why in sync.left_out.items())
    if not one.is_mirror:
        return "told", "good", ()
    if sync is None or sync.external_id is None:
        return "not there", "plain", said
    if latest is not None and latest.version < customer.version and sync.version < customer.version:
        return "waiting", "warn", ()
    return "in step", "good", ()
