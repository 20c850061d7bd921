"""What people see of a customer's past, and how they go back to it."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.core.command import Command
from customerhub.core.customers import Proposal, update_customer
from customerhub.core.hub import Hub
from customerhub.core.imports.deciding import to_request_id
from customerhub.core.imports.orders import Upload, stage_import
from customerhub.core.sinks import NewSink, SinkPatch
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import HubError
from customerhub.model.patch import CustomerPatch
from customerhub.store.access import Credential, insert_credential
from customerhub.store.imports import Import, Row
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.leaf import Leaf, follow, look, send
from tests.console.visitor import Visitor, visiting
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import CUSTOMERS, Json, address_body, contact_body
from tests.support.listeners import add_sink

HTML = "<script>hurt()</script>"


def at(bureau: Bureau, customer: Json, *segments: object) -> str:
    """The path of one of a customer's pages."""
    return bureau.path("customers", customer["id"], *segments)


def versions_of(page: Leaf) -> list[int]:
    """The versions that a timeline shows, in its order."""
    return [int(number) for number in re.findall(r'id="v(\d+)"', page.answer.text)]


async def change(bureau: Bureau, customer: Json, **members: Any) -> Json:  # Any: members of a customer
    """The customer with other values, through the API."""
    changed: Json = (await bureau.desk.patched(customer, members))["customer"]
    return changed


def fail(error: HubError) -> Answer:
    """No failure is expected."""
    raise error


async def stage(hub: Hub, caller: Caller, name: str) -> UUID:
    """An import of a file of this name."""
    made: list[UUID] = []

    def render(one: Import) -> Answer:
        made.append(one.id)
        return Answer(200)

    upload = Upload(name, "csv", ("name",), (Row(2, ["Kestrel"]),))
    await stage_import(hub, Command(caller, "req", fail), upload, render)
    return made[0]


async def write_as(hub: Hub, caller: Caller, request_id: str, customer: Json, patch: CustomerPatch) -> None:
    """A change by somebody who comes through no API."""
    customer_id = UUID(customer["id"])
    await update_customer(
        hub, Command(caller, request_id, fail), customer_id, lambda *_: Proposal(patch), lambda _: Answer(200)
    )


async def test_a_version_tells_who_changed_what_by_name(bureau: Bureau, admin: Visitor) -> None:
    """References are told by name, parts of an address by the address; who, by which credential, through which door."""
    desk = bureau.desk
    created = await desk.create({"name": "Kestrel", "addresses": [address_body()], "carrier": desk.carriers[0]})
    address = created["addresses"][0]
    await change(
        *(bureau, created),
        carrier=desk.carriers[1],
        sales_reps=[str(bureau.admin.user.id)],
        addresses=[{**address, "city": "Bergen"}],
    )
    page = await look(admin, at(bureau, created, "timeline"))
    assert (page.status, page.row("Carrier")) == (200, ["Northbound UPS Back to this", "Northbound FedEx"])
    assert page.row("Sales reps") == ["nothing Back to this", "Ada Vik"]
    assert page.row("Address “Storgata 8, Bergen”: City") == ["Oslo Back to this", "Bergen"]
    assert "Version 2 Changed" in page.text
    assert "test key · Customerhub API" in page.text
    assert "Version 1 Created" in page.text


async def test_parts_that_are_gone_keep_their_names(bureau: Bureau, admin: Visitor) -> None:
    """What changed in a contact that was removed since is told by the contact's name, also on a page of its own."""
    created = await bureau.desk.create({"name": "Kestrel", "contacts": [contact_body()]})
    contact = created["contacts"][0]
    await change(bureau, created, contacts=[{**contact, "phone": "+4799"}])
    await change(bureau, created, contacts=[])
    page = await look(admin, at(bureau, created, "timeline"))
    label = "Contact “Ingrid Berg”"
    assert page.row(f"{label}: Phone") == ["+4722334455 Back to this", "+4799 Back to this"]
    only = await look(admin, at(bureau, created, f"timeline?field=contacts/{contact['id']}/phone"))
    assert only.row(f"{label}: Phone")[1] == "+4799 Back to this"


async def test_the_history_of_one_field_or_door_stands_alone(bureau: Bureau, admin: Visitor) -> None:
    """Narrowed to a field or a door, versions that did not touch it are left out, and other fields are only counted."""
    created = await bureau.desk.create(name="Kestrel")
    await change(bureau, created, note="A", website="https://a.example/")
    await change(bureau, created, website="https://b.example/")
    page = await look(admin, at(bureau, created, "timeline?field=note"))
    assert [row for row in page.rows if "Note" in row] == [["Note", "nothing Back to this", "A Back to this"]]
    assert "And 1 more field" in page.text
    assert "Version 3" not in page.text
    assert "Nothing of that kind happened." in (await look(admin, at(bureau, created, "timeline?door=console"))).text
    assert "Version 3" in (await look(admin, at(bureau, created, "timeline?door=hub"))).text


async def test_pages_of_a_long_history_miss_nothing(bureau: Bureau, admin: Visitor) -> None:
    """Older pages lead to the first version, newer ones back; each version stands on one of them."""
    created = await bureau.desk.create(name="Kestrel")
    for number in range(2, 44):
        await change(bureau, created, note=str(number))
    first = await look(admin, at(bureau, created, "timeline"))
    second = await look(admin, first.link("Older"))
    third = await look(admin, second.link("Older"))
    back = await look(admin, third.link("Newer"))
    pages = [versions_of(page) for page in (first, second, third, back)]
    assert pages == [[*range(43, 23, -1)], [*range(23, 3, -1)], [3, 2, 1], [*range(23, 3, -1)]]
    assert "Older" not in [text for text, _ in third.links]


async def test_a_sync_an_import_and_a_person_are_told_apart(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """A sink's name stands for what came from its other side, a file and a line for a row of an import."""
    created = await bureau.desk.create(name="Kestrel")
    team = bureau.desk.team.id
    sink = await add_sink(hub, team, NewSink("webhook", "hub"), SinkPatch(url="https://there.test/", name="Till"))
    async with hub.database.lease() as connection:
        await insert_credential(connection, Credential(team, sink.id, "mirror", "Mirror", hub.now()), None)
    credential = (await bureau.desk.caller()).credential
    importer = Caller(team, credential, bureau.admin.user.id, "Ada Vik", "import")
    file = await stage(hub, importer, "spring.csv")
    await write_as(hub, Caller(team, sink.id, sink.id, "Mirror", "mirror"), "evt_1", created, CustomerPatch(note="A"))
    await write_as(hub, importer, to_request_id(file, 17), created, CustomerPatch(note="B"))
    page = await look(admin, at(bureau, created, "timeline"))
    assert page.link("Sync of Till") == bureau.path("sinks", sink.id)
    assert "Sync of Till · Mirror · request evt_1" in page.text
    assert page.link("spring.csv, line 17") == bureau.path("imports", file)
    assert "Ada Vik · Import · spring.csv, line 17" in page.text


async def test_erased_values_are_said_to_be(bureau: Bureau, admin: Visitor) -> None:
    """Of an erased customer the timeline says what changed when, and that nobody knows the values any more."""
    created = await bureau.desk.create(name="Kestrel", email=f"{uuid4().hex}@kestrel.example")
    await change(bureau, created, note="Secret")
    answer = await bureau.desk.api.post(f"{CUSTOMERS}/{created['id']}/erase", json={"confirm": created["id"]})
    assert answer.status_code == 200, answer.text
    page = await look(admin, at(bureau, created, "timeline"))
    assert (page.row("Note"), "Secret" in page.text) == (["erased", "erased"], False)
    gone = await look(admin, at(bureau, created, "versions", 2))
    assert (gone.status, "was erased" in gone.text) == (404, True)


async def test_what_was_ignored_is_said_and_markup_is_text(bureau: Bureau, admin: Visitor) -> None:
    """Members that a contract ignores are named; names that are markup are shown as they were typed."""
    created = await bureau.desk.create(name=HTML, attributes={HTML: HTML})
    for path in ("timeline", "versions/1", "versions/1/revert", "duplicates"):
        page = await look(admin, at(bureau, created, *path.split("/")))
        assert (page.status, HTML in page.answer.text, HTML in page.text) == (200, False, True), path


async def test_the_record_stands_as_it_was(bureau: Bureau, admin: Visitor) -> None:
    """A version, and the version of a time, are shown whole beside what the record holds now where that differs."""
    created = await bureau.desk.create(name="Kestrel", note="A")
    await change(bureau, created, note="B")
    page = await look(admin, at(bureau, created, "versions", 1))
    assert (page.row("Name"), page.row("Note")) == (["Kestrel", ""], ["A", "B"])
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    found = await follow(admin, await admin.get(at(bureau, created, f"as-it-was?at={now}")))
    assert str(found.answer.url.path) == at(bureau, created, "versions", 2)
    early = await look(admin, at(bureau, created, "as-it-was?at=2020-01-01T00:00"))
    assert (early.status, "The customer was not there yet." in early.text) == (404, True)
    assert (await look(admin, at(bureau, created, "versions", 3))).status == 404


async def test_one_field_goes_back_after_a_preview(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """The preview changes nothing; its form gives the field what it held, and leaves what changed beside it."""
    created = await bureau.desk.create(name="Kestrel", note="A")
    await change(bureau, created, note="B", website="https://b.example/")
    page = await look(admin, at(bureau, created, "timeline"))
    before = await take_fingerprint(hub)
    preview = await look(admin, next(address for text, address in page.links if "revert?path=%2Fnote" in address))
    assert preview.row("Note") == ["B", "A"]
    assert await take_fingerprint(hub) == before
    done = await follow(admin, await send(admin, preview, at(bureau, created, "versions", 1, "revert")))
    assert "It is done" in done.text
    customer = await bureau.desk.get(created["id"])
    assert (customer["note"], customer["website"], customer["version"]) == ("A", "https://b.example/", 3)
    assert "Ada Vik · Console" in done.text


async def test_what_one_version_changed_is_undone(bureau: Bureau, admin: Visitor) -> None:
    """All that a version changed goes back, what later ones changed elsewhere stays."""
    created = await bureau.desk.create(name="Kestrel")
    await change(bureau, created, note="A", phone="+4722")
    await change(bureau, created, website="https://b.example/")
    preview = await look(admin, at(bureau, created, "versions", 2, "undo"))
    assert (preview.row("Note"), preview.row("Phone")) == (["A", "nothing"], ["+4722", "nothing"])
    await follow(admin, await send(admin, preview, at(bureau, created, "versions", 1, "revert")))
    customer = await bureau.desk.get(created["id"])
    assert (customer["note"], customer["phone"], customer["website"]) == (None, None, "https://b.example/")


async def test_what_cannot_come_back_is_told_and_left_out(bureau: Bureau, admin: Visitor) -> None:
    """A number that is another customer's by now is named as what stands in the way; the rest goes back without it."""
    number = f"K-{uuid4().hex}"
    created = await bureau.desk.create(name="Kestrel", number=number, note="A")
    await change(bureau, created, number=f"L-{uuid4().hex}", note="B")
    await bureau.desk.create(name="Osprey", number=number)
    preview = await look(admin, at(bureau, created, "versions", 1, "revert"))
    assert "This cannot come back Number: Belongs to another customer of this team." in preview.text
    assert preview.row("Note") == ["B", "A"]
    await follow(admin, await send(admin, preview, at(bureau, created, "versions", 1, "revert")))
    customer = await bureau.desk.get(created["id"])
    assert (customer["note"], customer["number"][:2]) == ("A", "L-")


async def test_nothing_goes_back_over_somebody_elses_change(hub: Hub, bureau: Bureau, admin: Visitor) -> None:
    """A preview that is out of date is refused with a new one, and nothing changes."""
    created = await bureau.desk.create(name="Kestrel", note="A")
    await change(bureau, created, note="B")
    preview = await look(admin, at(bureau, created, "versions", 1, "revert"))
    await change(bureau, created, note="C")
    before = await take_fingerprint(hub)
    answer = await send(admin, preview, at(bureau, created, "versions", 1, "revert"))
    assert (answer.status_code, "Somebody has changed this customer meanwhile." in answer.text) == (412, True)
    assert await take_fingerprint(hub) == before


async def test_a_deleted_customer_comes_back_unless_others_have_what_it_had(bureau: Bureau, admin: Visitor) -> None:
    """A number that is taken by now is told with its value; once it is free the customer is as it was."""
    number = f"K-{uuid4().hex}"
    created = await bureau.desk.create(name="Kestrel", number=number)
    path = f"{CUSTOMERS}/{created['id']}"
    assert (await bureau.desk.api.delete(path)).status_code == 200
    other = await bureau.desk.create(name="Osprey", number=number)
    timeline = await look(admin, at(bureau, created, "timeline"))
    refused = await look(admin, timeline.link("Restore it"))
    assert f"Number: “{number}” belongs to another customer by now." in refused.text
    assert at(bureau, created, "restore") not in [action for _, action in refused.forms]
    await change(bureau, other, number=f"L-{uuid4().hex}")
    page = await look(admin, at(bureau, created, "restore"))
    done = await follow(admin, await send(admin, page, at(bureau, created, "restore")))
    assert ("The customer is back, as it was." in done.text, "Version 3 Restored" in done.text) == (True, True)
    assert (await bureau.desk.get(created["id"]))["number"] == number


async def test_who_may_only_read_is_offered_no_way_back(
    hub: Hub, site: Site, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the permission to change customers the timeline has no way back, and none is taken."""
    created = await bureau.desk.create(name="Kestrel", note="A")
    await change(bureau, created, note="B")
    monkeypatch.setattr("customerhub.core.sessions._find_scopes", lambda *_: frozenset(("customers:read",)))
    async with visiting(site, bureau.member) as reader:
        page = await look(reader, at(bureau, created, "timeline"))
        assert (page.status, [address for _, address in page.links if "revert" in address]) == (200, [])
        before = await take_fingerprint(hub)
        revert = at(bureau, created, "versions", 1, "revert")
        sent = {"at": "2", "path": "/note"}
        assert [(await reader.get(revert)).status_code, (await reader.post(revert, sent)).status_code] == [403, 403]
        assert await take_fingerprint(hub) == before
