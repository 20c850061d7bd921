"""Search: the route."""

from typing import Final

from customerhub.dialects.hub import models, search
from customerhub.dialects.hub.answers import VERSION
from customerhub.dialects.hub.auth import READ
from customerhub.web.operation import Operation

_DESCRIPTION: Final = (
    "Looks through name, number, reference, email address, digits of the phone, names of contacts and cities, ignoring "
    "case: for the beginning of any word, and from three characters on for any part. Whole numbers, references and "
    "email addresses come first, then beginnings of words, then other parts. No character is a wildcard; of more than "
    "1,000 matches some are left out. `next` is always null."
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=f"{VERSION}/search",
        name="searchCustomers",
        summary="Search customers",
        description=_DESCRIPTION,
        handler=search.search,
        query=search.SearchQuery,
        answer=models.Page[search.FoundCustomer],
        errors=(400,),
        permissions=(READ,),
        tags=("Customers",),
    ),
)
