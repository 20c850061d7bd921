"""The README's other tables are true as well: endpoints, failures, orders, settings."""

import re
from typing import Any, get_args, get_type_hints

from customerhub.dialects.wizcommerce import paging, routes
from customerhub.dialects.wizcommerce.errors import to_answer
from customerhub.dialects.wizcommerce.tests.field_table import README
from customerhub.dialects.wizcommerce.tests.test_contract_errors import EVERY
from customerhub.model.catalogue import TeamSettings

LISTS: dict[str, Any] = {
    "customers": paging.CustomerListQuery,
    "addresses": paging.AddressListQuery,
    "contacts": paging.ContactListQuery,
    "sales reps": paging.SalesRepListQuery,
    "price lists": paging.PriceListListQuery,
    "attributes": paging.DefinitionListQuery,
}


def table(first: str) -> list[list[str]]:
    """The rows of the table whose header begins with this cell."""
    text = README.read_text("utf-8")
    found = re.search(rf"^\| {first} \|.*\n\|[- |]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def test_every_endpoint_is_told_with_its_status() -> None:
    """The table of endpoints is the route table."""
    told = {(endpoint, status) for endpoint, status, _ in table("endpoint")}
    assert told == {(f"`{op.method} {op.path}`", str(op.status)) for op in routes.OPERATIONS}


def test_every_failure_is_told_with_its_code() -> None:
    """The table of failures has every status with its code, and no other."""
    told = {(int(status), code) for status, code, _ in table("status")}
    assert told == set(EVERY.values())
    assert {to_answer(error, "").status for error in EVERY} == {status for status, _ in told}


def test_every_filter_and_order_is_told() -> None:
    """The table of lists has each filter, and each order with the default first."""
    rows = {name: (filters, orders) for name, filters, orders in table("list")}
    assert set(rows) == set(LISTS)
    for name, query in LISTS.items():
        known = get_type_hints(query)
        filters = set(re.findall(r"`(\w+)`", rows[name][0]))
        assert filters == set(known) - {"page", "page_size", "sort", "sort_by"}
        if "sort_by" in known:
            orders = re.findall(r"`(\w+)`", rows[name][1])
            assert sorted(orders) == sorted(get_args(known["sort_by"]))
            assert orders[0] == "updated_at"


def test_every_setting_of_a_team_is_told() -> None:
    """The table of settings has each one, with a value that is not its default."""
    told = {setting.strip("`"): value.strip("`") for setting, value, _ in table("setting")}
    assert set(told) == set(TeamSettings.__struct_fields__)
    defaults = TeamSettings()
    assert [name for name, value in told.items() if value == str(getattr(defaults, name)).lower()] == []
