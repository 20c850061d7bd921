"""A request is tried again where that helps, each time as the same request, and not where it does not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

from customerhub.client import Patience, RateLimited, Refused, Unavailable, Unreachable
from customerhub.client.retries import Tries
from tests.client.stub import Fault, Stub
from tests.client.talker import Kind, Talker, talking

LOST = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.PoolTimeout("busy"),
    httpx.DecodingError("cut off"),
]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_write_is_tried_again_under_its_key(status: int, stub: Stub, talk: Talker) -> None:
    """After two failures the third try succeeds; all three carry one key and the same body."""
    stub.faults.extend([Fault(status), Fault(status)])
    written = await talk("create", {"name": "Acme"})
    assert written.customer.name == "Acme"
    assert len({asked.key for asked in stub.asked}) == 1
    assert [asked.body for asked in stub.asked] == [{"name": "Acme"}] * 3
    assert 0.5 <= talk.waits[0] <= 1.0 <= talk.waits[1] <= 2.0


@pytest.mark.parametrize("loss", LOST, ids=lambda loss: type(loss).__name__)
async def test_a_lost_connection_is_tried_again(loss: httpx.RequestError, stub: Stub, talk: Talker) -> None:
    """Whether the request never arrived or its answer never came back, the write is done once."""
    await talk("create", {"name": "Acme"})
    stub.faults.extend([Fault(before=loss), Fault(after=loss)])
    written = await talk("patch", "00000000-0000-0000-0000-000000000001", {"phone": "+4722334455"}, if_match=1)
    assert (written.customer.version, written.changed) == (2, ("/phone",))
    assert [len(stub.customers), len(stub.kept)] == [1, 2]
    keys = [asked.key for asked in stub.asked]
    assert keys[1] == keys[2] == keys[3] != keys[0]


async def test_reads_are_tried_again(stub: Stub, talk: Talker) -> None:
    """A read that failed is asked again, without a key."""
    await talk("create", {"name": "Acme"})
    stub.faults.extend([Fault(503), Fault(before=LOST[0])])
    assert [customer.name for customer in await talk("list")] == ["Acme"]
    assert [asked.key for asked in stub.asked[1:]] == [None] * 3


async def test_two_writes_have_two_keys(stub: Stub, talk: Talker) -> None:
    """A key is for one write; one that the caller gives is used as it is."""
    for _ in range(2):
        await talk("create", {"name": "Acme"})
    await talk("create", {"name": "Acme"}, idempotency_key="order 7")
    keys = [asked.key for asked in stub.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "order 7"


async def test_retry_after_is_kept(stub: Stub, talk: Talker) -> None:
    """Nobody asks again before the time that the hub names, in seconds or as a date."""
    date = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    until = {"date": format_datetime(date, usegmt=True)}
    until["retry-after"] = format_datetime(date + timedelta(seconds=9), usegmt=True)
    stub.faults.extend([Fault(429, {"retry-after": "7"}), Fault(503, until), Fault(503, {"retry-after": "soon"})])
    await talk("create", {"name": "Acme"})
    assert talk.waits[:2] == [7.0, 9.0]
    assert 2.0 <= talk.waits[2] <= 4.0


async def test_nobody_waits_for_ever(stub: Stub, talk: Talker) -> None:
    """A hub that asks for more time than the client has is told as it is, without a wait."""
    stub.faults.append(Fault(429, {"retry-after": "31"}))
    with pytest.raises(RateLimited) as caught:
        await talk("create", {"name": "Acme"})
    assert (caught.value.retry_after, talk.waits, len(stub.asked)) == (31.0, [], 1)


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, Unavailable), (504, Unavailable)])
async def test_the_last_failure_is_raised(status: int, error: type[Refused], stub: Stub, talk: Talker) -> None:
    """After four retries the fifth answer is the one that counts."""
    stub.faults.extend([Fault(status, {"retry-after": "1"})] * 5)
    with pytest.raises(error) as caught:
        await talk("get", "1")
    assert (caught.value.status, caught.value.retry_after, len(stub.asked)) == (status, 1.0, 5)
    assert len(talk.waits) == 4


async def test_a_hub_that_never_answers_is_unreachable(stub: Stub, talk: Talker) -> None:
    """The number of tries is told, and the transport's own error stands behind it."""
    stub.faults.extend([Fault(before=LOST[0])] * 5)
    with pytest.raises(Unreachable, match="after 5 tries") as caught:
        await talk("get", "1")
    assert (caught.value.tries, caught.value.__cause__) == (5, LOST[0])
    assert len(stub.asked) == 5


async def test_what_would_fail_again_is_not_tried_again(stub: Stub, talk: Talker) -> None:
    """A fault of the hub's, a refusal and a request that cannot be sent are told at once."""
    for fault in (Fault(500), Fault(400), Fault(409), Fault(501)):
        stub.faults.append(fault)
        with pytest.raises(Refused):
            await talk("create", {"name": "Acme"})
    stub.faults.append(Fault(before=httpx.LocalProtocolError("no such header")))
    with pytest.raises(Unreachable, match="after 1 try"):
        await talk("create", {"name": "Acme"})
    assert (len(stub.asked), talk.waits) == (5, [])


async def test_patience_is_the_callers(kind: Kind, stub: Stub) -> None:
    """Without retries the first failure is the last."""
    stub.faults.append(Fault(503))
    async with talking(kind, stub, patience=Patience(retries=0)) as talk:
        with pytest.raises(Unavailable):
            await talk("get", "1")
    assert len(stub.asked) == 1


def test_waits_grow_and_end() -> None:
    """They double up to the longest, and no two clients wait alike."""
    patience = Patience(retries=9, first_wait=1.0, longest_wait=10.0)
    courses = []
    for _ in range(2):
        tries = Tries(patience)
        courses.append([tries.get_wait(LOST[0]) for _ in range(9)])
    for course in courses:
        assert all(low <= wait <= high for wait, (low, high) in zip(course, _bounds(), strict=True))
    assert courses[0] != courses[1]


def _bounds() -> list[tuple[float, float]]:
    highest = [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    return [(high / 2, high) for _, high in pairwise(highest)]
