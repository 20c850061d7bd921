"""The page of one customer: everything that it has, by names, and what stands elsewhere of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from customerhub.core.hub import Hub
from customerhub.core.sinks import NewSink, SinkPatch
from customerhub.dialects.base import find_dialects
from customerhub.store.deliveries import DeliveryStatus
from customerhub.store.syncs import Sync, put_sync
from customerhub.web.serve import Site
from tests.console.filling import find_form
from tests.console.house import Bureau, to_site
from tests.console.keeper import Keeper, keeping
from tests.support.hub import CUSTOMERS, address_body
from tests.support.listeners import add_sink

_DELIVERED = """
insert into delivery
    (team, sink, customer, version, position, id, type, at, status, attempts, tries, reason, settled_at)
values ($1, $2, $3, 1, 1, gen_random_uuid(), 'customer.created', $4, $5, $6, $6, $7, $8)
"""
THEN = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)


@pytest.fixture
async def keeper(site: Site, bureau: Bureau) -> AsyncIterator[Keeper]:
    """The administrator, on a customer that has something in every field."""
    async with keeping(site, bureau) as made:
        yield made


async def send(keeper: Keeper, path: str, body: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """What the API answers."""
    answer = await keeper.bureau.desk.api.post(path, json=body)
    assert answer.is_success, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


async def test_everything_has_its_name(keeper: Keeper) -> None:
    """Terms, groups, reps and addresses are called what people call them; no id of the catalogue is shown."""
    record = await keeper.record()
    page = (await keeper.look()).text
    shown = page.partition("<main")[2]
    for text in ("inactive", "preferred", "Ingrid", "W77-20931", "25000.00", "Storgata 8, Oslo", "Bergen", "Nordics"):
        assert text in shown, text
    for member in ("payment_term", "shipping_term", "carrier", "service_level", "price_list", "type_group"):
        assert record[member] not in shown, member
    assert f"Version {record['version']}, changed" in " ".join(shown.split())
    assert "by test key" in shown
    assert "(Customerhub API)" in shown
    assert page.count("Bill to</span>") == page.count("Ship to</span>") == page.count("Primary</span>") == 1


async def test_a_parent_and_children_are_led_to(keeper: Keeper) -> None:
    """Whoever is above and below is named, with a link."""
    parent = await keeper.bureau.desk.create({"name": "The Group"})
    child = await keeper.bureau.desk.create({"name": "The Branch", "parent": keeper.id})
    await keeper.change(parent=parent["id"])
    page = (await keeper.look()).text
    for other in (parent, child):
        assert f'<a href="{keeper.bureau.path("customers", other["id"])}">{other["name"]}</a>' in page


async def test_likely_duplicates_are_hinted_at(keeper: Keeper) -> None:
    """How many customers may be the same, with a link to them; nothing where there are none."""
    assert "may be the same" not in (await keeper.look()).text
    record = await keeper.record()
    for number in range(2):
        await keeper.bureau.desk.create({"name": f"Twin {number}", "phone": record["phone"]})
        page = (await keeper.look()).text
        word = "customer" if number == 0 else "customers"
        assert f'{keeper.path("duplicates")}">{number + 1} {word} may be the same</a>' in page


async def test_a_merged_customer_leads_to_where_it_went(keeper: Keeper) -> None:
    """Its page, and its forms, are those of the one that it went into; ids of nobody are nowhere."""
    target = await keeper.bureau.desk.create({"name": "Target"})
    await send(keeper, f"{CUSTOMERS}/{target['id']}/merge", {"sources": [keeper.id]})
    there = keeper.bureau.path("customers", target["id"])
    for steps, place in (((), there), (("edit", "reach"), f"{there}/edit/reach"), (("systems",), f"{there}/systems")):
        answer = await keeper.look(*steps)
        assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert (await keeper.visitor.get(keeper.bureau.path("customers", UUID(int=1)))).status_code == 404
    assert (await keeper.visitor.get(keeper.bureau.path("customers", "one"))).status_code == 404


async def test_deleting_says_what_it_means_and_is_done_once(keeper: Keeper) -> None:
    """A page asks first; a stale one is refused, and one with others below; a deleted customer says so."""
    page = await keeper.look("delete")
    assert "can be restored" in page.text
    form = find_form(page, "/delete")
    child = await keeper.bureau.desk.create({"name": "Below", "parent": keeper.id})
    answer = await form.send(keeper.visitor)
    assert (answer.status_code, "other customers are below this one" in answer.text) == (409, True)
    assert (await keeper.bureau.desk.api.delete(f"{CUSTOMERS}/{child['id']}")).status_code == 200
    await keeper.change(phone="theirs")
    answer = await form.send(keeper.visitor)
    assert (answer.status_code, "has changed since" in answer.text) == (409, True)
    assert (await keeper.record())["phone"] == "theirs"
    for sent in (find_form(answer, "/delete"), form):
        answer = await sent.send(keeper.visitor)
        assert (answer.status_code, answer.headers["location"]) == (303, keeper.path())
    gone = await keeper.look()
    assert (await keeper.bureau.desk.api.get(f"{CUSTOMERS}/{keeper.id}")).status_code == 404
    assert (gone.status_code, "was deleted" in gone.text) == (200, True)
    for step in ("timeline", "restore"):
        assert f'href="{keeper.path(step)}"' in gone.text
    assert (await keeper.look("edit", "reach")).headers["location"] == keeper.path()


@pytest.mark.parametrize(
    ("status", "tries", "reason", "sync", "told"),
    [
        (None, 0, None, {"external_id": "cus_1", "version": 1}, ("cus_1", "in step", "has version 1")),
        ("delivered", 1, None, {"external_id": "cus_1", "version": 1}, ("cus_1", "in step")),
        ("waiting", 0, None, {"external_id": "cus_1", "version": 1}, ("cus_1", "waiting")),
        ("waiting", 2, "answered <500>", {}, ("failed, is tried again", "answered &lt;500&gt;")),
        ("dead", 9, "refused", {"error": "no such plan"}, ("failed", "refused", "no such plan")),
        ("delivered", 1, None, {"external_id": "c", "left_out": {"phone": "too long"}}, ("phone: too long",)),
        ("skipped", 1, "has no email", {}, ("not there", "has no email")),
    ],
)
async def test_other_systems_are_named_with_how_they_stand(
    hub: Hub,
    bureau: Bureau,
    status: DeliveryStatus | None,
    tries: int,
    reason: str | None,
    sync: dict[str, Any],
    told: tuple[str, ...],
) -> None:
    """A mirror's id of the customer, and whether it is in step, waits or failed, with the reason."""
    sink = await add_sink(hub, bureau.desk.team.id, NewSink("stripe", "", is_trusted=True), SinkPatch(name="Our <S>"))
    async with keeping(to_site(hub), bureau, {"name": "Kestrel"}) as keeper:
        team, customer = bureau.desk.team.id, UUID(keeper.id)
        async with hub.database.lease() as connection:
            await put_sync(connection, team, sink.id, Sync(customer, **sync), THEN)
            if status is not None:
                settled_at = None if status == "waiting" else THEN
                place = (team, sink.id, customer, THEN)
                await connection.execute(_DELIVERED, *place, status, tries, reason, settled_at)
        page = " ".join((await keeper.look()).text.split())
        shown = page.partition('id="card-places"')[2]
        for text in ("Our &lt;S&gt;", *told):
            assert text in shown, text


async def test_two_hundred_addresses_are_all_there(site: Site, bureau: Bureau) -> None:
    """The page and the views of a customer with very many addresses have every one of them."""
    body = {"name": "Many", "addresses": [address_body(line1=f"Street {number}.") for number in range(200)]}
    async with keeping(site, bureau, body) as keeper:
        page, views = await keeper.look(), await keeper.look("systems")
        for number in (0, 1, 99, 199):
            assert f"Street {number}." in page.text
            assert f"Street {number}." in views.text
        assert views.text.count('.line1"') == 2 * 200, find_dialects()
