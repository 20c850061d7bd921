"""Which hosts the hub answers for, where the operator has named them."""

from copy import copy

import httpx
import pytest
from pydantic import ValidationError

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.web import signin
from customerhub.web.limit import Limits
from customerhub.web.page import to_page
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from tests.web.fake import READ, FakeDialect, FakeHub, to_client

NAMED = Settings(allowed_hosts="hub.example, Other.example,[::1]")


def to_named(settings: Settings = NAMED) -> httpx.AsyncClient:
    """A client of a fake dialect on a hub that answers for the hosts of the settings."""
    screens, page = Screens(signin.SCREENS), {"/healthz": to_page(b"ok", "text/plain")}
    hub = FakeHub(settings)
    return to_client(Site(hub, [FakeDialect((READ,))], limits=Limits(), pages=page, screens=screens))


@pytest.mark.parametrize("host", ["hub.example", "HUB.example:8443", "other.example", "[::1]:8080", "hub.example:"])
async def test_a_host_that_is_named_is_answered(host: str) -> None:
    """In any case of letters, with any port."""
    async with to_named() as client:
        assert (await client.get("/fake/things/1", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "hub.example.evil.example", "", "hub.example.", "hub.example@evil", "::1"]
)
async def test_another_host_is_refused(host: str) -> None:
    """In the shape of the dialect, before anybody is asked for a credential; on a page with a form as a page."""
    async with to_named() as client:
        answer = await client.get("/fake/things/1", headers={"host": host, "x-key": "bad"})
        assert (answer.status_code, answer.json()) == (
            400,
            {"code": "InvalidHeader", "message": "Host: is not a host that this hub answers for"},
        )
        page = await client.get("/signin", headers={"host": host})
        assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert "set-cookie" not in page.headers
        assert (await client.get("/nothing", headers={"host": host})).status_code == 400


async def test_two_hosts_are_none() -> None:
    """What stands behind us might take the other one."""
    async with to_named() as client:
        answer = await client.get("/fake/things/1", headers=[("host", "hub.example"), ("host", "evil.example")])
        assert answer.status_code == 400


async def test_probes_need_no_name() -> None:
    """Whoever looks after the process asks it by its address."""
    async with to_named() as client:
        assert (await client.get("/healthz", headers={"host": "10.0.0.7:8080"})).status_code == 200


async def test_without_the_setting_any_host_is_answered() -> None:
    """As far as links are not concerned, which have a rule of their own."""
    async with to_named(Settings()) as client:
        assert (await client.get("/fake/things/1", headers={"host": "evil.example"})).status_code == 200


@pytest.mark.parametrize("setting", ["https://hub.example", "hub.example:443", "a b", "hub.example/", "*", "::1"])
def test_what_is_no_host_is_no_setting(setting: str) -> None:
    """It would never match, and nobody would be let in."""
    with pytest.raises(ValidationError):
        Settings(allowed_hosts=setting)


@pytest.mark.parametrize("dialect", [dialect.name for dialect in find_dialects()])
async def test_every_dialect_refuses_in_its_own_shape(hub: Hub, dialect: str) -> None:
    """As it refuses any other header that is wrong: with 400, and without saying more."""
    named = copy(hub)
    named.settings = hub.settings.model_copy(update={"allowed_hosts": "hub.example"})
    (spoken,) = (found for found in find_dialects() if found.name == dialect)
    path = next(one.path for one in spoken.operations if one.method == "GET").partition("{")[0]
    transport = httpx.ASGITransport(Site(named, find_dialects(), limits=Limits()))
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        answer = await client.get(path)
    assert answer.status_code == 400
    assert "evil" not in answer.text
    assert answer.json()
