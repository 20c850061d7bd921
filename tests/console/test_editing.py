"""Changing one customer in the console: every field, with the record's own rules, and nothing but what was typed."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.console.fields import GROUPS
from customerhub.core.catalogue import EntryProposal, EntryValues, update_entry
from customerhub.model.answer import Answer
from customerhub.store.catalogue import get_snapshot
from customerhub.web.serve import Site
from tests.console.filling import find_form, find_forms, to_lines
from tests.console.house import Bureau
from tests.console.keeper import Keeper, keeping
from tests.support.augno import to_command
from tests.support.hub import address_body, contact_body

FORMS = (*(group.name for group in GROUPS), "attributes", "defaults", "primary")
ODD = '  two  blanks, "quotes" & <tags>\ttab  '


@pytest.fixture
async def keeper(site: Site, bureau: Bureau) -> AsyncIterator[Keeper]:
    """The administrator, on a customer that has something in every field."""
    async with keeping(site, bureau) as made:
        yield made


def entry_forms(record: dict[str, Any]) -> list[str]:  # Any: JSON
    """The forms of a customer's addresses and contacts."""
    addresses = (f"address-{one['id']}" for one in record["addresses"])
    return [*addresses, *(f"contact-{one['id']}" for one in record["contacts"])]


def without_marks(record: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """A record without what each version has anew."""
    return {name: value for name, value in record.items() if name not in ("version", "updated_at", "updated_by")}


async def test_saving_what_was_not_touched_changes_nothing(site: Site, bureau: Bureau) -> None:
    """Every form of a customer with odd texts in it, sent as it opens, leads back and makes no version."""
    body = bureau.desk.full_body() | {
        "name": ODD,
        "note": "\n first\r\nsecond\n\n",
        "display_name": "one\ntwo",
        "attributes": {"Region": ODD, "mode": "replace", "a.b/c %20": "x\ny"},
        "addresses": [address_body(line1=ODD, attributes={"Dock": ""})],
        "contacts": [contact_body(designation="a\r\nb")],
        "ship_to": "/addresses/0",
        "primary_contact": "/contacts/0",
    }
    async with keeping(site, bureau, body) as keeper:
        before = await keeper.record()
        for form in (*FORMS, *entry_forms(before)):
            answer = await (await keeper.open(form)).send(keeper.visitor)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{keeper.path()}#card-{form}")
        assert await keeper.record() == before


async def test_every_plain_field_is_saved_as_it_is_typed(keeper: Keeper) -> None:
    """Texts are kept to the blank, choices by their ids, and nothing else of the record is touched."""
    desk = keeper.bureau.desk
    texts = ("name", "display_name", "reference_id", "first_name", "last_name")
    typed: dict[str, dict[str, str | list[str]]] = {
        "identity": {name: f" {name} {ODD}" for name in texts},
        "reach": {"phone": " 12 ", "website": "x y", "note": "a\n\nb\n"},
        "standing": {"status": "active", "standing": "hold_all", "priority": "low"},
        "terms": {
            "payment_term": desk.payment_terms[1],
            "payment_mode": "Bank",
            "price_list": desk.price_lists[1],
            "price_groups": desk.pricing_groups[:1],
            "type_group": desk.type_groups[1],
        },
        "shipping": {
            "shipping_term": desk.shipping_terms[1],
            "carrier": desk.carriers[1],
            "service_level": desk.service_levels[1],
            "freight_policy": "billed_freight",
            "carrier_billing_type": "sender",
            "carrier_billing_account": "A 1",
        },
        "sales": {"sales_reps": desk.reps[1:], "default_sales_rep": "", "commission_policy": "commission_exempt"},
        "tax": {"tax_number": "1", "tax_excluded": [], "accepts_invoice_emails": "yes", "is_edi_enabled": []},
    }
    expected = without_marks(await keeper.record())
    for form, values in typed.items():
        answer = await keeper.save(form, **values)
        assert answer.status_code == 303, answer.text
        flags = {"tax_excluded": False, "is_edi_enabled": False, "accepts_invoice_emails": True}
        shown = {name: flags.get(name, value) for name, value in values.items()}
        expected |= {name: None if value == "" else value for name, value in shown.items()}
        assert await keeper.last_changes() == {f"/{name}": expected[name] for name in shown}, form
    assert without_marks(await keeper.record()) == expected


async def test_what_is_emptied_is_none(keeper: Keeper) -> None:
    """A field that is emptied holds nothing any more, and neither does an amount with its currency."""
    emptied: dict[str, dict[str, str | list[str]]] = {
        "identity": dict.fromkeys(("display_name", "reference_id", "first_name", "last_name"), ""),
        "reach": dict.fromkeys(("email", "phone", "website", "note"), ""),
        "terms": {
            "payment_term": "",
            "payment_mode": "",
            "price_list": "",
            "price_groups": [],
            "credit_limit__value": "",
        },
        "shipping": {"shipping_term": "", "service_level": "", "carrier": "", "carrier_billing_account": ""},
        "sales": {"sales_reps": [], "default_sales_rep": ""},
        "tax": {"tax_number": ""},
        "defaults": {"bill_to": "", "ship_to": ""},
        "primary": {"primary_contact": ""},
    }
    for form, values in emptied.items():
        assert (await keeper.save(form, **values)).status_code == 303, form
    record = await keeper.record()
    left = {name: record[name.partition("__")[0]] for values in emptied.values() for name in values}
    assert left == dict.fromkeys(left) | {"price_groups": [], "sales_reps": []}
    assert (len(record["addresses"]), len(record["contacts"])) == (2, 2)


async def test_what_is_wrong_is_said_beside_the_field(keeper: Keeper) -> None:
    """All that is wrong is told by the record's own rules, what was typed stands there still; nothing is changed."""
    before = await keeper.record()
    answer = await keeper.save("reach", email="nobody at home", phone="x" * 256, note="fine")
    assert answer.status_code == 422
    form = find_form(answer, "/edit/reach")
    assert (form.value("email"), form.value("note")) == ("nobody at home", "fine")
    assert form.invalid == ["email", "phone"]
    assert to_lines(form.reasons) == [
        "Must be an email address of at most 254 characters",
        "Must be at most 255 characters",
    ]
    answer = await keeper.save("identity", name=" ", number="")
    assert (answer.status_code, find_form(answer, "/edit/identity").invalid) == (422, ["name", "number"])
    answer = await keeper.save("terms", credit_limit__value="1,000", payment_mode="kept")
    form = find_form(answer, "/edit/terms")
    assert (answer.status_code, form.value("credit_limit.value"), form.value("payment_mode")) == (422, "1,000", "kept")
    assert len(form.reasons) == 1
    answer = await keeper.save("shipping", service_level=keeper.bureau.desk.service_levels[1])
    assert (answer.status_code, find_form(answer, "/edit/shipping").invalid) == (422, ["service_level"])
    assert await keeper.record() == before


async def test_a_value_of_another_customer_leads_to_it(keeper: Keeper) -> None:
    """A taken email address, number or reference is said beside its field, with a link to who has it."""
    other = await keeper.bureau.desk.create(
        {"name": "Heron", "email": "heron@birds.example", "number": f"H-{keeper.id[:8]}", "reference_id": keeper.id}
    )
    before = await keeper.record()
    for form, name, typed in (
        ("reach", "email", "HERON@birds.example"),
        ("identity", "number", other["number"]),
        ("identity", "reference_id", other["reference_id"]),
    ):
        answer = await keeper.save(form, **{name: typed})
        assert answer.status_code == 409
        filled = find_form(answer, f"/edit/{form}")
        assert (filled.invalid, filled.value(name)) == ([name], typed)
        assert f'href="{keeper.bureau.path("customers", other["id"])}">Look at Heron' in answer.text
    assert await keeper.record() == before


async def test_choices_are_those_in_use_and_what_stands_there(keeper: Keeper) -> None:
    """An entry that is out of use can be kept and not chosen; levels are told apart by their carriers."""
    desk = keeper.bureau.desk
    command = to_command(await desk.caller())
    for entry in desk.payment_terms[:2]:
        retired = EntryProposal(EntryValues(f"Old {entry}", status="inactive"))
        await update_entry(
            desk.hub, command, "payment_term", UUID(entry), lambda *_, new=retired: new, lambda _: Answer(200)
        )
    choices = (await keeper.open("terms")).choices["payment_term"]
    assert desk.payment_terms[0] in choices
    assert desk.payment_terms[1] not in choices
    assert "(inactive)" in (await keeper.look("edit", "terms")).text
    assert (await keeper.save("terms", payment_mode="x")).status_code == 303
    assert await keeper.last_changes() == {"/payment_mode": "x"}


async def test_addresses_are_added_changed_and_taken_away(keeper: Keeper) -> None:
    """A new address may become a default at once; a changed one keeps what was not typed; a removed one is gone."""
    before = await keeper.record()
    answer = await keeper.save("address-new", type="shipping", line1=" Kaia 3 ", city="Moss", make=["ship_to"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{keeper.path()}#addresses")
    record = await keeper.record()
    [made] = [one for one in record["addresses"] if one["id"] == record["ship_to"]]
    assert (made["type"], made["line1"], made["city"], made["name"]) == ("shipping", " Kaia 3 ", "Moss", None)
    assert (len(record["addresses"]), record["bill_to"]) == (3, before["bill_to"])
    form = f"address-{before['bill_to']}"
    assert (await keeper.save(form, city="", is_drop_ship="yes", more__name="Gate", more__value="7")).status_code == 303
    own = f"/addresses/{before['bill_to']}"
    assert await keeper.last_changes() == {
        f"{own}/city": None,
        f"{own}/is_drop_ship": True,
        f"{own}/attributes/Gate": "7",
    }
    assert (await keeper.save(form, action="remove")).status_code == 303
    assert before["bill_to"] not in [one["id"] for one in (await keeper.record())["addresses"]]


async def test_contacts_are_added_changed_and_taken_away(keeper: Keeper) -> None:
    """The same of contacts; who is the primary one is a button on each card."""
    before = await keeper.record()
    answer = await keeper.save("contact-new", first_name="Olav", email="no address", make="primary_contact")
    filled = find_form(answer, "/edit/contact-new")
    assert (answer.status_code, filled.invalid, filled.values("make")) == (422, ["email"], ["primary_contact"])
    assert await keeper.record() == before
    assert (await filled.type("email", "olav@kestrel.example").send(keeper.visitor)).status_code == 303
    record = await keeper.record()
    [made] = [one for one in record["contacts"] if one["id"] == record["primary_contact"]]
    assert (made["first_name"], made["email"]) == ("Olav", "olav@kestrel.example")
    [button] = [
        form
        for form in find_forms(await keeper.look(), "/edit/primary")
        if form.choices["primary_contact"] == [before["primary_contact"]]
    ]
    assert (await button.type("primary_contact", before["primary_contact"]).send(keeper.visitor)).status_code == 303
    assert await keeper.last_changes() == {"/primary_contact": before["primary_contact"]}
    assert (await keeper.save(f"contact-{made['id']}", action="remove")).status_code == 303
    assert (await keeper.record())["contacts"] == before["contacts"]


async def test_attributes_are_set_named_and_taken_away(keeper: Keeper) -> None:
    """Custom values by their names, whatever those are; one more needs a name and a value."""
    answer = await keeper.save("attributes", more__name="half")
    form = find_form(answer, "/edit/attributes")
    assert (answer.status_code, form.invalid, form.value("more.name")) == (422, ["more.value"], "half")
    answer = await keeper.save("attributes", custom__Region="", custom__Route="8", more__name="mode", more__value=ODD)
    assert answer.status_code == 303
    assert (await keeper.record())["attributes"] == {"Route": "8", "mode": ODD}


async def test_a_parent_is_found_by_number_id_and_name(keeper: Keeper) -> None:
    """A number or an id is enough; of a name those are offered that have it; a parent of its own is refused."""
    group = await keeper.bureau.desk.create({"name": "Bird Group", "number": f"G-{keeper.id[:8]}"})
    assert (await keeper.save("parent", parent=group["number"])).status_code == 303
    assert (await keeper.record())["parent"] == group["id"]
    assert (await keeper.open("parent")).value("parent") == group["number"]
    assert (await keeper.save("parent", parent="")).status_code == 303
    answer = await keeper.save("parent", parent="bird gr")
    form = find_form(answer, "/edit/parent")
    assert (answer.status_code, form.value("parent"), form.choices["parent"]) == (422, "bird gr", [group["id"]])
    assert (await form.type("parent", "bird gr", group["id"]).send(keeper.visitor)).status_code == 303
    assert (await keeper.record())["parent"] == group["id"]
    answer = await keeper.save("parent", parent=keeper.id)
    assert (answer.status_code, find_form(answer, "/edit/parent").invalid) == (422, ["parent"])


async def test_a_form_of_nothing_is_not_there(keeper: Keeper) -> None:
    """A form, an address or a contact that there is not is 404, to look at and to send."""
    for form in ("secrets", f"address-{keeper.id}", "contact-", "order-new"):
        assert (await keeper.look("edit", form)).status_code == 404
        sent = {"version": "1"}
        assert (await keeper.visitor.post(keeper.path("edit", form), sent)).status_code == 404
    for version in ("", "x", "999999", "1" * 30):
        answer = await keeper.visitor.post(keeper.path("edit", "reach"), {"version": version, "note": "x"})
        assert answer.status_code in (400, 404)
    assert (await keeper.record())["version"] == 1


async def test_who_may_only_read_sees_no_button(site: Site, bureau: Bureau) -> None:
    """A viewer finds nothing to press, and is refused what they try anyway; nothing is changed."""
    async with bureau.desk.hub.database.lease() as connection:
        catalogue = await get_snapshot(connection, bureau.desk.team.id)
    [viewer] = [one for one in catalogue.entries("role") if one.name == "Viewer"]
    answer = await bureau.desk.api.patch(f"/hub/v1/users/{bureau.member.user.id}", json={"access_role": str(viewer.id)})
    assert answer.status_code == 200, answer.text
    async with keeping(site, bureau, who=bureau.member) as keeper:
        before = await keeper.record()
        page = await keeper.look()
        assert page.status_code == 200
        assert [form.action for form in find_forms(page, "") if keeper.path() in form.action] == []
        assert "/edit/" not in page.text
        for steps, values in (
            (("edit", "reach"), {"version": "1", "note": "mine"}),
            (("delete",), {"version": "1"}),
        ):
            assert (await keeper.look(*steps)).status_code == 403
            assert (await keeper.visitor.post(keeper.path(*steps), values)).status_code == 403
        assert await keeper.record() == before


async def test_the_history_names_who_saved_it(keeper: Keeper) -> None:
    """What is saved in the console is a version of the person's, through the console."""
    await keeper.save("reach", note="by hand")
    answer = await keeper.bureau.desk.api.get(f"/hub/v1/customers/{keeper.id}/history", params={"limit": 1})
    [entry] = answer.json()["data"]
    told = msgspec.json.encode(entry).decode()
    assert "Ada Vik" in told
    assert '"console"' in told
    assert "Ada Vik" in (await keeper.look()).text
