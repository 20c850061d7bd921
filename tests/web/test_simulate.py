"""Faults on request in front of a dialect of nothing: where they stand among the other things that can go wrong."""

from dataclasses import replace

import pytest
import structlog
from structlog.testing import CapturingLogger

from customerhub.model.answer import Answer
from customerhub.settings import Settings
from customerhub.web.limit import Limits
from customerhub.web.operation import Call
from customerhub.web.page import to_page
from customerhub.web.serve import Site
from customerhub.web.simulate import HungUp
from tests.web.fake import READ, WRITE, FakeDialect, FakeHub, recording, to_client, to_site

SANDBOX = Settings(sandbox=True, simulated_seconds=0.05)
FAULTS = ("429", "500", "503", "timeout", "slow=1", "drop-after-commit")


def _to_sandbox(calls: list[Call]) -> Site:
    """A sandbox that keeps what reaches a handler."""
    handler = recording(calls)
    return to_site(replace(READ, handler=handler), replace(WRITE, handler=handler), hub=FakeHub(SANDBOX))


@pytest.mark.parametrize(("fault", "code"), [("429", "RateLimited"), ("500", "Internal"), ("503", "Unavailable")])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_failure_reaches_no_handler(fault: str, code: str, method: str) -> None:
    """The dialect gives it its shape, and the handler is never called."""
    calls: list[Call] = []
    async with to_client(_to_sandbox(calls)) as client:
        answer = await client.request(method, "/fake/things/1", headers={"Customerhub-Simulate": fault})
    assert (answer.status_code, answer.json()["code"], calls) == (int(fault), code, [])


async def test_what_is_wrong_anyway_is_told_first() -> None:
    """A wrong credential, a path that is not there, a broken guard and a body too long win over the fault."""
    calls: list[Call] = []
    async with to_client(_to_sandbox(calls)) as client:
        for fault in FAULTS:
            headers = {"Customerhub-Simulate": fault}
            stranger = await client.get("/fake/things/1", headers={**headers, "x-key": "bad"})
            nowhere = await client.get("/fake/nothing", headers=headers)
            broken = await client.patch("/fake/things/1", headers={**headers, "If-Match": "1"})
            long = await client.patch("/fake/things/1", headers=headers, content=b" " * 2_000_000)
            statuses = [one.status_code for one in (stranger, nowhere, broken, long)]
            assert statuses == [401, 404, 400, 413], fault
    assert calls == []


@pytest.mark.parametrize("fault", [*FAULTS, "nonsense"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
async def test_outside_a_sandbox_every_fault_is_refused(fault: str, method: str) -> None:
    """It is 400, and nothing was done: whoever counts on a fault must not find its request done instead."""
    calls: list[Call] = []
    site = to_site(replace(READ, handler=recording(calls)), replace(WRITE, handler=recording(calls)))
    async with to_client(site) as client:
        answer = await client.request(method, "/fake/things/1", headers={"Customerhub-Simulate": fault})
    assert (answer.status_code, calls) == (400, [])
    if method != "HEAD":
        reason = "works in a sandbox only, which `customerhub serve --sandbox` starts"
        assert answer.json() == {"code": "InvalidHeader", "message": f"Customerhub-Simulate: {reason}"}


async def test_pages_know_no_faults() -> None:
    """The header means nothing to what is no dialect's."""
    site = Site(
        FakeHub(SANDBOX), [FakeDialect((READ,))], limits=Limits(), pages={"/page": to_page(b"hello", "text/plain")}
    )
    async with to_client(site) as client:
        answer = await client.get("/page", headers={"Customerhub-Simulate": "500"})
    assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize("fault", ["timeout", "drop-after-commit"])
async def test_without_a_connection_to_end_there_is_no_answer_either(fault: str) -> None:
    """In process, where no server could hang up, the application fails instead; a drop has done its work."""
    calls: list[Call] = []
    async with to_client(_to_sandbox(calls)) as client:
        with pytest.raises(HungUp):
            await client.patch("/fake/things/1", headers={"Customerhub-Simulate": fault})
    assert len(calls) == (1 if fault == "drop-after-commit" else 0)


async def test_only_an_answer_that_says_done_is_dropped() -> None:
    """A refusal goes out as ever."""

    async def refuse(_: Call) -> Answer:
        return Answer(409, b"{}")

    async with to_client(to_site(replace(WRITE, handler=refuse), hub=FakeHub(SANDBOX))) as client:
        answer = await client.patch("/fake/things/1", headers={"Customerhub-Simulate": "drop-after-commit"})
    assert (answer.status_code, answer.content) == (409, b"{}")


async def test_the_log_tells_a_fault_that_was_asked_for() -> None:
    """Whoever reads the log does not take it for a fault of ours."""
    kept = CapturingLogger()
    structlog.configure(processors=[lambda _, __, event: ((), event)], logger_factory=lambda *_: kept)
    try:
        async with to_client(_to_sandbox([])) as client:
            await client.get("/fake/things/1", headers={"Customerhub-Simulate": "500"})
            await client.get("/fake/things/1")
    finally:
        structlog.reset_defaults()
    lines = [call.kwargs for call in kept.calls]
    assert [(line["status"], line.get("simulated")) for line in lines] == [(500, "500"), (204, None)]
