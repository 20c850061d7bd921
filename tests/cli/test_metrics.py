"""`customerhub serve --metrics-port`: what all workers have counted, on a port of its own."""

import os
import signal
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from customerhub.cli.metrics import take_metrics_port, to_metrics_url, watched
from customerhub.core.board import create_board
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.store.statements import list_names
from tests.cli.support import Serving, run, wait_until

Samples = Mapping[tuple[str, ...], float]
ROUTE = ("wizcommerce", "PATCH", "/v1/customers/{id}")
CUSTOMERS = "/v1/customers"
SLOW_FIELDS = {"event", "level", "timestamp", "statement", "ms", "rows", "request_id"}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of two workers that tells of every statement, however short; shared by the tests of this module."""
    place = tmp_path_factory.mktemp("metrics") / "data"
    options = ("--workers", "2", "--demo", "--metrics-port", "0")
    with Serving(place, *options, CUSTOMERHUB_SLOW_STATEMENT_MS="0.001") as server:
        yield server


def read(url: str) -> str:
    """What is answered there."""
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.text


def scrape(url: str, name: str, *labels: str) -> Samples:
    """The samples of one name by their values of these labels."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(read(url))
        for sample in family.samples
        if sample.name == name
    }


def of(serving: Serving, name: str, *labels: str) -> Samples:
    """The same of the server."""
    return scrape(serving.answer["metrics"], name, *labels)


def ask(serving: Serving, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One request of the demo team."""
    key = serving.answer["demo"]["credentials"]["wizcommerce"]["api_key"]
    return serving.ask(method, path, body, **{"X_API_Key": key, **headers})


def first_id(serving: Serving) -> str:
    """Some customer."""
    _, page = ask(serving, "GET", CUSTOMERS)
    return str(page["data"][0]["id"])


def answered(serving: Serving, *route: str) -> dict[str, float]:
    """How the requests of one route were answered."""
    found = of(serving, "customerhub_requests_total", "dialect", "method", "route", "status")
    return {status: number for (*labels, status), number in found.items() if tuple(labels) == route}


def starts(serving: Serving) -> set[float]:
    """When the workers that live were started."""
    return set(of(serving, "customerhub_process_start_time_seconds", "process").values())


def test_known_requests_are_counted_exactly_by_all_workers_together(serving: Serving) -> None:
    """By route and status, with what keys replayed, dry runs tried, nothing changed and was refused."""
    path = f"{CUSTOMERS}/{first_id(serving)}"
    body = {"phone": "+4722334455"}
    key = uuid4().hex
    asked = [
        *(ask(serving, "PATCH", path, body, Idempotency_Key=key) for _ in range(3)),
        *(ask(serving, "PATCH", path, body) for _ in range(4)),
        ask(serving, "PATCH", path, {"phone": "+4722334466"}, Customerhub_Dry_Run="true"),
        ask(serving, "PATCH", path, body, If_Match='"999"'),
        *(ask(serving, "PATCH", path, body, X_API_Key=f"nobody{number}") for number in range(5)),
        ask(serving, "PATCH", f"{CUSTOMERS}/{uuid4()}", body),
    ]
    assert [status for status, _ in asked] == [201] * 8 + [412] + [401] * 5 + [404]
    wait_until(lambda: sum(answered(serving, *ROUTE).values()) == 15, 5, "the last answer is counted")
    assert answered(serving, *ROUTE) == {"2xx": 8, "4xx": 7}
    labels = ("dialect", "method", "route")
    assert of(serving, "customerhub_replays_total", *labels) == {ROUTE: 2}
    assert of(serving, "customerhub_dry_runs_total", *labels) == {ROUTE: 1}
    assert of(serving, "customerhub_refusals_total", "dialect", "error") == {
        ("wizcommerce", "not_found"): 1,
        ("wizcommerce", "precondition_failed"): 1,
        ("wizcommerce", "unauthenticated"): 5,
    }
    assert of(serving, "customerhub_request_bytes_total", *labels)[ROUTE] > 0
    wait_until(
        lambda: of(serving, "customerhub_no_ops_total")[()] == 4, 5, "the workers have told of writes of nothing"
    )
    buckets = of(serving, "customerhub_request_seconds_bucket", *labels, "le")
    assert (buckets[*ROUTE, "10.0"], buckets[*ROUTE, "+Inf"]) == (15, 15)
    quantiles = of(serving, "customerhub_route_quantile_seconds", *labels, "window", "quantile")
    told = [quantiles[*ROUTE, "5m", share] for share in ("0.5", "0.95", "0.99")]
    assert 0 < told[0] <= told[1] <= told[2] < 10
    assert of(serving, "customerhub_in_flight") == {(): 0}
    assert of(serving, "customerhub_processes") == {(): 2}


def test_the_public_port_has_no_metrics(serving: Serving) -> None:
    """Nor does the port for metrics answer anything else."""
    assert serving.ask("GET", "/metrics")[0] == 404
    place = serving.answer["metrics"].removesuffix("/metrics")
    for path in ("/", CUSTOMERS, "/healthz"):
        assert httpx.get(place + path).status_code == 404


def test_no_name_is_made_of_what_clients_send(serving: Serving) -> None:
    """Routes are templates; neither ids, secrets, methods nor paths that somebody made up are told."""
    secret, person = "sk_0123456789", "Brannock"
    for method, path in (("GET", f"/{secret}"), ("PURGE", CUSTOMERS), ("GET", f"{CUSTOMERS}/{person}?search={person}")):
        ask(serving, method, path, X_API_Key=secret)
    ask(serving, "PATCH", f"{CUSTOMERS}/{first_id(serving)}", {"note": person})
    text = read(serving.answer["metrics"])
    assert not [word for word in (secret, person, "PURGE", "search=") if word in text]
    routes = {(one.name, part.method, part.path) for one in find_dialects() for part in one.operations}
    told = set(of(serving, "customerhub_request_seconds_count", "dialect", "method", "route"))
    nowhere = {(name, "", "") for name in ("", *(one.name for one in find_dialects()))}
    assert {("wizcommerce", "GET", CUSTOMERS), ("", "", ""), ("wizcommerce", "", "")} <= told <= routes | nowhere


def test_a_killed_worker_takes_no_count_along(serving: Serving) -> None:
    """After kill -9 the sum is what it was, and the worker that takes its place goes on with it."""
    route = ("", "GET", "/healthz")
    for _ in range(20):
        assert serving.ask("GET", "/healthz")[0] == 200
    wait_until(lambda: answered(serving, *route) == {"2xx": 20}, 5, "all are counted")
    before = starts(serving)
    os.kill(serving.workers()[0], signal.SIGKILL)
    assert answered(serving, *route) == {"2xx": 20}
    wait_until(lambda: len(starts(serving)) == 2 and starts(serving) != before, 20, "another one has its place")
    for _ in range(20):
        assert serving.ask("GET", "/healthz")[0] == 200
    wait_until(lambda: answered(serving, *route) == {"2xx": 40}, 5, "it goes on from there")


def requests(serving: Serving) -> set[str]:
    """The requests in the log."""
    return {line["request_id"] for line in serving.log() if line["event"] == "request"}


def slow_writes(serving: Serving) -> dict[str, int]:
    """How many rows the slow reads of writes found, by their requests; what makes the demo's customers is none."""
    name = "customers.read_for_write"
    return {
        line["request_id"]: line["rows"]
        for line in serving.log()
        if line["event"] == "slow statement" and line["statement"] == name and "request_id" in line
    }


def test_a_slow_statement_is_told_by_its_name(serving: Serving) -> None:
    """With its time, its rows and its request; without a value, a text or a person."""
    mark = uuid4().hex
    ask(serving, "PATCH", f"{CUSTOMERS}/{first_id(serving)}", {"note": mark}, Idempotency_Key=f"key-{mark}")
    # A request's line is written after its answer, which may have arrived before.
    wait_until(
        lambda: slow_writes(serving).keys() <= requests(serving), 5, "slow statements and their requests are told"
    )
    slow = [line for line in serving.log() if line["event"] == "slow statement"]
    assert {line["statement"] for line in slow} <= set(list_names())
    assert not [line for line in slow if line.keys() - SLOW_FIELDS or line["level"] != "warning" or line["ms"] <= 0]
    assert set(slow_writes(serving).values()) == {1}
    assert mark not in serving.errors.read_text()
    told = of(serving, "customerhub_slow_statements_total", "statement")
    assert told["customers.read_for_write",] >= 1


def test_metrics_tell_what_is_running_and_what_is_in_the_database(database_url: str) -> None:
    """One process, and the state of the database as it is."""
    settings = Settings(database_url=database_url, metrics_port=0)
    with take_metrics_port(settings) as taken, create_board(1) as board, watched(taken, settings, board):
        url = to_metrics_url(taken)
        assert url is not None
        (build,) = scrape(url, "customerhub_build_info", "version", "schema", "postgresql")
        assert all(build)
        assert scrape(url, "customerhub_database_up") == {(): 1}
        assert list(scrape(url, "customerhub_feed_waiting")) == [()]


def test_metrics_are_told_while_the_database_is_away() -> None:
    """That it is away is one of them."""
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/nowhere", metrics_port=0)
    with take_metrics_port(settings) as taken, create_board(1) as board, watched(taken, settings, board):
        url = to_metrics_url(taken)
        assert url is not None
        assert scrape(url, "customerhub_database_up") == {(): 0}
        assert scrape(url, "customerhub_feed_waiting") == {}


def test_no_port_is_opened_unless_asked_for() -> None:
    """By default there are no metrics anywhere but behind the operator's key."""
    settings = Settings()
    with take_metrics_port(settings) as taken, create_board(1) as board, watched(taken, settings, board):
        assert (taken, to_metrics_url(taken)) == (None, None)


def test_a_taken_metrics_port_is_refused_before_anything_is_started(serving: Serving, tmp_path: Any) -> None:
    """The sentence names the option to change."""
    port = serving.answer["metrics"].rpartition(":")[2].removesuffix("/metrics")
    done = run("serve", "--port", 0, "--metrics-port", port, "--data-dir", tmp_path / "data")
    assert (done.returncode, (tmp_path / "data").exists()) == (1, False)
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert "--metrics-port" in done.stderr
