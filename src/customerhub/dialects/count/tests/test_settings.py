"""What a team, and the operator who made the client, may decide otherwise."""

import asyncio

import pytest

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.count import Json, Partner, address_body, make_partner
from tests.support.world import World


@pytest.mark.parametrize("body", [{"custmer": "x"}, {"billingAddress": address_body(line2="x")}])
async def test_a_team_may_refuse_unknown_members(partner: Partner, world: World, body: Json) -> None:
    """Then they are 400 by name; what only answers have is still let pass."""
    made = await partner.create()
    await admin.change_settings(world.hub, world.team, {"unknown_members": "refuse"})
    answer = await partner.api.put(f"/partners/customers/{made['uuid']}", json=body)
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("custmer" if "custmer" in body else "billingAddress.line2", "unknown")
    ]
    assert await partner.get(made["uuid"]) == made
    assert (await partner.put(made["uuid"], **made))["updatedAt"] == made["updatedAt"]


async def test_a_team_may_have_nulls_ignored(partner: Partner, world: World) -> None:
    """Only where null stands for nothing; elsewhere it still takes away."""
    made = await partner.create(mainPhone="1")
    await admin.change_settings(world.hub, world.team, {"null_members": "ignore"})
    nulls = dict.fromkeys(("customer", "email", "status", "taxExcluded", "contacts", "mainPhone"))
    changed = await partner.put(made["uuid"], **nulls)
    assert {**changed, "updatedAt": ""} == {**made, "mainPhone": None, "updatedAt": ""}


async def test_a_client_may_have_to_name_the_version(hub: Hub, site: Site, world: World) -> None:
    """428 without `If-Match`, on one customer and in bulk, and nothing changes; creating needs none."""
    async with make_partner(hub, site, world.team, requires_precondition=True) as partner:
        made = await partner.create()
        path = f"/partners/customers/{made['uuid']}"
        rows = {"customers": [{"uuid": made["uuid"], "customer": "x"}]}
        answers = [
            await partner.api.put(path, json={"customer": "x"}),
            await partner.api.delete(path),
            await partner.api.patch("/partners/customers/bulk", json=rows),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (428, "precondition_required")
        ] * 3
        assert await partner.get(made["uuid"]) == made
        assert (await partner.api.delete(path, headers={"If-Match": '"1"'})).status_code == 200


async def test_of_two_deletions_at_once_one_is_done(partner: Partner, world: World) -> None:
    """The other finds nothing; the history has one end."""
    made = await partner.create()
    path = f"/partners/customers/{made['uuid']}"
    answers = await asyncio.gather(*(partner.api.delete(path) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[404] * 5]
    assert await world.versions(made["uuid"]) == [1, 2]


async def test_an_update_beside_a_deletion_is_done_or_not_at_all(partner: Partner, world: World) -> None:
    """In whichever order: no update comes after the end."""
    for _ in range(5):
        made = await partner.create()
        path = f"/partners/customers/{made['uuid']}"
        updated, deleted = await asyncio.gather(partner.api.put(path, json={"customer": "x"}), partner.api.delete(path))
        assert deleted.status_code == 200
        versions = await world.versions(made["uuid"])
        assert (updated.status_code, versions) in ((200, [1, 2, 3]), (404, [1, 2]))
