"""One customer as each system sees it: the same field is marked in all of them, and requests can be pasted."""

import asyncio
import html
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import httpx
import msgspec
import pytest
from typing_extensions import override

from customerhub.console.customer.lighting import ANY, Node, learn
from customerhub.console.customer.specimen import CATALOGUE, SPECIMEN
from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.model.customer import CUSTOMER_FIELDS
from customerhub.web.dialect import CredentialOrder, Dialect
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.keeper import Keeper, keeping

CANONICAL = next(dialect for dialect in find_dialects() if dialect.is_canonical)
# What a form says of itself, of words that are the same for everybody, and of relatives, which no record holds.
CONSTANTS = {
    *("object", "owner", "created_at", "updated_at", "is_parent_account", "parent_account", "child_accounts"),
    *("has_next_page", "has_prev_page", "next_cursor", "prev_cursor"),
}
UNSHOWN = {"team", "credit_limit_unit", "credit_limit_id"}


@pytest.fixture
async def keeper(site: Site, bureau: Bureau) -> AsyncIterator[Keeper]:
    """The administrator, on a customer that has something in every field."""
    async with keeping(site, bureau) as made:
        yield made


class _Views(HTMLParser):
    """The text of each view, and of each marked value its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.marks: dict[str, list[tuple[str, str]]] = {}
        self._pre, self._mark = "", ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "pre":
            self._pre = found["id"]
        elif tag == "span" and self._pre:
            self._mark = found["data-field"]

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._pre = ""
        elif tag == "span":
            self._mark = ""

    @override
    def handle_data(self, data: str) -> None:
        if self._pre:
            self.texts[self._pre] = self.texts.get(self._pre, "") + data
            if self._mark:
                self.marks.setdefault(self._pre, []).append((self._mark, data))


def read(page: httpx.Response) -> _Views:
    """The views on a page."""
    assert page.status_code == 200, page.text
    parser = _Views()
    parser.feed(page.text)
    return parser


def lit(views: _Views, field: str) -> dict[str, list[Any]]:  # Any: JSON
    """The values that light up with a field, by view."""
    found: dict[str, list[Any]] = {}
    for view, marks in views.marks.items():
        for names, text in marks:
            if field in names.split(" "):
                _, _, value = text.rpartition('": ') if '": ' in text else ("", "", text)
                found.setdefault(view.removeprefix("json-"), []).append(json.loads(value))
    return found


async def test_views_are_what_the_systems_answer(keeper: Keeper) -> None:
    """Each view is the JSON of its dialect, the record first."""
    views = read(await keeper.look("systems"))
    names = [name.removeprefix("json-") for name in views.texts if name.startswith("json-")]
    assert names == [CANONICAL.name, *sorted(one.name for one in find_dialects() if one is not CANONICAL)]
    assert json.loads(views.texts[f"json-{CANONICAL.name}"]) == await keeper.record()


async def test_a_field_lights_up_in_every_system_that_shows_it(keeper: Keeper) -> None:
    """Email, phone, terms by name or id, parts of addresses and custom values are found wherever they are."""
    record = await keeper.record()
    views = read(await keeper.look("systems"))
    everybody = {one.name for one in find_dialects()}
    assert lit(views, "email") == {name: [record["email"]] for name in everybody}
    assert lit(views, "phone") == {name: [record["phone"]] for name in everybody}
    assert {name: values[0] for name, values in lit(views, "name").items()} == dict.fromkeys(everybody, record["name"])
    assert lit(views, "payment_term").keys() == everybody
    city = lit(views, f"addresses.{record['bill_to']}.city")
    # One of them tells of no city.
    assert (len(city), {value for values in city.values() for value in values}) == (3, {"Oslo"})
    line = lit(views, f"addresses.{record['bill_to']}.line2")
    assert "Storgata 8\nDoor 2" in [value for values in line.values() for value in values]
    values = [value for found in lit(views, "attributes.Region").values() for value in found]
    assert values.count("Nordics") == 2
    contact = lit(views, f"contacts.{record['primary_contact']}.first_name")
    assert [value for values in contact.values() for value in values] == ["Lars"] * 3


async def test_each_value_of_the_record_carries_its_own_name(keeper: Keeper) -> None:
    """In the record itself a value is marked with its place, and nothing else."""
    views = read(await keeper.look("systems"))
    marks = views.marks[f"json-{CANONICAL.name}"]
    for names, text in marks:
        if "addresses." not in names and "contacts." not in names and text.startswith('"'):
            member = json.loads(text.partition(": ")[0]) if '": ' in text else names
            assert names in (member, f"attributes.{member}", "credit_limit", "sales_reps", "price_groups"), text
    assert {names.split(".")[0] for names, _ in marks} == set(CUSTOMER_FIELDS) - UNSHOWN


def list_sources(node: Node) -> Iterator[tuple[str, ...]]:
    """The places of the record behind a place and all that is in it."""
    yield from node.sources
    for inside in node.inside.values():
        yield from list_sources(inside)


@pytest.mark.parametrize("dialect", find_dialects(), ids=lambda one: one.name)
def test_no_value_of_a_system_stands_for_nothing(dialect: Dialect) -> None:
    """What a dialect shows of a full record changes with some field, or is a constant of its form."""

    def walk(shown: object, node: Node | None, path: str) -> Iterator[str]:
        if node is not None and node.sources:
            return
        if isinstance(shown, dict):
            for name, value in shown.items():
                yield from walk(value, node.find(name) if node else None, f"{path}.{name}")
        elif isinstance(shown, list):
            for value in shown:
                yield from walk(value, node.find(0) if node else None, f"{path}[]")
        else:
            yield path.rpartition(".")[2]

    root = learn(dialect)
    known = {source[0] for source in list_sources(root)}
    assert known <= set(CUSTOMER_FIELDS)
    assert set(walk(dialect.show(SPECIMEN, CATALOGUE), root, "")) <= CONSTANTS
    if dialect is CANONICAL:
        assert known == set(CUSTOMER_FIELDS) - UNSHOWN
        assert ("addresses", ANY, "city") in set(list_sources(root))


async def test_requests_are_ready_to_paste(site: Site, keeper: Keeper) -> None:
    """Each command names this hub and this customer, has no secret in it, and a shell can read it."""
    views = read(await keeper.look("systems"))
    commands = {name: text for name, text in views.texts.items() if name.startswith("curl-")}
    assert len(commands) == 2 * len(find_dialects())
    for name, command in commands.items():
        assert "http://hub/" in command, name
        assert '"$CUSTOMERHUB_' in command, name
        assert "api_key" not in command
        process = await asyncio.create_subprocess_exec("sh", "-n", "-c", command)
        assert await process.wait() == 0, command


async def run(command: str, credential: Mapping[str, object]) -> tuple[str, str, dict[str, str], str | None]:
    """What a shell would send: method, address, headers, body; the credential is in its variables."""
    variables = {f"CUSTOMERHUB_{name.upper()}": str(value) for name, value in credential.items()}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", "curl() { printf '%s\\0' \"$@\"; }\n" + command),
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    words = out.decode().split("\0")[:-1]
    options = [(word, words[place + 1]) for place, word in enumerate(words) if word in ("-X", "-H", "-d")]
    [url] = [word for word in words if word.startswith("http://")]
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    methods = [value for option, value in options if option == "-X"]
    bodies = [value for option, value in options if option == "-d"]
    return (methods or ["GET"])[0], url, headers, bodies[0] if bodies else None


@pytest.mark.parametrize("dialect", find_dialects(), ids=lambda one: one.name)
async def test_what_a_shell_makes_of_them_is_answered(keeper: Keeper, dialect: Dialect) -> None:
    """With a credential in its variables a shell reads the very view, and changes the customer."""
    desk = keeper.bureau.desk
    credential = await dialect.create_credential(desk.hub, desk.team, CredentialOrder(name="a shell"))
    before = await keeper.change(phone="1", standing="normal")
    views = read(await keeper.look("systems"))
    for kind in ("read", "update"):
        command = views.texts[f"curl-{kind}-{dialect.name}"]
        method, url, headers, body = await run(command, credential)
        answer = await desk.api.request(method, url, headers=headers, content=body)
        assert answer.is_success, f"{command}: {answer.text}"
        if kind == "read":
            shown = json.loads(views.texts[f"json-{dialect.name}"])
            assert shown in (answer.json(), answer.json().get("data")), answer.text
    assert (await keeper.record())["version"] == before["version"] + 1


async def test_one_view_is_chosen_for_small_screens(keeper: Keeper) -> None:
    """The one that is named, or the record; names of nothing are the record's too."""
    for asked, expected in (
        ("", CANONICAL.name),
        (find_dialects()[0].name, find_dialects()[0].name),
        ("<x>", CANONICAL.name),
    ):
        page = await keeper.visitor.browser.get(keeper.path("systems"), params={"system": asked})
        [here] = re.findall(r'<section class="system here" aria-labelledby="system-([^"]*)"', page.text)
        assert html.unescape(here) == expected


def test_the_record_has_one_form() -> None:
    """There is one dialect whose form is the record itself."""
    assert find_canonical(find_dialects()) is CANONICAL
    assert msgspec.json.encode(CANONICAL.show(SPECIMEN, CATALOGUE)) != b"{}"
