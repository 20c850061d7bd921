"""POST /auth/token: a key for a login, for a year; and what somebody who guesses finds out."""

from datetime import timedelta
from uuid import uuid4

import httpx

from customerhub.core import admin
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import fields, nothing_stored
from tests.support.world import Json, World

PASSWORD = "correct horse battery"


async def add_login(world: World) -> str:
    """A user of the team with a password; returns the email address."""
    email = f"Ola.{uuid4().hex}@Nordmann.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(email, "Ola", "Nordmann", PASSWORD))
    return email


async def sign_in(world: World, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    """Ask for a token, without any key."""
    body = {"email": email, "password": password}
    async with httpx.AsyncClient(transport=world.api._transport, base_url="http://hub") as nobody:
        return await nobody.post("/auth/token", json=body, headers=headers)


async def test_a_token_is_a_key_of_the_users_team(world: World) -> None:
    """It works at once, in X-API-Key and nowhere else; what is made with it shows its user."""
    email = await add_login(world)
    answer = await sign_in(world, email.upper())
    assert answer.status_code == 200
    token: Json = answer.json()
    assert (token["token_type"], token["user"]["email"], token["user"]["tenant_id"]) == (
        "Bearer",
        email,
        str(world.team.id),
    )
    headers = {"X-API-Key": token["access_token"]}
    body = world.customer_body(attributes=[{"name": "Region", "value": "x"}])
    made = (await world.api.post("/v1/customers", json=body, headers=headers)).json()["data"]
    assert made["attributes"][0]["created_by"] == token["user"]["id"]
    assert (await sign_in(world, email)).json()["access_token"] != token["access_token"]


async def test_a_token_lives_for_a_year(timed: World, clock: Clock) -> None:
    """It works until the second before, and is as unknown from then on."""
    token = (await sign_in(timed, await add_login(timed))).json()
    assert token["expires_at"] == "2026-03-04T09:10:11Z"
    headers = {"X-API-Key": token["access_token"]}
    clock.forward(seconds=(timedelta(days=365) - timedelta(seconds=1)).total_seconds())
    assert (await timed.api.get("/v1/customers", headers=headers)).status_code == 200
    clock.forward(seconds=1)
    expired = await timed.api.get("/v1/customers", headers=headers)
    unknown = await timed.api.get("/v1/customers", headers={"X-API-Key": "api_prod_unknown"})
    assert (expired.status_code, expired.content) == (401, unknown.content)


async def test_a_wrong_password_is_as_an_unknown_login(world: World) -> None:
    """One answer for a wrong password, an unknown address, a user without a password; and nothing is stored."""
    email = await add_login(world)
    without = f"{uuid4().hex}@nordmann.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(without, "Kari", "Nordmann"))
    async with nothing_stored(world):
        told = [
            await sign_in(world, email, PASSWORD + " "),
            await sign_in(world, f"x{email}"),
            await sign_in(world, without),
            await sign_in(world, ""),
        ]
    assert {answer.status_code for answer in told} == {401}
    assert len({answer.content for answer in told}) == 1


async def test_too_many_failures_wait(world: World) -> None:
    """After ten in a minute even the right password waits, as `Retry-After` says; another login does not."""
    email, other = await add_login(world), await add_login(world)
    for _ in range(10):
        assert (await sign_in(world, email, "wrong")).status_code == 401
    async with nothing_stored(world):
        answer = await sign_in(world, email)
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await sign_in(world, other)).status_code == 200


async def test_a_login_without_a_team_is_forbidden(world: World) -> None:
    """The password is right, so this may be said: there is nothing that a key could open."""
    email = await add_login(world)
    async with world.hub.database.lease() as connection:
        await connection.execute("delete from team_user where team = $1 and email = $2", world.team.id, email)
    async with nothing_stored(world):
        answer = await sign_in(world, email)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_a_token_is_shown_once(world: World) -> None:
    """The retry of a key that was made is told so, and makes no second one; the secret is stored nowhere."""
    email = await add_login(world)
    key = {"Idempotency-Key": uuid4().hex}
    first = await sign_in(world, email, **key)
    async with nothing_stored(world):
        again = await sign_in(world, email, **key)
        other = await sign_in(world, email, PASSWORD, **key, **{"Customerhub-Dry-Run": "true"})
    assert (first.status_code, again.status_code, other.status_code) == (200, 410, 410)
    secret = first.json()["access_token"]
    async with world.hub.database.lease() as connection:
        tables = [
            row[0] for row in await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        ]
        for table in tables:
            statement = f"select count(*) from {table} t where t::text like '%' || $1 || '%'"  # noqa: S608 - from pg_tables
            assert await connection.fetchval(statement, secret) == 0


async def test_email_and_password_are_required_texts(world: World) -> None:
    """Each that is missing or no text is named."""
    async with nothing_stored(world):
        for body, named in (
            ({}, ["email", "password"]),
            ({"email": 5, "password": None}, ["email", "password"]),
            ({"password": "x"}, ["email"]),
        ):
            assert fields(await world.api.post("/auth/token", json=body)) == named
