"""Duplicates, merges, and merges taken back: the routes."""

from typing import Final

from customerhub.dialects.hub import duplicates, merging, models
from customerhub.dialects.hub.answers import CUSTOMER, MOVED, VERSION
from customerhub.dialects.hub.auth import READ, WRITE
from customerhub.web.operation import Operation

_TAGS: Final = ("Duplicates",)
_ID: Final = "5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10"
_MERGED: Final = (
    "The sources are deleted and say where they went; their ids are 301 from then on. Addresses, contacts, custom "
    "values, reps and groups come together; other values are the customer's own, with describing texts filled in. "
    "`survivorship` says by member whose value stands instead. With `Customerhub-Dry-Run: true` it is a preview."
)
_UNMERGED: Final = (
    "The sources are as they were, the customer gives up what it had from them, who stood below a source does again. "
    "What was changed since is 409 and named, unless `prefer` says what stands: `current` or `former`."
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=f"{VERSION}/duplicates",
        name="listDuplicates",
        summary="List customers that may be the same",
        description="Groups that share an email address, a phone number, a tax number, or name and postal code. A page "
        "may hold fewer than `limit`, or none, though `next` leads on.",
        handler=duplicates.list_groups,
        query=duplicates.DuplicatesQuery,
        answer=models.Page[duplicates.GroupRow],
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="GET",
        path=f"{CUSTOMER}/duplicates",
        name="listCandidates",
        summary="List who may be the same customer",
        description="The likeliest first, each with its reasons.",
        handler=duplicates.list_candidates,
        answer=duplicates.CandidatePage,
        errors=(400,),
        others=MOVED,
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=f"{CUSTOMER}/merge",
        name="mergeCustomers",
        summary="Make one customer of several",
        description=_MERGED,
        handler=merging.merge,
        body=merging.MergeBody,
        answer=models.Written,
        errors=(409, 422),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"sources": [_ID], "survivorship": {"email": _ID}}},
    ),
    Operation(
        method="POST",
        path=f"{CUSTOMER}/unmerge",
        name="unmergeCustomer",
        summary="Take a merge back",
        description=_UNMERGED,
        handler=merging.unmerge,
        body=merging.UnmergeBody,
        answer=merging.Unmerged,
        errors=(409, 422),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"version": 7}},
    ),
)
