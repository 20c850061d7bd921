"""A partner's client, a person in two teams, and the way from consent to tokens between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx

from customerhub.core.admin import NewUser, create_team, create_user
from customerhub.core.hub import Hub
from customerhub.store.access import Team
from customerhub.web.serve import Site
from tests.support.browser import browse, sign_in, submit
from tests.support.count import Json, Signed, make_client

PASSWORD = "correct horse battery"
BACK = "https://crm.example/count/cb"
STATE = "n0nce-77 &=ä"
GRANT, REFRESH = "/partners/grant-access-token", "/partners/refresh-user-access-token"
TABLES = ("credential", "partner_grant", "partner_code", "partner_token", "audit")


class Scene:
    """A partner's client, a person in two teams, and a signed-in browser of theirs."""

    def __init__(self, hub: Hub, site: Site, teams: tuple[Team, Team], credential: Json, email: str) -> None:
        self.hub = hub
        self.site = site
        self.home, self.other = teams
        self.credential = credential
        self.email = email
        self.browser = browse(site)
        signed = Signed(credential["client_id"], credential["client_secret"])
        transport = httpx.ASGITransport(site)
        self.api = httpx.AsyncClient(transport=transport, base_url="http://hub", auth=signed)

    async def start(self, **values: str) -> httpx.Response:
        """Ask where to send the person; `values` replaces parts of the query."""
        query = {"clientId": self.credential["client_id"], "redirectUri": BACK, "state": STATE} | values
        return await self.browser.get("/auth2/authorize-intiate", params=query)

    async def consent_page(self, **values: str) -> httpx.Response:
        """The page that asks."""
        started = await self.start(**values)
        assert started.status_code == 200, started.text
        page = await self.browser.get(started.json()["redirectUri"])
        assert page.status_code == 200, page.text
        return page

    async def take_code(self, team: Team | None = None) -> str:
        """A code for a team, its own if none is named."""
        page = await self.consent_page()
        answer = await submit(self.browser, page, "/authorize", decision="allow", team=str((team or self.home).id))
        assert answer.status_code == 303, answer.text
        return parsed(answer)["code"]

    async def grant(self, code: str, **members: object) -> httpx.Response:
        """Take tokens for a code."""
        return await self.api.post(GRANT, json={"grantType": "authorization_code", "code": code} | members)

    async def refresh(self, token: str, **members: object) -> httpx.Response:
        """Take tokens for a refresh token."""
        return await self.api.post(REFRESH, json={"grantType": "refresh_token", "refreshToken": token} | members)

    async def status_with(self, token: str) -> int:
        """What a list of customers answers with an access token."""
        signed = Signed(self.credential["client_id"], self.credential["client_secret"], token)
        return (await self.api.get("/partners/customers", auth=signed)).status_code

    async def counts(self) -> dict[str, int]:
        """How many rows of this person's teams there are in every table that tells of access."""
        async with self.hub.database.lease() as connection:
            teams = [self.home.id, self.other.id]
            return {
                table: await connection.fetchval(f"select count(*) from {table} where team = any($1)", teams)  # noqa: S608
                for table in TABLES
            }


def parsed(answer: httpx.Response) -> dict[str, str]:
    """The query of the address that an answer leads to, which must be the partner's."""
    location = answer.headers["location"]
    assert location.startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@asynccontextmanager
async def make_scene(hub: Hub, site: Site, *, any_team: bool) -> AsyncIterator[Scene]:
    """A client of one team, for any team if so asked; a member of that and of another team, signed in."""
    email = f"{uuid4().hex}@people.example"
    home = await create_team(hub, f"Home {uuid4()}")
    other = await create_team(hub, f"Other {uuid4()}")
    user = await create_user(hub, home, NewUser(email, "Ada", "Vik", password=PASSWORD))
    await _join(hub, other, email, user.login)
    credential = await make_client(hub, home, redirect_uris=(BACK, "http://localhost:7777"), any_team=any_team)
    made = Scene(hub, site, (home, other), credential, email)
    async with made.browser, made.api:
        await sign_in(made.browser, email, PASSWORD)
        yield made


async def _join(hub: Hub, team: Team, email: str, login: UUID | None) -> None:
    """Make the person of a login a member of another team."""
    await create_user(hub, team, NewUser(email, "Ada", "Vik"))
    async with hub.database.lease() as connection:
        await connection.execute("update team_user set login = $1 where team = $2", login, team.id)
