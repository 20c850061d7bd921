"""Exports: the route."""

from typing import Final

from customerhub.core.exports import FORMATS
from customerhub.dialects.hub import exporting
from customerhub.dialects.hub.answers import VERSION
from customerhub.dialects.hub.auth import READ
from customerhub.web.operation import Operation

EXPORT: Final = f"{VERSION}/exports/customers"
_DESCRIPTION: Final = (
    "All that the filters find, the oldest first, as one moment has them, sent while it is read: take it as fast as it "
    "comes. An answer that ends without its last chunk is not whole: ask again. Cells that begin with `=`, `+`, `-` or "
    "`@` have an apostrophe in front. With `as_of`, `Customerhub-Left-Out` says how many customers are missing because "
    "what they were then is erased or too long ago."
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=EXPORT,
        name="exportCustomers",
        summary="Export customers",
        description=_DESCRIPTION,
        handler=exporting.export,
        query=exporting.ExportQuery,
        answer=str,
        answer_types=tuple(media_type.partition(";")[0] for media_type in FORMATS.values()),
        errors=(400,),
        permissions=(READ,),
        tags=("Files",),
    ),
)
