"""The demo team's data: whole, varied, and nobody's real address or number."""

from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec import UNSET

from customerhub.cli.demo import prepare_demo
from customerhub.cli.demo.data import ENTRIES, OWNER, SALES_REPS, DemoContact, DemoCustomer, get_customers
from customerhub.cli.demo.load import fill
from customerhub.core.admin import create_team, get_team, list_credentials
from customerhub.core.hub import Hub
from customerhub.store.db import Connection
from customerhub.store.lists import CustomerQuery, list_customers

CUSTOMERS = get_customers()


def test_customers_are_many_and_varied() -> None:
    """40 customers of 11 countries, each with a billing and a shipping address, and no email address twice."""
    assert len(CUSTOMERS) == 40
    assert len({customer.email for customer in CUSTOMERS}) == 40
    assert [customer.reference_id for customer in CUSTOMERS] == [f"DEMO-{number:03d}" for number in range(1, 41)]
    countries = Counter(customer.addresses[0].country for customer in CUSTOMERS)
    assert countries == Counter(US=14, CA=4, GB=5, DE=4, FR=3, IE=2, SE=2, AU=3, NL=1, JP=1, MX=1)
    assert {tuple(address.type for address in customer.addresses) for customer in CUSTOMERS} == {
        ("billing", "shipping")
    }


def test_everything_they_name_is_there() -> None:
    """Terms, carriers, price lists, custom fields and reps that a customer names are all made before it."""
    names = {(kind, values.name) for kind, values in ENTRIES}
    reps = {rep.email for rep in SALES_REPS}
    for customer in CUSTOMERS:
        assert {
            ("payment_term", customer.payment_term),
            ("shipping_term", customer.shipping_term),
            ("carrier", customer.carrier),
            ("price_list", customer.price_list),
            ("account_group", customer.type_group),
            *(("account_group", name) for name in customer.price_groups),
            *(("attribute_definition", name) for name in customer.attributes),
        } <= names
        assert set(customer.sales_reps) <= reps


def test_whoever_is_below_another_is_made_after_it() -> None:
    """A parent is named by the reference of a customer that stands before its children."""
    references = [customer.reference_id for customer in CUSTOMERS]
    children = {customer.reference_id: customer.parent for customer in CUSTOMERS if customer.parent is not UNSET}
    assert children == {"DEMO-026": "DEMO-025", "DEMO-027": "DEMO-025"}
    assert [child for child, parent in children.items() if references.index(parent) > references.index(child)] == []


def test_nobody_real_is_reached() -> None:
    """Every email address and website is under `.example`, every telephone number in a range kept for fiction."""
    people = [contact for customer in CUSTOMERS for contact in customer.contacts]
    everybody: list[DemoCustomer | DemoContact] = [*CUSTOMERS, *people]
    emails = [*(one.email for one in everybody), *(user.email for user in (OWNER, *SALES_REPS))]
    assert [email for email in emails if not email.endswith(".example")] == []
    assert [customer.website for customer in CUSTOMERS if not customer.website.endswith(".example")] == []
    fiction = (
        *("+442079460", "+441314960", "+441614960", "+441174960", "+441134960", "+493023125", "+4940669690"),
        *("+4940669692", "+498999998", "+492214710", "+33199004", "+33199", "+3346571", "+3326191", "+35320912"),
        *("+35320913", "+468465004", "+46313900", "+61255501", "+61370104", "+61755501"),
    )
    phones = [one.phone for one in everybody if one.phone is not UNSET]
    americas = [phone for phone in phones if phone.startswith("+1") and phone[5:10] == "55501"]
    assert [phone for phone in phones if phone not in americas and not phone.startswith(fiction)] == []


@pytest.mark.anyio
async def test_what_an_interrupted_start_left_out_is_made(hub: Hub) -> None:
    """Filling a team twice makes everything once; once it is whole, what people removed stays removed."""
    team = await create_team(hub, f"Demo {uuid4()}")

    async def count() -> int:
        async with hub.database.lease() as connection:
            return (await list_customers(connection, team.id, CustomerQuery()))[1]

    async def remove_some(connection: Connection) -> None:
        await connection.execute(
            "delete from customer_search s using customer c "
            "where s.team = $1 and c.team = $1 and c.id = s.customer and c.reference_id > 'DEMO-037'",
            team.id,
        )
        await connection.execute("delete from customer where team = $1 and reference_id > 'DEMO-037'", team.id)

    await fill(hub, team)
    assert await count() == 40
    (loader,) = await list_credentials(hub, team)
    async with hub.database.lease() as connection:
        await connection.execute("update credential set revoked_at = null where id = $1", loader["id"])
        await remove_some(connection)
    await fill(hub, team)
    assert await count() == 40
    async with hub.database.lease() as connection:
        await remove_some(connection)
    await fill(hub, team)
    assert await count() == 37
    async with hub.database.lease() as connection:
        # A login is instance-wide, and the other tests of this database have a demo team too.
        await connection.execute("update login set email_key = $1 where email_key = $2", str(team.id), OWNER.email)


@pytest.mark.anyio
async def test_secrets_last_as_long_as_the_file(hub: Hub, tmp_path: Path) -> None:
    """With a file the next start has the same secrets; without one they are new, and the old credentials end."""
    memory = tmp_path / "demo.json"
    first = await prepare_demo(hub, "http://hub.example", memory)
    assert await prepare_demo(hub, "http://hub.example", memory) == first
    other = await prepare_demo(hub, "http://hub.example", None)
    assert other.team == first.team
    assert other.password != first.password
    team = await get_team(hub, first.team)
    living = [str(one["id"]) for one in await list_credentials(hub, team) if one["revoked_at"] is None]
    assert living == [str(credential["id"]) for credential in other.credentials.values()]
    assert [text for text in other.examples.values() if "http://hub.example/" not in text] == []
