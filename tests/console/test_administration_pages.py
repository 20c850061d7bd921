"""What administrators do with a team's credentials, users, settings and catalogue, and look up in its logs."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.core import credentials as core
from customerhub.core.access import sign_in
from customerhub.core.lists import get_catalogue
from customerhub.core.team_settings import get_settings
from customerhub.dialects.base import find_dialects
from customerhub.model.base32 import to_base32
from customerhub.model.catalogue import CatalogueEntry, Kind, TeamSettings, User
from customerhub.model.error import Unauthenticated
from customerhub.web.serve import Site
from tests.console.belongings import log_request
from tests.console.clerk import Clerk, working
from tests.console.house import PASSWORD, Bureau, Somebody
from tests.support.browser import browse
from tests.support.hub import CUSTOMERS

ONCE = re.compile(r'id="secret-1">([^<]+)<')
SETTINGS = {"email_policy": "unique", "unknown_members": "contract", "null_members": "refuse"}


@pytest.fixture
async def clerk(site: Site, bureau: Bureau) -> AsyncIterator[Clerk]:
    """The administrator."""
    async with working(site, bureau) as made:
        yield made


async def ask(site: Site, key: str) -> int:
    """How the hub's own API answers this key."""
    async with browse(site) as api:
        return (await api.get(CUSTOMERS, headers={"authorization": f"Bearer {key}"})).status_code


async def find_user(clerk: Clerk, user_id: str) -> User:
    """A member as they stand."""
    user = (await get_catalogue(clerk.hub, await clerk.bureau.desk.caller())).find_user(UUID(user_id))
    assert user is not None
    return user


def shown(answer: httpx.Response) -> str:
    """The secret that an answer shows, which nobody keeps a copy of."""
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    [secret] = ONCE.findall(answer.text)
    return str(secret)


def to_id(answer: httpx.Response, section: str) -> str:
    """The id of what a page leads to."""
    [found] = set(re.findall(rf"/{section}/([0-9a-f-]{{36}})", answer.text))
    return str(found)


async def test_a_credential_of_every_api_is_made_and_shown_once(clerk: Clerk) -> None:
    """What its owner needs stands on the answer to the form and on no other page; the list has name and hint."""
    for dialect in find_dialects():
        assert (await clerk.look("credentials", "new", api=dialect.name)).status == 200
        answer = await clerk.send("credentials", "new", api=dialect.name, name=f"ERP {dialect.name}")
        secret, credential = shown(answer), UUID(to_id(answer, "credentials"))
        found = await core.get_credential(clerk.hub, await clerk.bureau.desk.caller(), credential)
        assert (found.dialect, found.name) == (dialect.name, f"ERP {dialect.name}")
        pages = [await clerk.look("credentials"), await clerk.look("credentials", credential)]
        # Of a client that signs, what is shown first is its name and no secret.
        values = set(re.findall(r'id="secret-\d+">([^<]+)<', answer.text)) - {found.hint}
        assert [page for page in pages if any(value in page.answer.text for value in values)] == []
        assert (await clerk.look("credentials")).row(f"ERP {dialect.name}")[:2] == [dialect.name, found.hint]
        assert secret


async def test_what_is_wrong_with_a_credential_is_told_beside_its_field(clerk: Clerk) -> None:
    """All of it at once, and nothing is made."""
    sent = {"name": " ", "rate_limit": "often", "expires_at": "2020-01-01T00:00", "user": str(uuid4())}
    page = await clerk.refused(400, "credentials", "new", api="hub", **sent)
    assert 'id="in-name-error">Is required</p>' in page.answer.text
    assert 'id="in-user-error">Names no user of this team</p>' in page.answer.text
    assert 'id="in-expires_at-error">Must lie in the future</p>' in page.answer.text
    assert 'id="in-rate_limit-error">Must be a limit such as 100/minute' in page.answer.text
    clerk.hub.settings = clerk.hub.settings.model_copy(update={"rate_limit": "10/minute"})
    page = await clerk.refused(403, "credentials", "new", api="hub", name="ERP", rate_limit="11/minute")
    assert "Only those who run this hub may do this." in page.text
    other = next(one.name for one in find_dialects() if not one.is_canonical and one.key_form is not None)
    sent = {"name": "App", "redirect_uris": "https://app.example/back"}
    page = await clerk.refused(400, "credentials", "new", api=other, **sent)
    assert 'id="redirect-error">Credentials of this dialect know no such thing</p>' in page.answer.text
    assert (await clerk.look("credentials", "new", api="nobody")).status == 404


async def test_a_key_is_limited_replaced_and_revoked(clerk: Clerk, site: Site) -> None:
    """It may read where that was chosen; with an overlap both secrets go on; once revoked neither does."""
    answer = await clerk.send("credentials", "new", api="hub", name="ERP", scopes="read", rate_limit="100/minute")
    key, credential = shown(answer), to_id(answer, "credentials")
    caller = await clerk.bureau.desk.caller()
    assert (await core.get_credential(clerk.hub, caller, UUID(credential))).scopes == ("read",)
    at = ("credentials", credential)
    version = str((await core.get_credential(clerk.hub, caller, UUID(credential))).version)
    await clerk.refused(400, *at, "marks", version=version, rate_limit="often")
    sent = {"rate_limit": "50/minute", "requires_precondition": "1"}
    assert await clerk.done(*at, "marks", version=version, **sent) == "/".join(at)
    marked = await core.get_credential(clerk.hub, caller, UUID(credential))
    assert (marked.rate_limit, marked.requires_precondition) == ("50/minute", True)
    await clerk.refused(412, *at, "rotate", version=version, overlap="3600")
    second = shown(await clerk.send(*at, "rotate", version=str(marked.version), overlap="3600"))
    assert [await ask(site, one) for one in (key, second)] == [200, 200]
    page = await clerk.look(*at)
    assert "goes on until" in page.text
    assert second not in page.answer.text
    version = str((await core.get_credential(clerk.hub, caller, UUID(credential))).version)
    await clerk.done(*at, "revoke", version=version)
    assert [await ask(site, one) for one in (key, second)] == [401, 401]
    assert (await clerk.look("credentials", status="revoked")).row("ERP")[4] == "revoked"


async def test_a_member_is_added_and_changed(clerk: Clerk) -> None:
    """With what was filled in; what is wrong is told beside its field, and so is an address that somebody has."""
    page = await clerk.refused(400, "users", "new", first_name="Cy", email="cy", password="short")
    assert 'id="in-email-error">Must be an email address' in page.answer.text
    assert 'id="in-password-error">Must have 8 to 1024 characters</p>' in page.answer.text
    assert "short" not in page.answer.text
    email = f"cy@{uuid4().hex}.example"
    path = await clerk.done("users", "new", first_name="Cy", last_name="Day", email=email, department="Sales")
    user = await find_user(clerk, path.removeprefix("users/"))
    assert (user.name, user.email, user.department, user.role, user.login) == ("Cy Day", email, "Sales", "member", None)
    sent = {"first_name": "Cyd", "email": clerk.bureau.member.email, "role": "admin", "version": "1"}
    page = await clerk.refused(400, "users", user.id, "edit", **sent)
    assert 'id="in-email-error">Belongs to somebody else</p>' in page.answer.text
    assert await clerk.done("users", user.id, "edit", **{**sent, "email": email}) == path
    changed = await find_user(clerk, str(user.id))
    assert (changed.first_name, changed.last_name, changed.role, changed.version) == ("Cyd", "", "admin", 2)
    page = await clerk.refused(412, "users", user.id, "edit", **{**sent, "first_name": "Late"})
    assert 'name="first_name" type="text" value="Cyd"' in page.answer.text
    assert [row[0] for row in (await clerk.look("users", q="cyd")).rows[1:]] == ["Cyd"]


async def test_a_password_that_is_made_is_shown_once(clerk: Clerk) -> None:
    """It lets its owner in; their sessions end, and one that was typed is shown nowhere."""
    member = clerk.bureau.member
    page = await clerk.look("users", member.user.id)
    made = shown(await clerk.send("users", member.user.id, "password", version="1"))
    assert (await sign_in(clerk.hub, member.email, made)).email == member.email
    with pytest.raises(Unauthenticated):
        await sign_in(clerk.hub, member.email, PASSWORD)
    page = await clerk.look("users", member.user.id)
    assert made not in page.answer.text
    await clerk.refused(400, "users", member.user.id, "password", version="2", password="short")
    await clerk.done("users", member.user.id, "password", version="2", password="a good long one ")
    assert (await sign_in(clerk.hub, member.email, "a good long one ")).email == member.email


async def test_whoever_is_disabled_is_signed_out(clerk: Clerk, site: Site) -> None:
    """At once, and may come back when they are enabled; their sessions can be ended by themselves too."""
    member = clerk.bureau.member
    async with working(site, clerk.bureau, member) as theirs:
        assert (await theirs.look()).status == 200
        assert "last seen" in (await clerk.look("users", member.user.id)).text
        await clerk.done("users", member.user.id, "sessions", version="1")
        assert (await theirs.look()).status == 303
    async with working(site, clerk.bureau, member) as theirs:
        await clerk.done("users", member.user.id, "status", status="inactive", version="2")
        assert (await theirs.look()).status == 303
    await clerk.done("users", member.user.id, "status", status="active", version="3")
    assert (await find_user(clerk, str(member.user.id))).status == "active"


async def test_the_last_administrator_stays(clerk: Clerk) -> None:
    """Neither disabled nor made a member, by themselves as little as by anybody else; the page says why."""
    admin = clerk.bureau.admin
    told = "This is the last administrator who can sign in: make another one first."
    page = await clerk.refused(409, "users", admin.user.id, "status", status="inactive", version="1")
    assert told in page.text
    sent = {"first_name": "Ada", "last_name": "Vik", "email": admin.email, "role": "member", "version": "1"}
    assert told in (await clerk.refused(409, "users", admin.user.id, "edit", **sent)).text


async def test_settings_are_what_was_chosen(clerk: Clerk) -> None:
    """All of them by one form, guarded by their version; what is wrong is told beside its field."""
    caller = await clerk.bureau.desk.caller()
    price_list = clerk.bureau.desk.price_lists[0]
    sent = {
        "email_policy": "free",
        "unknown_members": "refuse",
        "null_members": "ignore",
        "free_attributes": "1",
        "rate_limit": "50/minute",
        "default_price_list": price_list,
    }
    view = await get_settings(clerk.hub, caller)
    version = str(view.team.version)
    assert f'<option value="{view.default_price_list or ""}" selected>' in (await clerk.look("settings")).answer.text
    page = await clerk.refused(
        400, "settings", **{**sent, "rate_limit": "often", "default_price_list": str(uuid4())}, version=version
    )
    assert 'id="in-rate_limit-error">Must be a limit such as' in page.answer.text
    assert 'id="in-default_price_list-error">Names no active price list of this team</p>' in page.answer.text
    assert await clerk.done("settings", **sent, version=version) == "settings?saved=1"
    after = await get_settings(clerk.hub, caller)
    assert after.team.settings == TeamSettings("free", "refuse", "ignore", free_attributes=True, rate_limit="50/minute")
    assert after.default_price_list == UUID(price_list)
    await clerk.refused(412, "settings", **sent, version=version)
    name = f"Team {uuid4().hex}"
    await clerk.refused(400, "settings", "name", name=" ", version=str(after.team.version))
    await clerk.done("settings", "name", name=name, version=str(after.team.version))
    assert (await get_settings(clerk.hub, caller)).team.name == name


async def test_customers_that_share_an_address_are_led_to(clerk: Clerk) -> None:
    """While there are some the policy stays as it is, and the page links each of them by name."""
    caller = await clerk.bureau.desk.caller()
    version = str((await get_settings(clerk.hub, caller)).team.version)
    await clerk.done("settings", **{**SETTINGS, "email_policy": "free"}, version=version)
    ids = []
    for name in ("First", "Second"):
        answer = await clerk.bureau.desk.api.post(CUSTOMERS, json={"name": name, "email": "same@kestrel.example"})
        ids.append(answer.json()["customer"]["id"])
    version = str((await get_settings(clerk.hub, caller)).team.version)
    page = await clerk.refused(409, "settings", **SETTINGS, version=version)
    assert "2 customers share an email address with others" in page.text
    links = {(name, clerk.bureau.path("customers", one)) for name, one in zip(("First", "Second"), ids, strict=True)}
    assert links <= set(page.links)


async def test_the_log_is_filtered_and_looked_through_further_back(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each filter leaves out what it should; what is rare is looked for in so many entries at a time."""
    found = [await log_request(clerk.bureau, text) for text in ("rare", "often", "often", "often")]
    rows = (await clerk.look("requests")).rows
    assert [row[1] for row in rows[1:]] == [f"POST /hub/v1/{text}" for text in ("often", "often", "often", "rare")]
    now = clerk.hub.now()
    filters = {
        "status": ("4", "2"),
        "method": ("POST", "GET"),
        "dialect": ("hub", "nobody"),
        "credential": (str((await clerk.bureau.desk.caller()).credential), str(uuid4())),
        "since": ((now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"), (now + timedelta(hours=1)).isoformat()),
        "until": ((now + timedelta(hours=1)).isoformat(), "2020-01-01T00:00"),
    }
    counts = {
        name: [len((await clerk.look("requests", **{name: value})).rows[1:]) for value in values]
        for name, values in filters.items()
    }
    assert counts == {name: [4, 0] for name in filters}
    monkeypatch.setattr("customerhub.core.request_logs.REACH", 3)
    page = await clerk.look("requests", text="rare")
    assert "There are no such requests among those looked at." in page.text
    further = await clerk.visitor.get(page.link("Look further back"))
    assert f"/requests/{found[0]}" in further.text
    assert "Look further back" not in further.text


async def test_a_request_shows_what_it_asked_and_what_it_changed(clerk: Clerk, site: Site) -> None:
    """With both bodies in lines, and the way to the credential and to the customer's past."""
    made = (await clerk.bureau.desk.api.post(CUSTOMERS, json={"name": "Kestrel"})).json()["customer"]
    dialect = next(one for one in find_dialects() if one.request_log_path)
    clerk.hub.settings = clerk.hub.settings.model_copy(update={"request_log_bodies": True})
    secret = shown(await clerk.send("credentials", "new", api=dialect.name, name="ERP"))
    async with browse(site) as api:
        path = f"/v1/sales/customers/ac_{to_base32(UUID(made['id']).int)}"
        answer = await api.patch(path, json={"phone": "+15035550142"}, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, answer.text
    leaf = await clerk.look("requests")
    page = await clerk.visitor.get(leaf.link(f"PATCH {path}"))
    assert "{\n  &#34;phone&#34;: &#34;+15035550142&#34;\n}" in page.text
    past = clerk.bureau.path("customers", made["id"], "timeline")
    assert f'href="{past}">Customer</a> updated, version 2' in page.text
    assert re.search(rf'href="{clerk.bureau.path("credentials")}/[0-9a-f-]+">ERP</a>', page.text)


async def test_the_audit_trail_says_who_did_what(clerk: Clerk) -> None:
    """With what stood there before and what stands there now; of one user, or by one."""
    member, caller = clerk.bureau.member, await clerk.bureau.desk.caller()
    version = str((await get_settings(clerk.hub, caller)).team.version)
    await clerk.done("settings", **{**SETTINGS, "null_members": "ignore"}, version=version)
    sent = {"first_name": "Bo", "last_name": "Lund", "email": member.email, "version": "1"}
    await clerk.done("users", member.user.id, "edit", **sent)
    rows = (await clerk.look("settings", "audit", actor=clerk.bureau.admin.user.id)).rows
    assert [row[1:] for row in rows[1:]] == [
        ["Ada Vik Console", "User updated Bo Lund", "Last name Lind Lund"],
        ["Ada Vik Console", f"Settings updated {clerk.team}", "Null members refuse ignore"],
    ]
    assert len((await clerk.look("settings", "audit", subject=member.user.id)).rows[1:]) == 2
    assert len((await clerk.look("settings", "audit", kind="settings")).rows[1:]) == 1


async def find_entry(clerk: Clerk, kind: Kind, name: str) -> CatalogueEntry:
    """An entry of the catalogue as it stands."""
    found = (await get_catalogue(clerk.hub, await clerk.bureau.desk.caller())).find_named(kind, name)
    assert found is not None
    return found


async def test_the_catalogue_is_kept(clerk: Clerk) -> None:
    """An entry is added, renamed and set aside; a name that there is already is told beside the field."""
    at = ("settings", "catalogue", "carrier")
    assert await clerk.done(*at, name="Posten", code="PN") == "/".join(at)
    page = await clerk.refused(400, *at, name="posten")
    assert 'id="in-name-error">Belongs to another entry of this team</p>' in page.answer.text
    entry = await find_entry(clerk, "carrier", "Posten")
    sent = {"name": "Bring", "description": "Parcels", "status": "inactive", "version": "1"}
    await clerk.done(*at, entry.id, **sent)
    after = await find_entry(clerk, "carrier", "Bring")
    assert (after.id, after.status, after.description, after.details) == (
        entry.id,
        "inactive",
        "Parcels",
        entry.details,
    )
    await clerk.refused(412, *at, entry.id, **sent)
    assert (await clerk.look(*at, q="bri")).row("Bring")[0] == "PN"


async def test_a_member_reads_no_log_without_the_right_to(site: Site, bureau: Bureau, clerk: Clerk) -> None:
    """The right comes with a role; without one the menu does not name the page, and it is refused."""
    who: Somebody = bureau.member
    async with working(site, bureau, who) as theirs:
        assert "Requests" not in [text for text, _ in (await theirs.look()).links]
        assert (await theirs.look("requests")).status == 403
        assert (await theirs.look("requests", uuid4())).status == 403
