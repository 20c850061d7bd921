"""`/console/{team}/customers/export`: the customers of a list, as a file."""

from collections.abc import Mapping
from typing import Final

import msgspec

from customerhub.console.customers.asked import read_asked
from customerhub.console.customers.listing import LIST
from customerhub.console.desk import Desk, signed_in
from customerhub.console.reader import find_time
from customerhub.core.exports import FORMATS, ExportOrder, export_customers
from customerhub.dialects.views import find_views
from customerhub.model.answer import Answer, Outlet
from customerhub.model.error import NotFound
from customerhub.web.download import to_download
from customerhub.web.screens import Screen

_AT_A_TIME: Final = frozenset(("status", "updated_from", "text", "created_from", "created_before"))


async def download(desk: Desk) -> Answer:
    """`GET /console/{team}/customers/export`: 200 with a file of all that the list's filters let through.

    With `as_of`, as they were at a time: 400 with a page for filters that only look at what is. Raises NotFound for a
    form that there is not.
    """
    query, asked = desk.visit.query, read_asked(desk.visit.query)
    views, sent = find_views(), query.get("format") or "csv"
    file_format = next((one for one in FORMATS if one == sent), None)
    view = views.get(query.get("shape") or desk.canonical().name)
    if view is None or file_format is None:
        raise NotFound("export", sent)
    chosen = msgspec.structs.replace(asked.chosen, text=asked.text or None)
    time = query.get("as_of", "").strip()
    as_of = find_time(time) if time else None
    problem = "This is no time." if time and as_of is None else None
    if asked.problems:
        problem = "One of the filters cannot be understood."
    asks = {name for name in chosen.__struct_fields__ if getattr(chosen, name) is not None}
    if as_of is not None and not asks <= _AT_A_TIME:
        problem = "As they were at a time, customers are chosen by text, status, creation and last change alone."
    if problem is not None:
        return desk.render("customers_export.html", 400, problem=problem, back=desk.url("customers", **asked.query))
    order = ExportOrder(view, file_format, chosen, as_of)

    async def stream(outlet: Outlet) -> None:
        await export_customers(desk.hub, desk.caller, order, outlet)

    return to_download(order.file_name, stream, for_browser=True)


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    f"{LIST}/export": {"GET": signed_in(download, permission="customers:read")},
}
