"""Write the documents that follow the code: `python -m tests.support.documents` after a change to what they tell.

`docs/dialects.md` is read off the dialects' own views: each canonical field is set, and where the view differs the
dialect shows it.
"""

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import msgspec

from customerhub.dialects.base import find_dialects
from customerhub.embedded import open_cluster
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
    User,
)
from customerhub.model.customer import Address, Attribute, Contact, Customer
from customerhub.settings import Settings
from customerhub.store.db import connect
from customerhub.store.migrate import migrate
from customerhub.store.spread import list_tables
from customerhub.web.dialect import Dialect
from tests.support.guarantees import to_guarantees_page
from tests.support.spread import with_sections

DOCS = Path(__file__).parents[2] / "docs"
_AT, _LATER = datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC), datetime(2025, 4, 5, 10, 11, 12, tzinfo=UTC)
_ID, _OTHER = UUID(int=1), UUID(int=2)
_ATTRIBUTE = Attribute(_ID, "Region", "Nordics", _ID, _ID, _AT, _AT)
_ADDRESS = Address(_ID, _AT, _AT, type="billing")
_CONTACT = Contact(_ID, _AT, _AT)
_BLANK = Customer(_ID, _ID, 1, _AT, _AT, _ID, _ID, "Name", "C1", addresses=(_ADDRESS,), contacts=(_CONTACT,))
_ENTRIES: Mapping[Kind, Details] = {
    "payment_term": NoDetails(),
    "shipping_term": ShippingTermDetails(),
    "carrier": CarrierDetails(),
    "service_level": ServiceLevelDetails(_ID, "ground"),
    "unit": UnitDetails("currency", "$"),
    "price_list": PriceListDetails(),
    "account_group": AccountGroupDetails("type_group"),
}
_VALUES: Mapping[str, object] = {
    "version": 2,
    "deleted_at": _LATER,
    "created_at": _LATER,
    "updated_at": _LATER,
    "status": "inactive",
    "standing": "preferred",
    "sales_reps": (_ID,),
    "price_groups": (_ID,),
    "priority": "high",
    "commission_policy": "commission_applied",
    "freight_policy": "free_freight",
    "is_edi_enabled": True,
    "carrier_billing_type": "third_party",
    "credit_limit": Decimal(5),
    "accepts_invoice_emails": False,
    "tax_excluded": True,
    "tax_auto_calculate": True,
    "is_drop_ship": True,
    "attributes": (_ATTRIBUTE,),
    "type": "shipping",
}
_REFERENCES = frozenset(
    (
        *("payment_term", "shipping_term", "carrier", "service_level", "default_sales_rep", "price_list"),
        *("type_group", "credit_limit_unit", "credit_limit_id", "parent", "bill_to", "ship_to", "primary_contact"),
    )
)


def to_dialects_page() -> str:
    """Which canonical field each dialect shows, and under which name; and every dialect's paths."""
    dialects = find_dialects()
    lines = [
        "# What each dialect shows and takes",
        "",
        "Read off the code; `python -m tests.support.documents` writes it anew. A dash: the dialect does not show the",
        "field, and leaves it as it is. A view of one record cannot show another one: where a `parent` is shown, the",
        "dialect's own page says so.",
        "",
        "| canonical field | " + " | ".join(dialect.document.title for dialect in dialects) + " |",
        "| --- |" + " --- |" * len(dialects),
    ]
    lines += (
        f"| {field} | " + " | ".join(_name_in(dialect, changed, before) for dialect in dialects) + " |"
        for field, before, changed in _variants()
    )
    for dialect in dialects:
        lines += [
            "",
            f"## {dialect.document.title}",
            "",
            "| method | path | does | answers |",
            "| --- | --- | --- | --- |",
        ]
        lines += (
            f"| {operation.method} | `{operation.path}` | {operation.summary} | {operation.status} |"
            for operation in dialect.operations
        )
    return "\n".join(lines) + "\n"


def _variants() -> Iterator[tuple[str, Customer, Customer]]:
    """Every canonical field with a record that lacks it and one that has it."""
    skipped = {"team", "id", "addresses", "contacts"}
    for field in Customer.__struct_fields__:
        if field in skipped:
            continue
        before = _BLANK
        if field.startswith("credit_limit"):
            before = msgspec.structs.replace(_BLANK, credit_limit=Decimal(4), credit_limit_id=_OTHER)
        if field == "ship_to":
            before = msgspec.structs.replace(_BLANK, addresses=(msgspec.structs.replace(_ADDRESS, type="shipping"),))
        yield field, before, msgspec.structs.replace(before, **{field: _value_of(field)})
    for member, entry in (("addresses", _ADDRESS), ("contacts", _CONTACT)):
        for field in entry.__struct_fields__:
            if field == "id":
                continue
            other = msgspec.structs.replace(entry, **{field: _value_of(field)})
            before = msgspec.structs.replace(_BLANK, bill_to=_ID)
            yield f"{member}[].{field}", before, msgspec.structs.replace(before, **{member: (other,)})


def _value_of(field: str) -> Any:  # Any: whatever the field holds
    if field in ("created_by", "updated_by"):
        return _OTHER
    return _ID if field in _REFERENCES else _VALUES.get(field, "X")


def _name_in(dialect: Dialect, changed: Customer, before: Customer) -> str:
    entries = [CatalogueEntry(_ID, kind, "T", _AT, _AT, _ID, _ID, details) for kind, details in _ENTRIES.items()]
    user = User(_ID, "rep@supplier.example", "R", "S", _AT, _AT, _ID, _ID)
    names: dict[str, None] = {}
    for entry in entries:  # one at a time, since they share an id
        catalogue = Catalogue(1, (entry,), (user,))
        for path in _differences(dialect.show(before, catalogue), dialect.show(changed, catalogue)):
            names[path] = None
    return ", ".join(f"`{name}`" for name in names) or "–"


def _differences(old: object, new: object, path: str = "") -> Iterator[str]:
    """The paths at which two views differ; a member that only one has is one path."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            here = f"{path}.{name}" if path else name
            if name in old and name in new:
                yield from _differences(old[name], new[name], here)
            else:
                yield here
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other, f"{path}[]")
    elif old != new:
        yield path


def to_settings_page() -> str:
    """Every setting, with its variable, default and meaning."""
    lines = [
        "# Settings",
        "",
        "Read from the environment; the options of the same names on the command line override. `customerhub settings`",
        "shows what is in force and where it comes from.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in ("", None) else f"`{field.default}`"
        lines.append(f"| `CUSTOMERHUB_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


PAGES = {"dialects.md": to_dialects_page, "guarantees.md": to_guarantees_page, "settings.md": to_settings_page}


async def write_scale_page(url: str) -> None:
    """Write the tables of the page on scale anew, read off the schema in an empty database."""
    connection = await connect(url)
    await migrate(connection)
    page = (DOCS / "scale.md").read_text(encoding="utf-8")
    (DOCS / "scale.md").write_text(with_sections(page, await list_tables(connection)), encoding="utf-8")
    await connection.close()


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory, open_cluster(Path(directory) / "hub") as cluster:
        cluster.create_database("documents")
        anyio.run(write_scale_page, cluster.url("documents"))


if __name__ == "__main__":
    main()
