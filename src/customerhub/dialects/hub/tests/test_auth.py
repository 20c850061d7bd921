"""Who may ask: keys and their scopes."""

import pytest

from customerhub.core import admin
from customerhub.dialects.hub import auth, dialect
from customerhub.dialects.hub.auth import to_scopes
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.model.error import Invalid
from customerhub.web.dialect import CredentialOrder
from tests.support.hub import CUSTOMERS, Desk, Json, make_key


def test_every_route_needs_one_scope() -> None:
    """What writes needs `write` or more, what reads `read` or more; which credentials get through is tried elsewhere.

    That is a matrix of credentials, routes and ids, made from all route tables.
    """
    for operation in dialect.operations:
        (scope,) = operation.permissions
        assert scope in auth.SCOPES, operation.path
        assert not operation.writes or scope != auth.READ, operation.path


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((), ("read", "write", "admin")),
        (("read",), ("read",)),
        (("write",), ("read", "write")),
        (("admin",), ("read", "write", "admin")),
        (("read", "write"), ("read", "write")),
    ],
)
def test_scopes_include_those_before_them(asked: tuple[str, ...], given: tuple[str, ...]) -> None:
    """A key without any has all."""
    assert to_scopes(asked) == given


async def test_a_key_is_made(desk: Desk) -> None:
    """With its scopes; the secret is shown once, and afterwards its end."""
    made = await make_key(desk.hub, desk.team, scopes=("write",))
    assert list(made) == ["id", "name", "scopes", "api_key"]
    assert (made["name"], made["scopes"]) == ("test key", ["read", "write"])
    assert made["api_key"].startswith(auth.PREFIX)
    listed = {row["id"]: row for row in await admin.list_credentials(desk.hub, desk.team)}
    assert [str(row["hint"]) for key, row in listed.items() if str(key) == made["id"]] == [
        f"hub_…{made['api_key'][-4:]}"
    ]


async def test_orders_that_mean_nothing(desk: Desk) -> None:
    """No such scope, no such mark; no key is made."""
    before = await desk.fingerprint()
    for order in ({"scopes": ("read", "root")}, {"redirect_uris": ("https://a.example/",)}, {"any_team": True}):
        with pytest.raises(Invalid):
            await make_key(desk.hub, desk.team, **order)
    assert await desk.fingerprint() == before


def test_scopes_are_for_keys_that_have_them() -> None:
    """Another API's plain keys refuse them."""
    with pytest.raises(Invalid) as raised:
        CredentialOrder(name="x", scopes=("read",)).check_plain()
    assert [error.path for error in raised.value.errors] == [("scopes",)]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer x", "Bearer {}x", "Bearer {} {}"])
async def test_no_key(desk: Desk, customer: Json, value: str) -> None:
    """401 with the scheme to use, whatever is wrong with it, and before anything else is looked at."""
    headers = {"Authorization": value.replace("{}", desk.api_key)}
    for method, path in (("GET", CUSTOMERS), ("PATCH", f"{CUSTOMERS}/{customer['id']}"), ("POST", CUSTOMERS)):
        answer = await desk.api.request(method, path, headers=headers, content=b"{")
        assert refusal(answer) == (401, "unauthenticated", [])
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_a_key_is_taken(desk: Desk, scheme: str) -> None:
    """Behind its scheme in any case."""
    answer = await desk.api.get(CUSTOMERS, headers={"Authorization": scheme + desk.api_key})
    assert answer.status_code == 200
