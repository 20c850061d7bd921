"""Erasure: the route."""

from typing import Final

from customerhub.dialects.hub import erasure
from customerhub.dialects.hub.answers import CUSTOMER, MOVED
from customerhub.dialects.hub.auth import ADMIN
from customerhub.web.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="POST",
        path=f"{CUSTOMER}/erase",
        name="eraseCustomer",
        summary="Erase a customer",
        description="For good: the record, its history, kept answers and logs lose every value of it, and of all "
        "customers that were merged into it; versions, paths, times and actors stay. Deleted customers too. There is "
        "no way back.",
        handler=erasure.erase,
        body=erasure.EraseBody,
        answer=erasure.ErasedAnswer,
        errors=(409, 422),
        others=MOVED,
        permissions=(ADMIN,),
        tags=("History",),
        writes=True,
        examples={"body": {"confirm": "C00042", "reason": "Asked for on 12 May, ticket 1841"}},
    ),
)
