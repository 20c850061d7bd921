"""Lists: pages, filters, order."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from customerhub.dialects.wizcommerce.show import to_time
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import fields, patched
from tests.support.world import Json, World, contact_body

LISTS = ("/v1/customers", "/v1/sales-reps", "/v1/price-lists", "/v1/attributes")


async def ids(world: World, path: str, **query: object) -> list[str]:
    """The ids on a page, in order."""
    answer = await world.api.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


async def pagination(world: World, path: str, **query: int) -> Json:
    """Where a page stands, and how many rows are on it."""
    body = (await world.api.get(path, params=query)).json()
    return {**body["pagination"], "rows": len(body["data"])}


def standing(total: int, pages: int, page: int, neighbours: tuple[int, int], size: int, rows: int) -> Json:
    """What `pagination` gives; `neighbours` are the page before and the page after."""
    names = ("total_records", "total_pages", "current_page", "prev_page", "next_page", "page_size", "rows")
    return dict(zip(names, (total, pages, page, *neighbours, size, rows), strict=True))


async def test_pages_end_with_zero_on_both_sides(world: World) -> None:
    """Ten rows unless asked otherwise; before the first and after the last page there is page 0; past it, no rows."""
    assert await pagination(world, "/v1/customers") == standing(0, 0, 1, (0, 0), 10, 0)
    for _ in range(11):
        await world.create()
    assert await pagination(world, "/v1/customers") == standing(11, 2, 1, (0, 2), 10, 10)
    assert await pagination(world, "/v1/customers", page=2) == standing(11, 2, 2, (1, 0), 10, 1)
    assert await pagination(world, "/v1/customers", page=3) == standing(11, 2, 3, (2, 0), 10, 0)
    assert await pagination(world, "/v1/customers", page_size=100) == standing(11, 1, 1, (0, 0), 100, 11)
    assert await pagination(world, "/v1/customers", page_size=4, page=2) == standing(11, 3, 2, (1, 3), 4, 4)


async def test_every_list_pages_alike(world: World) -> None:
    """The same block, defaults and limits on every list, nested ones too."""
    customer = await world.create(world.full_body())
    nested = tuple(f"/v1/customers/{customer['id']}/{member}" for member in ("addresses", "contacts"))
    for path in (*LISTS, *nested):
        block = await pagination(world, path, page=9)
        assert (block["current_page"], block["next_page"], block["prev_page"], block["rows"]) == (9, 0, 8, 0)
        assert (await pagination(world, path))["page_size"] == 10
        for name in ("page", "page_size"):
            for value in ("0", "-1", "x", "1.0", "", " 1", "٣", "99999999999"):
                assert fields(await world.api.get(path, params={name: value})) == [name]
        assert fields(await world.api.get(path, params={"page_size": "101"})) == ["page_size"]


@pytest.mark.parametrize(
    ("path", "orders"),
    [
        ("/v1/customers", ("created_at", "updated_at", "company_name", "display_name")),
        ("/v1/sales-reps", ("created_at", "updated_at", "first_name", "last_name")),
        ("/v1/price-lists", ("created_at", "updated_at", "name")),
    ],
)
async def test_wrong_parameters_are_named_and_unknown_ones_are_not(
    world: World, path: str, orders: tuple[str, ...]
) -> None:
    """All wrong ones at once; every documented order works; a parameter that nobody knows is left alone."""
    wrong = {"page": "0", "status": "all", "sort": "ASC", "sort_by": "id"}
    assert sorted(fields(await world.api.get(path, params=wrong))) == sorted(wrong)
    for order in orders:
        await ids(world, path, sort_by=order, sort="asc", include="everything")


async def test_times_are_half_open_windows_by_whole_seconds(timed: World, clock: Clock) -> None:
    """`after` includes its second, `before` does not; windows in a row find each record exactly once."""
    made = []
    for _ in range(4):
        clock.forward(seconds=1)
        made.append((await timed.create())["id"])
    start = clock.now - timedelta(seconds=3)
    for field in ("created", "updated"):
        for number, customer in enumerate(made):
            edges = [to_time(start + timedelta(seconds=number + step)) for step in (0, 1)]
            window = {f"{field}_after": edges[0], f"{field}_before": edges[1]}
            assert await ids(timed, "/v1/customers", **window) == [customer]
        assert await ids(timed, "/v1/customers", **{f"{field}_after": to_time(clock.now)}) == [made[3]]
        assert await ids(timed, "/v1/customers", **{f"{field}_before": to_time(start)}) == []
    zoned = {"created_after": "2025-03-04T10:10:15+01:00", "created_before": "2025-03-04T09:10:15.999"}
    assert await ids(timed, "/v1/customers", created_after=zoned["created_after"]) == [made[3]]
    assert await ids(timed, "/v1/customers", created_before=zoned["created_before"], sort="asc") == made[:3]
    for name in ("created_after", "created_before", "updated_after", "updated_before"):
        for value in ("yesterday", "", "2025-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00"):
            assert fields(await timed.api.get("/v1/customers", params={name: value})) == [name]


async def test_a_change_moves_a_record_into_the_window_of_updates(timed: World, clock: Clock) -> None:
    """A sync that asks for what was updated since finds it, once, and a request without effect does not move it."""
    customer, other = await timed.create(), await timed.create()
    clock.forward(hours=1)
    since = to_time(clock.now)
    await patched(timed, customer, phone="+12")
    await patched(timed, other, reference_id=other["reference_id"])
    assert await ids(timed, "/v1/customers", updated_after=since) == [customer["id"]]


async def test_reference_ids_come_with_commas_or_repeated(world: World) -> None:
    """Both together too, with blanks and empty parts; unknown ones find nothing; more than 100 are refused."""
    made = [await world.create(reference_id=f"R {number}") for number in range(4)]
    expected = [customer["id"] for customer in made]
    query = "reference_ids=R%200%20,%20R 1,,&reference_ids=R 2&sort=asc&sort_by=created_at"
    answer = await world.api.get(f"/v1/customers?{query}")
    assert [row["id"] for row in answer.json()["data"]] == expected[:3]
    await world.api.delete(f"/v1/customers/{expected[0]}")
    assert await ids(world, "/v1/customers", reference_ids="R 0,R 3,R 9") == [expected[3]]
    assert await ids(world, "/v1/customers", reference_ids="R 0,R 3", status="inactive") == [expected[0]]
    assert await ids(world, "/v1/customers", reference_ids="") == []
    assert len(await ids(world, "/v1/customers", reference_ids=",".join(map(str, range(100))))) == 0
    many = {"reference_ids": ",".join(map(str, range(101)))}
    assert fields(await world.api.get("/v1/customers", params=many)) == ["reference_ids"]


async def test_order_ignores_case_and_settles_ties_by_id(world: World) -> None:
    """By company name, by display name; pages in a row show each record once."""
    names = ["beta", "Alpha", "alpha", "Gamma", "BETA"]
    made = [await world.create(company_name=name, display_name=f"{9 - n}") for n, name in enumerate(names)]
    by_name = sorted(made, key=lambda customer: (customer["name"].lower(), UUID(customer["id"])))
    expected = [customer["id"] for customer in by_name]
    assert await ids(world, "/v1/customers", sort_by="company_name", sort="asc") == expected
    assert await ids(world, "/v1/customers", sort_by="company_name") == expected[::-1]
    pages = [
        await ids(world, "/v1/customers", sort_by="company_name", sort="asc", page_size=2, page=n) for n in (1, 2, 3)
    ]
    assert [customer for page in pages for customer in page] == expected
    by_display = await ids(world, "/v1/customers", sort_by="display_name", sort="asc")
    assert by_display == [customer["id"] for customer in made[::-1]]


async def test_customers_come_latest_change_first(timed: World, clock: Clock) -> None:
    """Unless asked otherwise; by creation in either direction."""
    made = []
    for _ in range(3):
        clock.forward(seconds=1)
        made.append((await timed.create())["id"])
    clock.forward(seconds=1)
    await timed.api.patch(f"/v1/customers/{made[0]}", json={"phone": "+12"})
    assert await ids(timed, "/v1/customers") == [made[0], made[2], made[1]]
    assert await ids(timed, "/v1/customers", sort_by="created_at", sort="asc") == made
    assert await ids(timed, "/v1/customers", sort_by="created_at") == made[::-1]


async def test_rows_are_the_records_without_what_is_nested(world: World) -> None:
    """A row has the values of the whole record; nothing of reps, price list, addresses, contacts and attributes."""
    customer = await world.create(world.full_body())
    (row,) = (await world.api.get("/v1/customers")).json()["data"]
    nested = {"assigned_sales_reps", "assigned_price_list", "addresses", "contacts", "attributes"}
    assert row == {name: value for name, value in customer.items() if name not in nested}


async def test_contacts_are_filtered_like_customers(timed: World, clock: Clock) -> None:
    """Windows, order, status; and rows without custom values."""
    customer = await timed.create(timed.full_body())
    path = f"/v1/customers/{customer['id']}/contacts"
    clock.forward(seconds=10)
    later = (await timed.api.post(path, json=contact_body())).json()["data"]["id"]
    first, second = (contact["id"] for contact in customer["contacts"])
    assert await ids(timed, path, created_after=to_time(clock.now)) == [later]
    assert await ids(timed, path, updated_before=to_time(clock.now), sort="asc") == [first, second]
    assert (await ids(timed, path))[0] == later
    assert await ids(timed, path, status="inactive") == []
    assert await ids(timed, path, reference_ids="ignored here") == await ids(timed, path)
    rows = (await timed.api.get(path)).json()["data"]
    assert all("attributes" not in row for row in rows)


async def test_addresses_are_found_by_reference(world: World) -> None:
    """Only the customer's own, in either order; a removed one is nowhere."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    path = f"/v1/customers/{customer['id']}/addresses"
    first, second, third = customer["addresses"]
    wanted = f"{first['reference_id']},{third['reference_id']},{other['addresses'][0]['reference_id']}"
    assert await ids(world, path, reference_ids=wanted, sort="asc", sort_by="created_at") == [first["id"], third["id"]]
    await world.api.delete(f"{path}/{first['id']}")
    assert await ids(world, path, reference_ids=wanted) == [third["id"]]
    assert await ids(world, path, status="inactive") == []
    assert second["id"] in await ids(world, path)


async def test_sales_reps_are_found_by_email(world: World) -> None:
    """Whole, ignoring case; inactive ones only when asked for."""
    reps = {rep["id"]: rep for rep in (await world.api.get("/v1/sales-reps")).json()["data"]}
    assert set(reps) == set(world.reps)
    email = reps[world.reps[0]]["email"]
    assert await ids(world, "/v1/sales-reps", email=email.upper()) == [world.reps[0]]
    assert await ids(world, "/v1/sales-reps", email=email[1:]) == []
    assert await ids(world, "/v1/sales-reps", status="inactive") == []
    assert await ids(world, "/v1/sales-reps", sort_by="first_name", sort="asc") == world.reps


async def test_lists_of_an_unknown_customer_are_not_found(world: World, other_world: World) -> None:
    """404 and not an empty list, for another team's customer as well."""
    foreign = await other_world.create(other_world.full_body())
    for owner in (str(uuid4()), foreign["id"], "x"):
        for member in ("addresses", "contacts"):
            assert (await world.api.get(f"/v1/customers/{owner}/{member}")).status_code == 404
