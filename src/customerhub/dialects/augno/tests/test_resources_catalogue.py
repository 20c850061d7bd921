"""What every kind of catalogue entry has in common: made, read, changed, deleted, listed."""

from typing import Any

import pytest

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from customerhub.dialects.augno.tests.resource_kinds import (
    CARRIER,
    GROUP,
    KINDS,
    PAYMENT_TERM,
    SHIPPING_TERM,
    UNIT,
    Kind,
    each_kind,
    make,
    without,
)
from customerhub.web.serve import Site
from tests.support.augno import Account, Json, make_account, to_id


@each_kind
async def test_an_entry_is_made_with_what_is_usual(account: Account, kind: Kind) -> None:
    """201 with every member, the tag of its first version, and read again the same."""
    answer = await account.api.post(kind.path, json=kind.body)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert without(made, "id", "created_at", "updated_at") == kind.shown
    assert made["id"].startswith(f"{kind.prefix}_")
    assert made["created_at"] == made["updated_at"]
    got = await account.api.get(f"{kind.path}/{made['id']}")
    assert (got.status_code, got.json(), got.headers["etag"]) == (200, made, '"1"')


@each_kind
async def test_only_what_is_sent_changes(account: Account, kind: Kind) -> None:
    """200 with the rest as it was; the same again writes nothing."""
    made = await make(account, kind)
    path = f"{kind.path}/{made['id']}"
    answer = await account.api.patch(path, json=kind.change)
    changed = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert without(changed, "updated_at") == {**without(made, "updated_at"), **kind.changed}
    assert changed["updated_at"] > made["updated_at"]
    before = await account.fingerprint()
    for body in (kind.change, {}, kind.changed):
        again = await account.api.patch(path, json=body)
        assert (again.status_code, again.json()) == (200, changed)
    empty = await account.api.patch(path)
    assert (empty.status_code, empty.json()) == (200, changed)
    assert await account.fingerprint() == before


@each_kind
async def test_a_deleted_entry_is_gone_and_its_name_is_free(account: Account, kind: Kind) -> None:
    """200 with an empty object; then 404 for every method, and in no list."""
    made = await make(account, kind)
    path = f"{kind.path}/{made['id']}"
    answer = await account.api.delete(path, headers={"Idempotency-Key": " "})
    assert (answer.status_code, answer.json()) == (200, {})
    before = await account.fingerprint()
    gone = [await account.api.request(method, path, json={}) for method in ("GET", "PATCH", "DELETE")]
    assert [refusal(one) for one in gone] == [(404, "resource_not_found", "id")] * 3
    rows = (await account.api.get(kind.path)).json()["data"]
    assert made["id"] not in [row["id"] for row in rows]
    assert await account.fingerprint() == before
    again = await make(account, kind)
    assert again["id"] != made["id"]


@each_kind
async def test_what_is_no_entry_of_this_account_is_not_found(
    account: Account, other_account: Account, kind: Kind
) -> None:
    """Unknown, malformed, another kind's and another account's ids answer alike, and nothing is done."""
    theirs = await make(other_account, kind)
    before = await account.fingerprint()
    ids = (strange_id(kind.prefix), "nonsense", theirs["id"].replace(kind.prefix, "us"), theirs["id"])
    for wrong in ids:
        for method in ("GET", "PATCH", "DELETE"):
            answer = await account.api.request(method, f"{kind.path}/{wrong}", json={})
            assert refusal(answer) == (404, "resource_not_found", "id")
    assert await account.fingerprint() == before


@each_kind
async def test_a_name_belongs_to_one_entry(account: Account, kind: Kind) -> None:
    """409 naming it, whatever the case, without a wish to be tried again; its own name is no clash."""
    await make(account, kind, name="First of all")
    second = await make(account, kind)
    before = await account.fingerprint()
    for answer in (
        await account.api.post(kind.path, json={**kind.body, "name": "FIRST of all"}),
        await account.api.patch(f"{kind.path}/{second['id']}", json={"name": "First of all"}),
    ):
        assert refusal(answer) == (409, "resource_exists", "name")
        assert answer.headers["x-should-retry"] == "false"
    assert await account.fingerprint() == before


@each_kind
async def test_what_must_be_there_is_asked_for(account: Account, kind: Kind) -> None:
    """Every required member by itself, and all of them for an empty body, in one failure with the first as `param`."""
    before = await account.fingerprint()
    for name in kind.body:
        answer = await account.api.post(kind.path, json=without(kind.body, name))
        assert refusal(answer) == (400, "missing_field", name)
    empty = failure(await account.api.post(kind.path, json={}))
    assert empty["code"] == "missing_field"
    assert [name for name in kind.body if name not in empty["message"]] == []
    assert await account.fingerprint() == before


@each_kind
async def test_wrong_members_are_told_in_the_order_of_the_body(account: Account, kind: Kind) -> None:
    """Types, nulls and strangers; the first is `param`, all are named, nothing is written."""
    made = await make(account, kind)
    path = f"{kind.path}/{made['id']}"
    before = await account.fingerprint()
    for body, code in (
        ({"name": 7}, "invalid_format"),
        ({"name": None}, "validation_failed"),
        ({"name": " "}, "validation_failed"),
        ({"name": "n" * 256}, "validation_failed"),
    ):
        assert refusal(await account.api.patch(path, json=body)) == (400, code, "name")
    for stranger in ("colour", "id"):
        found = failure(await account.api.patch(path, json={stranger: made["id"], "name": 7}))
        assert (found["code"], found["param"]) == ("parameter_unknown", stranger)
        assert "name" in found["message"]
    for raw in (b"[]", b"7", b"{", b'{"name": "a", "name": "b"}'):
        assert refusal(await account.api.patch(path, content=raw)) == (400, "invalid_format", None)
    assert await account.fingerprint() == before


@each_kind
async def test_a_list_is_walked_both_ways(account: Account, kind: Kind) -> None:
    """The newest first, page by page, and back again; `q` looks into the name in any case."""
    names = [f"Walk {number}" for number in range(5)]
    made = [await make(account, kind, name=name) for name in names]
    query: Json = {"q": "wALK", "limit": "2"}
    pages: list[Json] = []
    while True:
        answer = await account.api.get(kind.path, params=query)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        if not pages[-1]["page_info"]["has_next_page"]:
            break
        query["cursor"] = pages[-1]["page_info"]["next_cursor"]
    rows = [row for page in pages for row in page["data"]]
    assert rows == made[::-1]
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert pages[0]["page_info"]["prev_cursor"] is None
    back = await account.api.get(kind.path, params={**query, "cursor": pages[-1]["page_info"]["prev_cursor"]})
    assert back.json() == pages[1]


@each_kind
async def test_wrong_parameters_of_a_list_are_refused(account: Account, kind: Kind) -> None:
    """A limit out of range, a cursor of another list, a part that nobody knows."""
    other = KINDS[KINDS.index(kind) - 1]
    for number in range(2):
        await make(account, other, name=f"Another {number}")
    strange = (await account.api.get(other.path, params={"limit": 1})).json()["page_info"]["next_cursor"]
    for name, value in (
        *(("limit", value) for value in ("0", "1001", "ten", "1.5")),
        *(("cursor", value) for value in ("nonsense", strange)),
    ):
        assert refusal(await account.api.get(kind.path, params={name: value})) == (400, "parameter_invalid", name)
    for path in (kind.path, f"{kind.path}/{strange_id(kind.prefix)}"):
        answer = await account.api.get(path, params={"include": "owner.colour"})
        assert refusal(answer) == (400, "parameter_invalid", "include[]")
    ignored = await account.api.get(kind.path, params={"utm_source": "mail"})
    assert ignored.status_code == 200


@each_kind
async def test_guards_hold(account: Account, kind: Kind) -> None:
    """Another version than the one named is refused, a dry run does nothing, a key answers twice the same."""
    made = await make(account, kind)
    path = f"{kind.path}/{made['id']}"
    before = await account.fingerprint()
    stale = await account.api.patch(path, json=kind.change, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    tried = await account.api.patch(path, json=kind.change, headers={"Customerhub-Dry-Run": "true"})
    assert tried.json() == {**made, **kind.changed, "updated_at": tried.json()["updated_at"]}
    assert await account.fingerprint() == before
    key = {"Idempotency-Key": made["id"]}
    first, second = [
        await account.api.post(kind.path, json={**kind.body, "name": "Once"}, headers=key) for _ in range(2)
    ]
    assert (first.status_code, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


@pytest.mark.parametrize(
    ("kind", "name"), [(PAYMENT_TERM, "Net 30"), (UNIT, "US Dollar")], ids=lambda one: getattr(one, "prefix", None)
)
async def test_what_comes_with_every_account_stays_as_it_is(account: Account, kind: Kind, name: str) -> None:
    """It is in the list, owned by the system, and can be neither changed nor deleted."""
    rows: list[Json] = (await account.api.get(kind.path, params={"q": name, "include": "owner.account"})).json()["data"]
    [row] = [row for row in rows if row["name"] == name]
    assert row["owner"] == {"object": "owner", "type": "system", "account": None}
    path = f"{kind.path}/{row['id']}"
    before = await account.fingerprint()
    for answer in (await account.api.patch(path, json={"name": "Mine"}), await account.api.delete(path)):
        assert refusal(answer) == (409, "resource_conflict", "id")
    assert await account.fingerprint() == before


@pytest.mark.parametrize("kind", [PAYMENT_TERM, SHIPPING_TERM, CARRIER, UNIT], ids=lambda kind: kind.prefix)
async def test_an_owner_is_shown_where_it_is_asked_for(account: Account, kind: Kind) -> None:
    """With and without the account, in the answers of all three methods and in lists."""
    owner: dict[str, Any] = {"object": "owner", "type": "account", "account": None}
    whole = {
        "id": to_id("ac", account.team.id),
        "object": "account",
        "name": account.team.name,
        "default_billing_address": None,
        "default_shipping_address": None,
        "branding": None,
        "portal": None,
    }
    made = (await account.api.post(kind.path, json=kind.body, params={"include[]": "owner"})).json()
    assert made["owner"] == owner
    path = f"{kind.path}/{made['id']}"
    got = (await account.api.get(path, params={"include": "owner.account"})).json()
    assert without(got["owner"]["account"], "created_at", "updated_at") == whole
    changed = (await account.api.patch(path, json={}, params={"include": "owner,owner.account"})).json()
    assert changed == got
    rows = (await account.api.get(kind.path, params={"include": "owner"})).json()["data"]
    assert next(row for row in rows if row["id"] == made["id"])["owner"] == owner
    assert (await account.api.get(path)).json()["owner"] is None


async def test_lists_are_filtered_by_type(account: Account) -> None:
    """Groups and units of one type; a type that is none is refused."""
    groups = (await account.api.get(GROUP.path, params={"type": "type_group"})).json()["data"]
    assert {row["id"] for row in groups} == set(account.type_groups)
    await make(account, UNIT)
    units = (await account.api.get(UNIT.path, params={"type": "mass"})).json()["data"]
    assert [row["name"] for row in units] == ["Sack"]
    for path in (GROUP.path, UNIT.path):
        assert refusal(await account.api.get(path, params={"type": "red"})) == (400, "parameter_invalid", "type")


async def test_a_group_and_a_unit_in_use_stay(account: Account) -> None:
    """409 while a customer is in the group or has a limit in the unit; free again once it is gone."""
    unit = await make(account, UNIT, type="currency")
    limit = {"value": "1.00", "unit_id": unit["id"]}
    groups = {"customer_price_group_ids": account.pricing_groups[:1]}
    customer = await account.create(account.customer_body(credit_limit=limit, **groups))
    paths = [
        f"{UNIT.path}/{unit['id']}",
        f"{GROUP.path}/{account.pricing_groups[0]}",
        f"{GROUP.path}/{account.type_groups[0]}",
    ]
    before = await account.fingerprint()
    for path in paths:
        assert refusal(await account.api.delete(path)) == (409, "resource_conflict", "id")
    assert await account.fingerprint() == before
    assert (await account.api.delete(f"/v1/sales/customers/{customer['id']}")).status_code == 200
    assert [(await account.api.delete(path)).status_code for path in paths] == [200] * 3


async def test_terms_and_carriers_in_use_may_go(account: Account) -> None:
    """The customer keeps and shows them, and no other can be given them."""
    customer = await account.create(account.customer_body())
    gone = {
        "default_payment_term_id": (PAYMENT_TERM, account.payment_terms[0]),
        "default_shipping_term_id": (SHIPPING_TERM, account.shipping_terms[0]),
        "default_carrier_id": (CARRIER, account.carriers[0]),
    }
    for kind, entry in gone.values():
        assert (await account.api.delete(f"{kind.path}/{entry}")).status_code == 200
    shown = await account.get(customer["id"])
    assert shown["defaults"]["payment_term"]["status"] == "inactive"
    assert shown["freight_preferences"]["carrier"]["deleted_at"] is not None
    same = {member: entry for member, (_, entry) in gone.items()}
    assert (await account.patch(customer["id"], **same))["updated_at"] == shown["updated_at"]
    for member in gone:
        answer = await account.api.post("/v1/sales/customers", json=account.customer_body())
        assert answer.status_code == 400
        assert member in failure(answer)["message"]


async def test_a_team_may_have_strangers_ignored(hub: Hub, site: Site) -> None:
    """What nobody knows is then named in the answer, and done without."""
    async with make_account(hub, site) as account:
        await admin.change_settings(hub, account.team, {"unknown_members": "ignore", "null_members": "ignore"})
        answer = await account.api.post(GROUP.path, json={**GROUP.body, "colour": "red"})
        assert (answer.status_code, answer.headers["customerhub-ignored"]) == (201, "colour")
        path = f"{GROUP.path}/{answer.json()['id']}"
        unchanged = await account.api.patch(path, json={"name": None, "description": None})
        assert (unchanged.status_code, unchanged.json()) == (200, answer.json())
