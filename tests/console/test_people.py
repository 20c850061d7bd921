"""What people do with the console, in a real browser: find, edit, disagree, undo, merge, see a failure and mend it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Locator, expect

from tests.console.belongings import make_sink
from tests.console.conftest import Open
from tests.console.house import Bureau
from tests.console.window import Window
from tests.support.hub import CUSTOMERS, Json
from tests.support.receiver import Got, Reaction, Receiver, running_receiver
from tests.support.waiting import wait_until


@dataclass
class Moody:
    """A receiver of webhooks that takes nothing until it is mended."""

    is_mended: bool = False
    answers: list[int] = field(default_factory=list)

    def react(self, _got: Got) -> Reaction:
        """503 with a reason, or 200."""
        self.answers.append(200 if self.is_mended else 503)
        return Reaction(self.answers[-1], body=b"" if self.is_mended else b"the till is closed")


@pytest.fixture
def moody() -> Moody:
    """How the receiver feels."""
    return Moody()


@pytest.fixture
async def receiver(moody: Moody) -> AsyncIterator[Receiver]:
    """Where a webhook leads."""
    async with running_receiver(moody.react) as running:
        yield running


async def add(lodgers: Bureau, **members: object) -> Json:
    """A new customer of the team."""
    return await lodgers.desk.create(members)


async def record(lodgers: Bureau, customer: Json) -> Json:
    """A customer as it stands."""
    return await lodgers.desk.get(customer["id"])


async def test_a_customer_is_found_while_its_name_is_typed(lodgers: Bureau, window: Window) -> None:
    """The list follows what is typed, without a button, and leads to the customer; the focus stays where one types."""
    for name in ("Kestrel Outfitters", "Kestrel Sports", "Nordlys"):
        await add(lodgers, name=name)
    page = window.page
    await window.choose("Customers")
    rows = page.locator("#results tbody tr")
    await expect(rows).to_have_count(3)
    search = page.get_by_role("searchbox")
    await search.press_sequentially("kest")
    await expect(rows).to_have_count(2)
    await search.press_sequentially("rel sp")
    await expect(rows).to_have_count(1)
    await expect(search).to_be_focused()
    assert page.url.endswith("?q=kestrel+sp")
    await page.reload()
    await expect(search).to_have_value("kestrel sp")
    await page.get_by_role("link", name="Kestrel Sports").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel Sports")


async def test_a_value_is_edited_in_its_place(lodgers: Bureau, window: Window) -> None:
    """A wrong value is told beside its field and changes nothing; a right one is there at once, on the same page."""
    customer = await add(lodgers, name="Kestrel", email="old@kestrel.example")
    page, path = window.page, lodgers.path("customers", customer["id"])
    await window.go(path)
    part = page.get_by_role("region", name="How to reach them")
    await part.get_by_role("link", name="Edit").click()
    email = part.get_by_label("Email")
    await email.fill("nobody at home")
    await part.get_by_role("button", name="Save").click()
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_be_focused()
    reason = part.locator(f"#{await email.get_attribute('aria-describedby')}")
    await expect(reason).to_contain_text("email address")
    assert (await record(lodgers, customer))["email"] == "old@kestrel.example"
    await email.fill("new@kestrel.example")
    await part.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    await expect(part.get_by_text("new@kestrel.example")).to_be_visible()
    assert page.url == window.url + path
    assert (await record(lodgers, customer))["email"] == "new@kestrel.example"


async def test_two_people_who_change_the_same_value_are_told(
    lodgers: Bureau, window: Window, open_window: Open
) -> None:
    """Who saves second sees what it was, the own value and the other's with a name, and chooses; the rest is kept."""
    customer = await add(lodgers, name="Kestrel", email="base@kestrel.example", phone="+47 1", note="Base")
    path = lodgers.path("customers", customer["id"])
    other = await open_window(lodgers.member)
    for one in (window, other):
        await one.go(path)
        await one.page.get_by_role("region", name="How to reach them").get_by_role("link", name="Edit").click()
    theirs, mine = (one.page.get_by_role("region", name="How to reach them") for one in (other, window))
    await theirs.get_by_label("Email").fill("theirs@kestrel.example")
    await theirs.get_by_label("Phone").fill("+47 2")
    await theirs.get_by_role("button", name="Save").click()
    await expect(theirs.get_by_text("theirs@kestrel.example")).to_be_visible()
    await mine.get_by_label("Email").fill("mine@kestrel.example")
    await mine.get_by_role("button", name="Save").click()
    await expect(mine.get_by_role("alert")).to_contain_text("changed since you began")
    clash = mine.get_by_role("group", name="Email")
    await expect(clash).to_contain_text("Before: base@kestrel.example")
    await expect(clash.get_by_label("Mine: mine@kestrel.example")).to_be_visible()
    await expect(clash).to_contain_text(re.compile(r"Theirs: theirs@kestrel\.example \(Bo Lind"))
    assert (await record(lodgers, customer))["email"] == "theirs@kestrel.example"
    assert await window.look("conflict") == []
    await clash.get_by_label("Mine").check()
    await mine.get_by_role("button", name="Save").click()
    await expect(mine.get_by_role("link", name="Edit")).to_be_visible()
    kept = await record(lodgers, customer)
    assert (kept["email"], kept["phone"], kept["version"]) == ("mine@kestrel.example", "+47 2", 3)


async def test_a_version_is_looked_at_and_taken_back(lodgers: Bureau, window: Window) -> None:
    """The timeline says who changed what; what going back would change is shown first, and then it is so."""
    customer = await add(lodgers, name="Kestrel", note="Before")
    answer = await lodgers.desk.patch(customer, {"note": "After", "phone": "+47 3"})
    assert answer.status_code == 200
    page = window.page
    await window.go(lodgers.path("customers", customer["id"]))
    await page.get_by_role("link", name="Timeline").click()
    version = page.get_by_role("article").filter(has=page.get_by_role("heading", name="Version 2"))
    await expect(version.get_by_role("row", name="Note")).to_contain_text("Before")
    await version.get_by_role("link", name="Undo").click()
    table = page.get_by_role("table", name="What would change")
    await expect(table.get_by_role("row", name="Note")).to_contain_text("Before")
    assert (await record(lodgers, customer))["note"] == "After"
    await page.get_by_role("button", name="Change it").click()
    await expect(page.get_by_role("heading", name="Version 3")).to_be_visible()
    now = await record(lodgers, customer)
    assert (now["note"], now["phone"], now["version"]) == ("Before", None, 3)


async def test_two_records_become_one_and_two_again(lodgers: Bureau, window: Window) -> None:
    """Candidates have reasons, the merge is shown before it is done, and it can be taken back."""
    target = await add(lodgers, name="Kestrel AS", email="shop@kestrel.example", tax_number="NO 123 456 789")
    source = await add(lodgers, name="Kestrel", phone="+47 22 33 44 55", tax_number="NO 123 456 789")
    page = window.page
    await window.choose("Duplicates")
    group = page.get_by_role("region", name="Same tax number")
    await group.get_by_role("button", name="Compare").click()
    await page.get_by_label("stays: Kestrel AS").check()
    await page.get_by_role("button", name="Preview the merge").click()
    await expect(page.get_by_role("row", name="Phone")).to_contain_text("+47 22 33 44 55")
    assert (await record(lodgers, target))["phone"] is None
    await page.get_by_role("button", name="Merge them").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel AS")
    assert (await record(lodgers, target))["phone"] == "+47 22 33 44 55"
    gone = await lodgers.desk.api.get(f"{CUSTOMERS}/{source['id']}")
    assert (gone.status_code, gone.headers["location"]) == (301, f"{CUSTOMERS}/{target['id']}")
    await window.go(lodgers.path("customers", target["id"], "timeline"))
    await page.get_by_role("link", name="Un-merge").click()
    await page.get_by_role("button", name="Take the merge back").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel AS")
    assert (await record(lodgers, target))["phone"] is None
    assert (await record(lodgers, source))["phone"] == "+47 22 33 44 55"


async def test_a_failed_delivery_is_seen_and_sent_again(
    lodgers: Bureau, window: Window, receiver: Receiver, moody: Moody
) -> None:
    """What a sink would not take is told with what it answered; once it is mended, one button sends it again."""
    await make_sink(lodgers, "Till", receiver.url)
    customer = await add(lodgers, name="Kestrel")
    page = window.page

    async def is_dead() -> bool:
        await window.choose("Sinks")
        return await page.get_by_role("row", name="Till").get_by_role("link", name="1", exact=True).count() == 1

    await wait_until(is_dead, "the console tells that the delivery failed")
    await page.get_by_role("link", name="Till").click()
    await page.get_by_role("link", name="customer.created").click()
    await expect(page.get_by_text("the till is closed").first).to_be_visible()
    await expect(page.get_by_role("link", name="Kestrel")).to_be_visible()
    moody.is_mended = True
    before, address = len(receiver.got), page.url
    async with page.expect_navigation():
        await page.get_by_role("button", name="Retry").click()

    async def is_delivered() -> bool:
        await page.goto(address)
        return await page.locator(".badge").first.inner_text() == "Told"

    await wait_until(is_delivered, "the console tells that the delivery was taken")
    (again,) = receiver.got[before:]
    assert again.headers["webhook-id"] == receiver.got[0].headers["webhook-id"]
    assert customer["id"].encode() in again.body


async def test_all_of_it_is_done_without_a_mouse(lodgers: Bureau, window: Window) -> None:
    """Keys alone lead past the menu, to the search, to a customer, and through a change."""
    customer = await add(lodgers, name="Kestrel", note="Before")
    await add(lodgers, name="Nordlys")
    await window.go(lodgers.path("customers"))
    page, keys = window.page, window.page.keyboard
    await keys.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await keys.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await keys.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await keys.type("kestrel")
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await press_until(window, page.get_by_role("link", name="Kestrel"))
    await keys.press("Enter")
    part = page.get_by_role("region", name="Names and numbers")
    await press_until(window, part.get_by_role("link", name="Edit"))
    await keys.press("Enter")
    await expect(part.get_by_label("Name", exact=True)).to_be_focused()
    await keys.press("ControlOrMeta+a")
    await keys.type("Kestrel AS")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel AS")
    assert (await record(lodgers, customer))["name"] == "Kestrel AS"


async def press_until(window: Window, wanted: Locator) -> None:
    """Press Tab until something has the focus; it is within reach on every page."""
    await expect(wanted).to_be_visible()
    for _ in range(100):
        if await wanted.evaluate("one => one === document.activeElement"):
            return
        await window.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never gets to {wanted}")
