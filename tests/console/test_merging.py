"""How people find customers that are one and the same, make them one, and take that back."""

from uuid import uuid4

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.leaf import Leaf, follow, look, send
from tests.console.visitor import Visitor, visiting
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import CUSTOMERS, Json, address_body, contact_body


async def make_twins(bureau: Bureau, **members: object) -> tuple[Json, Json]:
    """Two customers with one tax number; the second has an address, a contact and an attribute that the first lacks."""
    tax_number = f"NO {uuid4().int % 10**9:09d}"
    first = await bureau.desk.create({"name": "Kestrel", "note": "A", "tax_number": tax_number, **members})
    second = await bureau.desk.create(
        {
            "name": "Kestrel AS",
            "note": "B",
            "tax_number": tax_number,
            "website": "https://kestrel.example/",
            "addresses": [address_body()],
            "contacts": [contact_body()],
            "attributes": {"Region": "Nordics"},
        }
    )
    return first, second


def beside(bureau: Bureau, first: Json, *others: Json, page: str = "") -> str:
    """The path of a page of customers side by side."""
    query = "&".join(f"with={one['id']}" for one in others)
    return f"{bureau.path('duplicates', first['id'], *filter(None, (page,)))}{'?' if query else ''}{query}"


async def merge(bureau: Bureau, admin: Visitor, first: Json, *others: Json) -> Leaf:
    """The page that people come to once they have made them one."""
    preview = await look(admin, beside(bureau, first, *others, page="merge"))
    return await follow(admin, await send(admin, preview, bureau.path("duplicates", first["id"], "merge")))


async def is_gone(bureau: Bureau, customer: Json, into: Json) -> bool:
    """Whether the API leads from a customer to the one that it went into."""
    answer: httpx.Response = await bureau.desk.api.get(f"{CUSTOMERS}/{customer['id']}")
    return answer.status_code == 301 and answer.headers["location"].endswith(into["id"])


async def test_groups_are_told_with_their_reasons(bureau: Bureau, admin: Visitor) -> None:
    """Customers that share a value stand together with it, and lead to the page of them side by side."""
    first, second = await make_twins(bureau)
    await bureau.desk.create(name="Osprey")
    page = await look(admin, bureau.path("duplicates"))
    key = first["tax_number"].replace(" ", "").lower()
    assert f"Same tax number {key}" in page.text
    assert "Osprey" not in page.text
    answer = await send(admin, page, bureau.path("merge"))
    chosen = sorted((first["id"], second["id"]))
    assert answer.headers["location"] == f"{bureau.path('duplicates', chosen[0])}?with={chosen[1]}"


async def test_candidates_of_a_customer_have_a_score(bureau: Bureau, admin: Visitor) -> None:
    """The likeliest stands first; what more of them share weighs more."""
    first, _ = await make_twins(bureau, phone="+4722334455")
    await bureau.desk.create(name="Falcon", tax_number=first["tax_number"], phone="+47 22 33 44 55")
    page = await look(admin, bureau.path("customers", first["id"], "duplicates"))
    found = [(row[1].split(" C0")[0], row[3]) for row in page.rows if len(row) == 5 and row[3].isdigit()]
    assert found == [("Falcon", "6"), ("Kestrel AS", "4")]


async def test_what_differs_is_marked_side_by_side(bureau: Bureau, admin: Visitor) -> None:
    """Every member that either has is there once, with each one's value; what they share is not marked."""
    first, second = await make_twins(bureau)
    page = await look(admin, beside(bureau, first, second))
    cells = {row[0]: row[1:] for row in page.rows[1:]}
    assert cells["Note, differs"][:2] == [
        f"A keep this as Note, of Kestrel, {first['number']}",
        f"B keep this as Note, of Kestrel AS, {second['number']}",
    ]
    assert cells["Tax number"] == [first["tax_number"], first["tax_number"], ""]
    assert cells["Addresses, differs"][0] == "nothing"
    assert cells["Addresses, differs"][2] == "all of them"
    alone = await look(admin, beside(bureau, first))
    assert alone.rows == page.rows


async def test_a_merge_is_previewed_and_then_done(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """The preview changes nothing, tells what comes and what only history keeps; then they are one."""
    first, second = await make_twins(bureau)
    before = await take_fingerprint(hub)
    preview = await look(admin, beside(bureau, first, second, page="merge"))
    assert await take_fingerprint(hub) == before
    assert preview.row("Website") == ["nothing", "https://kestrel.example/"]
    assert preview.row("Attribute “Region”") == ["nothing", "Nordics"]
    assert preview.row("Contact “Ingrid Berg”")[0] == "nothing"
    assert "These values of it do not come along; its history keeps them: Name Kestrel AS Number" in preview.text
    assert "Note B" in preview.text
    done = await follow(admin, await send(admin, preview, bureau.path("duplicates", first["id"], "merge")))
    assert "They are one customer now." in done.text
    assert "Version 2 Took in others" in done.text
    assert f"Into this customer went Kestrel AS {second['number']}." in done.text
    assert done.link("Un-merge") == bureau.path("customers", first["id"], "versions", 2, "unmerge")
    customer = await bureau.desk.get(first["id"])
    assert (customer["note"], customer["website"]) == ("A", "https://kestrel.example/")
    assert await is_gone(bureau, second, first)
    timeline = await look(admin, bureau.path("customers", second["id"], "timeline"))
    assert "This customer went into Kestrel." in timeline.text


async def test_people_choose_who_stays_and_whose_value_survives(bureau: Bureau, admin: Visitor) -> None:
    """The chosen one stays, with the values of the others where they were chosen, and its own where not."""
    first, second = await make_twins(bureau)
    page = await look(admin, beside(bureau, first, second))
    action = bureau.path("duplicates", first["id"], "merge")
    answer = await send(admin, page, action, ("into", second["id"]), ("keep.note", first["id"]))
    preview = Leaf(answer)
    assert (preview.row("Note"), "Merge into Kestrel AS" in preview.text) == (["B", "A"], True)
    await follow(admin, await send(admin, preview, action))
    customer = await bureau.desk.get(second["id"])
    assert (customer["name"], customer["note"]) == ("Kestrel AS", "A")
    assert await is_gone(bureau, first, second)


async def test_nothing_is_merged_that_changed_meanwhile(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """Whichever of them was changed since the preview: it is shown anew, and nothing happens."""
    first, second = await make_twins(bureau)
    action = bureau.path("duplicates", first["id"], "merge")
    preview = await look(admin, beside(bureau, first, second, page="merge"))
    for one in (first, second):
        await bureau.desk.patched(one, {"note": uuid4().hex})
        before = await take_fingerprint(hub)
        answer = await send(admin, preview, action)
        assert (answer.status_code, "Somebody has changed one of them" in answer.text) == (412, True)
        assert await take_fingerprint(hub) == before
        preview = Leaf(answer)
    assert (await bureau.desk.api.delete(f"{CUSTOMERS}/{second['id']}")).status_code == 200
    before = await take_fingerprint(hub)
    answer = await send(admin, preview, action)
    assert (answer.status_code, "Choose at least one more" in answer.text) == (409, True)
    assert await take_fingerprint(hub) == before


async def test_who_stands_in_the_way_is_told(bureau: Bureau, admin: Visitor) -> None:
    """A customer cannot go into one that stands below it by another, and the page says why."""
    first, second = await make_twins(bureau)
    between = await bureau.desk.create(name="Between", parent=second["id"])
    await bureau.desk.patched(first, {"parent": between["id"]})
    preview = await look(admin, beside(bureau, first, second, page="merge"))
    assert "They cannot become one like this" in preview.text
    assert ("post", bureau.path("duplicates", first["id"], "merge")) not in preview.forms


async def test_a_merge_is_taken_back(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """The preview changes nothing; then both are there again, as they were."""
    first, second = await make_twins(bureau)
    merged = await merge(bureau, admin, first, second)
    before = await take_fingerprint(hub)
    preview = await look(admin, merged.link("Un-merge"))
    assert await take_fingerprint(hub) == before
    assert f"There again, as they were before the merge: Kestrel AS {second['number']}" in preview.text
    assert preview.row("Website") == ["https://kestrel.example/", "nothing"]
    action = bureau.path("customers", first["id"], "versions", 2, "unmerge")
    done = await follow(admin, await send(admin, preview, action))
    assert "The merge was taken back." in done.text
    assert "This merge was taken back since." in done.text
    assert "Un-merge" not in [text for text, _ in done.links]
    assert (await bureau.desk.get(first["id"]))["website"] is None
    assert (await bureau.desk.get(second["id"]))["addresses"] == second["addresses"]
    again = await look(admin, action)
    assert "This merge was taken back already." in again.text


@pytest.mark.parametrize(("prefer", "stands"), [("current", "https://new.example/"), ("former", None)])
async def test_later_changes_ask_for_a_choice(bureau: Bureau, admin: Visitor, prefer: str, stands: str | None) -> None:
    """What was changed since the merge is named with both values; what people choose stands there then."""
    first, second = await make_twins(bureau)
    merged = await merge(bureau, admin, first, second)
    await bureau.desk.patched(first, {"website": "https://new.example/"})
    preview = await look(admin, merged.link("Un-merge"))
    action = bureau.path("customers", first["id"], "versions", 2, "unmerge")
    assert ("post", action) not in preview.forms
    assert preview.row("Website") == ["https://new.example/", "nothing"]
    chosen = Leaf(await send(admin, preview, action, ("prefer", prefer)))
    await follow(admin, await admin.post(action, dict(chosen.forms["post", action])))
    assert (await bureau.desk.get(first["id"]))["website"] == stands
    assert (await bureau.desk.get(second["id"]))["website"] == "https://kestrel.example/"


async def test_a_merge_is_not_taken_back_over_somebody_elses_change(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """A preview that is out of date is refused with a new one, and nothing changes."""
    first, second = await make_twins(bureau)
    merged = await merge(bureau, admin, first, second)
    preview = await look(admin, merged.link("Un-merge"))
    await bureau.desk.patched(first, {"phone": "+4722"})
    before = await take_fingerprint(hub)
    answer = await send(admin, preview, bureau.path("customers", first["id"], "versions", 2, "unmerge"))
    assert (answer.status_code, "Somebody has changed this customer meanwhile." in answer.text) == (412, True)
    assert await take_fingerprint(hub) == before


async def test_who_may_not_delete_may_not_merge(
    hub: Hub, site: Site, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merging deletes customers: without that permission people may compare them, and no more."""
    first, second = await make_twins(bureau)
    scopes = frozenset(("customers:read", "customers:update"))
    monkeypatch.setattr("customerhub.core.sessions._find_scopes", lambda *_: scopes)
    async with visiting(site, bureau.member) as editor:
        page = await look(editor, beside(bureau, first, second))
        assert (page.status, "keep this" in page.text, "Preview the merge" in page.text) == (200, False, False)
        before = await take_fingerprint(hub)
        preview = await editor.get(beside(bureau, first, second, page="merge"))
        sent = await editor.post(bureau.path("duplicates", first["id"], "merge"), {"with": second["id"]})
        assert (preview.status_code, sent.status_code) == (403, 403)
        assert await take_fingerprint(hub) == before
