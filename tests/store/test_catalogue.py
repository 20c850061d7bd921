"""The catalogue as it is stored: every kind comes back as it went in, to the digit."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import structs

from customerhub.core.hub import Hub
from customerhub.model.catalogue import (
    DETAILS,
    AccountGroupDetails,
    Amount,
    AttributeDetails,
    AttributeOption,
    CarrierDetails,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    RoleDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
    User,
)
from customerhub.store import catalogue as store
from customerhub.store.access import Team
from customerhub.store.catalogue import get_snapshot
from tests.support.office import Office, make_office

ACTOR = uuid4()
AT = datetime(2026, 4, 16, 18, 22, 47, 120_000, tzinfo=UTC)
FULL: dict[Kind, Details] = {
    "payment_term": NoDetails(),
    "shipping_term": ShippingTermDetails(
        "flat_rate_freight",
        Amount(uuid4(), Decimal("12.00"), uuid4()),
        Amount(uuid4(), Decimal("1000000000000000000000000000000.000000000001"), uuid4()),
        (uuid4(), uuid4()),
    ),
    "carrier": CarrierDetails("ups", "8X41V2", "hidden"),
    "service_level": ServiceLevelDetails(uuid4(), "air", "hidden", is_default=True),
    "unit": UnitDetails("temperature", "°F", Decimal(5), Decimal("9.0"), Decimal(-160), Decimal(9), is_base_unit=True),
    "price_list": PriceListDetails("NOK", is_default=True, priority=3),
    "account_group": AccountGroupDetails("type_group", "commission_applied", "free_freight"),
    "attribute_definition": AttributeDetails(
        "address", "select", "a", (AttributeOption("A", "a"),), show_label=True, priority=1, is_mandatory=True
    ),
    "role": RoleDetails(("customers:read", "customers:update")),
}


@pytest.fixture
async def office(hub: Hub) -> AsyncIterator[Office]:
    """A team and somebody who may do everything in it."""
    async with make_office(hub) as made:
        yield made


def entry_of(kind: Kind, details: Details) -> CatalogueEntry:
    """An entry with every value set."""
    return CatalogueEntry(
        uuid4(), kind, f"Some {kind}", AT, AT, ACTOR, ACTOR, details, 1, uuid4().hex, "What it is", "inactive"
    )


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_an_entry_of_every_kind_comes_back_as_it_was(office: Office, kind: Kind) -> None:
    """Values of every field, its own and those of its kind, are the very same; decimals to the digit."""
    entry = entry_of(kind, FULL[kind])
    assert isinstance(entry.details, DETAILS[kind])
    bare = structs.replace(entry, id=uuid4(), name="bare", reference_id=None, description=None)
    async with office.hub.database.lease() as connection:
        await store.insert_entry(connection, office.team.id, entry)
        later = structs.replace(entry, version=2, name="Another", deleted_at=AT)
        assert await store.update_entry(connection, office.team.id, later)
        await store.insert_entry(connection, office.team.id, bare)
    found = await office.catalogue()
    assert found.find_entry(kind, bare.id) == bare
    assert repr(found.find_entry(kind, entry.id)) == repr(later)


async def test_a_deleted_entry_is_written_no_more(office: Office) -> None:
    """Nothing after a deletion is stored, whoever still has the version that it had."""
    entry = entry_of("payment_term", NoDetails())
    async with office.hub.database.lease() as connection:
        await store.insert_entry(connection, office.team.id, entry)
        deleted = structs.replace(entry, version=2, deleted_at=AT)
        assert await store.update_entry(connection, office.team.id, deleted)
        for version in (2, 3):
            late = structs.replace(entry, version=version, name="Late")
            assert not await store.update_entry(connection, office.team.id, late)
    assert (await office.catalogue()).find_entry("payment_term", entry.id) == deleted


async def test_a_snapshot_knows_its_team(office: Office) -> None:
    """Id, name and birth of the team, for what has no row of its own."""
    async with office.hub.database.lease() as connection:
        snapshot = await get_snapshot(connection, office.team.id)
        born = await connection.fetchval("select created_at from team where id = $1", office.team.id)
    assert (snapshot.team, snapshot.team_name, snapshot.team_created_at) == (office.team.id, office.team.name, born)
    later = snapshot.with_entries((entry_of("carrier", CarrierDetails()),))
    assert (later.team, later.team_created_at) == (office.team.id, born)


async def test_a_user_comes_back_as_they_were(office: Office) -> None:
    """With every value and with none; names are compared ignoring case, one of each in a team."""
    team = office.team.id
    role = (await office.catalogue()).entries("role")[0].id
    full = User(uuid4(), "a@b.example", "Ada", "Vik", AT, AT, ACTOR, ACTOR, 1, None, "1", "Sales", "ada")
    full = structs.replace(full, access_role=role)
    bare = User(uuid4(), None, "", "", AT, AT, ACTOR, ACTOR)
    async with office.hub.database.lease() as connection:
        for user in (full, bare, structs.replace(bare, id=uuid4())):
            await store.insert_user(connection, team, user)
        for other in (structs.replace(bare, username="ADA"), structs.replace(bare, email="A@B.example")):
            with pytest.raises(asyncpg.UniqueViolationError):
                await store.insert_user(connection, team, structs.replace(other, id=uuid4()))
    found = await office.catalogue()
    assert [found.find_user(user.id) for user in (full, bare)] == [full, bare]
    assert (full.name, bare.name) == ("Ada Vik", None)


async def test_a_role_of_another_team_cannot_be_named(office: Office, hub: Hub) -> None:
    """Neither a credential nor a user can have a role that is not its team's."""
    async with make_office(hub) as other:
        foreign: UUID = (await other.catalogue()).entries("role")[0].id
    user = User(uuid4(), None, "", "", AT, AT, ACTOR, ACTOR, access_role=foreign)
    team: Team = office.team
    async with hub.database.lease() as connection:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await store.insert_user(connection, team.id, user)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("update credential set role = $2 where team = $1", team.id, foreign)
