"""`/console/{team}/customers/deleted`: customers that were taken away, and the way to each of them."""

from collections.abc import Mapping
from typing import Final

from customerhub.console.customers.listing import LIST
from customerhub.console.desk import Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.core.timeline import list_deleted
from customerhub.model.answer import Answer
from customerhub.web.screens import Screen

_PAGE: Final = 50


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/customers/deleted`: 200 with a page, the last deleted first."""
    scope = f"deleted customers {desk.team}"
    position = to_position(scope, desk.visit.query.get("at"))
    window = await list_deleted(desk.hub, desk.caller, position, _PAGE)
    before, after = to_token(scope, window.before), to_token(scope, window.after)
    return desk.render(
        "customers_deleted.html",
        customers=window.items,
        before=desk.url("customers", "deleted", at=before) if before else None,
        after=desk.url("customers", "deleted", at=after) if after else None,
    )


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    f"{LIST}/deleted": {"GET": signed_in(show, permission="customers:read")},
}
