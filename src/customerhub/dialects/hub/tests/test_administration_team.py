"""The team and its settings through the API: in force at once, all or nothing, and written down."""

import asyncio
from uuid import UUID

import httpx
import pytest

from customerhub.dialects.hub.tests.helpers import problem, refusal
from customerhub.model.catalogue import PriceListDetails
from customerhub.store.catalogue import get_snapshot
from tests.support.administration import add_credential, audits, twin_of
from tests.support.hub import CUSTOMERS, Desk, make_key

TEAM = "/hub/v1/team"
SETTINGS = "/hub/v1/team/settings"
DEFAULTS = {
    "email_policy": "unique",
    "unknown_members": "contract",
    "null_members": "refuse",
    "free_attributes": False,
    "relaxed_create": False,
    "requires_precondition": False,
    "rate_limit": None,
    "default_price_list": None,
}


async def test_a_team_is_renamed(desk: Desk, other_desk: Desk) -> None:
    """By its own administrators, to a name that nobody has, as a new version with its line in the audit trail."""
    shown = (await desk.api.get(TEAM)).json()
    assert (shown["id"], shown["version"], shown["name"]) == (str(desk.team.id), 1, desk.team.name)
    before = await desk.fingerprint()
    taken = await desk.api.patch(TEAM, json={"name": other_desk.team.name.upper()})
    assert refusal(taken) == (409, "taken", [("/name", "name_taken")])
    assert refusal(await desk.api.patch(TEAM, json={"name": " ", "owner": 1})) == (
        422,
        "invalid",
        [("/name", "blank"), ("/owner", "unknown")],
    )
    assert await desk.fingerprint() == before
    done = await desk.api.patch(TEAM, json={"name": f"{desk.team.name} AS"}, headers={"if-match": '"1"'})
    assert (done.status_code, done.headers["etag"], done.json()["changed"]) == (200, '"2"', ["/name"])
    again = await desk.api.patch(TEAM, json={"name": f"{desk.team.name} AS"})
    assert (again.headers["etag"], again.json()["changed"], again.json()["equal"]) == ('"2"', [], ["/name"])
    [renamed, _] = await audits(desk, kind="team")
    assert (renamed["version"], renamed["action"], renamed["actor"]["name"]) == (2, "updated", "test key")
    assert renamed["changes"] == [{"path": "/name", "old": desk.team.name, "new": f"{desk.team.name} AS"}]


async def test_settings_are_a_merge_patch(desk: Desk) -> None:
    """What is left out stays, null is the default; the answer says what changed, and the audit trail from what."""
    assert (await desk.api.get(SETTINGS)).json() == DEFAULTS
    wanted = {"unknown_members": "refuse", "rate_limit": "100/minute", "free_attributes": False}
    done = await desk.api.patch(SETTINGS, json=wanted)
    assert done.json() == {
        "settings": DEFAULTS | wanted,
        "changed": ["/unknown_members", "/rate_limit"],
        "equal": ["/free_attributes"],
        "ignored": [],
    }
    assert done.headers["etag"] == '"2"'
    back = await desk.api.patch(SETTINGS, json={"rate_limit": None}, headers={"if-match": '"2"'})
    assert back.json()["settings"] == DEFAULTS | {"unknown_members": "refuse"}
    known = await desk.api.get(SETTINGS, headers={"if-none-match": '"3"'})
    assert known.status_code == 304
    [last, first] = await audits(desk, kind="settings")
    assert last["changes"] == [{"path": "/rate_limit", "old": "100/minute", "new": ""}]
    assert first["changes"] == [
        {"path": "/unknown_members", "old": "contract", "new": "refuse"},
        {"path": "/rate_limit", "old": "", "new": "100/minute"},
    ]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"unknown_member": "refuse"}, [("/unknown_member", "unknown")]),
        (
            {"email_policy": "shared", "free_attributes": "true"},
            [("/email_policy", "enum"), ("/free_attributes", "type")],
        ),
        ({"rate_limit": "a lot"}, [("/rate_limit", "rate_limit")]),
        ({"rate_limit": "0/minute"}, [("/rate_limit", "rate_limit")]),
        ({"default_price_list": "5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10"}, [("/default_price_list", "unknown_id")]),
    ],
)
async def test_wrong_settings(desk: Desk, body: dict[str, object], errors: list[tuple[str, str]]) -> None:
    """A member that nobody knows is refused even where the team lets customers have some; nothing is stored."""
    await desk.api.patch(SETTINGS, json={"unknown_members": "ignore"})
    before = await desk.fingerprint()
    assert refusal(await desk.api.patch(SETTINGS, json={"null_members": "ignore"} | body)) == (422, "invalid", errors)
    assert await desk.fingerprint() == before


async def test_a_policy_that_records_break_is_refused_with_their_ids(desk: Desk) -> None:
    """How many customers share an address, and which."""
    await desk.api.patch(SETTINGS, json={"email_policy": "free"})
    same = [await desk.create(email="ap@kestrel.example") for _ in range(2)]
    await desk.create(email="other@kestrel.example")
    before = await desk.fingerprint()
    answer = await desk.api.patch(SETTINGS, json={"email_policy": "unique"})
    assert refusal(answer) == (409, "conflict", [])
    ids = ", ".join(customer["id"] for customer in same)
    assert problem(answer)["detail"] == f"2 customers of this team share an email address with others: {ids}."
    assert await desk.fingerprint() == before


async def test_the_default_price_list_is_one_of_the_settings(desk: Desk) -> None:
    """New customers get it; another one takes its place, null takes it away."""
    first, second = desk.price_lists
    for price_list in (first, second, None):
        done = await desk.api.patch(SETTINGS, json={"default_price_list": price_list})
        assert (done.json()["settings"]["default_price_list"], done.json()["changed"]) == (
            price_list,
            ["/default_price_list"],
        )
        assert (await desk.create())["price_list"] == price_list
    marks = [event["changes"] for event in await audits(desk, kind="price_list", subject=first)]
    assert [changes[0]["path"] for changes in marks] == ["/details/is_default", "/details/is_default", ""]


async def test_another_default_price_list_is_another_version_of_the_settings(desk: Desk) -> None:
    """Whoever makes it, through whatever door: nobody is told that nothing changed, and nobody undoes it unseen."""
    first, second = desk.price_lists
    seen = (await desk.api.patch(SETTINGS, json={"default_price_list": first})).headers["etag"]
    _, secrets = await add_credential(desk, dialect="wizcommerce")
    theirs = {"X-API-Key": secrets["api_key"]}
    done = await desk.api.patch(f"/v1/price-lists/{second}", json={"is_default": True}, headers=theirs)
    assert done.status_code == 201, done.text
    now = await desk.api.get(SETTINGS, headers={"if-none-match": seen})
    assert (now.status_code, now.json()["default_price_list"]) == (200, second)
    late = await desk.api.patch(SETTINGS, json={"default_price_list": None}, headers={"if-match": seen})
    assert refusal(late)[:2] == (412, "stale")
    assert (await desk.create())["price_list"] == second
    seen = now.headers["etag"]
    assert (await desk.api.delete(f"/v1/price-lists/{second}", headers=theirs)).status_code == 204
    gone = await desk.api.get(SETTINGS, headers={"if-none-match": seen})
    assert (gone.status_code, gone.json()["default_price_list"]) == (200, None)


async def test_who_makes_another_price_list_the_default_waits_for_nobody_who_waits(desk: Desk) -> None:
    """Through the settings and through the lists at once: all are answered, and exactly one list has the mark."""
    _, secrets = await add_credential(desk, dialect="wizcommerce")
    theirs = {"X-API-Key": secrets["api_key"]}
    for _ in range(3):
        ours = (desk.api.patch(SETTINGS, json={"default_price_list": one}) for one in desk.price_lists)
        others = (
            desk.api.patch(f"/v1/price-lists/{one}", json={"is_default": True}, headers=theirs)
            for one in reversed(desk.price_lists)
        )
        answers = await asyncio.gather(*ours, *others)
        assert [answer.status_code for answer in answers] == [200, 200, 201, 201]
    async with desk.hub.database.lease() as connection:
        lists = (await get_snapshot(connection, desk.team.id)).entries("price_list")
    default = (await desk.api.get(SETTINGS)).json()["default_price_list"]
    marked = [one.id for one in lists if isinstance(one.details, PriceListDetails) and one.details.is_default]
    assert marked == [UUID(default)]


async def test_a_team_may_demand_preconditions(desk: Desk) -> None:
    """Of every credential, in every process, from the next request on."""
    customer = await desk.create()
    async with twin_of(desk) as twin:
        assert (await desk.api.patch(SETTINGS, json={"requires_precondition": True})).status_code == 200
        for api in (desk.api, twin):
            answer = await api.patch(f"{CUSTOMERS}/{customer['id']}", json={"note": "x"})
            assert refusal(answer)[:2] == (428, "precondition-required")
        refused = await desk.api.patch(SETTINGS, json={"requires_precondition": False})
        assert refusal(refused)[:2] == (428, "precondition-required")
        done = await desk.api.patch(SETTINGS, json={"requires_precondition": False}, headers={"if-match": '"2"'})
        assert done.status_code == 200
        assert (await twin.patch(f"{CUSTOMERS}/{customer['id']}", json={"note": "x"})).status_code == 200


async def test_a_rate_limit_is_felt_from_a_process_s_second_request_on(desk: Desk) -> None:
    """No request asks the database for it; each credential of the team has its own count."""
    async with twin_of(desk) as twin:
        assert (await desk.api.patch(SETTINGS, json={"rate_limit": "2/hour"})).status_code == 200
        for api in (desk.api, twin):
            answers = [await api.get(CUSTOMERS) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        other = await make_key(desk.hub, desk.team)
        headers = {"Authorization": f"Bearer {other['api_key']}"}
        assert (await desk.api.get(CUSTOMERS, headers=headers)).status_code == 200


async def test_only_the_operator_goes_beyond_the_hub_s_own_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team may be stricter with itself, and never more generous."""
    settings = desk.hub.settings.model_copy(update={"rate_limit": "100/minute"})
    monkeypatch.setattr(desk.hub, "settings", settings)
    for wide in ("101/minute", "100/second", "5000/hour"):
        before = await desk.fingerprint()
        assert refusal(await desk.api.patch(SETTINGS, json={"rate_limit": wide}))[:2] == (403, "forbidden")
        assert await desk.fingerprint() == before
    for narrow in ("100/minute", "10/minute;1000/day", "90/hour"):
        assert (await desk.api.patch(SETTINGS, json={"rate_limit": narrow})).status_code == 200
    operator = await make_key(desk.hub, desk.team, scopes=("operator",))
    headers = {"Authorization": f"Bearer {operator['api_key']}"}
    done = await desk.api.patch(SETTINGS, json={"rate_limit": "1000/minute"}, headers=headers)
    assert isinstance(done, httpx.Response)
    assert done.status_code == 200
