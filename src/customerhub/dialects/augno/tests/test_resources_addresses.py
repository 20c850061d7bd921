"""Addresses on their own paths: those that no customer has, and those inside customers."""

import pytest

from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from tests.support.augno import Account, Json, address_body, full_address_body

PATH = "/v1/sales/addresses"
CUSTOMERS = "/v1/sales/customers"


async def make(account: Account, **members: object) -> Json:
    """A new address, as answered."""
    answer = await account.api.post(PATH, json=full_address_body(**members))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def test_an_address_is_made_with_its_place(account: Account) -> None:
    """201 with all that was sent, and null for the rest; read again the same."""
    answer = await account.api.post(PATH, json=full_address_body(name="Dock 3"))
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert made == {
        "id": made["id"],
        "object": "address",
        "name": "Dock 3",
        "phone": "+1-503-555-0142",
        "email": "ap@kestrel.example",
        "is_drop_ship": False,
        "geolocation": {
            "id": made["id"].replace("ad_", "gl_"),
            "object": "geolocation",
            "street_line_1": "1180 NW Hoyt St",
            "street_line_2": "Suite 4",
            "locality": "Portland",
            "state": "OR",
            "postal_code": "97209",
            "country": "US",
        },
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert (await account.api.get(f"{PATH}/{made['id']}")).json() == made
    nulls = {name: None for name in full_address_body() if name not in address_body()}
    bare = (await account.api.post(PATH, json=address_body(country="de", **nulls))).json()
    assert (bare["phone"], bare["geolocation"]["street_line_1"], bare["geolocation"]["country"]) == (None, None, "DE")


async def test_only_what_is_sent_of_an_address_changes(account: Account) -> None:
    """Null clears the nullable ones; what is sent as it is changes nothing."""
    made = await make(account)
    path = f"{PATH}/{made['id']}"
    answer = await account.api.patch(path, json={"phone": None, "street_line_2": None, "locality": "Salem"})
    changed = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert changed["geolocation"] == {**made["geolocation"], "street_line_2": None, "locality": "Salem"}
    assert (changed["phone"], changed["email"]) == (None, made["email"])
    assert changed["updated_at"] > made["updated_at"]
    before = await account.fingerprint()
    for body in ({}, {"phone": None, "locality": "Salem"}, {"country": "us"}):
        again = await account.api.patch(path, json=body)
        assert (again.status_code, again.json()) == (200, changed)
    assert await account.fingerprint() == before


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"street_line_1": None}, "validation_failed", "street_line_1"),
        ({"locality": None}, "validation_failed", "locality"),
        ({"state": None}, "validation_failed", "state"),
        ({"postal_code": None}, "validation_failed", "postal_code"),
        ({"country": None}, "validation_failed", "country"),
        ({"name": None}, "validation_failed", "name"),
        ({"is_drop_ship": "true"}, "invalid_format", "is_drop_ship"),
        ({"country": "USA"}, "validation_failed", "country"),
        ({"email": "nobody"}, "validation_failed", "email"),
        ({"phone": ""}, "validation_failed", "phone"),
        ({"geolocation": {}}, "parameter_unknown", "geolocation"),
        ({"city": "Salem", "name": 7}, "parameter_unknown", "city"),
    ],
)
async def test_a_wrong_address_is_refused(account: Account, body: Json, code: str, param: str) -> None:
    """With the first wrong member as `param`; nothing is written."""
    made = await make(account)
    before = await account.fingerprint()
    assert refusal(await account.api.patch(f"{PATH}/{made['id']}", json=body)) == (400, code, param)
    assert await account.fingerprint() == before


async def test_what_an_address_needs_is_asked_for(account: Account) -> None:
    """Name, country and whether it is a drop ship location."""
    found = failure(await account.api.post(PATH, json={"email": "nobody"}))
    assert (found["code"], found["param"]) == ("validation_failed", "email")
    assert [name for name in address_body() if name not in found["message"]] == []


async def test_an_address_of_a_customer_is_changed_there(account: Account) -> None:
    """By a version of the customer, whose tag it has; the customer shows it changed."""
    customer = await account.create(account.full_body(), include="bill_to_address")
    address = customer["bill_to_address"]["id"]
    got = await account.api.get(f"{PATH}/{address}")
    assert (got.headers["etag"], got.json()["geolocation"]["locality"]) == ('"1"', "Portland")
    stale = await account.api.patch(f"{PATH}/{address}", json={"name": "AP"}, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    changed = await account.api.patch(f"{PATH}/{address}", json={"name": "AP desk"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    shown = await account.get(customer["id"], include="bill_to_address")
    assert (shown["bill_to_address"]["name"], shown["updated_at"]) == ("AP desk", changed.json()["updated_at"])


async def test_an_address_that_a_customer_uses_stays(account: Account) -> None:
    """409 while it is billed or shipped to; once it is neither it may go."""
    customer = await account.create(account.full_body(), include="bill_to_address,ship_to_address")
    path = f"{PATH}/{customer['ship_to_address']['id']}"
    before = await account.fingerprint()
    for address in (customer["bill_to_address"], customer["ship_to_address"]):
        answer = await account.api.delete(f"{PATH}/{address['id']}")
        assert refusal(answer) == (409, "resource_conflict", "id")
        assert answer.headers["x-should-retry"] == "false"
    assert await account.fingerprint() == before
    await account.patch(customer["id"], ship_to_address_id=None)
    assert ((gone := await account.api.delete(path)).status_code, gone.json()) == (200, {})
    assert (await account.api.get(path)).status_code == 404


async def test_an_address_of_none_is_taken_by_who_is_shipped_to_it(account: Account) -> None:
    """With its id; from then on it is the customer's."""
    made = await make(account, name="Harbour dock")
    customer = await account.create(account.customer_body())
    shown = await account.patch(customer["id"], ship_to_address_id=made["id"])
    assert shown["ship_to_address"] == {**made, "geolocation": None}
    assert (await account.api.get(f"{PATH}/{made['id']}")).json() == made
    assert (await account.api.delete(f"{PATH}/{made['id']}")).status_code == 409


async def test_addresses_are_listed_whosever_they_are(account: Account, other_account: Account) -> None:
    """The newest first, both ways; `q` looks into where they are; another account's are not among them."""
    await make(other_account, locality="Zyzzyx")
    first = await make(account, locality="Zyzzyx", name="First")
    customer = await account.create(
        account.customer_body(bill_to_address=full_address_body(name="Second", locality="zyzzyx")),
        include="bill_to_address",
    )
    last = await make(account, name="Third", street_line_1="8 Zyzzyx Road")
    await make(account, name="Elsewhere")
    rows: list[Json] = []
    query = {"q": "ZYZZYX", "limit": "1"}
    while True:
        page = (await account.api.get(PATH, params=query)).json()
        rows += page["data"]
        if page["page_info"]["next_cursor"] is None:
            break
        query["cursor"] = page["page_info"]["next_cursor"]
    assert [row["id"] for row in rows] == [last["id"], customer["bill_to_address"]["id"], first["id"]]
    assert rows[0] == last
    back = (await account.api.get(PATH, params={**query, "cursor": page["page_info"]["prev_cursor"]})).json()
    assert back["data"] == rows[1:2]


async def test_what_is_no_address_of_this_account_is_not_found(account: Account, other_account: Account) -> None:
    """Unknown, malformed, foreign and deleted ids answer alike."""
    theirs = await make(other_account)
    gone = await make(account)
    assert (await account.api.delete(f"{PATH}/{gone['id']}")).status_code == 200
    before = await account.fingerprint()
    for wrong in (strange_id("ad"), "nonsense", gone["id"].replace("ad_", "gl_"), theirs["id"], gone["id"]):
        for method in ("GET", "PATCH", "DELETE"):
            answer = await account.api.request(method, f"{PATH}/{wrong}", json={})
            assert refusal(answer) == (404, "resource_not_found", "id")
    assert await account.fingerprint() == before
