"""From the start of an authorization over a person's consent to a code, and every way in which it must not go."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from customerhub.core.partners import revoke_client
from tests.support.browser import browse, forms, submit
from tests.support.consent import BACK, PASSWORD, STATE, Scene, parsed
from tests.support.count import Json, Signed


async def test_a_person_lets_a_partner_in(scene: Scene) -> None:
    """Start, consent, code, tokens: the tokens work, act for the person, and the history names client and person."""
    code = await scene.take_code()
    answer = await scene.grant(code)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    result = body["data"]["result"]
    assert (body["status"], body["message"]) == ("success", "Access token granted")
    assert (result["workspaceId"], result["workspaceName"]) == (str(scene.home.id), scene.home.name)
    now = datetime.now(UTC)
    for name, life in (("accessTokenExpiresAt", timedelta(hours=1)), ("refreshTokenExpiresAt", timedelta(days=30))):
        assert abs(datetime.fromisoformat(result[name]) - now - life) < timedelta(minutes=1)
        assert result[name].endswith("Z")
    signed = Signed(scene.credential["client_id"], scene.credential["client_secret"], result["accessToken"])
    body = {"customer": "Aster", "email": "ap@aster.example"}
    assert (await scene.api.post("/partners/customers", json=body, auth=signed)).status_code == 201
    async with scene.hub.database.lease() as connection:
        change = await connection.fetchrow("select actor, actor_name from change where team = $1", scene.home.id)
        member = await connection.fetchval("select id from team_user where team = $1", scene.home.id)
        consent = await connection.fetchrow(
            "select actor, actor_name, action from audit where team = $1 and kind = 'consent' and dialect = 'browser'",
            scene.home.id,
        )
    assert tuple(change) == (member, "test client")
    assert tuple(consent) == (member, scene.email, "created")


@pytest.mark.parametrize("spelling", ["authorize-intiate", "authorize-initiate"])
async def test_the_start_is_spelt_in_two_ways_and_answers_both_readers(scene: Scene, spelling: str) -> None:
    """The address stands flat and under `data`; nothing is stored for it."""
    before = await scene.counts()
    query = {"clientId": scene.credential["client_id"], "redirectUri": BACK, "state": STATE}
    answer = await scene.browser.get(f"/auth2/{spelling}", params=query)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "success")
    assert body["redirectUri"] == body["data"]["redirectUri"]
    assert body["redirectUri"].startswith("http://hub/authorize?request=")
    assert await scene.counts() == before


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"clientId": "ptn_nobody"}, 401, "invalid_client"),
        ({"clientId": ""}, 400, "validation_error"),
        ({"state": ""}, 400, "validation_error"),
        ({"state": "x" * 2001}, 400, "validation_error"),
        ({"redirectUri": ""}, 400, "validation_error"),
        ({"redirectUri": "https://evil.example/count/cb"}, 400, "validation_error"),
        ({"redirectUri": f"{BACK}x"}, 400, "validation_error"),
        ({"redirectUri": f"{BACK}?x=1"}, 400, "validation_error"),
    ],
)
async def test_a_start_that_cannot_be_is_refused(scene: Scene, values: Json, status: int, code: str) -> None:
    """Unknown clients, missing parts, and addresses that are not registered lead nowhere."""
    answer = await scene.start(**values)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_host_that_is_none_does_not_get_into_the_answer(scene: Scene) -> None:
    """The address to sign in at is made of the Host header, which must be one."""
    query = {"clientId": scene.credential["client_id"], "redirectUri": BACK, "state": STATE}
    answer = await scene.browser.get(
        "/auth2/authorize-initiate", params=query, headers={"host": "evil.example/path?x="}
    )
    assert answer.status_code == 400


async def test_who_is_not_signed_in_signs_in_first(scene: Scene) -> None:
    """And comes back to the same consent; other browsers' pages lead there too."""
    there = (await scene.start()).json()["redirectUri"]
    async with browse(scene.site) as browser:
        answer = await browser.get(there)
        assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, "/signin")
        page = await browser.get(answer.headers["location"])
        answer = await submit(browser, page, "/signin", email=scene.email, password=PASSWORD)
        assert f"http://hub{answer.headers['location']}" == there
        page = await browser.get(answer.headers["location"])
    assert (page.status_code, "test client asks for access" in page.text) == (200, True)


async def test_the_consent_page_names_who_asks_and_leads_only_back(scene: Scene) -> None:
    """Only the client's own team can be chosen; the policy lets the form lead to this hub and to the partner."""
    page = await scene.consent_page()
    form = forms(page)["/authorize"]
    assert form.choices == {"team": [str(scene.home.id)], "decision": ["allow", "deny"]}
    assert form.values["team"] == str(scene.home.id)
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self' https://crm.example")
    assert scene.other.name not in page.text


@pytest.mark.parametrize("scene", [True], indirect=True)
async def test_a_client_for_any_team_serves_the_one_that_is_chosen(scene: Scene) -> None:
    """Both of the person's teams can be chosen, none is chosen for them, and the tokens are for that one."""
    form = forms(await scene.consent_page())["/authorize"]
    assert set(form.choices["team"]) == {str(scene.home.id), str(scene.other.id)}
    assert "team" not in form.values
    result = (await scene.grant(await scene.take_code(scene.other))).json()["data"]["result"]
    assert (result["workspaceId"], await scene.status_with(result["accessToken"])) == (str(scene.other.id), 200)
    await revoke_client(scene.hub, scene.credential["client_id"])
    assert await scene.status_with(result["accessToken"]) == 401
    async with scene.hub.database.lease() as connection:
        ended = await connection.fetch(
            "select revoked_at from credential where hint = $1", scene.credential["client_id"]
        )
    assert [row[0] is not None for row in ended] == [True, True]


async def test_denying_tells_the_partner_and_does_nothing_else(scene: Scene) -> None:
    """`error=access_denied` with the state, and no table changed."""
    page = await scene.consent_page()
    before = await scene.counts()
    answer = await submit(scene.browser, page, "/authorize", decision="deny")
    told = parsed(answer)
    assert (answer.status_code, told["error"], told["state"]) == (303, "access_denied", STATE)
    assert "code" not in told
    assert await scene.counts() == before


async def test_the_state_comes_back_untouched(scene: Scene) -> None:
    """Whatever characters it has."""
    page = await scene.consent_page()
    answer = await submit(scene.browser, page, "/authorize", decision="allow")
    assert parsed(answer)["state"] == STATE


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"csrf": ""}, 403),
        ({"csrf": "0" * 64}, 403),
        ({"request": "nonsense"}, 400),
        ({"request": ""}, 400),
        ({"decision": "perhaps"}, 400),
        ({"team": "no id"}, 400),
        ({"team": "OTHER"}, 403),
        ({"team": str(UUID(int=7))}, 403),
    ],
)
async def test_a_consent_that_was_tampered_with_is_refused(scene: Scene, values: Json, status: int) -> None:
    """A page answers, nothing leads to the partner, and no table changed."""
    page = await scene.consent_page()
    before = await scene.counts()
    sent = {"decision": "allow"} | {name: value.replace("OTHER", str(scene.other.id)) for name, value in values.items()}
    answer = await submit(scene.browser, page, "/authorize", **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "location" not in answer.headers
    assert await scene.counts() == before


async def test_a_consent_has_its_time(scene: Scene) -> None:
    """After ten minutes, or once the client is revoked, the page is of no use any more."""
    page = await scene.consent_page()
    started = (await scene.start()).json()["redirectUri"]
    before = await scene.counts()
    now = scene.hub.now
    scene.hub.now = lambda: now() + timedelta(minutes=11)
    assert (await submit(scene.browser, page, "/authorize", decision="allow")).status_code == 400
    assert (await scene.browser.get(started)).status_code == 400
    scene.hub.now = now
    assert await scene.counts() == before
    await revoke_client(scene.hub, scene.credential["client_id"])
    assert (await scene.browser.get(started)).status_code == 400
    assert (await scene.start()).json()["code"] == "invalid_client"
