"""Idempotency keys: what is kept, what is told again, and what is not."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from customerhub.core import admin
from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from tests.support.augno import ALL, CUSTOMERS, Account, Json, make_key

REPLAYED = "idempotent-replayed"


async def send(account: Account, method: str, path: str, body: object = None, key: str = "one") -> httpx.Response:
    """A request under a key."""
    return await account.api.request(method, path, json=body, headers={"Idempotency-Key": key})


def same(first: httpx.Response, second: httpx.Response) -> bool:
    """Whether the second is the first one told again: status, bytes, type and tag, and marked; the first is not."""
    names = ("content-type", "etag", "customerhub-ignored", "x-should-retry")
    return (
        (first.status_code, first.content) == (second.status_code, second.content)
        and [first.headers.get(name) for name in names] == [second.headers.get(name) for name in names]
        and (first.headers.get(REPLAYED), second.headers.get(REPLAYED)) == (None, "true")
    )


async def test_a_success_is_told_again(account: Account, customer: Json) -> None:
    """Creation, update and merge: the same bytes, and nothing is done twice."""
    other = await account.create()
    path = f"{CUSTOMERS}/{customer['id']}"
    requests: list[tuple[str, str, object]] = [
        ("POST", f"{CUSTOMERS}?include={ALL}", account.full_body()),
        ("PATCH", f"{path}?include=contact_info", {"phone": "1"}),
        ("PATCH", path, {}),
        ("POST", f"{path}/actions/merge", {"source_customer_ids": [other["id"]]}),
    ]
    for number, (method, place, body) in enumerate(requests):
        first = await send(account, method, place, body, f"key {number}")
        assert first.is_success, first.text
        before = await account.fingerprint()
        again = await send(account, method, place, body, f"key {number}")
        assert same(first, again)
        assert again.headers["request-id"] != first.headers["request-id"]
        assert await account.fingerprint() == before


async def test_a_later_change_does_not_show(account: Account, customer: Json) -> None:
    """What is told again is the answer as it was."""
    path = f"{CUSTOMERS}/{customer['id']}"
    first = await send(account, "PATCH", path, {"name": "First"})
    await account.patch(customer["id"], name="Second")
    assert same(first, await send(account, "PATCH", path, {"name": "First"}))
    assert (await account.get(customer["id"]))["name"] == "Second"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PATCH", "{}", {"email": "x"}, "validation_failed"),
        ("PATCH", "{}", {"nam": 1}, "parameter_unknown"),
        ("PATCH", "{}?include=typo", {"name": "x"}, "parameter_invalid"),
        ("PATCH", "{}", {"number": "taken"}, "resource_exists"),
        ("POST", CUSTOMERS, {"name": "x"}, "missing_field"),
        ("POST", "{}/actions/merge", {"source_customer_ids": ["x"]}, "validation_failed"),
        ("POST", "{}/actions/merge", {}, "missing_field"),
        ("PATCH", f"{CUSTOMERS}/ac_unknown", {"name": "x"}, "resource_not_found"),
    ],
)
async def test_a_lasting_failure_is_told_again(
    account: Account, customer: Json, method: str, path: str, body: object, code: str
) -> None:
    """Byte for byte, its log entry's link too; the body put right under the same key is another request."""
    await account.create(number="taken")
    path = path.replace("{}", f"{CUSTOMERS}/{customer['id']}")
    first = await send(account, method, path, body)
    assert failure(first)["code"] == code
    assert same(first, await send(account, method, path, body))
    mismatch = await send(account, method, path, {"name": "right"})
    assert refusal(mismatch) == (400, "parameter_invalid", "Idempotency-Key")


async def test_a_broken_body_is_told_again(account: Account, customer: Json) -> None:
    """It stays as broken as it is."""
    path = f"{CUSTOMERS}/{customer['id']}"
    headers = {"Idempotency-Key": "one", "content-type": "application/json"}
    first = await account.api.patch(path, content=b"{", headers=headers)
    assert refusal(first) == (400, "invalid_format", None)
    assert same(first, await account.api.patch(path, content=b"{", headers=headers))


async def test_another_request(account: Account, customer: Json) -> None:
    """Another method, path, query or body under a key that was used: refused, told not to be tried again."""
    path = f"{CUSTOMERS}/{customer['id']}"
    await send(account, "PATCH", f"{path}?include=type&x=1", {"name": "a"})
    before = await account.fingerprint()
    for method, place, body in (
        ("PATCH", f"{path}?include=type&x=1", {"name": "b"}),
        ("PATCH", f"{path}?include=defaults&x=1", {"name": "a"}),
        ("PATCH", path, {"name": "a"}),
        ("POST", CUSTOMERS, {"name": "a"}),
        ("POST", f"{path}/actions/merge", {"source_customer_ids": [strange_id("ac")]}),
    ):
        answer = await send(account, method, place, body)
        assert refusal(answer) == (400, "parameter_invalid", "Idempotency-Key")
        assert (failure(answer)["type"], failure(answer)["is_transient"]) == ("idempotency_error", False)
        assert answer.headers["x-should-retry"] == "false"
    assert await account.fingerprint() == before
    turned = await send(account, "PATCH", f"{path}?x=1&include=type", {"name": "a"})
    assert turned.headers[REPLAYED] == "true"


async def test_what_is_not_kept(account: Account, customer: Json) -> None:
    """A stale tag and a missing key leave the idempotency key free for the same request done right."""
    path, body = f"{CUSTOMERS}/{customer['id']}", {"name": "x"}
    stale = await account.api.patch(path, json=body, headers={"Idempotency-Key": "one", "If-Match": '"9"'})
    assert refusal(stale) == (412, "resource_conflict", "If-Match")
    nobody = await account.api.patch(path, json=body, headers={"Idempotency-Key": "one", "Authorization": ""})
    assert nobody.status_code == 401
    dry = await account.api.patch(path, json=body, headers={"Idempotency-Key": "one", "Customerhub-Dry-Run": "true"})
    assert dry.status_code == 200
    done = await send(account, "PATCH", path, body)
    assert (done.status_code, done.headers.get(REPLAYED)) == (200, None)
    late = await account.api.patch(path, json=body, headers={"Idempotency-Key": "one", "If-Match": '"9"'})
    assert same(done, late)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\tb", '"open', "a,b\x7f"])
async def test_keys_that_are_none(account: Account, customer: Json, key: str) -> None:
    """1 to 255 printable ASCII characters, or 400; where the header has no effect it is not looked at."""
    path = f"{CUSTOMERS}/{customer['id']}"
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    for method, place in (("PATCH", path), ("POST", CUSTOMERS), ("POST", f"{path}/actions/merge")):
        answer = await account.api.request(method, place, headers=headers, content=b"{}")
        assert refusal(answer) == (400, "parameter_invalid", "Idempotency-Key")
    assert (await account.api.get(path, headers=headers)).status_code == 200
    assert (await account.api.put(path, headers=headers)).status_code == 405
    assert (await account.api.delete(path, headers=headers)).status_code == 200


async def test_deleting_knows_no_key(account: Account) -> None:
    """Neither remembered nor told again: twice is 404, as without one."""
    one, two = await account.create(), await account.create()
    assert (await send(account, "DELETE", f"{CUSTOMERS}/{one['id']}")).status_code == 200
    assert (await send(account, "DELETE", f"{CUSTOMERS}/{one['id']}")).status_code == 404
    assert (await send(account, "DELETE", f"{CUSTOMERS}/{two['id']}")).status_code == 200


async def test_the_scope_of_a_key(account: Account, other_account: Account) -> None:
    """All keys of an account share it; another account's is another."""
    body = account.customer_body()
    first = await send(account, "POST", CUSTOMERS, body)
    credential = await make_key(account.hub, account.team)
    headers = {"Idempotency-Key": "one", "Authorization": f"Bearer {credential['api_key']}"}
    assert same(first, await account.api.post(CUSTOMERS, json=body, headers=headers))
    other = await send(other_account, "POST", CUSTOMERS, other_account.customer_body())
    assert (other.status_code, other.headers.get(REPLAYED)) == (201, None)


async def test_a_day_later_a_key_is_new(account: Account, customer: Json) -> None:
    """Then it is another request's, or the same one is done again."""
    path = f"{CUSTOMERS}/{customer['id']}"
    await send(account, "PATCH", path, {"name": "First"})
    now = account.hub.now
    account.hub.now = lambda: now() + timedelta(hours=23)
    assert refusal(await send(account, "PATCH", path, {"name": "Second"}))[2] == "Idempotency-Key"
    account.hub.now = lambda: now() + timedelta(hours=25)
    again = await send(account, "PATCH", path, {"name": "Second"})
    assert (again.json()["name"], again.headers.get(REPLAYED)) == ("Second", None)


async def test_many_at_once_are_one(account: Account, customer: Json) -> None:
    """A hundred requests under one key change the customer once, and all get the same bytes."""
    path, body = f"{CUSTOMERS}/{customer['id']}", {"name": "Once", "credit_limit": None}
    answers = await asyncio.gather(*(send(account, "PATCH", path, body) for _ in range(100)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert sum(answer.headers.get(REPLAYED) is None for answer in answers) == 1
    assert answers[0].headers["etag"] == '"2"'


async def test_many_creations_at_once_are_one(account: Account) -> None:
    """Twenty requests under one key make one customer, and all get the same bytes."""
    body = account.customer_body()
    answers = await asyncio.gather(*(send(account, "POST", CUSTOMERS, body) for _ in range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum(answer.headers.get(REPLAYED) is None for answer in answers) == 1
    assert len((await account.api.get(CUSTOMERS)).json()["data"]) == 1


async def test_ignored_members_are_told_again(account: Account, customer: Json) -> None:
    """The header is part of what is kept."""
    await admin.change_settings(account.hub, account.team, {"unknown_members": "ignore"})
    path, body = f"{CUSTOMERS}/{customer['id']}", {"nam": 1, "name": "x"}
    first = await send(account, "PATCH", path, body)
    assert first.headers["customerhub-ignored"] == "nam"
    assert same(first, await send(account, "PATCH", path, body))
