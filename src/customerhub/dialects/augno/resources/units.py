"""`/v1/catalog/units`: units of measure, currencies among them."""

from decimal import Decimal
from typing import Annotated, Any, get_args

import msgspec
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.dialects.augno import wire
from customerhub.dialects.augno.answers import Shown
from customerhub.dialects.augno.ids import UNIT, to_id
from customerhub.dialects.augno.include import Includes
from customerhub.dialects.augno.paging import QueryReader
from customerhub.dialects.augno.parts import to_times
from customerhub.dialects.augno.quantity import find_decimal, to_digits
from customerhub.dialects.augno.resources.family import Family, Judge, Reading
from customerhub.dialects.augno.resources.models import Unit, UnitType
from customerhub.dialects.augno.resources.queries import OwnedQuery, UnitListQuery
from customerhub.dialects.augno.resources.shown import with_owner
from customerhub.dialects.augno.wire import CONFIG, Name
from customerhub.model.catalogue import Catalogue, CatalogueEntry, UnitDetails

_TYPES: tuple[UnitType, ...] = get_args(UnitType)
_FRACTIONS = ("ratio_numerator", "ratio_denominator", "offset_numerator", "offset_denominator")


def _positive(text: str) -> str:
    number = find_decimal(text)
    if number is not None and number <= 0:
        raise PydanticCustomError("not_positive", "must be more than 0")
    return text


Positive = Annotated[wire.Decimal, AfterValidator(_positive)]
Abbreviation = Annotated[Name, Field(max_length=32)]


class UnitEdit(TypedDict, total=False):
    """What to change in a unit; its type never changes."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    abbreviation: Abbreviation
    ratio_numerator: Positive
    ratio_denominator: Positive
    offset_numerator: wire.Decimal
    offset_denominator: Positive


class UnitBody(TypedDict):
    """A unit to make: a value of it in base units is that value times ratio plus offset."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    abbreviation: Abbreviation
    type: UnitType
    ratio_numerator: Positive
    ratio_denominator: Positive
    offset_numerator: wire.Decimal
    offset_denominator: Positive


def to_unit_details(entry: CatalogueEntry) -> UnitDetails:
    """What a unit is."""
    if not isinstance(entry.details, UnitDetails):
        raise TypeError(f"{entry.id} is no unit")
    return entry.details


def _to_unit(entry: CatalogueEntry) -> Shown:
    details = to_unit_details(entry)
    return {
        "id": to_id(UNIT, entry.id),
        "object": "unit",
        "name": entry.name,
        "abbreviation": details.abbreviation,
        "type": details.type,
        **{name: to_digits(getattr(details, name)) for name in _FRACTIONS},
        "is_base_unit": details.is_base_unit,
        "owner": None,
        **to_times(entry),
    }


def to_owned_unit(entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    """A unit, with whose it is if that is asked for."""
    return with_owner(_to_unit(entry), entry, catalogue, includes)


def _to_details(reading: Reading) -> UnitDetails:
    old = reading.old(UnitDetails("quantity", ""))
    # Any: decimals by the names of their fields.
    numbers: dict[str, Any] = {
        name: number for name in _FRACTIONS if (number := _find_number(reading, name)) is not None
    }
    return msgspec.structs.replace(reading.changed(old, {"type": "type", "abbreviation": "abbreviation"}), **numbers)


def _find_number(reading: Reading, name: str) -> Decimal | None:
    sent = reading.sent.get(name)
    return find_decimal(sent) if isinstance(sent, str) else None


def _keep(reader: QueryReader) -> Judge:
    types = reader.choices("type", _TYPES)
    return lambda entry: not types or to_unit_details(entry).type in types


UNITS = Family(
    kind="unit",
    prefix=UNIT,
    noun="unit",
    plural="units",
    path="/v1/catalog/units",
    body=UnitBody,
    edit=UnitEdit,
    answer=Unit,
    query=UnitListQuery,
    include_query=OwnedQuery,
    includes=("owner", "owner.account"),
    show=to_owned_unit,
    to_sent=_to_unit,
    to_details=_to_details,
    texts=lambda entry: (entry.name, to_unit_details(entry).abbreviation),
    keep=_keep,
    keeps_in_use=True,
    notes={
        "list": "Currencies come with every account; `q` looks into name and abbreviation.",
        "delete": "A unit that a credit limit or a shipping term is in cannot be deleted.",
    },
    examples={
        "create": {
            "name": "Sack of 25",
            "abbreviation": "sk25",
            "type": "quantity",
            "ratio_numerator": "25",
            "ratio_denominator": "1",
            "offset_numerator": "0",
            "offset_denominator": "1",
        },
        "update": {"abbreviation": "sack"},
    },
)
