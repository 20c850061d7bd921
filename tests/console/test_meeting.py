"""Two people change one customer at once: each sees what the other did, and nothing that was typed is lost."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.customers import update_customer
from customerhub.model.error import HistoryGone
from customerhub.web.serve import Site
from tests.console.filling import find_form, find_forms
from tests.console.house import Bureau
from tests.console.keeper import Keeper, keeping
from tests.console.visitor import visiting
from tests.support.hub import CUSTOMERS


@pytest.fixture
async def keeper(site: Site, bureau: Bureau) -> AsyncIterator[Keeper]:
    """The administrator, on a customer that has something in every field."""
    async with keeping(site, bureau) as made:
        yield made


async def test_both_changed_a_field_and_one_chooses(keeper: Keeper) -> None:
    """Base, mine and theirs are shown with who changed it; what is chosen is saved, and what did not clash with it."""
    form = (await keeper.open("reach")).type("phone", "mine & only").type("note", "my note")
    form.type("website", "w.example")
    await keeper.change(phone="theirs", note="my note", email="new@kestrel.example")
    before = await keeper.record()
    answer = await form.send(keeper.visitor)
    assert answer.status_code == 409
    assert await keeper.record() == before
    for told in ("+1-503-555-0142", "mine &amp; only", "theirs", "test key", "new@kestrel.example"):
        assert told in answer.text
    asked = find_form(answer, "/edit/reach")
    assert asked.values("clash") == ["phone"]
    assert asked.choices["pick.phone"] == ["mine", "theirs"]
    assert asked.values("pick.phone") == []
    again = await asked.send(keeper.visitor)
    assert (again.status_code, find_form(again, "/edit/reach").values("clash")) == (409, ["phone"])
    saved = await find_form(again, "/edit/reach").type("pick.phone", "mine").send(keeper.visitor)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{keeper.path()}#card-reach")
    assert await keeper.last_changes() == {"/phone": "mine & only", "/website": "w.example"}
    assert (await keeper.record())["email"] == "new@kestrel.example"


async def test_theirs_is_kept_where_it_is_chosen(keeper: Keeper) -> None:
    """Of several clashes each is chosen by itself; where all of theirs stay nothing is written."""
    typed = {"payment_mode": "mine", "price_groups": [], "credit_limit__value": "7.50"}
    form = await keeper.open("terms")
    for name, value in typed.items():
        form.type(name.replace("__", "."), *([value] if isinstance(value, str) else value))
    desk = keeper.bureau.desk
    limit = {"value": "9", "unit": desk.unit}
    await keeper.change(payment_mode="theirs", price_groups=desk.pricing_groups[:1], credit_limit=limit)
    asked = find_form(await form.send(keeper.visitor), "/edit/terms")
    assert asked.values("clash") == ["payment_mode", "price_groups", "credit_limit"]
    for key in asked.values("clash"):
        asked.type(f"pick.{key}", "theirs")
    before = await keeper.record()
    assert (await asked.send(keeper.visitor)).status_code == 303
    assert await keeper.record() == before
    asked.type("pick.credit_limit", "mine").type("pick.price_groups", "mine")
    assert (await asked.send(keeper.visitor)).status_code == 303
    record = await keeper.record()
    assert (record["payment_mode"], record["price_groups"]) == ("theirs", [])
    assert record["credit_limit"] == {"value": "7.50", "unit": desk.unit}


async def test_what_does_not_clash_is_saved_with_one_click(keeper: Keeper) -> None:
    """Where others changed other fields, that is said, and the form can be sent as it is."""
    form = (await keeper.open("reach")).type("phone", "mine")
    await keeper.change(name="Renamed", addresses={"mode": "merge", "items": [{"city": "Moss"}]})
    answer = await form.send(keeper.visitor)
    assert answer.status_code == 409
    assert "their changes are kept" in answer.text
    asked = find_form(answer, "/edit/reach")
    assert (asked.values("clash"), asked.values("phone")) == ([], ["mine"])
    assert (await asked.send(keeper.visitor)).status_code == 303
    record = await keeper.record()
    assert (record["phone"], record["name"], len(record["addresses"])) == ("mine", "Renamed", 3)


async def test_ones_own_other_changes_ask_nothing(keeper: Keeper) -> None:
    """A form that was open while the same person saved another card is saved at once; a field of both is asked for."""
    form = (await keeper.open("reach")).type("phone", "mine")
    assert (await keeper.save("identity", name="Renamed")).status_code == 303
    assert (await form.send(keeper.visitor)).status_code == 303
    assert await keeper.last_changes() == {"/phone": "mine"}
    assert (await form.type("phone", "another").send(keeper.visitor)).status_code == 409
    assert (await keeper.record())["phone"] == "mine"


async def test_a_second_conflict_is_shown_again(keeper: Keeper) -> None:
    """Whoever is overtaken again while choosing sees the newer value, and chooses once more."""
    form = (await keeper.open("reach")).type("phone", "mine")
    await keeper.change(phone="first")
    asked = find_form(await form.send(keeper.visitor), "/edit/reach").type("pick.phone", "mine")
    await keeper.change(phone="second")
    answer = await asked.send(keeper.visitor)
    assert answer.status_code == 409
    assert "second" in answer.text
    again = find_form(answer, "/edit/reach")
    assert (again.values("phone"), again.values("clash"), again.values("pick.phone")) == (["mine"], ["phone"], [])
    assert (await again.type("pick.phone", "mine").send(keeper.visitor)).status_code == 303
    assert (await keeper.record())["phone"] == "mine"


async def test_who_is_overtaken_in_the_last_moment_sees_it_too(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change between the last look and the write is a conflict like any other."""
    form = (await keeper.open("reach")).type("phone", "mine")
    hurried: list[bool] = []

    async def hurry(*args: object, **kwargs: object) -> object:
        if not hurried:
            hurried.append(True)
            await keeper.change(phone="theirs")
        return await update_customer(*args, **kwargs)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr("customerhub.console.customer.edit.update_customer", hurry)
    answer = await form.send(keeper.visitor)
    assert (answer.status_code, find_form(answer, "/edit/reach").values("clash")) == (409, ["phone"])
    assert (await keeper.record())["phone"] == "theirs"


async def test_what_is_wrong_after_a_conflict_is_said_with_what_was_typed(keeper: Keeper) -> None:
    """A choice for a value that breaks a rule leads to the form of the newest version, with that value in it."""
    form = (await keeper.open("reach")).type("email", "no address").type("note", "mine")
    await keeper.change(email="new@kestrel.example", phone="theirs")
    asked = find_form(await form.send(keeper.visitor), "/edit/reach").type("pick.email", "mine")
    answer = await asked.send(keeper.visitor)
    shown = find_form(answer, "/edit/reach")
    assert (answer.status_code, shown.invalid) == (422, ["email"])
    assert [shown.value(name) for name in ("email", "phone", "note")] == ["no address", "theirs", "mine"]
    assert (await shown.type("email", "mine@kestrel.example").send(keeper.visitor)).status_code == 303
    record = await keeper.record()
    assert [record[name] for name in ("email", "phone", "note")] == ["mine@kestrel.example", "theirs", "mine"]


async def test_an_address_that_was_removed_can_be_added_anew(keeper: Keeper) -> None:
    """What it said and what was typed stand in a form for a new one; whoever gives it up loses nothing else."""
    record = await keeper.record()
    [own] = [one for one in record["addresses"] if one["id"] == record["bill_to"]]
    form = (await keeper.open(f"address-{own['id']}")).type("city", "Moss").type("custom.Dock", "4")
    await keeper.change(addresses={"mode": "remove", "items": [own["id"]]})
    answer = await form.send(keeper.visitor)
    assert answer.status_code == 409
    assert "removed meanwhile by test key" in answer.text
    anew = find_form(answer, "/edit/address-new")
    assert [anew.value(name) for name in ("city", "line1", "custom.Dock")] == ["Moss", own["line1"], "4"]
    assert (await anew.send(keeper.visitor)).status_code == 303
    [made] = [one for one in (await keeper.record())["addresses"] if one["reference_id"] == own["reference_id"]]
    kept = {name: value for name, value in own.items() if name not in ("id", "created_at", "updated_at")}
    assert {name: made[name] for name in kept} == kept | {"city": "Moss", "attributes": {"Dock": "4"}}


async def test_a_removal_is_not_of_what_somebody_just_changed(keeper: Keeper) -> None:
    """It is shown first as it is now; what others did elsewhere does not matter, and twice is once."""
    record = await keeper.record()
    target = record["ship_to"]
    [form] = find_forms(await keeper.look("edit", f"address-{target}"), f"/edit/address-{target}")[1:]
    form.type("action", "remove")
    await keeper.change(name="Renamed", addresses={"mode": "merge", "items": [{"id": target, "city": "Moss"}]})
    answer = await form.send(keeper.visitor)
    assert answer.status_code == 409
    assert "changed meanwhile by test key" in answer.text
    assert len((await keeper.record())["addresses"]) == 2
    again = find_forms(answer, f"/edit/address-{target}")[1].type("action", "remove")
    await keeper.change(phone="theirs")
    assert [(await again.send(keeper.visitor)).status_code for _ in range(2)] == [303, 303]
    record = await keeper.record()
    assert [one["id"] for one in record["addresses"]] == [record["bill_to"]]


async def test_what_was_typed_is_kept_where_nobody_knows_what_it_was(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the version that a form was made of is not kept, it is shown on the newest one with what was typed."""
    form = (await keeper.open("reach")).type("phone", "mine")
    await keeper.change(note="theirs")

    async def forget(*_args: object) -> None:
        raise HistoryGone(1)

    monkeypatch.setattr("customerhub.console.customer.edit.get_customer_at", forget)
    answer = await form.send(keeper.visitor)
    shown = find_form(answer, "/edit/reach")
    assert (answer.status_code, shown.value("phone"), shown.value("version")) == (409, "mine", "2")
    assert "is not kept any more" in answer.text
    assert (await keeper.record())["phone"] == "+1-503-555-0142"


async def test_a_new_address_is_added_to_whatever_the_customer_is_by_now(keeper: Keeper) -> None:
    """Nothing of others can clash with it; what is wrong with it is still said."""
    form = (await keeper.open("address-new")).type("city", "Moss").type("more.name", "half")
    await keeper.change(note="theirs")
    answer = await form.send(keeper.visitor)
    assert (answer.status_code, find_form(answer, "/edit/address-new").invalid) == (422, ["more.value"])
    assert (await form.type("more.name", "").send(keeper.visitor)).status_code == 303
    assert [one["city"] for one in (await keeper.record())["addresses"]] == ["Oslo", "Bergen", "Moss"]


async def test_what_was_typed_into_a_deleted_customer_is_shown(keeper: Keeper) -> None:
    """Nothing can be saved any more; what was typed stands on the page, for whoever wants to keep it."""
    form = (await keeper.open("reach")).type("phone", "mine <b>")
    answer = await keeper.bureau.desk.api.delete(f"{CUSTOMERS}/{keeper.id}")
    assert answer.status_code == 200
    answer = await form.send(keeper.visitor)
    assert answer.status_code == 409
    assert "mine &lt;b&gt;" in answer.text


async def test_a_default_that_another_moved_is_asked_for(site: Site, keeper: Keeper) -> None:
    """A button on an address that was looked at too long ago shows what became of the default."""
    record = await keeper.record()
    [button] = [form for form in find_forms(await keeper.look(), "/edit/defaults") if form.choices.get("bill_to")]
    async with visiting(site, keeper.bureau.member) as other:
        theirs = Keeper(keeper.bureau, other, keeper.id)
        assert (await theirs.save("defaults", bill_to="")).status_code == 303
    answer = await button.type("bill_to", record["ship_to"]).send(keeper.visitor)
    assert answer.status_code == 409
    assert "Bo Lind" in answer.text
    asked = find_form(answer, "/edit/defaults").type("pick.bill_to", "mine")
    assert (await asked.send(keeper.visitor)).status_code == 303
    assert (await keeper.record())["bill_to"] == record["ship_to"]
