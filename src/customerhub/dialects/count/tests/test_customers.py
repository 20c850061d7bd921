"""List, find, get, create and delete, as the contract tells them."""

from uuid import uuid4

from tests.support.count import Json, Partner, address_body
from tests.support.world import World
from tests.support.world import address_body as other_address_body

MADE = {"uuid", "id", "createdAt", "updatedAt", "contacts"}


async def test_a_new_customer_is_read_back_as_it_was_sent(partner: Partner) -> None:
    """Every member of a creation comes back, both ids are one, and both times are the same."""
    body = partner.full_body()
    answer = await partner.api.post("/partners/customers", json=body)
    made = answer.json()["data"]
    assert (answer.status_code, answer.json()["status"], answer.headers["etag"]) == (201, "success", '"1"')
    assert answer.json()["message"] == "Customer created successfully"
    assert made["uuid"] == made["id"]
    assert made["createdAt"] == made["updatedAt"]
    assert {name: made[name] for name in body if name != "contacts"} == {
        name: value for name, value in body.items() if name != "contacts"
    }
    assert [{name: value for name, value in contact.items() if name != "uuid"} for contact in made["contacts"]] == [
        {"firstName": "Mara", "lastName": "Okafor", "email": "mara@a.example", "phone": None, "isPrimary": True},
        {"firstName": "Zoë", "lastName": "Lund", "email": None, "phone": "+44 113 496 0001", "isPrimary": False},
    ]
    assert "customerhub-ignored" not in answer.headers
    assert await partner.get(made["uuid"]) == made


async def test_the_least_customer_has_null_for_everything_else(partner: Partner) -> None:
    """A name and an email address are enough; what nobody gave is null, empty or the default."""
    body = partner.customer_body()
    made = await partner.create(body)
    assert {name: value for name, value in made.items() if name not in MADE} == {
        **body,
        **dict.fromkeys(("mainPhone", "website", "billingAddress", "shippingAddress", "notes", "paymentTerm")),
        "taxNumber": None,
        "status": "active",
        "taxAutoCalculate": False,
        "taxExcluded": False,
    }
    assert made["contacts"] == []


async def test_members_without_effect_are_named(partner: Partner) -> None:
    """Unknown and read-only members, nested ones too, do nothing and are named in answer and header."""
    answer = await partner.api.post(
        "/partners/customers",
        json=partner.customer_body(
            uuid=str(uuid4()),
            custmer="x",
            taxes=[1],
            billingAddress=address_body(line2="x"),
            contacts=[{"name": "A B", "firstName": "C", "uuid": "x", "title": "Dr"}],
        ),
    )
    warned = [(item["field"], item["reason"]) for item in answer.json()["data"]["_partnerWarnings"]]
    assert warned == [
        ("uuid", "internal_only"),
        ("custmer", "unknown_field"),
        ("taxes", "internal_only"),
        ("billingAddress.line2", "unknown_field"),
        ("contacts[0].uuid", "internal_only"),
        ("contacts[0].title", "unknown_field"),
        ("contacts[0].name", "internal_only"),
    ]
    assert answer.headers["customerhub-ignored"] == ", ".join(field for field, _ in warned)


async def test_every_wrong_member_is_named_at_once(partner: Partner) -> None:
    """A refusal names all fields, in both shapes, and has stored nothing."""
    before = await partner_tables(partner)
    answer = await partner.api.post(
        "/partners/customers",
        json={
            "customer": "  ",
            "status": "paused",
            "mainPhone": "1" * 51,
            "billingAddress": {"city": 5},
            "contacts": [{"isPrimary": True, "name": "A"}, {"isPrimary": True, "email": "nobody"}, {}],
        },
    )
    body = answer.json()
    wrong = [(error["field"], error["code"]) for error in body["errors"]]
    assert answer.status_code == 400
    assert sorted(wrong) == [
        ("billingAddress.city", "invalid_type"),
        ("contacts[1].email", "invalid_email"),
        ("contacts[1].isPrimary", "second_primary"),
        ("contacts[2]", "empty"),
        ("customer", "too_short"),
        ("email", "required"),
        ("mainPhone", "too_long"),
        ("status", "invalid_enum"),
    ]
    assert body["errors"][0] == {"field": "customer", "code": "too_short", "message": "customer must not be empty"}
    assert body["message"] == "Validation failed: " + "; ".join(error["message"] for error in body["errors"])
    assert {name: body[name] for name in ("status", "code", "statusCode")} == {
        "status": "error",
        "code": "validation_error",
        "statusCode": 400,
    }
    assert body["requestId"] == answer.headers["request-id"]
    assert await partner_tables(partner) == before


async def partner_tables(partner: Partner) -> int:
    """How many customers the team has."""
    answer = await partner.api.get("/partners/customers", params={"limit": 1})
    total: int = answer.json()["data"]["totalRecords"]
    return total


async def test_search_takes_part_of_name_email_or_phone(partner: Partner) -> None:
    """Case counts not, wildcards stand for themselves, inactive customers are found too."""
    first = await partner.create(customer="Café 100% Ö", email="owner@harbour.example", mainPhone="+44 113 900")
    second = await partner.create(customer="Bakery", email="CAFE_x@bakery.example", status="inactive")
    await partner.create(customer="Other", email="other@other.example")

    async def search(text: str) -> list[str]:
        answer = await partner.api.get("/partners/customers", params={"search": text})
        return [row["uuid"] for row in answer.json()["data"]["records"]]

    assert await search("cafÉ") == [first["uuid"]]
    assert await search("0% ö") == [first["uuid"]]
    assert await search("113 9") == [first["uuid"]]
    assert await search("fe_X@") == [second["uuid"]]
    assert await search("BAKERY") == [second["uuid"]]
    assert await search("a_e") == []
    assert await search("%") == [first["uuid"]]
    assert len(await search("")) == 3


async def test_pages_follow_each_other_without_overlap(partner: Partner) -> None:
    """Each order in both directions: text without case, none last, ties by id; the two list names hold the same."""
    for name, email in (("b", "2@a.example"), ("A", "1@A.example"), ("a", "3@a.example")):
        await partner.create(customer=name, email=email)
    for order, direction, expected in (
        ("customer", "ASC", ["a", "a", "b"]),
        ("customer", "DESC", ["b", "a", "a"]),
        ("email", "ASC", ["a", "b", "a"]),
        ("createdAt", "DESC", ["a", "a", "b"]),
        ("updatedAt", "ASC", ["b", "a", "a"]),
    ):
        rows = []
        for page in (1, 2, 3):
            params = {"orderBy": order, "orderDirection": direction, "page": page, "limit": 1}
            data = (await partner.api.get("/partners/customers", params=params)).json()["data"]
            assert data["records"] == data["customers"]
            assert (data["totalRecords"], data["totalPages"], data["page"], data["limit"]) == (3, 3, page, 1)
            rows += data["records"]
        assert [row["customer"].lower() for row in rows] == expected
        assert len({row["uuid"] for row in rows}) == 3
    past = (await partner.api.get("/partners/customers", params={"page": 9})).json()["data"]
    assert (past["records"], past["totalRecords"]) == ([], 3)


async def test_customers_without_email_stand_last_in_both_directions(partner: Partner, world: World) -> None:
    """A customer of another door may have no email address."""
    without = await world.create()
    with_email = await partner.create()
    for direction in ("ASC", "DESC"):
        params = {"orderBy": "email", "orderDirection": direction}
        data = (await partner.api.get("/partners/customers", params=params)).json()["data"]
        assert [row["uuid"] for row in data["records"]] == [with_email["uuid"], without["id"]]


async def test_a_wrong_query_names_every_parameter(partner: Partner) -> None:
    """Nothing is clamped: a sync must not skip rows unnoticed."""
    params = {"page": "0", "limit": "101", "orderBy": "name", "orderDirection": "asc", "search": "x" * 256}
    answer = await partner.api.get("/partners/customers", params=params)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [
        "page",
        "limit",
        "search",
        "orderBy",
        "orderDirection",
    ]


async def test_find_by_email_compares_the_whole_address_without_case(partner: Partner) -> None:
    """Found in any case; none is 404 in an error's shape with the address as it was read."""
    made = await partner.create(email="Accounts+uk@Zoes.example")
    found = await partner.api.get("/partners/customers/find-by-email", params={"email": "aCCOUNTS+UK@zoes.example"})
    assert (found.status_code, found.json()["data"]) == (200, made)
    none = await partner.api.get("/partners/customers/find-by-email", params={"email": "accounts@zoes.example"})
    assert none.status_code == 404
    assert none.json()["code"] == "customer_not_found"
    assert none.json()["details"] == {"email": "accounts@zoes.example"}


async def test_find_by_email_tells_what_became_of_a_plus_sign(partner: Partner) -> None:
    """Missing and malformed addresses are 400; a plus sign that was not encoded is shown as the space it became."""
    for query in ("", "?email=", "?email=nobody", "?email=a%00@b.example"):
        answer = await partner.api.get(f"/partners/customers/find-by-email{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "email")
    answer = await partner.api.get("/partners/customers/find-by-email?email=a+uk@b.example")
    assert "a uk@b.example was read" in answer.json()["message"]


async def test_ids_in_the_path(partner: Partner, other_partner: Partner) -> None:
    """A malformed id is 400; an unknown one and another team's are the same 404; upper case is fine."""
    made = await partner.create()
    assert await partner.get(made["uuid"].upper()) == made
    for method in ("GET", "PUT", "DELETE"):
        body: Json | None = {} if method == "PUT" else None
        wrong = await partner.api.request(method, "/partners/customers/17", json=body)
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_uuid")
        answers = [
            await other_partner.api.request(method, f"/partners/customers/{customer_id}", json=body)
            for customer_id in (made["uuid"], uuid4())
        ]
        bodies = [{**answer.json(), "requestId": ""} for answer in answers]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert bodies[0] == bodies[1]
    assert await partner.get(made["uuid"]) == made


async def test_a_deleted_customer_is_gone_and_its_email_free(partner: Partner, world: World) -> None:
    """It is 404 for every door, in no list, and its address can be given again; twice is 404."""
    made = await partner.create(email="one@a.example")
    path = f"/partners/customers/{made['uuid']}"
    answer = await partner.api.delete(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "message": "Customer deleted successfully",
        "data": {"uuid": made["uuid"], "id": made["uuid"]},
    }
    assert [(await partner.api.request(method, path)).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (await partner.api.put(path, json={})).status_code == 404
    assert (await world.api.get(f"/v1/customers/{made['uuid']}")).status_code == 404
    found = await partner.api.get("/partners/customers/find-by-email", params={"email": "one@a.example"})
    assert found.status_code == 404
    assert await partner_tables(partner) == 0
    assert await world.versions(made["uuid"]) == [1, 2]
    again = await partner.create(email="ONE@a.example")
    assert again["uuid"] != made["uuid"]


async def test_a_deletion_frees_number_and_reference_too(partner: Partner, world: World) -> None:
    """What the other door keeps unique can be given again."""
    body = world.full_body()
    made = await world.create(body)
    assert (await partner.api.delete(f"/partners/customers/{made['id']}")).status_code == 200
    again = await world.create(body)
    assert (again["display_id"], again["reference_id"]) == (made["display_id"], made["reference_id"])


async def test_a_parent_cannot_be_deleted(partner: Partner) -> None:
    """While another customer is below it: 409, and nothing changes; afterwards it can."""
    parent, child = await partner.create(), await partner.create()
    async with partner.hub.database.lease() as connection:
        await connection.execute(
            "update customer set parent = $3 where team = $1 and id = $2",
            partner.team.id,
            child["uuid"],
            parent["uuid"],
        )
    path = f"/partners/customers/{parent['uuid']}"
    refused = await partner.api.delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert await partner.get(parent["uuid"]) == parent
    assert (await partner.api.delete(f"/partners/customers/{child['uuid']}")).status_code == 200
    assert (await partner.api.delete(path)).status_code == 200


async def test_one_customer_is_not_patched(partner: Partner) -> None:
    """PATCH on one customer is 405 and names what there is."""
    answer = await partner.api.patch(f"/partners/customers/{uuid4()}", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


async def test_a_deletion_under_guards(partner: Partner) -> None:
    """A stale tag refuses it, a dry run only tries it, a key replays it."""
    made = await partner.create()
    path = f"/partners/customers/{made['uuid']}"
    stale = await partner.api.delete(path, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    tried = await partner.api.delete(path, headers={"Customerhub-Dry-Run": "true"})
    assert tried.status_code == 200
    assert await partner.get(made["uuid"]) == made
    done = await partner.api.delete(path, headers={"If-Match": '"1"', "Idempotency-Key": "k"})
    replayed = await partner.api.delete(path, headers={"If-Match": '"1"', "Idempotency-Key": "k"})
    assert (done.status_code, replayed.status_code, replayed.content) == (200, 200, done.content)
    assert replayed.headers["idempotent-replayed"] == "true"


async def test_the_address_of_another_door_is_shown(partner: Partner, world: World) -> None:
    """Two lines of another door are one street with a line feed."""
    address = other_address_body(address_line_2="2nd floor", is_default=True)
    made = await world.create(addresses=[address])
    shown = await partner.get(made["id"])
    assert shown["billingAddress"] == {
        "street": "Storgata 8\n2nd floor",
        "city": "Oslo",
        "state": None,
        "zipCode": "0155",
        "country": "NO",
    }
    assert shown["shippingAddress"] is None
