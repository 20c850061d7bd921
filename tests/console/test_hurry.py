"""People in a hurry, who click twice, come back late and reload; and people who try what no form of ours sends."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
from playwright.async_api import expect

from customerhub.core import credentials as core
from customerhub.core.duplicates import Groups, walk_alike
from customerhub.core.hub import Hub
from customerhub.core.sessions import Person, Seat, take_seat
from customerhub.model.answer import Caller
from customerhub.model.page import Position
from customerhub.web.serve import Site
from tests.console.clerk import Clerk, working
from tests.console.filling import find_form
from tests.console.house import Bureau
from tests.console.leaf import look
from tests.console.visitor import visiting
from tests.console.window import Window
from tests.support.browser import browse
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import CUSTOMERS

MARK = re.compile(r'name="once" value="([^"]+)"')


@pytest.fixture
async def clerk(site: Site, bureau: Bureau) -> AsyncIterator[Clerk]:
    """The administrator."""
    async with working(site, bureau) as made:
        yield made


async def test_a_form_that_shows_a_secret_is_done_once(clerk: Clerk) -> None:
    """Reloading the page that shows it makes no second credential, shows nothing, and says what happened."""
    page = await clerk.look("credentials", "new", api="hub")
    [mark] = MARK.findall(page.answer.text)
    sent = {"api": "hub", "name": "Till", "once": mark}
    assert (await clerk.send("credentials", "new", **sent)).status_code == 200
    again = await clerk.send("credentials", "new", **sent)
    assert (again.status_code, "was done then" in again.text, "secret-1" in again.text) == (409, True, False)
    other = await clerk.send("credentials", "new", **{**sent, "name": "Till 2"})
    assert other.status_code == 200
    found = await core.list_credentials(clerk.hub, await clerk.bureau.desk.caller())
    assert sorted(one.name for one in found if one.name.startswith("Till")) == ["Till", "Till 2"]


@pytest.mark.parametrize(
    ("page", "values"),
    [
        (("users", "new"), {"first_name": "Kim"}),
        (("customers", "new"), {"name": "Kestrel"}),
        (("settings", "catalogue", "carrier"), {"name": "Bring"}),
    ],
)
async def test_what_is_made_by_a_form_is_made_once(clerk: Clerk, page: tuple[str, ...], values: dict[str, str]) -> None:
    """The second click is answered like the first one, and changes nothing."""
    [mark] = MARK.findall((await clerk.look(*page)).answer.text)
    first = await clerk.done(*page, **values, once=mark)
    before = await clerk.fingerprint()
    assert await clerk.done(*page, **values, once=mark) == first
    assert await clerk.fingerprint() == before


async def test_an_address_is_added_once(clerk: Clerk) -> None:
    """Also where the second click comes once the first is done."""
    customer = await clerk.bureau.desk.create(name="Kestrel")
    page = await clerk.look("customers", customer["id"], "edit", "address-new")
    form = find_form(page.answer, "/address-new").type("city", "Oslo")
    answers = [await form.send(clerk.visitor) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    record = (await clerk.bureau.desk.api.get(f"{CUSTOMERS}/{customer['id']}")).json()
    assert [one["city"] for one in record["addresses"]] == ["Oslo"]


async def test_merging_twice_leads_to_the_same_page(clerk: Clerk) -> None:
    """Whoever clicks twice sees that it is done, not that somebody was faster."""
    first, second = [await clerk.bureau.desk.create(name=name) for name in ("Kestrel", "Kestrel AS")]
    sent = {
        "with": second["id"],
        "into": first["id"],
        "seen": [f"{one['id']}:{one['version']}" for one in (first, second)],
    }
    path = ("duplicates", first["id"], "merge")
    done = await clerk.done(*path, **sent)
    before = await clerk.fingerprint()
    assert await clerk.done(*path, **sent) == done
    assert await clerk.done("duplicates", second["id"], "merge", **{**sent, "with": first["id"]}) == done
    assert await clerk.fingerprint() == before
    # What stands in an address is nobody's to call a function by.
    page = clerk.bureau.path("customers", second["id"], "systems")
    answer = await clerk.visitor.get(f"{page}?team=x&self=y")
    target = clerk.bureau.path("customers", first["id"], "systems")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{target}?team=x&self=y")


async def test_whoever_may_not_read_customers_sees_none(
    site: Site, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page of a customer, and nothing in the menu that leads there."""
    customer = await bureau.desk.create(name="Kestrel")

    async def take_lesser(hub: Hub, person: Person, team: UUID) -> Seat:
        seat = await take_seat(hub, person, team)
        scopes = seat.caller.scopes - {"customers:read", "customers:update", "customers:delete"}
        return msgspec.structs.replace(seat, caller=msgspec.structs.replace(seat.caller, scopes=scopes))

    monkeypatch.setattr("customerhub.console.desk.take_seat", take_lesser)
    async with visiting(site, bureau.member) as visitor:
        paths = [bureau.path("customers", customer["id"], *rest) for rest in ((), ("systems",), ("timeline",))]
        assert [(await visitor.get(path)).status_code for path in (*paths, bureau.path("customers"))] == [403] * 4
        first = await look(visitor, bureau.path())
        assert "Kestrel" not in first.text
        assert "does not let you see" in first.text
        menu = [text for text, _ in first.links]
        assert {"Customers", "Duplicates", "Imports"} & set(menu) == set()


@pytest.mark.parametrize("version", ["٣", "9" * 5000, "-1", ""])
async def test_a_version_that_is_none_restores_nothing(clerk: Clerk, version: str) -> None:
    """It is answered as one that is not the newest."""
    customer = await clerk.bureau.desk.create(name="Kestrel")
    await clerk.bureau.desk.api.delete(f"{CUSTOMERS}/{customer['id']}")
    await clerk.refused(412, "customers", customer["id"], "restore", version=version)


async def test_a_nul_is_refused_wherever_it_stands(clerk: Clerk) -> None:
    """Also behind another value of the same name, and in names."""
    path = clerk.bureau.path("duplicates")
    for query in ("?page=%00&page=x", "?%00=x"):
        assert (await clerk.visitor.get(path + query)).status_code == 400
    await clerk.refused(400, "settings", "name", **{"\0": "x", "name": "New"})


async def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(site: Site, bureau: Bureau) -> None:
    """Not to the address that it was sent to, which is no page; and to no page of somebody else's."""
    page, target = bureau.path("settings"), bureau.path("settings", "name")
    before = await take_fingerprint(bureau.desk.hub)
    async with browse(site) as browser:
        for referer, back in (
            (f"http://hub{page}?a=b", f"{page}?a=b"),
            (f"http://elsewhere{page}", target),
            ("http://[", target),
            ("", target),
        ):
            answer = await browser.post(target, data={"name": "x"}, headers={"referer": referer})
            location = answer.headers["location"]
            assert (answer.status_code, location) == (303, f"/signin?next={httpx_quote(back)}")
    assert await take_fingerprint(bureau.desk.hub) == before


def httpx_quote(text: str) -> str:
    """As a value in a query."""
    return text.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")


async def test_duplicates_are_found_behind_much_that_is_none(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is not empty while there are groups behind the pieces that are looked through for it."""
    twins = [await clerk.bureau.desk.create(name=name, tax_number="NO 987654321") for name in ("Kestrel", "Kestrel AS")]
    empty = 2

    async def walk(hub: Hub, caller: Caller, position: Position | None, limit: int) -> Groups:
        nonlocal empty
        empty -= 1
        return await walk_alike(hub, caller, None, limit) if empty < 0 else Groups((), Position(hub.now(), UUID(int=1)))

    monkeypatch.setattr("customerhub.console.duplicates.walk_alike", walk)
    page = await clerk.look("duplicates")
    assert [one["name"] for one in twins if one["name"] in page.text] == ["Kestrel", "Kestrel AS"]


async def test_a_limit_without_a_currency_can_be_mended(clerk: Clerk) -> None:
    """What is wrong with an amount stands beside it, with or without a currency."""
    customer = await clerk.bureau.desk.create(name="Kestrel")
    for value in ("NaN", "9" * 5000, "much"):
        page = await clerk.refused(
            422,
            *("customers", customer["id"], "edit", "terms"),
            **{"version": str(customer["version"]), "credit_limit.value": value},
        )
        assert "Credit limit" in page.text


async def test_a_status_pressed_beside_an_open_form_leaves_the_form(window: Window, lodgers: Bureau) -> None:
    """What is typed into a card stays there while a button elsewhere changes what the card is about."""
    customer = await lodgers.desk.create(name="Kestrel")
    await window.go(lodgers.path("customers", customer["id"]))
    card = window.page.get_by_role("region", name="Status")
    await card.get_by_role("link", name="Edit").click()
    await card.get_by_label("Priority").select_option(index=1)
    typed = await card.get_by_label("Priority").input_value()
    await window.page.get_by_role("button", name="Deactivate").click()
    await expect(window.page.get_by_role("button", name="Activate", exact=True)).to_be_visible()
    assert await card.get_by_label("Priority").input_value() == typed
