"""`/hub/v1/exports/customers`: all customers in one answer, as CSV or JSON Lines, in the words of any API."""

from typing import Annotated, Final

import msgspec
from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core.exports import FORMATS, ExportOrder, Format, export_customers
from customerhub.dialects.hub.auth import NAME
from customerhub.dialects.hub.customers import read_filter
from customerhub.dialects.hub.paging import QueryReader
from customerhub.dialects.hub.wire import Id
from customerhub.dialects.views import find_views
from customerhub.model.answer import Answer, Outlet
from customerhub.model.customer import Status
from customerhub.model.error import Invalid
from customerhub.web.download import to_download
from customerhub.web.operation import Call

_LONGEST_TEXT: Final = 255
_MOST_FIELDS: Final = 200


class ExportQuery(TypedDict, total=False):
    """Which customers, as of when, in which form."""

    format: Annotated[Format, Field(description="CSV with a line of column names, or an object a line; csv if absent.")]
    shape: Annotated[str, Field(description="The API in whose words customers are told, by its name; hub if absent.")]
    fields: Annotated[
        list[str],
        Field(json_schema_extra={"x-explode": False}, description="Columns, by the dotted names of the CSV form."),
    ]
    as_of: Annotated[str, Field(description="A time with its zone: customers as they were then.")]
    q: Annotated[str, Field(description="A part of the name, number, email address or phone, ignoring case.")]
    status: Status
    created_since: Annotated[str, Field(description="A time with its zone, included.")]
    updated_since: Annotated[str, Field(description="A time with its zone, included.")]
    ids: Annotated[list[Id], Field(json_schema_extra={"x-explode": False})]
    reference_ids: Annotated[list[str], Field(json_schema_extra={"x-explode": False})]
    email: Annotated[str, Field(description="In any case of letters.")]


_PARAMETERS: Final = tuple(ExportQuery.__annotations__)


async def export(call: Call) -> Answer:
    """`GET /hub/v1/exports/customers`: 200 with all of them, made while it is sent."""
    order = _read_order(call)
    await call.hub.check_caller(call.caller)

    async def stream(outlet: Outlet) -> None:
        await export_customers(call.hub, call.caller, order, outlet)

    return to_download(order.file_name, stream)


def _read_order(call: Call) -> ExportOrder:
    reader, views = QueryReader(call.query, _PARAMETERS), find_views()
    view = views[reader.choice("shape", tuple(views), NAME)]
    order = ExportOrder(
        view=view,
        format=reader.choice("format", tuple(FORMATS), "csv"),
        filter=msgspec.structs.replace(read_filter(reader, call.query), text=reader.text("q", _LONGEST_TEXT)),
        as_of=reader.time("as_of"),
        fields=reader.texts("fields", _MOST_FIELDS),
    )
    try:
        order.check()
    except Invalid as error:
        reader.refuse("fields", error.errors[0].reason, error.errors[0].code)
    reader.check()
    return order
