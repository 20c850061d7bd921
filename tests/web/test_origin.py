"""What the web layer says about where a request came to: its id, its entry in the request log, what is left to it."""

import json
from dataclasses import replace

import pytest
from httpx import AsyncClient
from typing_extensions import override

from customerhub.core.entry import Entry
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import Busy, Forbidden, HubError, NotFound, RateLimited, Unauthenticated
from customerhub.settings import Settings
from customerhub.web.dialect import Incoming
from customerhub.web.exchange import to_code_and_message
from customerhub.web.limit import Limits
from customerhub.web.operation import Call, Operation
from customerhub.web.page import to_page
from customerhub.web.serve import Site
from tests.web.fake import CALLER, NOW, READ, WRITE, FakeDialect, FakeHub, raising, recording, to_client

TAIL = "01kdyak3se00000000000aqkff"
MISSING = replace(READ, handler=raising(NotFound("thing", "1")))


def to_logging(*operations: Operation, hub: FakeHub, limits: Limits | None = None) -> AsyncClient:
    """A client of a dialect that shows a request log, on a hub whose recorder runs."""
    hub.recorder.run()
    dialect = FakeDialect(
        operations or (READ, WRITE),
        request_prefix="fk_",
        request_log_path="/fake/logs/{id}",
        version_headers=("new-version", "fake-version"),
    )
    page = {"/page": to_page(b"hello", "text/plain")}
    return to_client(Site(hub, [dialect], limits=limits or Limits(), pages=page))


@pytest.fixture
def hub() -> FakeHub:
    """A hub without a database."""
    return FakeHub()


async def test_a_request_has_the_id_of_its_dialect_everywhere(hub: FakeHub) -> None:
    """The header, the command and failures before routing all carry the dialect's prefix."""
    calls: list[Call] = []
    async with to_logging(replace(WRITE, handler=recording(calls)), hub=hub) as client:
        answers = [
            await client.patch("/fake/things/1", json={}),
            await client.get("/fake/nothing"),
            await client.delete("/fake/things/1"),
            await client.patch("/fake/things/1", json={}, headers={"x-key": "bad"}),
        ]
        elsewhere = [await client.get("/nothing"), await client.get("/page")]
    assert [answer.status_code for answer in answers] == [204, 404, 405, 401]
    assert {answer.headers["request-id"] for answer in answers} == {f"fk_{TAIL}"}
    assert calls[0].command.request_id == f"fk_{TAIL}"
    assert {answer.headers["request-id"] for answer in elsewhere} == {f"req_{TAIL}"}


async def test_a_failure_says_where_its_entry_stands(hub: FakeHub) -> None:
    """The link is on the address that the client asked for, and ends in the very id of the answer's header."""
    async with to_logging(MISSING, hub=hub) as client:
        answer = await client.get("/fake/things/1")
    assert answer.json()["log_url"] == f"http://test/fake/logs/fk_{TAIL}"
    assert answer.headers["request-id"] == f"fk_{TAIL}"


async def test_the_link_is_on_the_public_address_where_there_is_one() -> None:
    """The setting wins over the host that the client asked for."""
    async with to_logging(MISSING, hub=FakeHub(Settings(public_url="https://hub.example/"))) as client:
        answer = await client.get("/fake/things/1")
    assert answer.json()["log_url"] == f"https://hub.example/fake/logs/fk_{TAIL}"


@pytest.mark.parametrize("case", ["no caller", "ended", "no host", "not running", "full", "no log", "no route"])
async def test_no_link_is_promised_that_would_not_open(case: str) -> None:
    """A request of nobody, an address that is none, a log that is off or full, a dialect that shows none."""
    hub = FakeHub(ended=Unauthenticated("revoked") if case == "ended" else None)
    headers = {"no caller": {"x-key": "bad"}, "no host": {"host": "a b"}}.get(case, {})
    path = "/fake/nothing" if case == "no route" else "/fake/things/1"
    async with to_logging(MISSING, hub=hub) as client:
        if case == "not running":
            hub.recorder.run(runs=False)
        if case == "full":
            hub.recorder.is_full = True
        answer = await client.get(path, headers=headers)
    if case == "no log":
        async with to_client(Site(hub, [FakeDialect((MISSING,))], limits=Limits())) as client:
            answer = await client.get(path)
    assert answer.status_code in (401, 404)
    assert "log_url" not in answer.json()


async def test_an_entry_holds_what_is_known_of_the_request(hub: FakeHub) -> None:
    """Everything as it was sent, and what became of it; bodies are left out unless the seller wants them."""
    headers = {
        "user-agent": "test/1",
        "referer": "http://x.test/a",
        "idempotency-key": '"k-1"',
        "fake-version": "2",
        "host": "hub.test:80",
    }
    async with to_logging(hub=hub) as client:
        await client.patch("/fake/things/a%2Fb?x=1&x=%20", json={"a": 1}, headers=headers)
    [entry] = hub.recorder.entries
    assert (entry.number, entry.at, entry.caller) == ((int(NOW.timestamp() * 1000) << 80) + 0xABCDEF, NOW, CALLER)
    assert (entry.method, entry.path, entry.route, entry.query) == (
        "PATCH",
        "/fake/things/a%2Fb",
        "/fake/things/{id}",
        b"x=1&x=%20",
    )
    assert (entry.status, entry.client_ip, entry.key, entry.error) == (201, "127.0.0.1", "k-1", (None, None))
    assert 0 <= entry.latency_us < 10_000_000
    assert (entry.version_headers, entry.request_body, entry.response_body) == (
        ("new-version", "fake-version"),
        None,
        None,
    )
    assert dict(entry.headers)[b"user-agent"] == b"test/1"


async def test_bodies_are_kept_where_the_seller_wants_them_and_never_of_secrets() -> None:
    """The setting turns them on; a route that takes or gives a secret has none in any log."""
    hub = FakeHub(Settings(request_log_bodies=True))
    secret = replace(WRITE, method="POST", name="make_key", is_secret=True)
    async with to_logging(WRITE, secret, READ, hub=hub) as client:
        await client.patch("/fake/things/1", json={"a": 1})
        await client.post("/fake/things/1", json={"secret": 1})
        await client.get("/fake/things/1")
    bodies = [(entry.request_body, entry.response_body) for entry in hub.recorder.entries]
    assert bodies == [(b'{"a":1}', b'{"a":1}'), (None, None), (None, b'{"path":{"id":"1"},"query":[]}')]


async def test_an_entry_of_a_failure_has_its_code_and_message(hub: FakeHub) -> None:
    """They are the dialect's own words, read off the answer, so that a replayed failure has them too."""

    async def replayed(call: Call) -> Answer:
        return Answer(409, b'{"error": {"code": "kept", "message": "As before."}}')

    async with to_logging(MISSING, replace(WRITE, handler=replayed), hub=hub) as client:
        await client.get("/fake/things/1")
        await client.patch("/fake/things/1", json={})
        await client.patch("/fake/things/1", content=b"[")
    assert [(entry.status, entry.error) for entry in hub.recorder.entries] == [
        (404, ("NotFound", "no such thing: 1")),
        (409, ("kept", "As before.")),
        (409, ("kept", "As before.")),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"code": "a", "message": "b"}', ("a", "b")),
        (b'{"code": "a", "message": "b", "error": "c"}', ("a", "b")),
        (b'{"error": {"code": "a", "message": null}}', ("a", None)),
        (b'{"code": 7}', (None, None)),
        (b"[]", (None, None)),
        (b"", (None, None)),
        (b"<html>", (None, None)),
    ],
)
def test_code_and_message_are_found_where_they_stand(body: bytes, expected: tuple[str | None, str | None]) -> None:
    """At the top of a body or in its member `error`; a body without them has none."""
    assert to_code_and_message(body) == expected


async def test_only_requests_of_known_callers_are_recorded(hub: FakeHub) -> None:
    """Nobody's requests belong to no team's log: refused credentials, public routes, pages, paths that lead nowhere."""
    public = replace(WRITE, method="POST", name="public", is_public=True)
    async with to_logging(READ, public, hub=hub) as client:
        await client.get("/fake/things/1", headers={"x-key": "bad"})
        await client.post("/fake/things/1", json={})
        await client.get("/page")
        await client.get("/fake/nothing")
    assert (hub.recorder.entries, hub.recorder.uses) == ([], [])


async def test_an_ended_credential_is_neither_recorded_nor_noted() -> None:
    """Who holds a credential that has ended is nobody."""
    hub = FakeHub(ended=Unauthenticated("revoked"))
    async with to_logging(MISSING, hub=hub) as client:
        answer = await client.get("/fake/things/1")
    assert (answer.status_code, hub.recorder.entries, hub.recorder.uses) == (401, [], [])


async def test_each_dialect_notes_uses_but_only_some_show_a_log(hub: FakeHub) -> None:
    """When a credential was used is known of all of them."""
    hub.recorder.run()
    async with to_client(Site(hub, [FakeDialect((READ,))], limits=Limits())) as client:
        await client.get("/fake/things/1")
    assert (hub.recorder.entries, hub.recorder.uses) == ([], [CALLER])


async def test_the_entry_is_there_before_the_answer(hub: FakeHub) -> None:
    """Who has the answer may follow its link at once."""
    found: list[Entry] = []

    class Looking(FakeDialect):
        @override
        def to_answer(self, error: HubError, origin: object) -> Answer:
            return Answer(404, b"{}")

    async def send(message: dict[str, object]) -> None:
        found.extend(hub.recorder.entries)

    hub.recorder.run()
    site = Site(hub, [Looking((MISSING,), request_log_path="/fake/logs/{id}")], limits=Limits())
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/fake/things/1",
        "query_string": b"",
        "headers": [(b"x-key", b"good")],
        "client": None,
    }
    await site(scope, None, send)  # type: ignore[arg-type]  # a read receives nothing
    assert found[0].status == 404
    assert found[0].client_ip is None


SCOPED = replace(WRITE, permissions=("things:read", "things:update"))


class Scoped(FakeDialect):
    """Knows what its callers may do by a header."""

    @override
    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        caller = await super().authenticate(hub, incoming)
        scopes = frozenset(incoming.headers.get("x-scopes", "").split())
        return Caller(caller.team, caller.credential, caller.actor, caller.name, caller.dialect, scopes)


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"x-scopes": "things:update things:read other"}, "204 "),
        ({"x-scopes": "things:update"}, "403 things:read"),
        ({"x-scopes": "things:read"}, "403 things:update"),
        ({"x-scopes": ""}, "403 things:read"),
        ({"x-scopes": "things", "if-match": "broken"}, "403 things:read"),
        ({"x-key": "bad"}, "401 "),
    ],
)
async def test_a_route_may_need_permissions(headers: dict[str, str], outcome: str) -> None:
    """All of them are needed and the first that lacks is named, before anything else of the request is looked at."""
    errors: list[HubError] = []
    calls: list[Call] = []

    class Listening(Scoped):
        @override
        def to_answer(self, error: HubError, origin: object) -> Answer:
            errors.append(error)
            return Answer(403 if isinstance(error, Forbidden) else 401)

    dialect = Listening((replace(SCOPED, handler=recording(calls)),))
    async with to_client(Site(FakeHub(), [dialect], limits=Limits())) as client:
        answer = await client.patch("/fake/things/1", json={}, headers=headers)
    lacking = "".join(error.permission for error in errors if isinstance(error, Forbidden))
    assert f"{answer.status_code} {lacking}" == outcome
    assert len(calls) == (answer.status_code == 204)


async def test_who_may_not_do_a_thing_waits_before_hearing_so() -> None:
    """The limit of a credential counts refused requests too."""
    limits = Limits(rate_limit="1/minute", clock=lambda: 1000.0)
    async with to_client(Site(FakeHub(), [Scoped((SCOPED,))], limits=limits)) as client:
        statuses = [(await client.patch("/fake/things/1", json={})).status_code for _ in range(2)]
    assert statuses == [403, 429]


async def test_a_key_keeps_what_the_dialect_wants_kept() -> None:
    """Further failures are named by the dialect and handed to the use case."""
    calls: list[Call] = []
    dialect = FakeDialect((replace(WRITE, handler=recording(calls)),), kept_errors=(NotFound,))
    async with to_client(Site(FakeHub(), [dialect], limits=Limits())) as client:
        await client.patch("/fake/things/1", json={})
    assert calls[0].command.keeps == (NotFound,)


async def test_every_answer_of_a_route_says_what_is_left(hub: FakeHub) -> None:
    """Successes and failures alike, who asks or not; the third is over; pages and unknown paths are not counted."""
    limits = Limits(address_rate_limit="3/minute", clock=lambda: 1000.0)
    busy = replace(WRITE, handler=raising(Busy()))
    async with to_logging(READ, busy, hub=hub, limits=limits) as client:
        uncounted = [await client.get("/page"), await client.get("/fake/nothing"), await client.put("/fake/things/1")]
        answers = [
            await client.get("/fake/things/1"),
            await client.get("/fake/things/1", headers={"x-key": "bad"}),
            await client.patch("/fake/things/1", json={}),
            await client.get("/fake/things/1"),
            await client.get("/fake/things/1", headers={"x-key": "bad"}),
        ]
    names = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after")
    assert [(answer.status_code, *(answer.headers.get(name) for name in names)) for answer in answers] == [
        (200, "3", "2", "60", None),
        (401, "3", "1", "60", None),
        (503, "3", "0", "60", "1"),
        (429, "3", "0", "60", "60"),
        (429, "3", "0", "60", "60"),
    ]
    assert not any(name in answer.headers for answer in uncounted for name in names)
    assert "log_url" not in answers[3].json()


async def test_without_the_setting_nothing_is_said_of_a_limit() -> None:
    """Off by default, and then without a trace."""
    async with to_client(Site(FakeHub(), [FakeDialect((READ,))], limits=Limits())) as client:
        answer = await client.get("/fake/things/1")
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_a_credential_over_its_limit_is_recorded(hub: FakeHub) -> None:
    """Its team may read why it was refused."""
    limits = Limits(rate_limit="1/minute", clock=lambda: 1000.0)
    async with to_logging(READ, hub=hub, limits=limits) as client:
        answers = [await client.get("/fake/things/1") for _ in range(2)]
    assert json.loads(answers[1].content)["log_url"] == f"http://test/fake/logs/fk_{TAIL}"
    assert [entry.error[0] for entry in hub.recorder.entries] == [None, RateLimited.__name__]
