"""Who may ask: every refusal by its code, in the order of the checks, and nothing has happened."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.core.admin import NewUser, create_user, revoke_credential
from customerhub.core.hub import Hub
from customerhub.core.partners import revoke_client
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.count import Json, Partner, make_client, sign
from tests.support.world import World

PATH = "/partners/customers"
BODY = b'{"customer":"Aster & Co","email":"ap@aster.example"}'


def headers(credential: Json, method: str = "POST", path: str = PATH, body: bytes = BODY, **others: Any) -> Json:
    """The headers of a signed request; `others` replaces them, None leaves one out."""
    timestamp = str(others.pop("timestamp", int(datetime.now(UTC).timestamp())))
    sent = {
        "x_client_id": credential["client_id"],
        "x_timestamp": timestamp,
        "x_signature": sign(others.pop("secret", credential["client_secret"]), method, path, timestamp, body),
        "authorization": f"Bearer {others.pop('token', credential['access_token'])}",
        "content_type": "application/json",
    } | others
    return {name.replace("_", "-"): value for name, value in sent.items() if value is not None}


def client_of(site: Site) -> httpx.AsyncClient:
    """A client that signs nothing by itself."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://hub")


async def refused(partner: Partner, site: Site, sent: Json, body: bytes = BODY, path: str = PATH) -> tuple[int, Any]:
    """Status and body of a creation that is refused; the team has no customer more than before."""
    before = await count_customers(partner)
    async with client_of(site) as api:
        answer = await api.post(path, content=body, headers=sent)
    assert await count_customers(partner) == before
    return answer.status_code, answer.json()


async def count_customers(partner: Partner) -> int:
    """How many customers the team has."""
    async with partner.hub.database.lease() as connection:
        return int(await connection.fetchval("select count(*) from customer where team = $1", partner.team.id))


async def test_a_signed_request_with_its_token_is_let_in(partner: Partner, site: Site) -> None:
    """Seconds and milliseconds both do, and the record's history names the client."""
    async with client_of(site) as api:
        for timestamp in (int(datetime.now(UTC).timestamp()), int(datetime.now(UTC).timestamp() * 1000)):
            body = BODY.replace(b"ap@", uuid4().hex.encode() + b"@")
            answer = await api.post(
                PATH, content=body, headers=headers(partner.credential, body=body, timestamp=timestamp)
            )
            assert answer.status_code == 201, answer.text
    async with partner.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select actor_name, dialect, credential, actor from change where team = $1", partner.team.id
        )
    owner = partner.credential["id"]
    assert [(row[0], row[1], str(row[2]), str(row[3])) for row in rows] == [("test client", "count", owner, owner)] * 2


REFUSALS: dict[str, tuple[Json, int, str]] = {
    "no client id": ({"x_client_id": None}, 401, "missing_credentials"),
    "no signature": ({"x_signature": None}, 401, "missing_credentials"),
    "no timestamp": ({"x_timestamp": None}, 401, "missing_credentials"),
    "an empty signature": ({"x_signature": ""}, 401, "missing_credentials"),
    "an unknown client": ({"x_client_id": "ptn_nobody"}, 401, "invalid_client"),
    "a stale timestamp": ({"timestamp": 1795294800 - 10**9}, 401, "timestamp_out_of_range"),
    "a timestamp of the year 2200": ({"timestamp": 7258118400}, 401, "timestamp_out_of_range"),
    "a timestamp that is none": ({"timestamp": "now"}, 401, "timestamp_out_of_range"),
    "a wrong secret": ({"secret": "cs_wrong"}, 401, "invalid_signature"),
    "another method's signature": ({"method": "PUT"}, 401, "invalid_signature"),
    "another path's signature": ({"path": "/partners/customers/"}, 401, "invalid_signature"),
    "another body's signature": ({"body": BODY + b" "}, 401, "invalid_signature"),
    "no token": ({"authorization": None}, 401, "missing_credentials"),
    "another scheme": ({"authorization": "Basic eDp5"}, 401, "missing_credentials"),
    "an unknown token": ({"token": "at_nobody"}, 401, "invalid_token"),
}


@pytest.mark.parametrize(("changed", "status", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_what_does_not_prove_itself_is_refused(
    partner: Partner, world: World, site: Site, changed: Json, status: int, code: str
) -> None:
    """Each fault has its code, and leaves every table as it was."""
    before = await world.fingerprint()
    found, body = await refused(partner, site, headers(partner.credential, **changed))
    assert (found, body["code"]) == (status, code)
    assert await world.fingerprint() == before


async def test_the_checks_come_in_order(partner: Partner, site: Site) -> None:
    """Client, time, signature, token: of several faults the first in this order is told."""
    wrong: Json = {"x_client_id": "ptn_nobody", "timestamp": 1, "secret": "cs_wrong", "token": "at_nobody"}
    codes = []
    for mended in ("x_client_id", "timestamp", "secret", "token"):
        codes.append((await refused(partner, site, headers(partner.credential, **wrong)))[1]["code"])
        del wrong[mended]
    assert codes == ["invalid_client", "timestamp_out_of_range", "invalid_signature", "invalid_token"]


async def test_a_clock_that_is_wrong_is_told_the_time(partner: Partner, site: Site) -> None:
    """The refusal of a timestamp says what time the server has."""
    _, body = await refused(partner, site, headers(partner.credential, timestamp=1795294800 - 10**9))
    shown = datetime.fromisoformat(body["details"]["serverTime"])
    assert abs(shown - datetime.now(UTC)) < timedelta(seconds=10)
    assert body["details"]["serverTime"].endswith("Z")


async def test_the_window_is_a_setting(partner: Partner, site: Site) -> None:
    """A request as old as the window passes, one that is older does not; so from the future."""
    partner.hub.settings = Settings(secret_key=partner.hub.settings.secret_key, signature_seconds=30)
    now = int(datetime.now(UTC).timestamp())
    partner.hub.now = lambda: datetime.fromtimestamp(now, UTC)
    answers = []
    async with client_of(site) as api:
        for distance in (-31, -30, 30, 31):
            sent = headers(partner.credential, "GET", body=b"", timestamp=now + distance)
            answers.append((await api.get(PATH, headers=sent)).status_code)
    assert answers == [401, 200, 200, 401]


async def test_a_token_works_for_its_own_client_only(partner: Partner, other_partner: Partner, site: Site) -> None:
    """A token of another team's client says nothing, whoever signs."""
    sent = headers(partner.credential, token=other_partner.credential["access_token"])
    status, body = await refused(partner, site, sent)
    assert (status, body["code"], body["error"]) == (401, "invalid_token", "invalid_token")


async def test_an_expired_token_says_so_and_a_wrong_signature_never_does(partner: Partner, site: Site) -> None:
    """The vendor's client refreshes on `invalid_token` with its description, so nothing else may look like that."""
    later = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    partner.hub.now = lambda: later
    expired = headers(partner.credential, timestamp=int(later.timestamp()))
    status, body = await refused(partner, site, expired)
    assert (status, body["code"], body["error"], body["error_description"]) == (
        *(401, "token_expired", "invalid_token"),
        "The access token expired",
    )
    unsigned = headers(partner.credential, timestamp=int(later.timestamp()), secret="cs_wrong")
    status, body = await refused(partner, site, unsigned)
    assert (status, body["error"]) == (401, "Invalid HMAC signature")


async def test_a_refresh_token_is_no_access_token(partner: Partner, site: Site) -> None:
    """It only takes new tokens."""
    status, body = await refused(partner, site, headers(partner.credential, token=partner.credential["refresh_token"]))
    assert (status, body["code"]) == (401, "invalid_token")


async def test_a_revoked_grant_ends_at_once(partner: Partner, site: Site) -> None:
    """The very next request is refused, and the client itself is still known."""
    await partner.create()
    await revoke_credential(partner.hub, UUID(_id(partner)))
    status, body = await refused(partner, site, headers(partner.credential))
    assert (status, body["code"]) == (401, "invalid_token")


async def test_a_revoked_client_ends_in_every_team(partner: Partner, site: Site) -> None:
    """The very next request is refused; so are its tokens, and its credentials are marked."""
    await partner.create()
    await revoke_client(partner.hub, partner.credential["client_id"])
    again = await revoke_client(partner.hub, partner.credential["client_id"])
    assert again["revoked"] is True
    status, body = await refused(partner, site, headers(partner.credential))
    assert (status, body["code"]) == (401, "invalid_client")
    async with partner.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select kind, action from audit where team = $1 and action = 'revoked' order by kind", partner.team.id
        )
        revoked = await connection.fetchval("select revoked_at from credential where id = $1", UUID(_id(partner)))
    assert [tuple(row) for row in rows] == [("client", "revoked"), ("credential", "revoked")]
    assert revoked is not None


def _id(partner: Partner) -> str:
    return str(partner.credential["id"])


async def test_a_member_who_left_takes_their_tokens_along(world: World, site: Site) -> None:
    """Tokens act for the member who gave them, and end when that member is made inactive."""
    new = NewUser(f"{uuid4().hex}@a.example", "Ada", "Vik", password="correct horse")
    user = await create_user(world.hub, world.team, new)
    credential = await make_client(world.hub, world.team, team_user=user.id)
    async with client_of(site) as api:
        sent = headers(credential)
        assert (await api.post(PATH, content=BODY, headers=sent)).status_code == 201
        async with world.hub.database.lease() as connection:
            actor = await connection.fetchval("select actor from change where team = $1", world.team.id)
            await connection.execute("update team_user set status = 'inactive' where id = $1", user.id)
        answer = await api.get(PATH, headers=headers(credential, "GET", body=b""))
    assert actor == user.id
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_that_no_signature_covers_is_refused(partner: Partner, site: Site, method: str) -> None:
    """GET and DELETE are signed without a body, so they may not have one."""
    customer = await partner.create()
    path = f"{PATH}/{customer['uuid']}"
    async with client_of(site) as api:
        sent = headers(partner.credential, method, path, b"")
        answer = await api.request(method, path, content=b'{"a":1}', headers=sent)
        unsigned = await api.request(method, path, content=b'{"a":1}', headers=sent | {"x-signature": "0" * 64})
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "invalid_signature")
    assert await partner.get(customer["uuid"]) == customer


async def test_failures_are_capped_and_what_verifies_never_is(partner: Partner) -> None:
    """After so many failures of an address its failing requests get 429; one that verifies always passes."""
    site = Site(partner.hub, find_dialects(), limits=Limits(signing_failures="3/minute"))
    wrong = headers(partner.credential, "GET", body=b"", secret="cs_wrong")
    async with client_of(site) as api:
        statuses = [(await api.get(PATH, headers=wrong)).status_code for _ in range(5)]
        limited = await api.get(PATH, headers=wrong)
        right = await api.get(PATH, headers=headers(partner.credential, "GET", body=b""))
        no_token = await api.get(PATH, headers=headers(partner.credential, "GET", body=b"", token="at_nobody"))
    assert statuses == [401, 401, 401, 429, 429]
    assert (limited.json()["type"], int(limited.headers["retry-after"]) > 0) == ("RATE_LIMITED", True)
    assert (right.status_code, no_token.status_code) == (200, 401)


async def test_a_clients_limit_counts_what_verifies_only(partner: Partner) -> None:
    """Nobody who merely knows the client id can use up its limit; the limit stands before the token."""
    site = Site(partner.hub, find_dialects(), limits=Limits(rate_limit="2/minute"))
    async with client_of(site) as api:
        wrong = headers(partner.credential, "GET", body=b"", secret="cs_wrong")
        assert [(await api.get(PATH, headers=wrong)).status_code for _ in range(3)] == [401] * 3
        right = headers(partner.credential, "GET", body=b"")
        assert [(await api.get(PATH, headers=right)).status_code for _ in range(3)] == [200, 200, 429]
        no_token = headers(partner.credential, "GET", body=b"", token="at_nobody")
        assert (await api.get(PATH, headers=no_token)).status_code == 429


async def test_secrets_are_not_in_the_database(partner: Partner, hub: Hub) -> None:
    """Neither the client's secret nor a token stands in any table as it is."""
    async with hub.database.lease() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        dump = ""
        for (table,) in tables:
            dump += str(await connection.fetchval(f"select string_agg(t::text, '') from {table} t"))  # noqa: S608 - from pg_tables
    for name in ("client_secret", "access_token", "refresh_token"):
        text = partner.credential[name]
        assert text not in dump
        assert text.encode().hex() not in dump
    assert partner.credential["client_id"] in dump
