"""Administration at the command line: what the API can do, the operator can do too, in any team."""

import json
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from customerhub.cli import main
from customerhub.embedded import Cluster, open_cluster
from tests.cli.support import run_json_here

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A data directory with a team, held open so that commands need not start it each time."""
    data = tmp_path_factory.mktemp("administration") / "data"
    run_json_here("team", "create", "Acme", "--data-dir", data)
    with open_cluster(data) as opened:
        yield opened


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: Cluster) -> Run:
    """What a command prints as JSON, run in this process; one that is refused gives its sentence."""
    place: tuple[str, Path] = ("--data-dir", cluster.data_directory)

    def run_here(*arguments: object, text: str = "") -> Any:
        monkeypatch.setattr(sys, "argv", ["customerhub", *map(str, (*arguments, *place)), "--json"])
        monkeypatch.setattr(sys, "stdin", StringIO(text))
        with pytest.raises(SystemExit) as caught:
            main()
        shown = json.loads(capsys.readouterr().out)
        return shown if caught.value.code == 0 else shown["error"]

    return run_here


def test_a_team_is_shown_and_renamed(run: Run) -> None:
    """With its settings, the default price list among them."""
    assert run("team", "rename", "acme", "Acme AS")["name"] == "Acme AS"
    shown = run("team", "show", "ACME as")
    assert (shown["version"], shown["rate_limit"], shown["default_price_list"]) == (2, "", None)
    changed = run("team", "set", "Acme AS", "rate_limit=100/minute", "requires_precondition=true")
    assert (changed["rate_limit"], changed["requires_precondition"]) == ("100/minute", True)
    assert run("team", "set", "Acme AS", "rate_limit=a lot").startswith("rate_limit: must be a limit such as")
    assert run("team", "set", "Acme AS", "default_price_list=x") == "default_price_list: must be the id of a price list"
    assert run("team", "rename", "Acme AS", "Acme")["name"] == "Acme"
    assert run("team", "set", "Acme", "rate_limit=", "requires_precondition=false")["rate_limit"] == ""


def test_a_user_s_whole_life(run: Run) -> None:
    """Changed, given a password, disabled and enabled, by id or email address; the last administrator stays."""
    names = ("--first-name", "Ada", "--last-name", "Lovelace", "--team", "Acme", "--admin")
    user = run("user", "create", "--email", "ada@acme.example", *names)
    assert (user["role"], user["can_sign_in"]) == ("admin", False)
    changed = run("user", "update", user["id"], "department=Sales", "phone=", "--team", "Acme")
    assert (changed["department"], changed["phone"]) == ("Sales", None)
    made = run("user", "reset-password", "ADA@acme.example", "--team", "Acme")
    assert (len(made["password"]), made["can_sign_in"]) == (20, True)
    kept = run("user", "reset-password", user["id"], "--team", "Acme", "--password-stdin", text="correct horse\n")
    assert "password" not in kept
    refused = run("user", "disable", user["id"], "--team", "Acme")
    assert refused == "this is the last administrator who can sign in: make another one first"
    assert run("user", "update", "ada@acme.example", "role=member", "--team", "Acme") == refused
    assert run("user", "end-sessions", user["id"], "--team", "Acme") == {"ended": 0}
    assert run("session", "list", "--team", "Acme") == []
    assert run("session", "end", user["id"], "--team", "Acme") == f"no such session: {user['id']}"
    rep = run("user", "create", "--email", "rep@acme.example", *names[:-1])
    assert run("user", "disable", "rep@acme.example", "--team", "Acme")["status"] == "inactive"
    assert run("user", "enable", rep["id"], "--team", "Acme")["status"] == "active"
    assert run("user", "enable", "nobody", "--team", "Acme") == "no such user: nobody"
    trail = run("audit", "--team", "Acme", "--kind", "user", "--subject", user["id"])
    assert [event["action"] for event in trail] == ["password_reset", "password_reset", "updated", "created"]
    assert trail[2]["changes"] == [{"path": "/department", "old": None, "new": "Sales"}]
    assert made["password"] not in str(trail)


def test_a_credential_is_rotated_and_marked(run: Run) -> None:
    """With an overlap or without; the operator gives the operator's scope, by its name."""
    made = run("credential", "create", "hub", "--team", "Acme", "--scope", "operator")
    assert made["scopes"] == ["read", "write", "admin", "operator"]
    assert run("credential", "create", "hub", "--team", "Acme")["scopes"] == ["read", "write", "admin"]
    rotated = run("credential", "rotate", made["id"], "--overlap-seconds", "60")
    assert (rotated["id"], rotated["previous_until"] is None) == (made["id"], False)
    assert rotated["api_key"] not in ("", made["api_key"])
    assert run("credential", "rotate", made["id"])["previous_until"] is None
    marked = run("credential", "set", made["id"], "--rate-limit", "10/minute", "--precondition-required")
    assert (marked["rate_limit"], marked["requires_precondition"]) == ("10/minute", True)
    assert run("credential", "set", made["id"], "--rate-limit", "")["rate_limit"] is None
    run("credential", "revoke", made["id"])
    assert run("credential", "rotate", made["id"]) == "this credential is revoked"


def test_roles_are_made_changed_and_deleted(run: Run) -> None:
    """By the permissions that there are."""
    order = ("--team", "Acme", "--permission", "customers:read")
    made = run("role", "create", "Till", *order)
    assert (made["permissions"], made["is_system"]) == ("customers:read", False)
    changed = run("role", "update", made["id"], "--team", "Acme", "--name", "Counter")
    assert (changed["name"], changed["permissions"]) == ("Counter", "customers:read")
    assert [role["name"] for role in run("role", "list", "--team", "Acme")] == ["Admin", "Counter", "Editor", "Viewer"]
    assert run("role", "delete", made["id"], "--team", "Acme")["name"] == "Counter"
    wrong = run("role", "create", "Root", "--team", "Acme", "--permission", "operator")
    assert wrong == "permissions: operator is no permission"
