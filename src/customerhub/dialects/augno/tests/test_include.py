"""Which parts of a customer are filled in, and how they are asked for."""

import pytest
from starlette.datastructures import QueryParams

from customerhub.dialects.augno.include import Includes, ask, read_includes
from customerhub.dialects.augno.tests.helpers import failure, patch, put_below, refusal
from customerhub.dialects.augno.wire import INCLUDES as ALLOWED
from customerhub.model.error import Invalid
from tests.support.augno import ALL, CUSTOMERS, EXPANDABLE, INCLUDES, Account, Json

KEYS = (
    *("id", "object", "name", "number", "status", "is_edi_enabled", "is_parent_account", "commission_policy", "note"),
    *EXPANDABLE,
    *("created_at", "updated_at"),
)
# Parts inside parts.
INNER = {
    "freight_preferences": ("carrier", "service_level"),
    "defaults": ("payment_term", "shipping_term", "priority", "sales_rep"),
}


def test_there_are_seventeen() -> None:
    """The values are those of the contract."""
    assert len(ALLOWED) == 17
    assert sorted(ALLOWED) == sorted(INCLUDES)


@pytest.mark.parametrize(
    "query",
    [
        "include[]=type&include[]=defaults.priority",
        "include=type,defaults.priority",
        "include=type&include=defaults.priority",
        "include[]=type,defaults.priority",
        "include%5B%5D=type&include%5b%5d=defaults.priority",
        "include=type,&include[]=defaults.priority,type,,defaults",
        "include=%20type%20,defaults.priority&trace=1&limit=x",
    ],
)
def test_every_spelling(query: str) -> None:
    """Brackets, commas and repeating mean the same, also mixed; doubles and blanks do not matter."""
    includes = read_includes(QueryParams(query), ALLOWED)
    assert [name for name in ALLOWED if name in includes] == ["type", "defaults", "defaults.priority"]
    assert "priority" in includes.under("defaults")
    assert "type" not in includes.under("defaults")


@pytest.mark.parametrize("query", ["", "include=", "include[]=&include=,", "q=x"])
def test_nothing_is_asked_for(query: str) -> None:
    """Then there is nothing."""
    assert not read_includes(QueryParams(query), ALLOWED)


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("include=types", "include[]", "query"),
        ("include=Type", "include[]", "query"),
        ("include[]=defaults.sales_rep.user", "include[]", "query"),
        ("include=type,object", "include[]", "query"),
        ("includes=type", "includes", "unknown"),
        ("include[0]=type", "include[0]", "unknown"),
        ("included=x", "included", "unknown"),
    ],
)
def test_what_is_not_known(query: str, name: str, code: str) -> None:
    """A value that there is none of, and a parameter that is nearly this one, are refused."""
    with pytest.raises(Invalid) as caught:
        read_includes(QueryParams(query), ALLOWED)
    assert [(error.path, error.code) for error in caught.value.errors] == [((name,), code)]
    with pytest.raises(Invalid):
        ask(QueryParams(query), ALLOWED).check()


def test_a_part_brings_its_parents_and_not_its_children() -> None:
    """At any depth."""
    includes = Includes(["actor.role.permissions"])
    assert [name in includes for name in ("actor", "actor.role", "actor.role.permissions")] == [True] * 3
    assert "actor.role" not in Includes(["actor"])


@pytest.mark.parametrize("name", INCLUDES)
async def test_a_part_alone(account: Account, customer: Json, name: str) -> None:
    """All 22 keys in their order, and only this part filled, with its own parts null unless they are meant."""
    shown = await account.get(customer["id"], name)
    outer, _, inner = name.partition(".")
    assert tuple(shown) == KEYS
    filled = [key for key in EXPANDABLE if shown[key] is not None]
    assert filled == ([] if name in ("parent_account", "child_accounts") else [outer])
    if outer in INNER:
        assert [key for key in INNER[outer] if shown[outer][key] is not None] == ([inner] if inner else [])
        assert {**customer[outer], **dict.fromkeys(set(INNER[outer]) - {inner})} == shown[outer]
    elif filled:
        assert shown[outer] == customer[outer]


async def test_every_endpoint_takes_it(account: Account, customer: Json) -> None:
    """Reading, listing, creating, updating and merging show the same parts."""
    name = "contact_info"
    rows = (await account.api.get(CUSTOMERS, params={"include": name})).json()["data"]
    assert [row["contact_info"] for row in rows] == [customer["contact_info"]]
    made = await account.create(include=name)
    assert made["contact_info"] == {"object": "customer_contact_info", "email": None, "phone": None, "url": None}
    path = f"{CUSTOMERS}/{customer['id']}"
    merged = await account.api.post(f"{path}/actions/merge?include={name}", json={"source_customer_ids": [made["id"]]})
    assert merged.json()["contact_info"] == customer["contact_info"]
    changed = await account.api.patch(f"{path}?include[]={name}", json={"phone": "1"})
    assert changed.json()["contact_info"] == {**customer["contact_info"], "phone": "1"}


async def test_a_bad_value_changes_nothing(account: Account, customer: Json) -> None:
    """It is refused before anything is written, and the message has the bad one and all good ones."""
    before = await account.fingerprint()
    path = f"{CUSTOMERS}/{customer['id']}"
    answers = [
        await account.api.patch(f"{path}?include=typo", json={"name": "x"}),
        await account.api.post(f"{CUSTOMERS}?include=typo", json=account.customer_body()),
        await account.api.post(f"{path}/actions/merge?include=typo", json={"source_customer_ids": [customer["id"]]}),
        await account.api.get(f"{path}?include=typo"),
        await account.api.get(f"{CUSTOMERS}?include=typo"),
    ]
    for answer in answers:
        assert refusal(answer) == (400, "parameter_invalid", "include[]")
        assert all(name in failure(answer)["message"] for name in ("typo", *INCLUDES))
    assert refusal(await account.api.get(f"{path}?includes=type")) == (400, "parameter_unknown", "includes")
    assert await account.fingerprint() == before


async def test_what_there_is_none_of(account: Account) -> None:
    """Addresses, limit, level and rep are null, groups an empty list, the rest objects all the same."""
    made = await account.create()
    empty = await account.patch(made["id"], bill_to_address_id=None, ship_to_address_id=None)
    page_info = {"next_cursor": None, "prev_cursor": None, "has_next_page": False, "has_prev_page": False}
    assert [empty[name] for name in ("bill_to_address", "ship_to_address", "credit_limit")] == [None] * 3
    assert empty["freight_preferences"]["service_level"] is None
    assert empty["defaults"]["sales_rep"] is None
    assert empty["price_groups"] == {"object": "list", "page_info": page_info, "data": []}
    assert [empty[name] for name in ("parent_account", "child_accounts")] == [None, None]
    assert empty["notification_preferences"] == {
        "object": "customer_notification_preferences",
        "accepts_invoice_emails": True,
    }


async def test_parents_and_children(account: Account) -> None:
    """Whole customers without parts, only where there are some; `is_parent_account` is always told."""
    top, middle, low, last = [await account.create() for _ in range(4)]
    await put_below(account, middle, top)
    await put_below(account, low, middle)
    await put_below(account, last, middle)
    top, middle, low, last = [await account.get(one["id"], "") for one in (top, middle, low, last)]
    assert [one["is_parent_account"] for one in (top, middle, low, last)] == [True, True, False, False]
    shown = await account.get(middle["id"], "parent_account,child_accounts")
    assert shown["parent_account"] == top
    assert shown["child_accounts"]["data"] == [last, low]
    assert shown["child_accounts"]["page_info"]["has_next_page"] is False
    assert tuple(shown["parent_account"]) == KEYS
    assert (await account.get(low["id"]))["child_accounts"] is None
    assert (await account.get(top["id"]))["parent_account"] is None
    rows = (await account.api.get(CUSTOMERS, params={"include": "parent_account,child_accounts"})).json()["data"]
    assert [row["parent_account"] and row["parent_account"]["id"] for row in rows] == [
        *(middle["id"], middle["id"], top["id"]),
        None,
    ]
    answer = await patch(account, middle, {"note": "x"})
    assert answer.json()["parent_account"] == top
    assert answer.json()["is_parent_account"] is True


async def test_at_most_a_thousand_children(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them the list says that there are more, and no cursor leads there."""
    monkeypatch.setattr("customerhub.dialects.augno.customers.MOST_CHILDREN", 2)
    parent = await account.create()
    children = [await account.create() for _ in range(3)]
    for child in children:
        await put_below(account, child, parent)
    shown = (await account.get(parent["id"]))["child_accounts"]
    assert [row["id"] for row in shown["data"]] == [children[2]["id"], children[1]["id"]]
    assert shown["page_info"] == {
        "next_cursor": None,
        "prev_cursor": None,
        "has_next_page": True,
        "has_prev_page": False,
    }


async def test_names_come_as_they_stand(account: Account, customer: Json) -> None:
    """The parts say what the catalogue says now: the name of a user without one is null, the rest is as stored."""
    parts = await account.get(customer["id"], ALL)
    assert parts["defaults"]["payment_term"]["name"] == "Net 45 EOM"
    assert parts["defaults"]["priority"]["name"] == "High"
    assert parts["defaults"]["sales_rep"]["name"] == "Mira Okafor"
    assert parts["freight_preferences"]["carrier"]["code"] == "ups"
    assert parts["freight_preferences"]["service_level"]["service_level_token"] == "ups_2nd_day_air"
    assert "owner" not in parts["freight_preferences"]["service_level"]
    assert parts["type"]["name"] == "Cafe and roaster"
