"""Two who change one customer: nobody's change is lost, and refusals say what they are."""

import logging
from collections.abc import Callable, Mapping
from uuid import UUID

import pytest

from customerhub.client import (
    BadRequest,
    Conflict,
    Customer,
    CustomerhubError,
    Forbidden,
    Gone,
    Invalid,
    Merged,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Refused,
    Unauthenticated,
    Unreadable,
    UnsupportedMediaType,
)
from tests.client.stub import Fault, Stub
from tests.client.talker import Kind, Talker, talking

FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def _counting(stub: Stub, rivals: int) -> Callable[[Customer], Mapping[str, object]]:
    """Adds one to the note; so often somebody else does so in between."""
    left = [rivals]

    def change(customer: Customer) -> Mapping[str, object]:
        if left[0]:
            left[0] -= 1
            row = stub.customers[str(customer.id)]
            row.update(note=str(int(row["note"]) + 1), version=row["version"] + 1)
        return {"note": str(int(customer.note or 0) + 1)}

    return change


async def test_an_update_reads_again_where_somebody_was_faster(stub: Stub, talk: Talker) -> None:
    """Two others count between reading and writing, and every count is in the result."""
    await talk("create", {"name": "Acme", "note": "0"})
    written = await talk("update", FIRST, _counting(stub, 2))
    assert (written.customer.note, written.customer.version, written.changed) == ("3", 4, ("/note",))
    writes = [asked for asked in stub.asked if asked.method == "PATCH"]
    assert [asked.headers["if-match"] for asked in writes] == ['"1"', '"2"', '"3"']
    assert len({asked.key for asked in writes}) == 3
    assert len(talk.waits) == 2
    assert 0 <= talk.waits[0] <= 0.02
    assert 0 <= talk.waits[1] <= 0.04


async def test_an_update_gives_up_in_the_end(stub: Stub, talk: Talker) -> None:
    """Where somebody else is always faster the last refusal is told, with what stands against what."""
    await talk("create", {"name": "Acme", "note": "0"})
    with pytest.raises(PreconditionFailed) as caught:
        await talk("update", FIRST, _counting(stub, 9), attempts=3)
    assert caught.value.current == 4
    (difference,) = caught.value.difference
    assert (difference.path, difference.base, difference.mine, difference.theirs) == ("/note", None, "mine", "3")
    assert stub.customers[str(FIRST)]["note"] == "3"


@pytest.mark.parametrize("values", [None, {}])
async def test_nothing_to_change_is_not_sent(values: Mapping[str, object] | None, stub: Stub, talk: Talker) -> None:
    """A function that wants nothing leaves the customer as it is."""
    await talk("create", {"name": "Acme"})
    written = await talk("update", FIRST, lambda _: values)
    assert (written.customer.version, written.changed) == (1, ())
    assert [asked.method for asked in stub.asked] == ["POST", "GET"]


async def test_a_function_that_is_awaited_may_decide_too(stub: Stub) -> None:
    """The client that is awaited takes a function that is awaited."""
    async with talking("awaiting", stub) as talk:
        await talk("create", {"name": "Acme"})

        async def change(customer: Customer) -> Mapping[str, object]:
            return {"name": f"{customer.name} Ltd"}

        assert (await talk("update", FIRST, change)).customer.name == "Acme Ltd"


async def test_an_answer_lost_in_an_update_is_no_conflict(stub: Stub, talk: Talker) -> None:
    """The write was done, its answer was lost: the retry under the key hears it, and nothing is applied twice."""
    await talk("create", {"name": "Acme", "note": "0"})
    stub.faults.extend([Fault(), Fault(503), Fault()])
    written = await talk("update", FIRST, _counting(stub, 0))
    assert (written.customer.note, written.customer.version) == ("1", 2)


async def test_a_merged_customer_is_followed(stub: Stub, talk: Talker) -> None:
    """A read gets the customer that it went into, over several merges; a write is refused and says where."""
    await talk("create", {"name": "Acme"})
    stub.merged = {str(THIRD): str(SECOND), str(SECOND): str(FIRST)}
    assert (await talk("get", THIRD)).id == FIRST
    with pytest.raises(Merged) as caught:
        await talk("patch", SECOND, {"note": "x"})
    assert caught.value.merged_into == FIRST
    assert (await talk("update", THIRD, lambda _: {"note": "x"})).customer.id == FIRST


async def test_whatever_is_read_of_a_merged_customer_is_its_successors(
    stub: Stub, talk: Talker, caplog: pytest.LogCaptureFixture
) -> None:
    """Views and the history lead on as the record does, with the same filters, and a note in the log says so."""
    await talk("create", {"name": "Acme"})
    stub.merged = {str(SECOND): str(FIRST)}
    with caplog.at_level(logging.INFO, "customerhub.client"):
        assert (await talk("view", SECOND, "other"))["name"] == "Acme"
        assert [entry.version for entry in await talk("history", SECOND, path="/phone")] == [1]
    assert caplog.messages == [f"customer {SECOND} went into {FIRST}"] * 2
    assert (stub.asked[-1].path, stub.asked[-1].query["path"]) == (f"/hub/v1/customers/{FIRST}/history", "/phone")


async def test_an_update_follows_a_merge_in_between(stub: Stub, talk: Talker) -> None:
    """The customer went into another one between reading and writing: the change is made to that one."""
    for name in ("Acme", "Acorn"):
        await talk("create", {"name": name, "note": name})

    def change(customer: Customer) -> Mapping[str, object]:
        stub.merged = {str(SECOND): str(FIRST)}
        return {"note": f"{customer.note}!"}

    written = await talk("update", SECOND, change)
    assert (written.customer.id, written.customer.note) == (FIRST, "Acme!")


async def test_a_redirect_of_somebody_else_is_no_merge(stub: Stub, talk: Talker) -> None:
    """What stands between may send us elsewhere: nobody follows, and nobody is told of a merge."""
    stub.faults.append(Fault(301, {"location": "https://elsewhere.example/"}, b"<html>"))
    with pytest.raises(Refused, match="301") as caught:
        await talk("get", FIRST)
    assert (type(caught.value), len(stub.asked)) == (Refused, 1)


async def test_customers_that_went_in_a_circle_end(stub: Stub, talk: Talker) -> None:
    """A hub that leads round and round is not followed for ever."""
    stub.merged = {str(SECOND): str(THIRD), str(THIRD): str(SECOND)}
    with pytest.raises(Merged):
        await talk("get", SECOND)
    assert len(stub.asked) == 11


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, Gone),
        (412, PreconditionFailed),
        (415, UnsupportedMediaType),
        (422, Invalid),
        (428, PreconditionRequired),
        (418, Refused),
        (500, Refused),
    ],
)
async def test_each_refusal_has_its_class(status: int, error: type[Refused], stub: Stub, talk: Talker) -> None:
    """By its status, with what the hub says of it."""
    problem = (
        b'{"type":"urn:x","title":"Wrong","status":%d,"detail":"Very.","instance":"urn:y","request_id":"req_1",'
        b'"errors":[{"pointer":"/email","code":"email","detail":"must be one"},{"header":"If-Match"}],"more":1}'
    )
    stub.faults.append(Fault(status, {"content-type": "application/problem+json"}, problem % status))
    with pytest.raises(CustomerhubError) as caught:
        await talk("create", {"name": "Acme"})
    failure = caught.value
    assert type(failure) is error
    assert (failure.status, failure.request_id, str(failure)) == (status, "req_1", f"{status}: Wrong: Very.")
    assert [(one.pointer, one.header, one.code) for one in failure.errors] == [
        ("/email", None, "email"),
        (None, "If-Match", ""),
    ]


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"[]", b'{"errors": 7}', b"\xff"])
async def test_a_refusal_of_somebody_else_is_told_too(body: bytes, stub: Stub, talk: Talker) -> None:
    """What stands between may answer in its own words: the status is what is left."""
    stub.faults.append(Fault(403, {"request-id": "req_2"}, body))
    with pytest.raises(Forbidden, match="403: Forbidden") as caught:
        await talk("get", FIRST)
    assert (caught.value.request_id, caught.value.errors) == ("req_2", ())


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"{}", b'{"id": 7}'])
async def test_an_answer_that_is_none_is_told(body: bytes, stub: Stub, talk: Talker) -> None:
    """A success that is not the hub's is an error of its own, not one of the decoder."""
    stub.faults.append(Fault(200, {}, body))
    with pytest.raises(Unreadable, match="200"):
        await talk("get", FIRST)


async def test_a_wrong_key_is_told(kind: Kind, stub: Stub) -> None:
    """The credential goes with every request."""
    async with talking(kind, stub, api_key="hub_other") as talk:
        with pytest.raises(Unauthenticated):
            await talk("list")
