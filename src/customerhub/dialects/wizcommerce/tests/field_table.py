"""The README's table of fields as data: what absent, null and empty mean in each field, and what it may hold."""

import re
from pathlib import Path
from typing import NamedTuple, get_type_hints

from customerhub.dialects.wizcommerce import answers, wire

README = Path(__file__).parents[1] / "README.md"
HEADER = ["body", "field", "absent", "null", '`""`', "`[]`", "checks"]
UNKNOWN, READ_ONLY = "*unknown*", "*read-only*"

# Each body of the table, its wire model, and the answer's model where there is a record to read back.
MODELS: dict[str, tuple[type, type | None]] = {
    "POST customer": (wire.CustomerBody, answers.Customer),
    "POST customer: addresses[]": (wire.AddressBody, answers.Address),
    "POST customer: contacts[]": (wire.ContactBody, answers.Contact),
    "PATCH customer": (wire.CustomerEdit, answers.Customer),
    "PATCH customer: addresses[]": (wire.AddressEdit, answers.Address),
    "PATCH customer: contacts[]": (wire.ContactEdit, answers.Contact),
    "POST address": (wire.AddressBody, answers.Address),
    "PUT address": (wire.AddressBody, answers.Address),
    "POST contact": (wire.ContactBody, answers.Contact),
    "PUT contact": (wire.ContactBody, answers.Contact),
    "any attributes[]": (wire.AttributeBody, answers.AttributeValue),
    "POST price list": (wire.PriceListBody, answers.PriceList),
    "PATCH price list": (wire.PriceListEdit, answers.PriceList),
    "POST attribute": (wire.AttributeDefinitionBody, answers.AttributeDefinition),
    "POST attribute: configuration": (wire.AttributeConfiguration, None),
    "POST attribute: configuration.options[]": (wire.AttributeOptionBody, None),
    "POST token": (wire.TokenBody, None),
}


class Row(NamedTuple):
    """One row; `checks` are the phrases of its last cell."""

    body: str
    field: str
    absent: str
    null: str
    empty: str
    array: str
    checks: tuple[str, ...]

    @property
    def is_field(self) -> bool:
        """Whether it tells of one field, not of unknown or read-only ones."""
        return self.field not in (UNKNOWN, READ_ONLY)

    @property
    def names(self) -> list[str]:
        """The read-only members in the last cell."""
        return re.findall(r"`(\w+)`", self.checks[0])


def read_table() -> list[Row]:
    """Every row, in order."""
    lines = iter(README.read_text("utf-8").splitlines())
    cells = [_cells(line) for line in lines if line.startswith("|")]
    first = cells.index(HEADER)
    rows = []
    for row in cells[first + 2 :]:
        if len(row) != len(HEADER):
            break
        body, field, absent, null, empty, array, checks = row
        rows.append(Row(body, field.strip("`"), absent, null, empty, array, tuple(checks.split("; "))))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def members(model: type) -> list[str]:
    """The members of a wire model or an answer, in no meaningful order."""
    return sorted(get_type_hints(model))
