"""People look for customers: by a text, by filters, in an order, with the columns that they like."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from uuid import uuid4

import pytest

from customerhub.console.customers import asked, columns, listing
from customerhub.core import browse as core
from customerhub.core import patience
from customerhub.core.hub import Hub
from customerhub.store import browse as store
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.leaf import Leaf, follow, look, send
from tests.console.visitor import Visitor, visiting
from tests.support.customers import new_customer, put_customers
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import DIALECT, address_body

HTML = "<script>hurt()</script>"
START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)


async def put(hub: Hub, bureau: Bureau, number: int, **fields: object) -> None:
    """So many customers, each changed a second after the one before; their names count from 0."""
    async with hub.database.lease() as connection:
        await put_customers(
            connection,
            [
                new_customer(
                    bureau.desk.team.id, START + timedelta(seconds=place), name=f"Company {place:04d}", **fields
                )
                for place in range(number)
            ],
        )


def names(page: Leaf) -> list[str]:
    """The customers that a page shows."""
    return [row[0] for row in page.rows[1:]]


async def test_a_team_without_customers_is_told_what_to_do(admin: Visitor, bureau: Bureau) -> None:
    """The page leads to the first customer and to a file of them."""
    page = await look(admin, bureau.path("customers"))
    assert page.status == 200
    assert "There are no customers here yet." in page.text
    assert page.link("Make the first one") == bureau.path("customers", "new")
    assert page.link("load a spreadsheet") == bureau.path("imports")


async def test_pages_lead_on_and_back(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """What was changed last stands first; each customer is on one page, and the way back is the same pages."""
    await put(hub, bureau, 120)
    first = await look(admin, bureau.path("customers"))
    second = await look(admin, first.link("Next"))
    third = await look(admin, second.link("Next"))
    expected = [f"Company {place:04d}" for place in reversed(range(120))]
    assert [*names(first), *names(second), *names(third)] == expected
    assert (len(names(first)), len(names(third))) == (50, 20)
    assert "120 customers." in first.text
    assert "Next" not in third.text
    assert names(await look(admin, third.link("Previous"))) == names(second)
    assert "Previous" not in (await look(admin, second.link("Previous"))).text


async def test_columns_sort_the_list(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """The head of a column that an index knows leads to its order, and once more to the other way round."""
    await put(hub, bureau, 60)
    page = await look(admin, bureau.path("customers"))
    by_name = await look(admin, page.link("Name"))
    assert names(by_name)[:2] == ["Company 0000", "Company 0001"]
    assert 'aria-sort="ascending"' in by_name.answer.text
    assert names(await look(admin, by_name.link("Next")))[0] == "Company 0050"
    turned = await look(admin, by_name.link("Name ▲"))
    assert names(turned)[0] == "Company 0059"
    assert {text for text, _ in page.links} >= {"Name", "Number", "Changed ▼"}
    assert "Email" not in {text for text, _ in page.links}
    # The order is still there at the next visit.
    assert names(await look(admin, bureau.path("customers")))[0] == "Company 0059"


async def test_a_text_finds_and_filters_choose_among_what_it_found(admin: Visitor, bureau: Bureau) -> None:
    """The best first; what a text finds and all filters let through is shown, with its badges and a way to it."""
    desk = bureau.desk
    kestrel = await desk.create(name="Kestrel & Sons", standing="hold_all", payment_term=desk.payment_terms[0])
    await desk.create(name="Old Kestrel", status="inactive")
    await desk.create(name="Ravn")
    page = await look(admin, bureau.path("customers") + "?q=kestrel")
    assert names(page) == ["Kestrel & Sons", "Old Kestrel"]
    assert "2 customers found." in page.text
    assert page.link("Kestrel & Sons") == bureau.path("customers", kestrel["id"])
    assert '<span class="badge bad">Hold all</span>' in page.answer.text
    one = await look(admin, bureau.path("customers") + f"?q=kestrel&payment_term={desk.payment_terms[0]}&status=active")
    assert names(one) == ["Kestrel & Sons"]
    without = [address for text, address in one.links if text == "×"]
    assert len(without) == 2
    assert names(await look(admin, without[0])) == ["Kestrel & Sons"]
    none = await look(admin, bureau.path("customers") + "?q=zzz&status=active")
    assert "Nobody has “zzz” and answers the filters." in none.text


async def test_each_filter_chooses(admin: Visitor, bureau: Bureau) -> None:
    """Every filter of the form finds the one customer that answers it, and not the other."""
    desk = bureau.desk
    chosen = await desk.create(
        name="Chosen",
        status="inactive",
        standing="preferred",
        payment_term=desk.payment_terms[0],
        shipping_term=desk.shipping_terms[0],
        carrier=desk.carriers[0],
        price_groups=[desk.pricing_groups[0]],
        type_group=desk.type_groups[0],
        sales_reps=[desk.reps[0]],
        addresses=[address_body(city="Tromsø", state="TF", postal_code="9008")],
    )
    await desk.create(name="Other", addresses=[address_body(city="Oslo", state="OS", postal_code="0150")])
    today = datetime.fromisoformat(chosen["created_at"]).date()
    values = {
        "status": "inactive",
        "standing": "preferred",
        "payment_term": desk.payment_terms[0],
        "shipping_term": desk.shipping_terms[0],
        "carrier": desk.carriers[0],
        "price_group": desk.pricing_groups[0],
        "type_group": desk.type_groups[0],
        "sales_rep": desk.reps[0],
        "city": "Tromsø",
        "state": "TF",
        "postal_code": "9008",
    }
    for name, value in values.items():
        page = await look(admin, bureau.path("customers") + f"?{name}={value}")
        assert names(page) == ["Chosen"], name
    days = ("created_from", "created_to", "changed_from", "changed_to")
    assert {*values, *days} == set(asked.TITLES)
    for name in days:
        days_off = timedelta(days=1 if name.endswith("from") else -1)
        both = await look(admin, bureau.path("customers") + f"?{name}={today}")
        neither = await look(admin, bureau.path("customers") + f"?{name}={today + days_off}")
        assert (sorted(names(both)), names(neither)) == (["Chosen", "Other"], []), name


async def test_what_cannot_be_understood_is_said(admin: Visitor, bureau: Bureau) -> None:
    """A filter, an order, a place or a page that is none changes nothing but what the page says of it."""
    await bureau.desk.create(name="Ravn")
    strange = f"?status=gone&carrier=x&created_from=soon&sort=-email&at=%00zz&page=-1&changed_to=9999-12-31&x={uuid4()}"
    page = await look(admin, bureau.path("customers") + strange.replace("%00", ""))
    assert page.status == 200
    assert names(page) == ["Ravn"]
    for title in ("Status", "Carrier", "Created from", "Changed to"):
        assert f"The filter “{title}” cannot be understood, and is left out." in page.text
    strange_places = (
        ("time", "soon"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("text", "a\0b"),
        ("text", "\ud800"),
    )
    made = [
        base64.urlsafe_b64encode(json.dumps([*place, str(uuid4()), False, False]).encode()).decode()
        for place in strange_places
    ]
    for token in ("eA==", "WyJ0aW1lIiwieCJd", "é", "A" * 5000, *made):
        assert names(await look(admin, bureau.path("customers") + f"?at={token}")) == ["Ravn"]


async def test_chosen_columns_are_there_at_the_next_visit(admin: Visitor, bureau: Bureau) -> None:
    """A browser keeps them in a cookie that no script reads and only the console gets; the search goes on."""
    await bureau.desk.create(name="Ravn", addresses=[address_body(city="Oslo")], website="https://ravn.example")
    page = await look(admin, bureau.path("customers") + "?q=ravn&status=active")
    action = bureau.path("customers", "columns")
    many = "&".join(f"a{place}=b" for place in range(60))
    assert (await send(admin, page, action, ("back", many))).headers["location"] == bureau.path("customers")
    boxes = [("column", "city"), ("column", "created_at"), ("column", "secret")]
    answer = await send(admin, page, action, *boxes)
    jar: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    morsel = jar[columns.COOKIE]
    assert morsel.value == "city.created_at"
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/console", True, "Lax")
    again = await follow(admin, answer)
    assert again.rows[0] == ["Name", "City", "Created"]
    assert again.rows[1][:2] == ["Ravn", "Oslo"]
    assert "q=ravn" in str(again.answer.url)
    assert (await look(admin, bureau.path("customers"))).rows[0] == ["Name", "City", "Created"]


@pytest.mark.parametrize("kept", ["nonsense", "name.nothing", "~-nothing", "city~-updated_at;", "é", "." * 500, HTML])
async def test_a_strange_cookie_is_nothing(site: Site, bureau: Bureau, kept: str) -> None:
    """Whatever a browser sends as what it has kept, the list is shown."""
    await bureau.desk.create(name="Ravn")
    async with visiting(site, bureau.member) as visitor:
        session = f"customerhub={visitor.secret}"
        cookie = f"{session}; {columns.COOKIE}={kept}".encode()
        answer = await visitor.browser.get(bureau.path("customers"), headers={b"cookie": cookie})
        assert answer.status_code == 200
        assert names(Leaf(answer)) == ["Ravn"]
        assert HTML not in answer.text


async def test_more_than_can_be_counted_or_looked_through_is_said(
    hub: Hub, admin: Visitor, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond their bounds counts say more than, pages say how far they looked, and lead further."""
    await put(hub, bureau, 130, standing="preferred")
    await bureau.desk.create(name="Last", standing="hold_all")
    monkeypatch.setattr(core, "MOST_COUNTED", 100)
    monkeypatch.setattr(listing, "MOST_COUNTED", 100)
    assert "More than 100 customers." in (await look(admin, bureau.path("customers"))).text
    monkeypatch.setattr(store, "_SCATTERED", 40)
    path = bureau.path("customers") + "?standing=hold_all&sort=name"
    # What takes long ends after the first part.
    monkeypatch.setattr(patience, "_QUICK_SECONDS", -1)
    assert "0 customers among the first 5 of this list" in (await look(admin, path)).text
    monkeypatch.setattr(patience, "_QUICK_SECONDS", 60)
    page = await look(admin, path)
    assert "0 customers among the first 40 of this list; there may be more further on." in page.text
    assert "None of the customers that this page looked through answers." in page.text
    found = list[str]()
    for _ in range(4):
        assert page.status == 200
        found += names(page) if page.rows else []
        target = dict(page.links).get("Look further")
        if target is None:
            break
        page = await look(admin, target)
    assert found == ["Last"]


async def test_a_full_page_counts_as_far_as_is_quick(
    hub: Hub, admin: Visitor, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that answer are counted among so many as a page looks through; where that is slow, the first part."""
    await put(hub, bureau, 130, standing="preferred")
    monkeypatch.setattr(store, "_SCATTERED", 800)
    for seconds, told in ((-1, "100 customers among the first 100 of this list"), (60, "130 customers.")):
        monkeypatch.setattr(patience, "_QUICK_SECONDS", seconds)
        assert told in (await look(admin, bureau.path("customers") + "?standing=preferred&sort=name")).text


async def test_a_customer_is_made(admin: Visitor, bureau: Bureau) -> None:
    """The form leads to the new customer, who has what was typed, a number, and a name in the history."""
    desk = bureau.desk
    page = await look(admin, bureau.path("customers", "new"))
    answer = await send(
        admin,
        page,
        bureau.path("customers", "new"),
        ("name", f"Nord {HTML}"),
        ("email", "post@nord.example"),
        ("payment_term", desk.payment_terms[0]),
        ("default_sales_rep", desk.reps[0]),
        ("address.line1", "Storgata 1"),
        ("address.city", "Oslo"),
        ("note", "Two\nlines"),
    )
    assert answer.status_code == 303
    customer = await desk.get(answer.headers["location"].rpartition("/")[2])
    assert (customer["name"], customer["email"]) == (f"Nord {HTML}", "post@nord.example")
    assert re.fullmatch(r"C\d{5}", customer["number"])
    assert (customer["payment_term"], customer["sales_reps"]) == (desk.payment_terms[0], [desk.reps[0]])
    [address] = customer["addresses"]
    assert (address["line1"], address["city"], address["type"]) == ("Storgata 1", "Oslo", "billing")
    assert customer["bill_to"] == address["id"]
    assert customer["created_by"] == str(bureau.admin.user.id)
    listed = await look(admin, bureau.path("customers"))
    assert names(listed) == [f"Nord {HTML}"]
    assert HTML not in listed.answer.text


async def test_a_customer_that_cannot_be_is_not_made(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """What is wrong stands beside its field, what was typed stays, and nothing happens."""
    await bureau.desk.create(name="Ravn", email="post@ravn.example")
    page = await look(admin, bureau.path("customers", "new"))
    before = await take_fingerprint(hub)
    action = bureau.path("customers", "new")
    answer = await send(
        admin, page, action, ("name", " "), ("email", "no address"), ("carrier", "x"), ("address.city", "x" * 3000)
    )
    assert answer.status_code == 400
    for name in ("name", "email", "carrier", "address-city"):
        assert f'id="in-{name}-error"' in answer.text, name
    assert 'value="no address"' in answer.text
    assert await take_fingerprint(hub) == before
    taken = await send(admin, page, action, ("name", "Raven"), ("email", "POST@ravn.example"))
    assert taken.status_code == 400
    assert 'id="in-email-error">Belongs to another customer of this team<' in taken.text
    assert names(await look(admin, bureau.path("customers"))) == ["Ravn"]


async def test_deleted_customers_are_listed(admin: Visitor, bureau: Bureau) -> None:
    """The last deleted first, each with the way to its page."""
    empty = await look(admin, bureau.path("customers", "deleted"))
    assert "No customer is deleted." in empty.text
    made = [await bureau.desk.create(name=name) for name in ("First", "Second")]
    for customer in made:
        await bureau.desk.api.delete(f"/hub/v1/customers/{customer['id']}")
    page = await look(admin, bureau.path("customers", "deleted"))
    assert names(page) == ["Second", "First"]
    assert page.link("Second") == bureau.path("customers", made[1]["id"])
    assert "no customers here yet" in (await look(admin, bureau.path("customers"))).text


async def test_few_at_an_address_are_found_however_deep(
    hub: Hub, admin: Visitor, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What few have in an address comes from its index: all of it, though a page looks through fewer customers."""
    for city in ("Vardø", "Oslo", "Oslo"):
        await bureau.desk.create(name=city, addresses=[address_body(city=city)])
    await put(hub, bureau, 30)
    monkeypatch.setattr(store, "_SCATTERED", 20)
    monkeypatch.setattr(patience, "_QUICK_SECONDS", 60)
    path = bureau.path("customers")
    page = await look(admin, f"{path}?city=Vardø&sort=name")
    assert names(page) == ["Vardø"]
    assert "1 customer found." in page.text
    monkeypatch.setattr(core, "MOST_MATCHES", 1)
    many = await look(admin, f"{path}?city=Oslo&sort=name")
    assert "0 customers among the first 5 of this list" in many.text
    assert "Look further" in {text for text, _ in many.links}


async def test_the_list_as_a_file(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """With the filters of the list, in any system's words, as it was at a time; and what that cannot be is said."""
    desk = bureau.desk
    then = hub.now()
    ravn = await desk.create(name="Ravn", status="inactive")
    await desk.create(name="Falk")
    page = await look(admin, bureau.path("customers") + "?status=inactive&q=rav")
    action = bureau.path("customers", "export")
    answer = await send(admin, page, action, ("format", "csv"))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="customers-{DIALECT}.csv"'
    header, row = answer.text.splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["id"] == ravn["id"]
    lines = (await admin.get(f"{action}?format=jsonl")).text.splitlines()
    assert sorted(json.loads(line)["name"] for line in lines) == ["Falk", "Ravn"]
    before = await admin.get(f"{action}?format=jsonl&as_of={then.isoformat().replace('+00:00', 'Z')}")
    assert (before.status_code, before.text) == (200, "")
    refused = await look(admin, f"{action}?as_of=2026-01-01T00:00&city=Oslo")
    assert refused.status == 400
    assert "customers are chosen by text, status, creation and last change alone" in refused.text
    assert (await look(admin, f"{action}?as_of=soon")).status == 400
    assert (await look(admin, f"{action}?carrier=x")).status == 400
    for strange in ("format=pdf", "shape=nothing"):
        assert (await admin.get(f"{action}?{strange}")).status_code == 404
