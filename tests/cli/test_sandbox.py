"""`customerhub serve --sandbox`, `reset` and `fixture`: one course of requests, its answers byte for byte, and back."""

import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from customerhub.cli import app
from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.options import Choices
from customerhub.cli.sandbox import to_served
from customerhub.cli.serve import to_greeting
from customerhub.settings import Settings
from tests.cli.support import Serving, run, run_here, run_json_here
from tests.support.count import sign

SEED = ("--sandbox", "--demo", "--seed", "7")
STATUSES = [
    *(200, 201, 201, 400, 412, 201, 201, 201, 200, 200, 200, 404, 503, 200, 200),
    *(200, 200, 200, 200, 200, 200, 200, 200),
    *(200, 200),
]
CUSTOMERS, PARTNERS, SALES = "/v1/customers", "/partners/customers", "/v1/sales/customers"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A sandbox with the demo team, shared by the tests of this module."""
    with Serving(tmp_path_factory.mktemp("sandbox") / "place", *SEED) as serving:
        yield serving


def _refuse(sentence: str, *arguments: object) -> None:
    """The command says so, and nothing else."""
    with pytest.raises(EXPECTED) as caught:
        CliRunner().invoke(app, [*map(str, arguments)], obj=Choices(), catch_exceptions=False)
    assert to_sentence(caught.value) == sentence


class Talk:
    """Requests to a sandbox, one connection each, every answer kept as it came."""

    def __init__(self, serving: Serving) -> None:
        self.port = serving.port
        self.credentials = serving.answer["demo"]["credentials"]
        self.heard: list[bytes] = []

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The decoded body of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: hub.example", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + content)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        self.heard.append(answer)
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def shop(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """As the shop's client."""
        return self.ask(method, path, body, X_API_Key=self.credentials["wizcommerce"]["api_key"], **headers)

    def erp(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """As the ERP's client."""
        key = next(value for value in self.credentials["augno"].values() if str(value).startswith("aug_sk"))
        return self.ask(method, path, body, Authorization=f"Bearer {key}", **headers)

    def hub(self, method: str, path: str, body: object = None) -> Any:
        """As a client of the hub's own API."""
        return self.ask(method, path, body, Authorization=f"Bearer {self.credentials['hub']['api_key']}")

    def books(self, method: str, path: str, body: object = None) -> Any:
        """As the client of the books, which signs with the time of day."""
        client, timestamp = self.credentials["count"], str(int(time.time()))
        content = b"" if body is None else json.dumps(body).encode()
        return self.ask(
            method,
            path,
            body,
            x_client_id=client["client_id"],
            x_timestamp=timestamp,
            x_signature=sign(client["client_secret"], method, path.partition("?")[0], timestamp, content),
            Authorization=f"Bearer {client['access_token']}",
        )


def take_course(serving: Serving) -> list[bytes]:
    """The same requests through every dialect: reads, writes, a retry, refusals, a fault, and what the log has."""
    talk = Talk(serving)
    (found,) = talk.shop("GET", f"{CUSTOMERS}?reference_ids=DEMO-001")["data"]
    place = f"{CUSTOMERS}/{found['id']}"
    for _ in range(2):
        talk.shop("PATCH", place, {"payment_term": "NET77", "first_name": "Ada"}, Idempotency_Key="one")
    talk.shop("PATCH", place, {"phone": "wrong", "email": 7})
    talk.shop("PATCH", place, {"phone": "+12075550100"}, If_Match='"99"')
    talk.shop("PATCH", place, {"phone": "+12075550100"}, Customerhub_Dry_Run="true")
    talk.shop("POST", "/v1/price-lists", {"reference_id": "seed", "name": "Seeded"})
    made = talk.books("POST", PARTNERS, {"customer": "Lantern Street Books", "email": "hello@lantern.example"})
    talk.books("PUT", f"{PARTNERS}/{made['data']['uuid']}", {"billingAddress": {"street": "1 Main", "city": "Bath"}})
    talk.books("GET", PARTNERS)
    talk.erp("GET", f"{SALES}?limit=5&include=credit_limit,defaults.payment_term,contact_info")
    talk.erp("GET", f"{SALES}/ac_nothing")
    talk.erp("GET", SALES, Customerhub_Simulate="503")
    talk.hub("PATCH", f"/hub/v1/customers/{found['id']}", {"note": "Rings twice.", "standing": "preferred"})
    talk.hub("GET", "/hub/v1/changes?after=40")
    take_hub_course(talk, found["id"])
    talk.erp("GET", "/v1/core/audit-events?limit=10")
    talk.erp("GET", "/v1/core/request-logs?limit=10")
    return talk.heard


def take_hub_course(talk: Talk, customer: str) -> None:
    """What only the hub's own API has: a batch, search, duplicates, a merge taken back, an erasure, a credential."""
    place = f"/hub/v1/customers/{customer}"
    operations = [{"op": "create", "patch": {"name": f"Lantern {number}", "phone": "+4722334455"}} for number in (1, 2)]
    made = talk.hub("POST", "/hub/v1/customers:batch", {"operations": operations})["results"]
    talk.hub("GET", "/hub/v1/search?q=lantern")
    talk.hub("GET", "/hub/v1/duplicates")
    merged = talk.hub("POST", f"{place}/merge", {"sources": [one["id"] for one in made]})
    talk.hub("POST", f"{place}/unmerge", {"version": merged["customer"]["version"]})
    talk.hub("POST", f"/hub/v1/customers/{made[0]['id']}/erase", {"confirm": made[0]["id"]})
    talk.hub("GET", f"{place}/history")
    talk.hub("GET", "/hub/v1/users")


def test_one_seed_gives_the_same_bytes(sandbox: Serving, tmp_path: Path) -> None:
    """A course of requests is answered alike after a reset, by another sandbox of the seed, and after a restart of it.

    A sandbox that goes on where it was stopped gives new ids and later times.
    """
    place = ("--data-dir", sandbox.data_directory)
    run_json_here("reset", *place)
    first = take_course(sandbox)
    statuses = [int(answer.split(b" ", 2)[1]) for answer in first]
    assert statuses == STATUSES
    sandbox.ask("GET", "/healthz")
    run_json_here("reset", *place)
    sandbox.ask("GET", "/readyz")
    assert take_course(sandbox) == first
    made: list[tuple[str, str]] = []
    with Serving(tmp_path / "twin", *SEED) as twin:
        assert take_course(twin) == first
        made += _make_partners(twin, 0)
        assert twin.stop() == 0
    with Serving(tmp_path / "twin", *SEED) as again:
        made += _make_partners(again, 3)
        run_json_here("reset", "--data-dir", again.data_directory)
        assert take_course(again) == first
    assert len({one for one, _ in made}) == 6
    assert [at for _, at in made] == sorted({at for _, at in made})


def _make_partners(serving: Serving, number: int) -> list[tuple[str, str]]:
    """Ids and times of three new customers."""
    talk = Talk(serving)
    emails = [f"{number + more}@a.example" for more in range(3)]
    made = [talk.books("POST", PARTNERS, {"customer": "Lantern", "email": email})["data"] for email in emails]
    return [(one["uuid"], one["createdAt"]) for one in made]


def test_a_fixture_brings_a_state_back(sandbox: Serving) -> None:
    """What was saved under a name is there again after other changes, and `start` is what it was at first."""
    place = ("--data-dir", sandbox.data_directory)
    run_json_here("reset", *place)
    talk = Talk(sandbox)
    (found,) = talk.shop("GET", f"{CUSTOMERS}?reference_ids=DEMO-002")["data"]
    talk.shop("PATCH", f"{CUSTOMERS}/{found['id']}", {"first_name": "Saved"})
    saved = run_json_here("fixture", "save", "mine", *place)
    assert (saved["name"], saved["teams"], saved["customers"]) == ("mine", 1, 40)
    talk.shop("PATCH", f"{CUSTOMERS}/{found['id']}", {"first_name": "Later"})
    assert saved in run_json_here("fixture", "list", *place)
    for name, first_name in (("mine", "Saved"), ("start", found["first_name"])):
        assert run_json_here("fixture", "load", name, *place)["name"] == name
        assert talk.shop("GET", f"{CUSTOMERS}/{found['id']}")["data"]["first_name"] == first_name
    assert run_json_here("reset", "mine", *place) == saved
    assert talk.shop("GET", f"{CUSTOMERS}/{found['id']}")["data"]["first_name"] == "Saved"
    text = run_here("fixture", "list", *place).stdout.splitlines()
    assert [line.split()[0] for line in text] == ["NAME", "mine", "start"]
    assert run_here("reset", *place).stdout == "loaded start: 1 team, 40 customers\n"


def test_commands_beside_a_sandbox_live_in_its_time(sandbox: Serving) -> None:
    """A team made beside the server is as old as the last request, its key works at once, and a reset takes it away."""
    place = ("--data-dir", sandbox.data_directory)
    run_json_here("reset", *place)
    talk = Talk(sandbox)
    talk.shop("POST", "/v1/price-lists", {"reference_id": "now", "name": "Now"})
    made = run_json_here("team", "create", "Beside", *place)
    key = run_json_here("credential", "create", "wizcommerce", "--team", "Beside", *place)["api_key"]
    assert sandbox.ask("GET", CUSTOMERS, X_API_Key=key)[0] == 200
    teams = {team["name"]: team for team in run_json_here("team", "list", *place)}
    assert teams["Beside"]["id"] == made["id"]
    assert teams["Beside"]["created_at"].startswith("2026-01-01T00:00:0")
    run_json_here("reset", *place)
    assert sandbox.ask("GET", CUSTOMERS, X_API_Key=key)[0] == 401
    assert [team["name"] for team in run_json_here("team", "list", *place)] == [sandbox.answer["demo"]["name"]]


def test_its_secrets_are_its_owner_s(sandbox: Serving) -> None:
    """Nobody else may look into a sandbox's files."""
    for path in sandbox.data_directory.joinpath("fixtures").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(sandbox.data_directory.stat().st_mode) == 0o700


def test_a_hub_is_never_reset(tmp_path: Path) -> None:
    """No command of a sandbox touches a directory that is none, and a server does not make one of a hub."""
    data = tmp_path / "data"
    made = run_json_here("team", "create", "Acme", "--data-dir", data)
    sentence = f"{data} is no sandbox: `customerhub serve --sandbox` makes one."
    for arguments in (("reset",), ("fixture", "save", "mine"), ("fixture", "load", "start"), ("fixture", "list")):
        _refuse(sentence, *arguments, "--data-dir", data)
    done = run("serve", "--sandbox", "--port", "0", "--data-dir", data)
    own = f"{data} is no sandbox but a hub's own: name another directory with --data-dir."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"customerhub: {own}\n")
    assert not (data / "sandbox.json").exists()
    assert [team["id"] for team in run_json_here("team", "list", "--data-dir", data)] == [made["id"]]


def test_what_does_not_go_together_is_refused(
    sandbox: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed for several processes or for no sandbox, a sandbox elsewhere, and one that is served as a hub."""
    serve = ("serve", "--port", "0")
    place = ("--data-dir", tmp_path / "nothing")
    url = "postgresql:///customerhub?host=/nowhere"
    _refuse("A seed is for a sandbox: add --sandbox.", *serve, "--seed", "7", *place)
    _refuse(
        "A seed is for one process: leave out --workers.",
        *(*serve, "--sandbox", "--seed", "7", "--workers", "2", *place),
    )
    elsewhere = "A sandbox keeps its database in a directory of its own: leave out the database URL."
    _refuse(elsewhere, *serve, "--sandbox", "--database-url", url)
    _refuse(elsewhere, "reset", "--database-url", url)
    monkeypatch.setenv("CUSTOMERHUB_SANDBOX_DIR", str(tmp_path / "sandbox"))
    _refuse(f"{tmp_path / 'sandbox'} is no sandbox: `customerhub serve --sandbox` makes one.", "reset")
    _refuse("no such fixture: nothing", "reset", "nothing", "--data-dir", sandbox.data_directory)
    _refuse(
        "name: must be letters, digits, - and _, at most 64",
        *("fixture", "save", "../nothing", "--data-dir", sandbox.data_directory),
    )
    served = run(*serve, "--data-dir", sandbox.data_directory)
    assert served.returncode == 1
    assert served.stderr.endswith(f"customerhub: {sandbox.data_directory} is a sandbox: serve it with --sandbox.\n")
    assert list(tmp_path.iterdir()) == []


def test_it_stands_beside_the_usual_place(tmp_path: Path) -> None:
    """Without a directory it takes one of its own, whatever the hub's is; one that is named is taken."""
    for chosen, place in (({}, Path("sandbox").absolute()), ({"data_dir": tmp_path}, tmp_path)):
        choices = Choices(chosen=dict(chosen))
        assert to_served(choices, choices.to_settings(sandbox=True)).data_dir == place
    assert to_served(Choices(), Settings(data_dir=tmp_path)).data_dir == tmp_path


def test_its_greeting_says_what_it_is_for() -> None:
    """Whoever starts one is told how to put it back, and how to ask for a fault."""
    lines = to_greeting("http://127.0.0.1:8080", None, Path("/my place")).splitlines()
    faults = "429, 500, 503, timeout, drop-after-commit, slow=800"
    assert lines[4:6] == [
        "This is a sandbox: `customerhub reset --data-dir '/my place'` puts it back.",
        f"Requests ask for a fault by the header Customerhub-Simulate: {faults}.",
    ]


def test_several_processes_share_it(tmp_path: Path) -> None:
    """Each of them knows faults, and each notices a reset."""
    data = tmp_path / "place"
    with Serving(data, "--sandbox", "--workers", "2") as serving:
        assert serving.answer["sandbox"] == str(data)
        run_json_here("team", "create", "Acme", "--data-dir", data)
        key = run_json_here("credential", "create", "wizcommerce", "--team", "Acme", "--data-dir", data)["api_key"]
        for fault, status in (("429", 429), ("slow=1", 200)):
            answers = [serving.ask("GET", CUSTOMERS, X_API_Key=key, Customerhub_Simulate=fault) for _ in range(12)]
            assert {answer[0] for answer in answers} == {status}
        run_json_here("reset", "--data-dir", data)
        assert {serving.ask("GET", CUSTOMERS, X_API_Key=key)[0] for _ in range(12)} == {401}


def test_a_busy_sandbox_is_put_back_too(sandbox: Serving) -> None:
    """Resets in the middle of writes from four clients succeed, and none of the writes fails for them."""
    place = ("--data-dir", sandbox.data_directory)
    run_json_here("reset", *place)
    key = sandbox.answer["demo"]["credentials"]["wizcommerce"]["api_key"]
    ids = [one["id"] for one in sandbox.ask("GET", f"{CUSTOMERS}?page_size=40", X_API_Key=key)[1]["data"]]
    done = threading.Event()

    def write(client: int) -> set[int]:
        statuses: set[int] = set()
        for turn in count():
            place = f"{CUSTOMERS}/{ids[(turn * 7 + client) % 40]}"
            statuses.add(sandbox.ask("PATCH", place, {"first_name": f"{client} {turn}"}, X_API_Key=key)[0])
            if done.is_set():
                break
        return statuses

    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(write, client) for client in range(4)]
        try:
            for _ in range(2):
                assert run_json_here("reset", *place)["customers"] == 40
        finally:
            done.set()
        assert [client.result() for client in clients] == [{201}] * 4
