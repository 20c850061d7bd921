"""By what the rows of a file find their customers where nobody says it: ids of other systems are none of ours."""

from typing import Final

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.imports.items import COLUMNS, Refused, find_sought
from customerhub.core.imports.orders import Upload
from customerhub.model.answer import Caller
from customerhub.store import bulk
from customerhub.store.imports import MatchBy

# Numbers are given by whoever keeps customers: two systems have the same ones for different customers.
_OF_STRANGERS: Final[tuple[MatchBy, ...]] = ("email", "reference_id", "number")


async def settle_key(hub: Hub, caller: Caller, upload: Upload) -> Upload:
    """The upload with the key that its rows are matched by: an id stays where one of the first rows has one of ours.

    Otherwise the file is of another system, and it is the email address, the reference or the number, whichever most of
    the first rows have. Raises Unauthenticated.
    """
    if upload.options.match_by != "id":
        return upload
    ids = []
    for keys in upload.keys:
        try:
            ids.append(find_sought("id", keys.get("id")))
        except Refused:
            continue
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await bulk.find_matches(connection, caller.team, COLUMNS["id"], [one for one in ids if one is not None])
    if found:
        return upload
    usual = (key for key in _OF_STRANGERS if 2 * sum(key in keys for keys in upload.keys) > len(upload.keys))
    return msgspec.structs.replace(
        upload, options=msgspec.structs.replace(upload.options, match_by=next(usual, "number"))
    )
