"""One email address, one customer: decided by the unique index, told by each door in its own way."""

import asyncio

from customerhub.core import admin
from tests.support.count import Partner
from tests.support.world import World

CROWD = 50


def spelt(number: int) -> str:
    """One address in many cases."""
    letters = "shared@crowd.example"
    return "".join(letter.upper() if number >> position & 1 else letter for position, letter in enumerate(letters))


async def test_of_fifty_creations_one_wins(partner: Partner) -> None:
    """The others are 409 with the field, and there is one customer."""
    answers = await asyncio.gather(
        *(
            partner.api.post("/partners/customers", json={"customer": f"C{number}", "email": spelt(number)})
            for number in range(CROWD)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CROWD - 1)
    for answer in answers:
        if answer.status_code == 409:
            body = answer.json()
            assert (body["code"], body["details"]) == ("email_already_exists", {"field": "email"})
    data = (await partner.api.get("/partners/customers")).json()["data"]
    assert data["totalRecords"] == 1


async def test_of_fifty_creations_and_updates_one_wins(partner: Partner, world: World) -> None:
    """Through both doors: whoever loses keeps what it had, and the other door says 400 with the field."""
    made = [await partner.create() for _ in range(CROWD // 2)]
    updates = [
        partner.api.put(f"/partners/customers/{customer['uuid']}", json={"email": spelt(number)})
        for number, customer in enumerate(made)
    ]
    creations = [
        world.api.post("/v1/customers", json=world.customer_body(email=spelt(number))) for number in range(CROWD // 4)
    ]
    more = [
        partner.api.post("/partners/customers", json={"customer": "C", "email": spelt(number)})
        for number in range(CROWD // 4)
    ]
    answers = await asyncio.gather(*updates, *creations, *more)
    assert sum(answer.is_success for answer in answers) == 1
    for answer in answers:
        if not answer.is_success:
            elsewhere = answer.request.url.path == "/v1/customers"
            assert answer.status_code == (400 if elsewhere else 409)
            if elsewhere:
                assert [detail["field"] for detail in answer.json()["details"]] == ["email"]
    for customer, answer in zip(made, answers[: len(made)], strict=True):
        now = await partner.get(customer["uuid"])
        assert now == (answer.json()["data"] if answer.is_success else customer)


async def test_a_customer_may_take_its_own_address_again(partner: Partner) -> None:
    """In any case; the new spelling is kept as given, and the old one is no other customer's."""
    made = await partner.create(email="Own@a.example")
    assert (await partner.put(made["uuid"], email="own@A.example"))["email"] == "own@A.example"
    taken = await partner.api.post("/partners/customers", json={"customer": "B", "email": " OWN@a.EXAMPLE "})
    assert taken.status_code == 409


async def test_a_team_may_let_addresses_be_shared(partner: Partner, world: World) -> None:
    """Then none is refused, and finding by address finds the oldest."""
    await admin.change_settings(world.hub, world.team, {"email_policy": "free"})
    first = await partner.create(email="shared@a.example")
    second = await partner.create(email="SHARED@a.example")
    assert second["uuid"] != first["uuid"]
    found = await partner.api.get("/partners/customers/find-by-email", params={"email": "Shared@A.example"})
    assert found.json()["data"] == first


async def test_a_team_may_do_without_an_address(partner: Partner, world: World) -> None:
    """Where it relaxes creation; a null that repeats what is shown is then no change."""
    refused = await partner.api.post("/partners/customers", json={"customer": "B"})
    assert refused.status_code == 400
    await admin.change_settings(world.hub, world.team, {"relaxed_create": True})
    made = (await partner.api.post("/partners/customers", json={"customer": "B"})).json()["data"]
    assert made["email"] is None
    assert (await partner.put(made["uuid"], email=None))["updatedAt"] == made["updatedAt"]
    wrong = await partner.api.post("/partners/customers", json={"customer": "B", "email": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "email")
