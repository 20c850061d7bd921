"""`/v1/operations/carriers`, and below each of them its service levels."""

from typing import Required, cast

from typing_extensions import TypedDict

from customerhub.dialects.augno.answers import Shown, to_page
from customerhub.dialects.augno.ids import CARRIER, SERVICE_LEVEL, from_path
from customerhub.dialects.augno.include import NOTHING, Includes
from customerhub.dialects.augno.models import Visibility
from customerhub.dialects.augno.parts import to_carrier, to_service_level
from customerhub.dialects.augno.resources.family import Family, Judge, Reading
from customerhub.dialects.augno.resources.models import CarrierCode, OwnedCarrier, OwnedServiceLevel
from customerhub.dialects.augno.resources.queries import CarrierListQuery, CarrierQuery, OwnedListQuery, OwnedQuery
from customerhub.dialects.augno.resources.shown import put, to_owner, with_owner
from customerhub.dialects.augno.wire import CONFIG, Name, Text
from customerhub.model.catalogue import CarrierDetails, Catalogue, CatalogueEntry, ServiceLevelDetails
from customerhub.model.error import NotFound
from customerhub.model.page import window
from customerhub.web.operation import Call

# An embedded list has no pages; what is more than this is found in the list itself.
_MOST_LEVELS = 1000


class CarrierEdit(TypedDict, total=False):
    """What to change in a carrier; its code and our account with it stay."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    customer_portal_visibility: Visibility


class CarrierBody(TypedDict, total=False):
    """A carrier to make; code and account number must be there, if only as null."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    code: Required[CarrierCode | None]
    account_number: Required[Text | None]
    customer_portal_visibility: Visibility


class ServiceLevelEdit(TypedDict, total=False):
    """What to change in a service level; `code` is read as `service_level_token`."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    code: Name
    customer_portal_visibility: Visibility
    is_default: bool


class ServiceLevelBody(TypedDict, total=False):
    """A service level to make; `code` is read as `service_level_token`."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    code: Required[Name]
    is_default: Required[bool]
    customer_portal_visibility: Visibility


def _show_carrier(entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    levels = _list_levels(entry, catalogue) if "service_levels" in includes else None
    owner = to_owner(catalogue, includes, is_system=entry.is_system)
    return put(to_carrier(entry), {"owner": owner, "service_levels": levels})


def _list_levels(carrier: CatalogueEntry, catalogue: Catalogue) -> Shown:
    levels = (level for level in catalogue.entries("service_level") if _carrier_of(level) == carrier.id)
    page = window(levels, None, _MOST_LEVELS)
    return to_page([to_owned_service_level(level, catalogue, NOTHING) for level in page.items], has_next=page.has_after)


def to_owned_service_level(entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    """A service level with its owner, which is null unless asked for; inside customers it has none."""
    return with_owner(to_service_level(entry), entry, catalogue, includes)


def _carrier_of(level: CatalogueEntry) -> object:
    return cast("ServiceLevelDetails", level.details).carrier


def _of_carrier(call: Call, catalogue: Catalogue) -> Judge:
    carrier = catalogue.find_live("carrier", from_path(call.path["carrier_id"], CARRIER))
    if carrier is None:
        raise NotFound("carrier", call.path["carrier_id"])
    return lambda level: _carrier_of(level) == carrier.id


def _send_level(entry: CatalogueEntry) -> Shown:
    shown = to_service_level(entry)
    return {**shown, "code": shown["service_level_token"]}


def _to_carrier_details(reading: Reading) -> CarrierDetails:
    fields = {"code": "code", "account_number": "account_number", "customer_portal_visibility": "visibility"}
    return reading.changed(reading.old(CarrierDetails()), fields)


def _to_level_details(reading: Reading) -> ServiceLevelDetails:
    fields = {"code": "token", "customer_portal_visibility": "visibility", "is_default": "is_default"}
    new = ServiceLevelDetails(from_path(reading.call.path["carrier_id"], CARRIER), "")
    return reading.changed(reading.old(new), fields)


CARRIERS = Family(
    kind="carrier",
    prefix=CARRIER,
    noun="carrier",
    plural="carriers",
    path="/v1/operations/carriers",
    body=CarrierBody,
    edit=CarrierEdit,
    answer=OwnedCarrier,
    query=CarrierListQuery,
    include_query=CarrierQuery,
    includes=("owner", "owner.account", "service_levels"),
    show=_show_carrier,
    to_sent=to_carrier,
    to_details=_to_carrier_details,
    texts=lambda entry: (
        entry.name,
        *(getattr(entry.details, name) for name in ("code", "account_number")),
    ),
    notes={
        "list": "`q` looks into name, code and account number.",
        "delete": "Its service levels go with it. Customers that have it keep it; none can be given it any more.",
    },
    examples={
        "create": {"name": "Harbour FedEx", "code": "fedex", "account_number": "510087143"},
        "update": {"customer_portal_visibility": "hidden"},
    },
)
SERVICE_LEVELS = Family(
    kind="service_level",
    prefix=SERVICE_LEVEL,
    noun="service level",
    plural="service levels",
    path="/v1/operations/carriers/{carrier_id}/service-levels",
    body=ServiceLevelBody,
    edit=ServiceLevelEdit,
    answer=OwnedServiceLevel,
    query=OwnedListQuery,
    include_query=OwnedQuery,
    includes=("owner", "owner.account"),
    show=to_owned_service_level,
    to_sent=_send_level,
    to_details=_to_level_details,
    texts=lambda entry: (entry.name, cast("ServiceLevelDetails", entry.details).token),
    inside=_of_carrier,
    unique="code",
    notes={
        "list": "`q` looks into name and code.",
        "delete": "Customers that have it keep it; no customer can be given it any more.",
    },
    examples={
        "create": {"name": "Ground economy", "code": "ground_economy", "is_default": False},
        "update": {"name": "Ground"},
    },
)
