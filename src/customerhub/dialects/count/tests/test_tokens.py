"""Tokens for codes and refresh tokens: good once, for their client and for their time, in every spelling."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from customerhub.web.serve import Site
from tests.support.consent import GRANT, REFRESH, Scene
from tests.support.count import Json, Partner, Signed, sign


async def test_a_second_consent_adds_no_second_credential(scene: Scene) -> None:
    """The client keeps one credential in the team; each consent has tokens of its own."""
    first = (await scene.grant(await scene.take_code())).json()["data"]["result"]
    before = await scene.counts()
    second = (await scene.grant(await scene.take_code())).json()["data"]["result"]
    after = await scene.counts()
    assert (after["credential"], after["partner_token"]) == (before["credential"], before["partner_token"] + 2)
    assert [await scene.status_with(one["accessToken"]) for one in (first, second)] == [200, 200]


async def test_a_code_is_good_once(scene: Scene) -> None:
    """A second use is refused and ends the tokens of the first: one of the two has stolen it."""
    code = await scene.take_code()
    result = (await scene.grant(code)).json()["data"]["result"]
    assert await scene.status_with(result["accessToken"]) == 200
    answer = await scene.grant(code)
    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_token")
    assert await scene.status_with(result["accessToken"]) == 401
    assert (await scene.refresh(result["refreshToken"])).status_code == 403
    assert await scene.status_with(scene.credential["access_token"]) == 200


async def test_a_code_is_good_for_a_minute(scene: Scene) -> None:
    """A second later it is refused, and nothing has changed."""
    code = await scene.take_code()
    before = await scene.counts()
    now = scene.hub.now
    scene.hub.now = lambda: now() + timedelta(seconds=61)
    assert (await scene.grant(code)).status_code == 403
    scene.hub.now = now
    assert await scene.counts() == before
    assert (await scene.grant(code)).status_code == 200


async def test_codes_and_tokens_are_bound_to_their_client(scene: Scene, other_partner: Partner) -> None:
    """Another client that got hold of them gets nothing, and does not spoil them either."""
    code = await scene.take_code()
    token = scene.credential["refresh_token"]
    thief = Signed(other_partner.credential["client_id"], other_partner.credential["client_secret"])
    bodies: dict[str, Json] = {
        GRANT: {"grantType": "authorization_code", "code": code},
        REFRESH: {"grantType": "refresh_token", "refreshToken": token},
    }
    before = await scene.counts()
    for path, body in bodies.items():
        answer = await scene.api.post(path, json=body, auth=thief)
        assert (answer.status_code, answer.json()["code"]) == (403, "invalid_token")
    assert await scene.counts() == before
    assert (await scene.grant(code)).status_code == 200
    assert (await scene.refresh(token)).status_code == 200


async def test_a_refresh_gives_new_tokens_and_kills_the_used_one(scene: Scene) -> None:
    """The access token that is out lives on until its time; the whole family ends when a dead one comes again."""
    first = scene.credential
    answer = await scene.refresh(first["refresh_token"])
    second = answer.json()["data"]["result"]
    assert (answer.status_code, second["workspaceId"]) == (200, str(scene.home.id))
    assert [await scene.status_with(token) for token in (first["access_token"], second["accessToken"])] == [200, 200]
    third = (await scene.refresh(second["refreshToken"])).json()["data"]["result"]
    answer = await scene.refresh(first["refresh_token"])
    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_token")
    tokens = (first["access_token"], second["accessToken"], third["accessToken"])
    assert [await scene.status_with(token) for token in tokens] == [401, 401, 401]
    assert (await scene.refresh(third["refreshToken"])).status_code == 403
    async with scene.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select action, version from audit where team = $1 and kind = 'consent' order by version", scene.home.id
        )
    assert [tuple(row) for row in rows] == [("created", 1), ("revoked", 2)]


async def test_a_refresh_token_has_its_time(scene: Scene) -> None:
    """After 30 days it is refused; that is no theft, and ends nothing."""
    now = scene.hub.now
    scene.hub.now = lambda: now() + timedelta(days=30, seconds=1)
    stamp = str(int(scene.hub.now().timestamp()))
    body = f'{{"grantType":"refresh_token","refreshToken":"{scene.credential["refresh_token"]}"}}'.encode()
    headers = {
        "x-client-id": scene.credential["client_id"],
        "x-timestamp": stamp,
        "x-signature": sign(scene.credential["client_secret"], "POST", REFRESH, stamp, body),
        "content-type": "application/json",
    }
    answer = await scene.browser.post(REFRESH, content=body, headers=headers)
    assert answer.status_code == 403
    scene.hub.now = now
    assert (await scene.refresh(scene.credential["refresh_token"])).status_code == 200


async def test_of_many_at_once_one_gets_the_tokens(scene: Scene) -> None:
    """The database lets one of ten through; the others are a theft, so what the one got ends too."""
    code = await scene.take_code()
    for name, ask in (("code", scene.grant), ("token", scene.refresh)):
        secret = code if name == "code" else scene.credential["refresh_token"]
        answers = await asyncio.gather(*(ask(secret) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [403] * 9
        (won,) = (answer.json()["data"]["result"] for answer in answers if answer.status_code == 200)
        assert await scene.status_with(won["accessToken"]) == 401
        assert (await scene.refresh(won["refreshToken"])).status_code == 403


BODIES: dict[str, tuple[str, Json, int, str]] = {
    "snake case": (REFRESH, {"grant_type": "refresh_token", "refresh_token": "TOKEN"}, 200, ""),
    "camel case": (REFRESH, {"grantType": "refresh_token", "refreshToken": "TOKEN"}, 200, ""),
    "both, alike": (
        REFRESH,
        {"grantType": "refresh_token", "refreshToken": "TOKEN", "refresh_token": "TOKEN", "client_id": "ID"},
        *(200, ""),
    ),
    "client fields": (
        REFRESH,
        {"grant_type": "refresh_token", "refresh_token": "TOKEN", "client_id": "ID", "client_secret": "SECRET"},
        *(200, ""),
    ),
    "camel client fields": (
        REFRESH,
        {"grantType": "refresh_token", "refreshToken": "TOKEN", "clientId": "ID", "clientSecret": "SECRET"},
        *(200, ""),
    ),
    "both, different": (
        REFRESH,
        {"grantType": "refresh_token", "refreshToken": "TOKEN", "refresh_token": "rt_other"},
        *(400, "validation_error"),
    ),
    "no grant type": (REFRESH, {"refreshToken": "TOKEN"}, 400, "validation_error"),
    "another grant type": (REFRESH, {"grantType": "password", "refreshToken": "TOKEN"}, 400, "validation_error"),
    "no token": (REFRESH, {"grantType": "refresh_token"}, 400, "validation_error"),
    "a token that is no text": (REFRESH, {"grantType": "refresh_token", "refreshToken": 7}, 400, "validation_error"),
    "an unknown token": (REFRESH, {"grantType": "refresh_token", "refreshToken": "rt_no"}, 403, "invalid_token"),
    "an access token": (REFRESH, {"grantType": "refresh_token", "refreshToken": "ACCESS"}, 403, "invalid_token"),
    "another client's id": (
        REFRESH,
        {"grantType": "refresh_token", "refreshToken": "TOKEN", "client_id": "ptn_other"},
        *(401, "invalid_client"),
    ),
    "a wrong secret": (
        REFRESH,
        {"grantType": "refresh_token", "refreshToken": "TOKEN", "client_secret": "é"},
        *(401, "invalid_client"),
    ),
    "no code": (GRANT, {"grantType": "authorization_code"}, 400, "validation_error"),
    "an unknown code": (GRANT, {"code": "ac_no"}, 403, "invalid_token"),
    "a refresh token as code": (GRANT, {"code": "TOKEN"}, 403, "invalid_token"),
}


@pytest.mark.parametrize(("path", "body", "status", "code"), BODIES.values(), ids=BODIES)
async def test_bodies_are_read_in_every_spelling(
    partner: Partner, site: Site, path: str, body: Json, status: int, code: str
) -> None:
    """What is refused leaves the refresh token good."""
    credential = partner.credential
    names = {
        "TOKEN": credential["refresh_token"],
        "ACCESS": credential["access_token"],
        "ID": credential["client_id"],
        "SECRET": credential["client_secret"],
    }
    sent = {name: names.get(str(value), value) for name, value in body.items()}
    signed = Signed(credential["client_id"], credential["client_secret"])
    answer = await partner.api.post(path, json=sent, auth=signed)
    assert (answer.status_code, answer.json().get("code", "")) == (status, code)
    if status != 200:
        right = {"grantType": "refresh_token", "refreshToken": credential["refresh_token"]}
        assert (await partner.api.post(REFRESH, json=right, auth=signed)).status_code == 200


@pytest.mark.parametrize("path", [GRANT, REFRESH])
async def test_token_routes_are_signed(partner: Partner, path: str) -> None:
    """No token is needed and the signature is; a wrong one tells nothing of the code or token."""
    body = {"grantType": "refresh_token", "refreshToken": partner.credential["refresh_token"]}
    wrong = Signed(partner.credential["client_id"], "cs_wrong")
    answer = await partner.api.post(path, json=body, auth=wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_signature")
    answer = await partner.api.post(path, json=body, auth=httpx.Auth())
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_credentials")
    assert await still_good(partner)


async def still_good(partner: Partner, **headers: str) -> bool:
    """Whether the first refresh token still gives tokens."""
    return (await refresh(partner, **headers)).status_code == 200


async def refresh(partner: Partner, **headers: str) -> httpx.Response:
    """Take tokens for the first refresh token."""
    body: dict[str, Any] = {"grantType": "refresh_token", "refreshToken": partner.credential["refresh_token"]}
    signed = Signed(partner.credential["client_id"], partner.credential["client_secret"])
    return await partner.api.post(REFRESH, json=body, auth=signed, headers=headers)


async def test_a_dry_run_uses_nothing_up(partner: Partner) -> None:
    """It answers like the real thing and changes nothing, also where the token was used before."""
    dry = {"customerhub-dry-run": "true"}
    answer = await refresh(partner, **dry)
    assert answer.status_code == 200
    token = answer.json()["data"]["result"]["accessToken"]
    signed = Signed(partner.credential["client_id"], partner.credential["client_secret"], token)
    assert (await partner.api.get("/partners/customers", auth=signed)).status_code == 401
    assert await still_good(partner)
    assert (await refresh(partner, **dry)).status_code == 403
    assert (await partner.api.get("/partners/customers")).status_code == 200


async def test_a_retry_with_a_key_is_no_theft(partner: Partner) -> None:
    """The answer held secrets and is not kept: 410, and the tokens that were given stay good."""
    key = {"idempotency-key": uuid4().hex}
    first = await refresh(partner, **key)
    assert (first.status_code, (await refresh(partner, **key)).status_code) == (200, 410)
    token = first.json()["data"]["result"]["accessToken"]
    signed = Signed(partner.credential["client_id"], partner.credential["client_secret"], token)
    assert (await partner.api.get("/partners/customers", auth=signed)).status_code == 200


async def test_what_a_token_route_does_not_know_is_named(partner: Partner) -> None:
    """The vendor's client sends `state` along: it has no effect, and the answer says so."""
    body = {"grantType": "refresh_token", "refreshToken": partner.credential["refresh_token"], "state": "x"}
    signed = Signed(partner.credential["client_id"], partner.credential["client_secret"])
    answer = await partner.api.post(REFRESH, json=body, auth=signed)
    assert (answer.status_code, answer.headers["customerhub-ignored"]) == (200, "state")
