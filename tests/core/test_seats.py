"""People at work in a browser: in which teams, with which powers, under which name."""

from uuid import UUID, uuid4

import pytest

from customerhub.core import members
from customerhub.core.admin import NewUser, create_team, create_user, list_credentials, to_command
from customerhub.core.credentials import list_credentials as list_passes
from customerhub.core.hub import Hub
from customerhub.core.sessions import ADMINISTER, Membership, Person, take_seat
from customerhub.core.system import PERMISSIONS, ROLES
from customerhub.model.answer import Answer
from customerhub.model.catalogue import UserRole
from customerhub.model.error import NotFound, Unauthenticated
from customerhub.store.access import Team


async def seat_of(hub: Hub, role: UserRole = "member") -> tuple[Team, Person]:
    """A team and somebody who works there."""
    team = await create_team(hub, f"Team {uuid4()}")
    user = await create_user(hub, team, NewUser(f"{uuid4().hex}@people.example", "Ada", "Vik", role=role))
    assert user.email is not None
    return team, Person(uuid4(), user.email, (Membership(team.id, team.name, user.id),))


@pytest.mark.parametrize(
    ("role", "scopes"), [("admin", {*PERMISSIONS, ADMINISTER}), ("member", set(ROLES["editor"][1]))]
)
async def test_powers_follow_the_member(hub: Hub, role: UserRole, scopes: set[str]) -> None:
    """Administrators may do everything there, others what an editor may."""
    team, person = await seat_of(hub, role)
    seat = await take_seat(hub, person, team.id)
    assert seat.caller.scopes == scopes
    assert (seat.caller.name, seat.caller.actor) == ("Ada Vik", person.memberships[0].team_user)


async def test_other_teams_are_not_there(hub: Hub) -> None:
    """A team that exists and one that does not are refused alike."""
    _, person = await seat_of(hub)
    other, _ = await seat_of(hub)
    for team in (other.id, uuid4()):
        with pytest.raises(NotFound):
            await take_seat(hub, person, team)


async def test_what_sessions_stand_for_is_no_credential_to_keep(hub: Hub) -> None:
    """It is stored once, has no secret, and is in no list of credentials."""
    team, person = await seat_of(hub, "admin")
    seats = [await take_seat(hub, person, team.id) for _ in range(2)]
    hub.forget()
    seats.append(await take_seat(hub, person, team.id))
    assert len({seat.caller.credential for seat in seats}) == 1
    assert await list_credentials(hub, team) == []
    assert await list_passes(hub, seats[0].caller) == ()
    async with hub.database.lease() as connection:
        secrets = "select count(*) from credential_lookup where team = $1 and credential = $2"
        assert await connection.fetchval(secrets, team.id, seats[0].caller.credential) == 0


async def test_a_disabled_member_has_no_seat(hub: Hub) -> None:
    """Not even with a session that was looked up a moment before."""
    team, person = await seat_of(hub)
    await take_seat(hub, person, team.id)
    await disable(hub, team.id, person.memberships[0].team_user)
    with pytest.raises(Unauthenticated):
        await take_seat(hub, person, team.id)


async def disable(hub: Hub, team: UUID, user: UUID) -> None:
    """Disable a member."""
    await members.set_status(hub, to_command(team), user, "inactive", lambda *_: Answer(204))
