"""Sinks at the command line: connected, looked at, paused, replayed, compared with the other side and repaired."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from customerhub.cli import main
from customerhub.core.hub import Hub
from customerhub.core.publisher import publish_until
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster, open_cluster
from customerhub.model.customer import Customer
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.deliveries import list_due, take
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.cli.elsewhere import Elsewhere, elsewhere
from tests.cli.support import run_json_here
from tests.support.fixtures import SECRET_KEY
from tests.support.world import make_world
from tests.support.writer import Writer, make_writer

HIGHEST = 2**62
SECRET = "whsec_" + "A" * 42 + "A="
FORM = "wizcommerce"


class Done(NamedTuple):
    """A command that has run."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its standard output, which holds nothing else."""
        return json.loads(self.stdout)


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A data directory that a command has made, held open so that commands need not start it each time."""
    data = tmp_path_factory.mktemp("sinks") / "data"
    run_json_here("team", "create", "Bystanders", "--data-dir", data)
    with open_cluster(data) as opened:
        yield opened


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: Cluster) -> Run:
    """Run a command in this process, which spares a second for each."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_here(*arguments: object) -> Done:
        place: tuple[str, Path] = ("--data-dir", cluster.data_directory)
        monkeypatch.setattr(sys, "argv", ["customerhub", *map(str, (*arguments, *place))])
        capsys.readouterr()  # what was said before is not the command's
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run_here


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    """Another system."""
    with elsewhere() as served:
        yield served


class Office(NamedTuple):
    """A team of the test's own in the commands' database."""

    cluster: Cluster
    team: UUID

    def work(self, work: Callable[[Writer], Awaitable[Any]]) -> Any:
        """Let somebody of the team do something, and make deliveries of it, as whoever tells sinks does."""
        return asyncio.run(_in_hub(self.cluster, self.team, work))

    def create(self, *names: str) -> list[Customer]:
        """New customers, by their ids."""

        async def work(writer: Writer) -> list[Customer]:
            return sorted([await writer.create(name=name) for name in names], key=lambda one: one.id)

        made: list[Customer] = self.work(work)
        return made

    def execute(self, statement: str, *values: object) -> None:
        """Something that no use case does; the first value is the team."""
        self.work(lambda writer: writer.execute(statement, *values))


_WRITERS: dict[UUID, Any] = {}


async def _in_hub(cluster: Cluster, team: UUID | None, work: Callable[[Writer], Awaitable[Any]]) -> Any:
    hub = Hub(Database(cluster.url("customerhub"), size=2), Settings(secret_key=SECRET_KEY))
    try:
        if team is None:
            site = Site(hub, find_dialects(), limits=Limits())
            async with make_world(hub, site) as world:
                writer = await make_writer(world)
                _WRITERS[writer.team] = writer.caller
        else:
            writer = Writer(hub, _WRITERS[team])
        result = await work(writer)
        async with hub.database.lease() as connection:
            await publish_until(connection, writer.team, HIGHEST)
            for due in await list_due(connection):
                async with connection.transaction():
                    await take(connection, due)
        return result
    finally:
        await hub.close()


@pytest.fixture
def office(cluster: Cluster) -> Office:
    """A team for this test."""

    async def work(writer: Writer) -> UUID:
        return writer.team

    return Office(cluster, asyncio.run(_in_hub(cluster, None, work)))


def connect(run: Run, office: Office, there: Elsewhere, *options: object) -> Any:
    """The team's Stripe sink, as printed."""
    place = ("--team", office.team, "--api-base", there.url)
    return run("stripe", "connect", *place, "--api-key", there.key, *options, "--json").json


def test_a_key_is_tried_before_it_is_kept(run: Run, office: Office, there: Elsewhere) -> None:
    """A refused key stores nothing and is told with Stripe's words; a good one is printed nowhere."""
    order = ("stripe", "connect", "--team", office.team)
    refused = run(*order, "--api-base", there.url, "--api-key", "sk_test_bad")
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("customerhub: --api-key: Invalid API Key provided")
    assert run(*order).stderr == "customerhub: This team has no Stripe account yet: name its key by --api-key.\n"
    assert run("sink", "list", "--team", office.team, "--json").json == []
    done = run(*order, "--api-base", there.url, "--api-key", there.key, "--own", "email=stripe")
    assert (done.code, done.stdout.startswith("connected: ")) == (0, True)
    sink_id = done.stdout.split()[1]
    assert f"/stripe/webhook/{sink_id}" in done.stderr
    assert f"customerhub sync repair stripe --team {office.team}" in done.stderr
    assert there.asked == ["/v1/customers?limit=1"] * 2
    shown = run("sink", "show", sink_id, "--json").json
    assert (shown["kind"], shown["name"], shown["status"], shown["has_secret"]) == ("stripe", "Stripe", "active", True)
    assert shown["config"] == {"api_base": there.url, "ownership": {"email": "stripe"}}
    told = (done, run("sink", "list", "--json"), run("sink", "show", sink_id), run("audit", "--team", office.team))
    assert [one.stderr for one in told if there.key in one.stdout + one.stderr] == []


def test_connecting_again_changes_what_is_named(run: Run, office: Office, there: Elsewhere) -> None:
    """The key is rotated on the same sink; a refused one leaves the old one at work; what is not named stays."""
    made = connect(run, office, there)
    assert (made["is_new"], made["has_webhook_secret"]) == (True, False)
    again = run(
        "stripe", "connect", "--team", office.team, "--webhook-secret", "whsec_1", "--own", "name=hub", "--json"
    )
    assert (again.json["id"], again.json["is_new"], again.json["has_webhook_secret"]) == (made["id"], False, True)
    assert run("stripe", "connect", "--team", office.team, "--api-key", "sk_test_bad").code == 1
    assert run("sink", "verify", made["id"], "--json").json == {"is_good": True}
    there.key = "sk_test_next"
    assert run("sink", "verify", made["id"]).code == 1
    rotated = connect(run, office, there, "--own", "email=both")
    assert (rotated["id"], rotated["has_webhook_secret"]) == (made["id"], True)
    assert rotated["config"]["ownership"] == {"name": "hub", "email": "both"}
    assert run("sink", "verify", "stripe", "--team", office.team).stdout == "it works\n"
    wrong = run("stripe", "connect", "--team", office.team, "--own", "color=hub")
    assert (wrong.code, "color is none of name, email" in wrong.stderr) == (2, True)
    gone = run("stripe", "disconnect", "--team", office.team)
    assert gone.stdout == f"disconnected: {made['id']}\n"
    assert run("stripe", "disconnect", "--team", office.team).code == 1
    assert run("sink", "show", made["id"]).stderr == f"customerhub: no such sink: {made['id']}\n"


def test_an_account_is_connected(run: Run, office: Office, there: Elsewhere) -> None:
    """Its credentials are tried before; connecting it again with its URL changes what is named."""
    order = ("account", "connect", FORM, "--team", office.team, "--url", there.url)
    assert run(*order).stderr == "customerhub: Name what proves who we are over there by --credential.\n"
    assert run(*order, "--credential", "api_key=bad").code == 1
    assert run("sink", "list", "--team", office.team, "--json").json == []
    good = ("--credential", f"api_key={there.key}")
    made = run(*order, *good, "--own", "email=other", "--field", "email", "--no-create", "--json").json
    assert (made["name"], made["is_new"], made["fields"]) == (FORM, True, ["/email"])
    assert made["config"] == {"ownership": {"email": "other"}, "creates": False}
    again = run(*order, "--create", "--default", 'tags=["a"]', "--own", "name=hub", "--json").json
    assert (again["id"], again["is_new"], again["fields"]) == (made["id"], False, ["/email"])
    assert again["config"] == {
        "ownership": {"email": "other", "name": "hub"},
        "creates": True,
        "defaults": {"tags": ["a"]},
    }
    assert run("account", "connect", "nobody", *order[3:]).code == 2
    assert run(*order, *good, "--field", "shoe_size").code == 2
    assert run(*order, "--credential", there.key).stderr.count(there.key) == 0


def test_a_webhook_shows_its_secret_once(run: Run, office: Office) -> None:
    """Made by the hub or named; afterwards it is told only that there is one."""
    order = ("webhook", "add", "--team", office.team, "--url", "http://10.0.0.1/hook")
    made = run(*order, "--event", "customer.updated", "--field", "/email", "--name", "Till", "--json").json
    assert (made["secret"][:6], made["events"], made["fields"]) == ("whsec_", ["customer.updated"], ["/email"])
    shown = run("sink", "show", "till", "--json").json
    assert (shown["id"], shown["types"], shown["has_secret"]) == (made["id"], ["customer.updated"], True)
    assert (shown["is_trusted"], "secret" in shown) == (True, False)
    named = run(*order, "--secret", SECRET)
    assert f"secret: {SECRET}" in named.stdout
    assert run(*order, "--secret", "short").stderr.startswith("customerhub: --secret: must be whsec_")
    for wrong in (("--event", "x"), ("--field", "email"), ("--field", "/shoe_size"), ("--form", "x")):
        assert run(*order, *wrong).code == 2
    assert run(*order[:-1], "no url").stderr.startswith("customerhub: --url: must be")
    assert len(run("sink", "list", "--team", office.team, "--json").json) == 2


def test_a_sink_is_paused_resumed_and_removed(run: Run, office: Office) -> None:
    """By its id or by a name that it alone has; what it waits for is told."""
    urls = ("--team", office.team, "--url", "http://127.0.0.1:9/")
    made = [run("webhook", "add", *urls, "--name", "Till", "--json").json["id"] for _ in range(2)]
    both = run("sink", "pause", "Till", "--team", office.team)
    assert both.stderr == (
        f"customerhub: 2 sinks go by Till: name one by its id ({made[0]}, {made[1]}), or its team by --team.\n"
    )
    assert run("sink", "pause", made[0]).stdout == f"paused: {made[0]}\n"
    office.create("Aster")
    listed = {one["id"]: one for one in run("sink", "list", "--team", office.team, "--json").json}
    assert [(listed[one]["status"], listed[one]["waiting"], listed[one]["behind"]) for one in made] == [
        ("paused", 0, 1),
        ("active", 1, 0),
    ]
    assert run("sink", "resume", made[0]).stdout == f"resumed: {made[0]} (0 waiting, 1 behind)\n"
    assert run("sink", "remove", made[0]).stdout == f"removed Till: {made[0]}\n"
    assert run("sink", "resume", made[0]).code == 1
    assert [one["id"] for one in run("sink", "list", "--team", office.team, "--json").json] == [made[1]]
    other = ("--team", "Bystanders")
    assert run("sink", "remove", made[1], *other).stderr == f"customerhub: no such sink: {made[1]}\n"


def test_deliveries_are_listed_and_replayed(run: Run, office: Office) -> None:
    """By status and customer; single ones, dead ones, a range and all of them go out once more."""
    sink = run("webhook", "add", "--team", office.team, "--url", "http://127.0.0.1:9/", "--json").json["id"]
    first, second, third = office.create("Aster", "Begonia", "Crocus")
    listed = run("sink", "deliveries", sink, "--json").json
    assert [one["position"] for one in listed] == sorted((one["position"] for one in listed), reverse=True)
    assert {one["customer"] for one in listed} == {str(one.id) for one in (first, second, third)}
    assert {(one["type"], one["status"], one["attempts"]) for one in listed} == {("customer.created", "waiting", 0)}
    settle = "update delivery set status = $2, reason = 'no', settled_at = now() where team = $1 and customer = $3"
    for customer, status in ((first, "dead"), (second, "delivered"), (third, "dead")):
        office.execute(settle, status, customer.id)
    dead = run("sink", "deliveries", sink, "--status", "dead", "--json").json
    assert {one["customer"] for one in dead} == {str(first.id), str(third.id)}
    (only,) = run("sink", "deliveries", sink, "--customer", first.id, "--json").json
    assert run("sink", "replay", sink, "--delivery", only["id"]).stdout == "1 delivery goes out once more\n"
    assert run("sink", "replay", sink, "--dead", "--json").json == {"replayed": 1}
    assert run("sink", "replay", sink, "--all").stdout == "1 delivery goes out once more\n"
    office.execute("update delivery set status = 'delivered' where team = $1")
    last = max(one["position"] for one in listed)
    assert run("sink", "replay", sink, "--from", last - 1, "--until", last, "--json").json == {"replayed": 2}
    assert run("sink", "replay", sink, "--from", last + 1, "--json").json == {"replayed": 0}
    assert run("sink", "attempts", sink, only["id"], "--json").json == []
    stranger = run("sink", "replay", sink, "--delivery", uuid4())
    assert (stranger.code, stranger.stdout) == (1, "")
    for wrong in ((), ("--dead", "--all"), ("--until", 3), ("--all", "--until", 3)):
        assert run("sink", "replay", sink, *wrong).code == 2
    assert run("sink", "deliveries", sink, "--status", "lost").code == 2


def test_the_status_of_every_sink_is_told(run: Run, office: Office, there: Elsewhere) -> None:
    """What waits and since when, dead letters, failures, what a mirror did not take, why the hub disabled one."""
    mirror = connect(run, office, there)["id"]
    hook = run("webhook", "add", "--team", office.team, "--url", "http://127.0.0.1:9/", "--name", "Till", "--json").json
    first, second = office.create("Aster", "Begonia")
    age = "update delivery set at = at - interval '3 hours' where team = $1 and sink = $2 and customer = $3"
    office.execute(age, UUID(mirror), first.id)
    office.execute("update delivery set status = 'dead' where team = $1 and sink = $2", UUID(hook["id"]))
    office.execute("update sink set status = 'disabled', reason = 'gone' where team = $1 and id = $2", UUID(hook["id"]))
    failing = (
        "update sink_state set failures = 4, failing_since = now() - interval '2 min' where team = $1 and sink = $2"
    )
    office.execute(failing, UUID(mirror))
    known = "insert into sync (team, sink, customer, error, left_out, at) values ($1, $2, $3, $4, $5, now())"
    office.execute(known, UUID(mirror), first.id, "no such country", b"{}")
    office.execute(known, UUID(mirror), second.id, None, b'{"phone": "too long"}')
    rows = run("sync", "status", "--team", office.team, "--json").json
    assert [(one["id"], one["status"], one["reason"]) for one in rows] == [
        (mirror, "active", None),
        (hook["id"], "disabled", "gone"),
    ]
    assert [(one["waiting"], one["dead"]) for one in rows] == [(2, 0), (0, 2)]
    assert (rows[0]["customers"], rows[0]["errors"], rows[0]["left_out"], rows[0]["failures"]) == (2, 1, 1, 4)
    assert 3 * 3600 <= rows[0]["oldest_seconds"] < 3 * 3600 + 600
    troubled = {one["customer"]: one for one in run("sync", "customers", mirror, "--json").json}
    assert troubled[str(first.id)]["error"] == "no such country"
    assert troubled[str(second.id)]["left_out"] == {"phone": "too long"}
    assert "phone: too long" in run("sync", "customers", mirror).stdout
    assert "config: {" in run("sink", "show", mirror).stdout
    text = run("sync", "status", "--team", office.team).stdout
    assert text.splitlines()[1].split()[-10:] == ["active", "2", "0", "3", "h", "2", "min", "0", "1", "1"]
    assert text.splitlines()[-1] == f"Till ({hook['id']}): gone"
    assert run("sync", "status", "--team", "Bystanders").stdout == "no sinks\n"


def test_drift_is_told_field_by_field(run: Run, office: Office, there: Elsewhere) -> None:
    """Both values of what differs, and who is not there; exit code 1 while there is any; nothing is changed."""
    assert run("sync", "check", "stripe", "--team", office.team).stderr == "customerhub: no such sink: stripe\n"
    first, second = office.create("Aster", "Begonia")
    sink = connect(run, office, there)["id"]
    lacking = run("sync", "check", "stripe", "--team", office.team, "--json")
    assert (lacking.code, lacking.json["compared"], lacking.json["different"]) == (1, 2, 2)
    known = "insert into sync (team, sink, customer, external_id, at) values ($1, $2, $3, $4, now())"
    for customer, name in ((first, first.name), (second, "Crocus")):
        office.execute(known, UUID(sink), customer.id, f"cus_{customer.name}")
        metadata = {"customerhub_id": str(customer.id), "customerhub_number": customer.number}
        there.records[f"/v1/customers/cus_{customer.name}"] = {
            "id": f"cus_{customer.name}",
            "object": "customer",
            "name": name,
            "metadata": metadata,
        }
    found = run("sync", "check", sink, "--json")
    assert (found.code, found.json["compared"], found.json["different"], found.json["faults"]) == (1, 2, 1, 0)
    (row,) = found.json["customers"]
    assert (row["customer"], row["external_id"]) == (str(second.id), f"cus_{second.name}")
    assert row["differences"] == [{"field": "name", "ours": second.name, "theirs": "Crocus"}]
    told = run("sync", "check", "stripe", "--team", office.team).stdout
    assert told.splitlines() == [
        f"{second.number} {second.name} ({second.id}): there as cus_{second.name}",
        f"  FIELD  {'HUB':<{len(second.name)}}  THERE",
        f"  name   {second.name}  Crocus",
        "1 of 2 customers differs",
    ]
    assert run("sink", "deliveries", sink, "--json").json == []
    there.records[f"/v1/customers/cus_{second.name}"]["name"] = second.name
    same = run("sync", "check", "stripe", "--team", office.team)
    assert (same.code, same.stdout) == (0, "0 of 2 customers differ\n")


def test_repairing_sends_what_there_is(run: Run, office: Office, there: Elsewhere) -> None:
    """Dry it sends nothing and shows whom it would send; otherwise they are on their way, once."""
    made = office.create("Aster", "Begonia")
    sink = connect(run, office, there)["id"]
    dry = run("sync", "repair", "stripe", "--team", office.team, "--dry-run")
    assert (dry.code, dry.stdout.splitlines()) == (
        0,
        [*(f"{one.number} {one.name} ({one.id}): not there" for one in made), "2 of 2 customers would be sent"],
    )
    assert run("sink", "deliveries", sink, "--json").json == []
    run("sink", "pause", sink)
    done = run("sync", "repair", sink)
    assert (done.code, done.stdout) == (0, "2 of 2 customers sent; still on the way: 2\n")
    assert done.stderr == "The sink is paused: what is sent waits until it is resumed.\n"
    sent = run("sink", "deliveries", sink, "--json").json
    assert {one["customer"] for one in sent} == {str(one.id) for one in made}
    again = run("sync", "repair", sink, "--json").json
    assert (again["sent"], again["different"], again["waiting"], again["dry_run"]) == (2, 2, 2, False)
    assert len(run("sink", "deliveries", sink, "--json").json) == 2
