"""What a delivery says: the record around the version that it is about, from the history or from memory."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Told
from customerhub.core.revert import get_former
from customerhub.model.customer import Customer
from customerhub.model.error import HistoryGone, NotFound
from customerhub.model.replay import Stamp, follow
from customerhub.store import deliveries as store
from customerhub.store.db import Connection
from customerhub.store.deliveries import Delivery, Source
from customerhub.store.erasure import get_records, read_team

_REMEMBERED: Final = 1000
_FIRST: Final = 1
# Whoever looks at a mirror's log may find that the history of that version is gone.
_UNKNOWN: Final = Source(UUID(int=0), "", "", "", ())


class States:
    """The last state of customers that this process told somebody of: the next version usually follows from it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, UUID], Customer] = OrderedDict()

    async def get_around(
        self, connection: Connection, team: UUID, delivery: Delivery, source: Source
    ) -> tuple[Customer | None, Customer]:
        """The record before a version (None: there was none) and at it. Raises HistoryGone and NotFound."""
        version, customer = delivery.version, delivery.customer
        if version == _FIRST or any(change.path == "" for change in source.changes):
            # The first version holds all of it, and so does what an erasure leaves.
            return None, self._keep(await get_former(connection, team, customer, version))
        if any(change.erased for change in source.changes):
            raise HistoryGone(version)
        before = self._known.get((team, customer))
        if before is None or before.version != version - 1:
            before = await get_former(connection, team, customer, version - 1)
        return before, self._keep(follow(before, source.changes, Stamp(version, delivery.at, source.actor)))

    def _keep(self, customer: Customer) -> Customer:
        place = (customer.team, customer.id)
        self._known[place] = customer
        self._known.move_to_end(place)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return customer


async def find_told(
    hub: Hub, connection: Connection, states: States, team: UUID, delivery: Delivery, *, is_mirror: bool
) -> Told | None:
    """What a sink is told; a mirror gets the record as it stands now.

    None where the history does not say any more what the delivery is about.
    """
    source = await store.find_source(connection, team, delivery.customer, delivery.version)
    before = None
    if is_mirror:
        (after,) = await get_records(connection, team, (delivery.customer,))
        source = source or _UNKNOWN
    elif source is None:
        return None
    else:
        try:
            before, after = await states.get_around(connection, team, delivery, source)
        except (HistoryGone, NotFound):
            return None
    # After the record: what it refers to is in the catalogue by then.
    standing = await read_team(connection, team)
    catalogue = await hub.catalogue(connection, team, standing.catalogue_version)
    return Told(
        delivery=delivery.id,
        type=delivery.type,
        at=delivery.at,
        position=delivery.position,
        customer=delivery.customer,
        version=after.version,
        before=before,
        after=after,
        changes=source.changes,
        catalogue=catalogue,
        actor=source.actor,
        actor_name=source.actor_name,
        dialect=source.dialect,
        request_id=source.request_id,
        attempt=delivery.attempts + 1,
        parts=delivery.parts,
        is_asked_again=delivery.rounds > 0,
    )
