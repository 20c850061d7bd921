"""`customerhub serve --demo`: from nothing to a changed customer, beside other commands, through kill -9, and back."""

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from customerhub.embedded import keeper
from tests.cli.support import Serving, paste, run, run_json, run_json_here, wait_until

DIALECT = "wizcommerce"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with a demo team, shared by the tests of this module."""
    with Serving(tmp_path_factory.mktemp("serve") / "data", "--demo") as server:
        yield server


def get_customer(serving: Serving, key: str, number: int = 1) -> tuple[int, object]:
    """Read a demo customer through the API."""
    path = f"/v1/customers?reference_id=DEMO-{number:03d}"
    return serving.ask("GET", path, X_API_Key=key)


def demo_key(serving: Serving) -> str:
    """The API key that the server printed."""
    return str(serving.answer["demo"]["credentials"][DIALECT]["api_key"])


def test_what_it_prints_works_when_pasted(serving: Serving) -> None:
    """The printed curl changes a demo customer, and a second time changes nothing."""
    command = serving.answer["demo"]["examples"][DIALECT]
    path = command.partition(serving.url)[2].split()[0]
    before = serving.ask("GET", path, X_API_Key=demo_key(serving))[1]["data"]
    first, second = paste(command)["data"], paste(command)["data"]
    assert before["payment_term"] == "NET30"
    assert (first["id"], first["payment_term"]) == (before["id"], "NET45")
    assert second == first
    assert serving.ask("GET", path, X_API_Key=demo_key(serving)) == (200, {"data": first})


def test_it_serves_health_and_reference(serving: Serving) -> None:
    """The process is alive and ready, and the reference stands where it says."""
    assert serving.ask("GET", "/healthz") == (200, {"status": "ok"})
    assert serving.ask("GET", "/readyz") == (200, {"status": "ok"})
    assert serving.answer["docs"] == f"{serving.url}/docs"
    status, page = serving.ask("GET", "/docs")
    assert (status, "<html" in page) == (200, True)


def test_the_demo_team_is_whole(serving: Serving) -> None:
    """40 customers with two addresses each, four users, and a login that gets a token."""
    key = demo_key(serving)
    status, listed = serving.ask("GET", "/v1/customers?page_size=100", X_API_Key=key)
    assert (status, len(listed["data"])) == (200, 40)
    assert {customer["status"] for customer in listed["data"]} == {"active"}
    users = run_json_here("user", "list", "--team", "Demo Trading Co", "--data-dir", serving.data_directory)
    assert [(user["last_name"], user["can_sign_in"]) for user in users] == [
        ("Harrigan", False),
        ("Santiago", False),
        ("Vos", False),
        ("Whitfield", True),
    ]
    demo = serving.answer["demo"]
    status, token = serving.ask("POST", "/auth/token", {"email": demo["email"], "password": demo["password"]})
    assert status == 200
    assert serving.ask("GET", "/v1/customers", X_API_Key=token["access_token"])[0] == 200


def test_commands_work_beside_it(serving: Serving) -> None:
    """A credential made while the server runs is good at once, and refused at once when it is revoked."""
    place = ("--data-dir", serving.data_directory)
    made = run_json("credential", "create", DIALECT, "--team", serving.answer["demo"]["team"], *place)
    assert serving.ask("GET", "/v1/customers", X_API_Key=made["api_key"])[0] == 200
    run_json("credential", "revoke", made["id"], *place)
    assert serving.ask("GET", "/v1/customers", X_API_Key=made["api_key"])[0] == 401


def test_a_taken_port_is_one_sentence(serving: Serving, tmp_path: Path) -> None:
    """A second server on the port ends with exit code 1 before it makes anything."""
    data = tmp_path / "data"
    done = run("serve", "--port", serving.port, "--data-dir", data)
    sentence = f"Port {serving.port} of 127.0.0.1 is taken: stop what listens there, or choose another with --port."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"customerhub: {sentence}\n")
    assert not data.exists()


def test_a_killed_postmaster_is_started_again(serving: Serving) -> None:
    """After kill -9 of PostgreSQL every request is answered, by 200 or 503, and soon all of them by 200 again."""
    key, cluster = demo_key(serving), serving.data_directory / "postgres"
    server = keeper.find_server(cluster)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    seen: set[int] = set()
    deadline = time.monotonic() + 20
    while keeper.find_server(cluster) in {None, server} or serving.ask("GET", "/v1/customers", X_API_Key=key)[0] != 200:
        seen.add(serving.ask("PATCH", "/v1/customers/x", {}, X_API_Key=key)[0])
        assert time.monotonic() < deadline, serving.errors.read_text()
    assert seen <= {404, 503}
    assert serving.ask("GET", "/readyz") == (200, {"status": "ok"})
    event = "PostgreSQL had stopped and was started again"
    wait_until(lambda: event in {line["event"] for line in serving.log()}, 5, "the log tells it")


def test_logs_tell_requests_and_no_secret(serving: Serving) -> None:
    """Standard error is JSON lines with route, team and credential name; no key, password or query stands in them."""
    demo = serving.answer["demo"]
    serving.ask("GET", "/v1/customers?page_size=73", X_API_Key=demo_key(serving))
    wait_until(lambda: serving.log()[-1]["event"] == "request", 5, "the request is logged")
    lines = [line for line in serving.log() if line["event"] == "request" and line["route"] == "/v1/customers"]
    assert {"team": lines[-1]["team"], "credential": lines[-1]["credential"]} == {
        "team": demo["team"],
        "credential": "demo",
    }
    text = serving.errors.read_text()
    assert [secret for secret in (demo_key(serving), demo["password"], "73") if f'"{secret}"' in text] == []
    assert "page_size" not in text


def test_ctrl_c_ends_it_with_nothing_left(tmp_path: Path) -> None:
    """Ctrl-C ends with exit code 0 within seconds, idle connections or not; the next start prints the same secrets."""
    data = tmp_path / "data"
    with Serving(data, "--demo") as first:
        idle = socket.create_connection(("127.0.0.1", first.port))
        kept = HTTPConnection("127.0.0.1", first.port)
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        started = time.monotonic()
        assert first.stop() == 0
        assert time.monotonic() - started < 8
        idle.close()
        kept.close()
        assert first.left_behind() == []
    memory = data / "demo.json"
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    with Serving(data, "--demo") as second:
        demos = (first.answer["demo"], second.answer["demo"])
        assert demos[0]["credentials"] == demos[1]["credentials"]
        assert demos[0]["password"] == demos[1]["password"]
        assert len(second.ask("GET", "/v1/customers?page_size=100", X_API_Key=demo_key(second))[1]["data"]) == 40
        assert second.stop(signal.SIGTERM) == 0
        assert second.left_behind() == []
