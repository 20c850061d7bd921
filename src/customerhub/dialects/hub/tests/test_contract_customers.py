"""Reading, deleting, guards: what holds for a customer whichever way it is patched."""

from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.dialects.hub.tests.helpers import problem, refusal
from customerhub.model.answer import Answer
from tests.support.augno import to_command
from tests.support.hub import CUSTOMERS, JSON_PATCH, LIST_AWARE, MERGE_PATCH, Desk, Json, make_key


def path_of(customer: Json, beneath: str = "") -> str:
    """Where a customer is."""
    return f"{CUSTOMERS}/{customer['id']}{beneath}"


async def merge(desk: Desk, target: Json, source: Json) -> None:
    """Let one customer go into another."""
    command = to_command(await desk.caller())
    asked = MergeRequest((UUID(source["id"]),))
    await merge_customers(desk.hub, command, UUID(target["id"]), lambda: asked, lambda _: Answer(200))


async def test_a_customer_is_read(desk: Desk, customer: Json) -> None:
    """With its version as tag."""
    answer = await desk.api.get(path_of(customer))
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, customer, '"1"')


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"', ' "1" ,'])
async def test_what_a_reader_has_is_not_sent_again(desk: Desk, customer: Json, tags: str) -> None:
    """304 with the tag and nothing else, until there is another version."""
    answer = await desk.api.get(path_of(customer), headers={"If-None-Match": tags})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    assert "content-length" not in answer.headers
    await desk.patched(customer, {"note": "Other"})
    answer = await desk.api.get(path_of(customer), headers={"If-None-Match": tags})
    assert answer.status_code == (304 if tags == "*" else 200)


@pytest.mark.parametrize("tags", ['"2"', "1", "", "x", '"01"'])
async def test_other_tags_get_the_customer(desk: Desk, customer: Json, tags: str) -> None:
    """Those of other versions, and what is none."""
    answer = await desk.api.get(path_of(customer), headers={"If-None-Match": tags})
    assert (answer.status_code, answer.json()) == (200, customer)


async def test_nobody_else_has_it(desk: Desk, other_desk: Desk, customer: Json) -> None:
    """Unknown, foreign, malformed: the same 404, whatever is done."""
    strange = [f"{CUSTOMERS}/{uuid4()}", f"{CUSTOMERS}/x", f"{CUSTOMERS}/{customer['id']}0"]
    for client, paths in ((desk.api, strange), (other_desk.api, [path_of(customer)])):
        for path in paths:
            for method in ("GET", "PATCH", "DELETE"):
                answer = await client.request(method, path, json={"note": "x"} if method == "PATCH" else None)
                assert refusal(answer) == (404, "not-found", [])
                assert problem(answer)["detail"] == "There is no such customer in this team."


async def test_deleting(desk: Desk, customer: Json) -> None:
    """Answers the customer as it was last; then it is gone, and what was unique is free."""
    answer = await desk.api.delete(path_of(customer))
    gone = answer.json()["customer"]
    assert answer.status_code == 200
    assert (answer.json()["changed"], answer.headers["etag"]) == (["/deleted_at"], '"2"')
    assert gone["deleted_at"] == gone["updated_at"] > customer["updated_at"]
    marks = ("version", "updated_at", "updated_by", "deleted_at")
    assert {**gone, **{name: customer[name] for name in marks}} == customer
    for method in ("GET", "DELETE", "PATCH"):
        answer = await desk.api.request(method, path_of(customer), json={} if method == "PATCH" else None)
        assert refusal(answer) == (404, "not-found", [])
    again = await desk.create({name: customer[name] for name in ("name", "number", "email", "reference_id")})
    assert again["number"] == customer["number"]


async def test_a_parent_stays(desk: Desk, customer: Json) -> None:
    """A customer with others below it cannot be deleted, and nobody stands below itself."""
    child = await desk.create(parent=customer["id"])
    assert refusal(await desk.api.delete(path_of(customer))) == (409, "conflict", [])
    answer = await desk.patch(customer, {"parent": child["id"]})
    assert refusal(answer) == (422, "invalid", [("/parent", "cycle")])
    await desk.patched(child, {"parent": None})
    assert (await desk.api.delete(path_of(customer))).status_code == 200


async def test_a_merged_customer_leads_to_the_other(desk: Desk, customer: Json) -> None:
    """301 with the new place whatever is asked of it, over two merges, and nothing is done to either."""
    middle, last = await desk.create(), await desk.create()
    await merge(desk, middle, customer)
    await merge(desk, last, middle)
    before = await desk.fingerprint()
    for method, beneath in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/views/count")):
        body = {"note": "x"} if method == "PATCH" else None
        answer = await desk.api.request(method, path_of(customer, beneath), json=body)
        assert (answer.status_code, answer.json()) == (301, {"merged_into": last["id"]})
        assert answer.headers["location"] == path_of(last, beneath)
    assert await desk.fingerprint() == before
    followed = await desk.api.get(path_of(customer), follow_redirects=True)
    assert followed.json()["id"] == last["id"]


async def test_other_media_types(desk: Desk, customer: Json) -> None:
    """415 says which there are; a patch's are told by Accept-Patch."""
    every = f"application/json, {MERGE_PATCH}, {JSON_PATCH}, {LIST_AWARE}"
    before = await desk.fingerprint()
    for form in (
        "text/plain",
        "application/xml",
        "application/problem+json",
        "application/merge-patch+json; charset=x",
    ):
        answer = await desk.patch(customer, {}, form)
        assert refusal(answer) == (415, "media-type", [])
        assert answer.headers["accept-patch"] == every
    answer = await desk.api.post(CUSTOMERS, json={"name": "A"}, headers={"content-type": "text/plain"})
    assert refusal(answer) == (415, "media-type", [])
    assert (answer.headers["accept"], "accept-patch" in answer.headers) == ("application/json", False)
    assert await desk.fingerprint() == before


@pytest.mark.parametrize(
    "form", [MERGE_PATCH.upper(), f"{MERGE_PATCH}; charset=utf-8", LIST_AWARE, "application/json", ""]
)
async def test_media_types_are_read(desk: Desk, customer: Json, form: str) -> None:
    """In any case, with a charset, and without any it is the list-aware form."""
    request = desk.api.build_request("PATCH", path_of(customer), content=b'{"note": "Other"}')
    if form:
        request.headers["content-type"] = form
    answer = await desk.api.send(request)
    assert (answer.status_code, answer.json()["changed"]) == (200, ["/note"])


@pytest.mark.parametrize(
    ("form", "content", "reason"),
    [
        (MERGE_PATCH, b"", "A JSON object is required."),
        (MERGE_PATCH, b"[]", "A JSON object is required."),
        (LIST_AWARE, b'"x"', "A JSON object is required."),
        (JSON_PATCH, b"{}", "A JSON array is required."),
        (JSON_PATCH, b"", "A JSON array is required."),
        (MERGE_PATCH, b'{"note": "a", "note": "b"}', 'The member "note" comes twice.'),
        (MERGE_PATCH, b'{"note": ', "The body is not JSON at line 1, column 10."),
    ],
)
async def test_bodies_that_are_none(desk: Desk, customer: Json, form: str, content: bytes, reason: str) -> None:
    """400, and nothing has happened."""
    before = await desk.fingerprint()
    answer = await desk.api.patch(path_of(customer), content=content, headers={"content-type": form})
    assert refusal(answer) == (400, "malformed", [])
    assert problem(answer)["detail"] == reason
    assert await desk.fingerprint() == before


async def test_a_patch_that_changes_nothing(desk: Desk, customer: Json) -> None:
    """Makes no version, and says what was equal."""
    before = await desk.fingerprint()
    for form in (MERGE_PATCH, LIST_AWARE):
        envelope = await desk.patched(customer, {"note": customer["note"], "tax_excluded": True}, form)
        assert envelope == {"customer": customer, "changed": [], "equal": ["/note", "/tax_excluded"], "ignored": []}
    assert (await desk.patched(customer, {}))["equal"] == []
    assert await desk.fingerprint() == before


async def test_the_report_of_a_change(desk: Desk, customer: Json) -> None:
    """What changed, also what followed from it; what was named and stood already; each by its place in the record."""
    patch = {"sales_reps": desk.reps[:1], "note": customer["note"], "attributes": {"Region": "West", "Route": "7"}}
    envelope = await desk.patched(customer, patch)
    assert sorted(envelope["changed"]) == ["/attributes/Region", "/default_sales_rep", "/sales_reps"]
    assert sorted(envelope["equal"]) == ["/attributes/Route", "/note"]
    assert envelope["customer"]["default_sales_rep"] == desk.reps[0]
    assert envelope["customer"]["version"] == 2


async def test_what_is_sent_along_counts(desk: Desk, customer: Json) -> None:
    """A value that stood already stays, where the other one alone would have moved it."""
    patch = {"sales_reps": desk.reps[:1], "default_sales_rep": desk.reps[1]}
    changed = (await desk.patched(customer, patch))["customer"]
    assert (changed["sales_reps"], changed["default_sales_rep"]) == (desk.reps, desk.reps[1])
    patch = {"carrier": desk.carriers[1], "service_level": customer["service_level"]}
    assert refusal(await desk.patch(customer, patch))[2] == [("/service_level", "wrong_carrier")]
    moved = (await desk.patched(customer, {"carrier": desk.carriers[1]}))["customer"]
    assert moved["service_level"] is None


async def test_a_wrong_value_that_stood_already_passes(desk: Desk, customer: Json) -> None:
    """Whatever the checks say of it: it came through a door with other ones."""
    async with desk.hub.database.transaction() as connection:
        await connection.execute(
            "update customer set email = 'no address', note = '' where team = $1 and id = $2",
            desk.team.id,
            UUID(customer["id"]),
        )
    envelope = await desk.patched(customer, {"email": "no address", "note": "", "phone": "5"})
    assert (envelope["changed"], envelope["equal"]) == (["/phone"], ["/email", "/note"])


async def test_the_guards(desk: Desk, customer: Json) -> None:
    """If-Match, keys and dry runs as everywhere: a replay is the same bytes, a try changes nothing."""
    before = await desk.fingerprint()
    tried = await desk.patch(customer, {"note": "Other"}, customerhub_dry_run="true")
    assert tried.json()["changed"] == ["/note"]
    assert await desk.fingerprint() == before
    first = await desk.patch(customer, {"note": "Other"}, if_match='"1"', idempotency_key="k")
    again = await desk.patch(customer, {"note": "Other"}, if_match='"1"', idempotency_key="k")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    mismatch = await desk.patch(customer, {"note": "Third"}, idempotency_key="k")
    assert refusal(mismatch) == (422, "key-reused", [])
    broken = await desk.patch(customer, {}, if_match="1")
    assert refusal(broken) == (400, "header", [("If-Match", "header")])
    key = await make_key(desk.hub, desk.team, requires_precondition=True)
    answer = await desk.patch(customer, {"note": "x"}, authorization=f"Bearer {key['api_key']}")
    assert refusal(answer) == (428, "precondition-required", [])


async def test_a_key_is_for_one_form(desk: Desk, customer: Json) -> None:
    """The same bytes may mean something else in another form; the list-aware one has two names."""
    body = {"attributes": {"Region": None}}
    first = await desk.patch(customer, body, LIST_AWARE, idempotency_key="k")
    again = await desk.patch(customer, body, "application/json", idempotency_key="k")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    other = await desk.patch(customer, body, MERGE_PATCH, idempotency_key="k")
    assert refusal(other) == (422, "key-reused", [])
    merged = await desk.patch(customer, body, MERGE_PATCH, idempotency_key="m")
    again = await desk.patch(customer, body, MERGE_PATCH, idempotency_key="m")
    assert (again.content, again.headers["idempotent-replayed"]) == (merged.content, "true")


async def test_a_team_may_have_members_ignored(desk: Desk, customer: Json) -> None:
    """Then they are named in the answer, in the header and in the history, and the rest is done."""
    async with desk.hub.database.transaction() as connection:
        await connection.execute(
            'update team set settings = \'{"unknown_members": "ignore", "null_members": "ignore"}\','
            " catalogue_version = catalogue_version + 1 where id = $1",
            desk.team.id,
        )
    patch: Json = {"nick": 1, "name": None, "note": None, "deleted_at": None}
    patch |= {"addresses": {"mode": "merge", "items": [{"id": customer["bill_to"], "is_drop_ship": None, "x": 1}]}}
    answer = await desk.patch(customer, patch, LIST_AWARE)
    assert answer.status_code == 200, answer.text
    ignored = ["/name", "/nick", "/addresses/items/0/x", "/addresses/items/0/is_drop_ship"]
    assert (answer.json()["changed"], sorted(answer.json()["ignored"])) == (["/note"], sorted(ignored))
    assert sorted(answer.headers["customerhub-ignored"].split(", ")) == sorted(
        ["name", "nick", "addresses.items[0].x", "addresses.items[0].is_drop_ship"]
    )


async def test_the_list(desk: Desk) -> None:
    """Newest first, page by page, each once."""
    made = [await desk.create(status="inactive" if number % 2 else "active") for number in range(5)]
    found: list[Json] = []
    after = ""
    while True:
        answer = await desk.api.get(CUSTOMERS, params={"limit": "2"} | ({"after": after} if after else {}))
        page = answer.json()
        assert list(page) == ["data", "next"]
        found += page["data"]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == made[::-1]


async def test_the_filters(desk: Desk, other_desk: Desk) -> None:
    """Each alone and all together; what matches nothing is an empty page."""
    one = await desk.create(reference_id="R,1", email="Ann@Kestrel.example", status="inactive")
    two = await desk.create(reference_id="R2")
    strange = await other_desk.create(reference_id="R2")

    async def ids(**query: str) -> list[str]:
        answer = await desk.api.get(CUSTOMERS, params=query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["data"]]

    assert await ids(status="inactive") == [one["id"]]
    assert await ids(ids=f"{one['id']},{strange['id']}") == [one["id"]]
    assert await ids(reference_ids="R2,R3") == [two["id"]]
    assert await ids(email="ANN@kestrel.EXAMPLE") == [one["id"]]
    assert await ids(created_since=two["created_at"]) == [two["id"]]
    assert await ids(updated_since=one["updated_at"]) == [two["id"], one["id"]]
    assert await ids(updated_since=one["updated_at"], status="inactive", email="ann@kestrel.example") == [one["id"]]
    assert await ids(email="ben@kestrel.example", deleted="false") == []


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("limit=0", "limit", "query"),
        ("limit=1001", "limit", "query"),
        ("after=x", "after", "query"),
        ("status=gone", "status", "query"),
        ("updated_since=2025-03-04", "updated_since", "query"),
        ("created_since=yesterday", "created_since", "query"),
        ("ids=x", "ids", "query"),
        ("deleted=yes", "deleted", "query"),
        ("state=active", "state", "unknown"),
        ("deleted=true&status=active", "status", "unknown"),
    ],
)
async def test_queries_that_are_refused(desk: Desk, query: str, name: str, code: str) -> None:
    """400 with the parameter's name: an unknown one too, since the list would not be the one asked for."""
    answer = await desk.api.get(f"{CUSTOMERS}?{query}")
    assert refusal(answer) == (400, "query", [(name, code)])
    assert list(problem(answer)["errors"][0]) == ["parameter", "code", "detail"]


async def test_a_cursor_is_of_its_list(desk: Desk, other_desk: Desk) -> None:
    """Neither another team nor another list takes it."""
    for _ in range(2):
        await desk.create()
        await other_desk.create()
    cursor = (await desk.api.get(CUSTOMERS, params={"limit": "1"})).json()["next"]

    async def ask(client: httpx.AsyncClient, **query: str) -> int:
        return (await client.get(CUSTOMERS, params={"after": cursor, **query})).status_code

    assert [await ask(desk.api), await ask(other_desk.api), await ask(desk.api, deleted="true")] == [200, 400, 400]
