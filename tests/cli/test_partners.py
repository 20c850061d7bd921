"""Partners' clients and the key of their secrets at the command line, beside a running server."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customerhub.core.secrets import new_key
from tests.cli.support import Serving, run, run_here, run_json, run_json_here
from tests.support.count import sign

DIALECT, PATH = "count", "/partners/customers"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with a team, shared by the tests of this module."""
    with Serving(tmp_path_factory.mktemp("partners") / "data") as server:
        run_json_here("team", "create", "Acme", "--data-dir", server.data_directory)
        yield server


def create(serving: Serving, *options: object) -> Any:
    """A client of the team, made by the command in this process."""
    place = "--data-dir", serving.data_directory
    return run_json_here("credential", "create", DIALECT, "--team", "Acme", *options, *place)


def ask(serving: Serving, client: Any) -> tuple[int, Any]:
    """List customers as this client."""
    timestamp = str(int(time.time()))
    headers = {
        "x_client_id": client["client_id"],
        "x_timestamp": timestamp,
        "x_signature": sign(client["client_secret"], "GET", PATH, timestamp),
        "authorization": f"Bearer {client['access_token']}",
    }
    return serving.ask("GET", PATH, **headers)


def test_a_client_made_beside_the_server_works_at_once(serving: Serving) -> None:
    """What is printed signs and shows a token; the list shows its client id and nothing secret; revoking ends it."""
    place = "--data-dir", serving.data_directory
    redirects = "--redirect-uri", "https://crm.example/cb", "--redirect-uri", "http://localhost:1"
    made = run_json("credential", "create", DIALECT, "--team", "Acme", "--name", "CRM", *redirects, *place)
    assert set(made) == {
        *("id", "name", "client_id", "client_secret", "access_token", "refresh_token", "team_id"),
        *("access_token_expires_at", "refresh_token_expires_at"),
    }
    assert ask(serving, made)[0] == 200
    (listed,) = [
        one for one in run_json_here("credential", "list", "--team", "Acme", *place) if one["id"] == made["id"]
    ]
    assert (listed["name"], listed["hint"], listed["dialect"]) == ("CRM", made["client_id"], DIALECT)
    assert not {made["client_secret"], made["access_token"], made["refresh_token"]} & set(map(str, listed.values()))
    query = f"clientId={made['client_id']}&state=s&redirectUri=https%3A%2F%2Fcrm.example%2Fcb%2Fx"
    status, started = serving.ask("GET", f"/auth2/authorize-intiate?{query}")
    assert (status, started["redirectUri"].startswith(f"{serving.url}/authorize?request=")) == (200, True)
    page = serving.ask("GET", started["redirectUri"].removeprefix(serving.url))
    assert page[0] == 303
    assert run_json("credential", "revoke", made["client_id"], *place) == {
        "id": made["client_id"],
        "team": made["team_id"],
        "name": "CRM",
        "revoked": True,
    }
    status, body = ask(serving, made)
    assert (status, body["code"]) == (401, "invalid_client")


def test_a_team_can_end_its_own_grant(serving: Serving) -> None:
    """The credential's id ends the access to its team, and the client stays known."""
    made = create(serving)
    run_json_here("credential", "revoke", made["id"], "--data-dir", serving.data_directory)
    status, body = ask(serving, made)
    assert (status, body["code"]) == (401, "invalid_token")


def test_what_a_dialect_does_not_know_is_refused(serving: Serving) -> None:
    """One sentence and exit code 1, and no credential was made."""
    place = "--data-dir", serving.data_directory
    before = run_json_here("credential", "list", *place)
    for dialect, option, sentence in (
        ("wizcommerce", ("--any-team",), "any_team: credentials of this dialect know no such thing"),
        ("wizcommerce", ("--redirect-uri", "https://a.example"), "redirect_uris: credentials of this dialect know"),
        (DIALECT, ("--redirect-uri", "https://a.example/?x=1"), "redirect_uris[0]: must be http or https"),
    ):
        done = run_here("credential", "create", dialect, "--team", "Acme", *option, *place)
        assert (done.returncode, done.stdout, sentence in done.stderr) == (1, "", True)
    assert run_json_here("credential", "list", *place) == before


def test_the_key_is_replaced_beside_the_server(serving: Serving) -> None:
    """The file is the owner's alone, gets another key, and every client goes on working, the server not restarted."""
    place = "--data-dir", serving.data_directory
    path = serving.data_directory / "secret.key"
    before, made = path.read_text(), create(serving)
    assert ask(serving, made)[0] == 200
    done = run_json_here("secrets", "rotate", *place)
    assert (done["renewed"] >= 1, path.read_text() != before) == (True, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ask(serving, made)[0] == 200
    assert ask(serving, create(serving))[0] == 200
    checks = {check["name"]: check for check in run_json_here("doctor", *place)["checks"]}
    assert checks["secret key"]["found"] == f"the right one ({done['fingerprint']})"


def test_nothing_secret_is_logged_or_shown(serving: Serving) -> None:
    """Neither the log nor the settings nor the list of processes hold a key, a secret or a token."""
    made = create(serving)
    ask(serving, made)
    secrets = [made[name] for name in ("client_secret", "access_token", "refresh_token")]
    key = (serving.data_directory / "secret.key").read_text().strip()
    log = serving.errors.read_text()
    assert [secret for secret in (*secrets, key) if secret in log] == []
    shown = run_here("settings", CUSTOMERHUB_SECRET_KEY=key)
    assert (shown.returncode, key in shown.stdout, "CUSTOMERHUB_SECRET_KEY" in shown.stdout) == (0, False, True)


def test_a_server_with_the_wrong_key_does_not_start(serving: Serving, tmp_path: Path) -> None:
    """One sentence that names the wanted key's fingerprint, before anything is answered; the doctor says it too."""
    place = "--data-dir", serving.data_directory
    create(serving)
    wrong = new_key()
    done = run("serve", "--port", "0", *place, CUSTOMERHUB_SECRET_KEY=wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert "The secret key is not the one that this database's secrets are encrypted with" in done.stderr
    assert wrong not in done.stderr
    found = run_here("doctor", *place, CUSTOMERHUB_SECRET_KEY=wrong)
    assert (found.returncode, "PROBLEM  secret key" in found.stdout) == (1, True)


def test_a_new_key_is_printed() -> None:
    """Fit for the setting, another one each time, and no database is needed."""
    first, second = run_json_here("secrets", "new-key")["key"], run_json_here("secrets", "new-key")["key"]
    assert (len(first), first != second) == (44, True)
