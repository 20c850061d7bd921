"""Search: customers are found by a few characters of what they are called, as they stand and by their own team only."""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from customerhub.core.access import find_caller
from customerhub.core.search import Found, search_customers
from customerhub.model.answer import Caller
from customerhub.model.error import Unauthenticated
from tests.support.world import DIALECT, Json, World, address_body, contact_body

LIMIT = 100


@dataclass
class Searcher:
    """Somebody of a team who searches."""

    world: World
    caller: Caller

    async def find(self, text: str, limit: int = LIMIT) -> list[Found]:
        """What is found, the best first."""
        return list(await search_customers(self.world.hub, self.caller, text, limit))

    async def names(self, text: str, limit: int = LIMIT) -> list[str]:
        """The names of those found."""
        return [found.name for found in await self.find(text, limit)]


@pytest.fixture
async def searcher(world: World) -> Searcher:
    """Somebody of the world's team."""
    return Searcher(world, await find_caller(world.hub, DIALECT, world.api_key))


async def nordlys(world: World, **members: object) -> Json:
    """A customer that has every searched value."""
    body = world.customer_body(
        company_name="Nordlys Sport AS",
        display_id="C-77",
        reference_id="ERP-1001",
        email="Ingrid.Berg@nordlys.example",
        phone="+4722334455",
        addresses=[address_body(city="Tromsø"), address_body(city="Oslo")],
        contacts=[contact_body(first_name="Lars", last_name="Øvre"), contact_body(first_name="Kari", last_name="Dahl")],
    )
    return await world.create(body | members)


async def test_a_found_customer_is_shown_as_it_stands(world: World, searcher: Searcher) -> None:
    """Who it is, how to reach it, and where the text was found."""
    customer = await nordlys(world)
    await world.create()
    address = customer["addresses"][0]["id"]
    assert await searcher.find("tromsø") == [
        Found(
            id=UUID(customer["id"]),
            name="Nordlys Sport AS",
            number="C-77",
            reference_id="ERP-1001",
            email="Ingrid.Berg@nordlys.example",
            phone="+4722334455",
            status="active",
            matched=(f"/addresses/{address}/city",),
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("n", "NORD", "nordlys sport as", "rdly", "lys sp", "s", "as"),
        *("c", "c-77", "C-7", "-77"),
        *("erp-1001", "1001", "001", "1"),
        *("ingrid.berg@NORDLYS.example", "berg", "grid.b", "@nor", "example"),
        *("+47", "4722334455", "22 33 44", "+47 (22) 33-44", "334"),
        *("lars", "øv", "ars ø", "VRE", "kari dahl"),
        *("tromsø", "TROMSØ", "oms", "osl", "o"),
        *("nordlys oslo", "dahl tromsø", "lars kari", "sport 1001"),
        *("  nordlys   sport  ", "Tromsø"),
    ],
)
async def test_beginnings_and_parts_are_found(world: World, searcher: Searcher, text: str) -> None:
    """Every searched value by its beginning, by the beginning of its words, and from three characters by any part."""
    await nordlys(world)
    await world.create(company_name="Zzyzx", reference_id="Q", display_id="Q9")
    assert await searcher.names(text) == ["Nordlys Sport AS"]


@pytest.mark.parametrize(
    "text",
    [
        # Shorter than three characters and no beginning.
        *("or", "y", "ps", "7x", "rd"),
        # Of something else that the record holds.
        *("storgata", "0155", "billing"),
        # A part of no value; letters of another case are not other letters.
        *("tromso", "asc-77", "as\nc-77 5", "oslo nord!", "nordlys bergen", "erp1001"),
        # What is a wildcard elsewhere.
        *("%", "%%%", "___", "n_rdlys", "nord%", "*", "nord*", "nord.*", "\\", "\\\\\\", "^nor", "nor|osl", "'or''"),
        *("", "  ", "\n"),
        *("\0", "nor\0", "\ud800", "nord\ud800", "x" * 100_000),
    ],
)
async def test_nothing_else_is_found(world: World, searcher: Searcher, text: str) -> None:
    """No other value, no shorter part, no wildcard; and whatever was typed is an answer and no failure."""
    await nordlys(world)
    before = await world.fingerprint()
    assert await searcher.names(text) == []
    assert await world.fingerprint() == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("50% off_now \\ 'Best' & Co.", "50% off_now \\ 'best' & co."),
        ("50% off_now", "0% of"),
        ("Ærø Straße", "STRASSE"),
        ("Café Été", "cafe\u0301 e\u0301"),
        ("Москва Торг", "МОСК"),  # noqa: RUF001
        ("Москва Торг", "скв"),  # noqa: RUF001
        ("Αθήνα ΟΔΟΣ", "οδος"),
        ("東京電力株式会社", "東"),
        ("東京電力株式会社", "電力株"),
        ("שלום עולם", "עול"),
        ("🌲 Pines", "🌲"),
        ("---", "---"),
        ("---", "-"),
        ("(Pending) Ltd", "(p"),
    ],
)
async def test_letters_of_all_scripts_and_signs_count(world: World, searcher: Searcher, name: str, text: str) -> None:
    """Names of any script are found, ignoring case and how accents were typed; signs stand for themselves."""
    await world.create(company_name=name)
    await world.create(company_name="50 of off now best pines strase")
    assert await searcher.names(text) == [name]


async def test_the_best_come_first(world: World, searcher: Searcher) -> None:
    """A whole number, reference or email address, then beginnings of words, then parts, then words apart; by name."""
    customers: dict[str, Json] = {
        "Words apart": {"addresses": [address_body(city="Oslo")], "contacts": [contact_body(last_name="Fjord")]},
        "Zeta Fjord Oslo": {},
        "Alpha Fjord Oslo": {},
        "Østfjord Oslo": {},
        "Åfjord Oslo": {},
        "By reference": {"reference_id": "Fjord Oslo"},
        "A number": {"display_id": "fjord oslo"},
        "Neither": {},
    }
    for name, members in customers.items():
        await world.create(company_name=name, **members)
    assert await searcher.names("FJORD oslo") == [
        *("A number", "By reference"),
        *("Alpha Fjord Oslo", "Zeta Fjord Oslo"),
        *("Åfjord Oslo", "Østfjord Oslo"),
        "Words apart",
    ]
    assert await searcher.names("fjord oslo", 3) == ["A number", "By reference", "Alpha Fjord Oslo"]


async def test_a_change_is_found_at_once(world: World, searcher: Searcher) -> None:
    """What a customer is called now finds it, and what it was called before does not."""
    customer = await nordlys(world)
    path = f"/v1/customers/{customer['id']}"
    city, contact = customer["addresses"][0]["id"], customer["contacts"][0]["id"]
    for body, old, new in [
        ({"company_name": "Midnattsol"}, "sport", "natts"),
        ({"reference_id": "SAP-5"}, "erp-1001", "sap-5"),
        ({"email": "post@midnattsol.example"}, "ingrid.berg", "post@"),
        ({"phone": "+4533445566"}, "22334455", "4533"),
        ({"addresses": [{"id": city, "city": "Bodø"}]}, "tromsø", "bodø"),
        ({"contacts": [{"id": contact, "last_name": "Nilsen"}]}, "øvre", "nils"),
    ]:
        assert len(await searcher.find(old)) == 1
        assert await searcher.find(new) == []
        answer = await world.api.patch(path, json=body)
        assert answer.status_code == 201, answer.text
        assert await searcher.find(old) == []
        assert [str(found.id) for found in await searcher.find(new)] == [customer["id"]]


async def test_inactive_customers_are_found_and_said_to_be(world: World, searcher: Searcher) -> None:
    """Whoever is inactive can still be looked at, and so be found."""
    customer = await nordlys(world)
    assert (await world.api.delete(f"/v1/customers/{customer['id']}")).status_code in (200, 204)
    assert [found.status for found in await searcher.find("nordlys")] == ["inactive"]


async def test_a_refused_or_tried_write_is_not_found(world: World, searcher: Searcher) -> None:
    """What was not written is not found: neither a taken number, nor a dry run, nor a lost precondition."""
    customer = await nordlys(world)
    path = f"/v1/customers/{customer['id']}"
    before = await world.fingerprint()
    dry = {"Customerhub-Dry-Run": "true"}
    assert (await world.api.patch(path, json={"company_name": "Midnattsol"}, headers=dry)).status_code == 201
    stale = {"If-Match": '"7"'}
    assert (await world.api.patch(path, json={"company_name": "Midnattsol"}, headers=stale)).status_code == 412
    twice = world.customer_body(company_name="Midnattsol", display_id="C-77")
    assert (await world.api.post("/v1/customers", json=twice)).status_code == 400
    assert await searcher.find("midnattsol") == []
    assert await searcher.names("nordlys") == ["Nordlys Sport AS"]
    after = await world.fingerprint()
    assert {table for table in after if after[table] != before[table]} <= {"number_counter"}


async def test_each_team_finds_its_own(world: World, other_world: World, searcher: Searcher) -> None:
    """Customers of another team are not found, by whatever they have in common."""
    await nordlys(world)
    await nordlys(other_world, company_name="Nordlys of others")
    other = Searcher(other_world, await find_caller(other_world.hub, DIALECT, other_world.api_key))
    for text in (
        "n",
        "nordlys",
        "rdl",
        "C-77",
        "erp-1001",
        "ingrid.berg@nordlys.example",
        "nordlys oslo",
        "4722334455",
    ):
        assert await searcher.names(text) == ["Nordlys Sport AS"]
        assert await other.names(text) == ["Nordlys of others"]


async def test_whoever_may_not_ask_finds_nothing(world: World, searcher: Searcher) -> None:
    """A credential that ended finds nobody, and is told so before anything is looked for."""
    await nordlys(world)
    async with world.hub.database.lease() as connection:
        await connection.execute("update credential set revoked_at = now() where team = $1", world.team.id)
    for text in ("nordlys", ""):
        with pytest.raises(Unauthenticated):
            await searcher.find(text)


async def test_two_processes_find_the_same(world: World, twin: httpx.AsyncClient, searcher: Searcher) -> None:
    """What another process wrote is found at once."""
    customer = await nordlys(world)
    answer = await twin.patch(f"/v1/customers/{customer['id']}", json={"company_name": "Midnattsol"})
    assert answer.status_code == 201
    assert await searcher.names("midnatt") == ["Midnattsol"]
