"""Histories, the way back, and the feed of changes: the routes."""

from typing import Final

from customerhub.dialects.hub import models, timeline, wire
from customerhub.dialects.hub.answers import CUSTOMER, MOVED, VERSION
from customerhub.dialects.hub.auth import READ, WRITE
from customerhub.web.operation import Operation

_TAGS: Final = ("History",)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=f"{CUSTOMER}/history",
        name="listHistory",
        summary="List the versions of a customer",
        description="The newest first, with what each changed; deleted customers have theirs too.",
        handler=timeline.list_history,
        query=wire.HistoryQuery,
        answer=models.Page[models.HistoryEntry],
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=f"{CUSTOMER}/revert",
        name="revertCustomer",
        summary="Go back to a former version",
        description="All of it, or the places that are named, as a new version.",
        handler=timeline.revert,
        body=wire.RevertBody,
        answer=models.Written,
        errors=(409, 422),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"version": 3, "paths": ["/standing", "/attributes/Region"]}},
    ),
    Operation(
        method="POST",
        path=f"{CUSTOMER}/restore",
        name="restoreCustomer",
        summary="Restore a deleted customer",
        description="As it was, while its number, reference and email address are free.",
        handler=timeline.restore,
        answer=models.Written,
        errors=(409,),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
    ),
    Operation(
        method="GET",
        path=f"{VERSION}/changes",
        name="listChanges",
        summary="Follow the changes of all customers",
        description="The oldest first, without gaps; `next` is what `after` takes. `wait` holds the answer back for a "
        "while where there is none yet.",
        handler=timeline.list_changes,
        query=wire.ChangesQuery,
        answer=models.Feed,
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
)
