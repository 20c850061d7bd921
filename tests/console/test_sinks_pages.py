"""What administrators see of the team's sinks, and what they do with them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Exchange, Sink, Verdict
from customerhub.core.sinks import NewSink, SinkPatch, find_secrets, get_sink
from customerhub.dialects.base import find_dialects
from customerhub.store import deliveries as store
from customerhub.web.serve import Site
from tests.console.belongings import make_sink, tell_in_vain
from tests.console.clerk import Clerk, working
from tests.console.house import Bureau
from tests.support.carriers import BlankMirror, FakeCarrier
from tests.support.hub import CUSTOMERS
from tests.support.listeners import HIGHEST, add_sink

URL = "https://hooks.kestrel.invalid/customers"
GOOD = Verdict(is_good=True)
PRIVATE = "Must not lead to a private or local address"


@dataclass
class Judge(FakeCarrier):
    """A carrier that finds this whenever it is asked whether a sink works."""

    verdict: Verdict = GOOD

    @override
    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        """What it finds."""
        return self.verdict


@pytest.fixture
async def clerk(site: Site, bureau: Bureau) -> AsyncIterator[Clerk]:
    """The administrator."""
    async with working(site, bureau) as made:
        yield made


async def find(clerk: Clerk, sink_id: UUID) -> Sink:
    """A sink as it is stored."""
    return (await get_sink(clerk.hub, await clerk.bureau.desk.caller(), sink_id)).sink


async def count(clerk: Clerk, sink: Sink, status: store.DeliveryStatus) -> int:
    """How many deliveries to a sink are at this."""
    async with clerk.hub.database.lease() as connection:
        return len(await store.list_deliveries(connection, clerk.team, sink.id, HIGHEST, 1000, status=status))


async def make_dead(clerk: Clerk) -> tuple[Sink, str]:
    """A sink with one dead letter, and the id of that."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    made = await clerk.bureau.desk.api.post(CUSTOMERS, json={"name": "Kestrel"})
    assert made.status_code == 201, made.text
    return sink, await tell_in_vain(clerk.bureau, sink, "no thanks", is_served=False)


async def test_a_webhook_is_made_and_its_secret_shown_once(clerk: Clerk) -> None:
    """The answer to the form shows the secret, which stands on no other page; what was chosen is stored."""
    clerk.hub.carriers = {"webhook": FakeCarrier()}
    answer = await clerk.send(
        "sinks", "new", kind="webhook", form="hub", url=URL, name="Shop", events="customer.updated", fields="/email"
    )
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    [secret] = re.findall(r'id="secret-1">([^<]+)<', answer.text)
    [sink_id] = set(re.findall(rf"{clerk.bureau.path('sinks')}/([0-9a-f-]{{36}})", answer.text))
    sink = await find(clerk, UUID(sink_id))
    assert find_secrets(clerk.hub, sink) == (secret,)
    assert (sink.url, sink.name, sink.events, sink.fields) == (URL, "Shop", ("customer.updated",), ("/email",))
    pages = [await clerk.look("sinks"), await clerk.look("sinks", sink_id), await clerk.look("sinks", sink_id, "edit")]
    assert [page.status for page in pages] == [200, 200, 200]
    assert [page for page in pages if secret in page.answer.text] == []


async def test_an_address_that_is_refused_is_told_beside_its_field(clerk: Clerk) -> None:
    """A private address and what else is wrong are told at once, what was typed stays, and nothing is made."""
    clerk.hub.carriers = {"webhook": FakeCarrier()}
    page = await clerk.refused(
        400, "sinks", "new", kind="webhook", form="hub", url="https://10.0.0.1/hook", events="lunch", config="["
    )
    assert f'id="in-url-error">{PRIVATE}</p>' in page.answer.text
    assert 'value="https://10.0.0.1/hook" aria-invalid="true"' in page.answer.text
    assert 'id="events-error">Must be one of customer.created, ' in page.answer.text
    assert "Must be a JSON object" in page.text


async def test_an_account_is_made_with_what_its_vendor_asks_for(clerk: Clerk) -> None:
    """The credentials that the other system asks for have fields of their own, are needed, and are shown nowhere."""
    clerk.hub.carriers = {"account": FakeCarrier()}
    form = await clerk.look("sinks", "new")
    kinds = [address for _, address in form.links if "kind=account" in address]
    for kind in kinds:
        name = kind.rpartition("form=")[2]
        page = await clerk.refused(400, "sinks", "new", kind="account", form=name, url=URL)
        names = re.findall(r'name="credentials\.(\w+)"', page.answer.text)
        assert page.text.count("Is required") == 1
        credentials = {f"credentials.{one}": f"hush-{one}" for one in names}
        path = await clerk.done("sinks", "new", kind="account", form=name, url=URL, creates="1", **credentials)
        sink = await find(clerk, UUID(path.removeprefix("sinks/")))
        assert (sink.form, sink.url, sink.config["creates"]) == (name, URL, True)
        assert "hush" not in (await clerk.look(*path.split("/"))).answer.text
        assert "hush" not in (await clerk.look(*path.split("/"), "edit")).answer.text
    assert len(kinds) > 1


async def test_what_failed_is_seen_with_its_reason_and_told_again(clerk: Clerk) -> None:
    """At a glance, in the list of deliveries and on its own page; a retry lets it wait, and takes nothing twice."""
    sink, delivery = await make_dead(clerk)
    [_, glance] = (await clerk.look("sinks")).rows
    assert glance[1:7] == ["Webhook hub", "has failures", "0", "0", "1", "0"]
    assert glance[8].startswith("no thanks")
    [_, row] = (await clerk.look("sinks", sink.id, status="dead")).rows
    assert row[1].startswith("customer.created position ")
    assert row[2:6] == ["Kestrel version 1", "Failed", "1", "no thanks"]
    page = await clerk.look("sinks", sink.id, "deliveries", delivery)
    assert "Attempt 1: refused" in page.text
    assert "ms, status 500 no thanks" in page.text
    version = str((await find(clerk, sink.id)).version)
    sent = {"what": "some", "deliveries": delivery, "version": version}
    assert await clerk.done("sinks", sink.id, "replay", **sent) == f"sinks/{sink.id}?told=1"
    assert (await count(clerk, sink, "dead"), await count(clerk, sink, "waiting")) == (0, 1)
    page = await clerk.refused(412, "sinks", sink.id, "replay", **sent)
    assert "Somebody else has changed this meanwhile." in page.text


async def test_all_that_failed_or_a_range_is_told_again(clerk: Clerk) -> None:
    """Either is one button; a range has to be one."""
    sink, _ = await make_dead(clerk)
    version = str((await find(clerk, sink.id)).version)
    assert await clerk.done("sinks", sink.id, "replay", what="dead", version=version) == f"sinks/{sink.id}?told=1"
    assert "Deliveries on their way once more: 1." in (await clerk.look("sinks", sink.id, told=1)).text
    version = str((await find(clerk, sink.id)).version)
    await clerk.refused(400, "sinks", sink.id, "replay", what="range", first="x", version=version)
    await clerk.refused(400, "sinks", sink.id, "replay", what="range", first="9", last="2", version=version)
    await clerk.refused(400, "sinks", sink.id, "replay", what="some", version=version)
    await clerk.refused(400, "sinks", sink.id, "replay", what="some", deliveries=str(uuid4()), version=version)
    path = await clerk.done("sinks", sink.id, "replay", what="range", first="1", version=version)
    assert path.startswith(f"sinks/{sink.id}?told=")


async def test_deliveries_go_on_page_by_page(clerk: Clerk) -> None:
    """Each page begins behind the one before it; the last one has no further."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    async with clerk.hub.database.lease() as connection:
        await connection.execute(
            "insert into delivery (team, sink, customer, version, id, type, position, at, status) "
            "select $1, $2, $3, n, gen_random_uuid(), 'customer.updated', n, now(), 'delivered' "
            "from generate_series(1, 60) n",
            *(clerk.team, sink.id, uuid4()),
        )
    first = await clerk.look("sinks", sink.id, status="delivered")
    assert [row[1] for row in first.rows[1:]] == [f"customer.updated position {n}" for n in range(60, 10, -1)]
    assert first.link("Older") == f"{clerk.bureau.path('sinks', sink.id)}?status=delivered&before=11"
    second = await clerk.look("sinks", sink.id, status="delivered", before=11)
    assert [row[1] for row in second.rows[1:]] == [f"customer.updated position {n}" for n in range(10, 0, -1)]
    assert "Older" not in [text for text, _ in second.links]
    assert "There are none of these." in (await clerk.look("sinks", sink.id, status="dead")).text


async def test_a_sink_is_paused_and_goes_on(clerk: Clerk) -> None:
    """Its page says which; of two who press the button the second one is told."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    assert await clerk.done("sinks", sink.id, "status", status="paused", version="1") == f"sinks/{sink.id}"
    assert (await find(clerk, sink.id)).status == "paused"
    assert "Resume" in (await clerk.look("sinks", sink.id)).text
    await clerk.refused(412, "sinks", sink.id, "status", status="active", version="1")
    await clerk.refused(400, "sinks", sink.id, "status", status="asleep", version="2")
    await clerk.done("sinks", sink.id, "status", status="active", version="2")
    assert (await find(clerk, sink.id)).status == "active"


async def test_a_trial_is_told_and_stores_nothing(clerk: Clerk) -> None:
    """What was sent and answered stands on the page, whether it went well or not."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    exchange = Exchange("POST", URL, {"webhook-id": "7"}, '{"a":1}', 418, "teapot", seconds=0.25)
    clerk.hub.carriers = {"webhook": Judge(verdict=Verdict(is_good=False, reason="it is a teapot", exchange=exchange))}
    before = await clerk.fingerprint()
    answer = await clerk.send("sinks", sink.id, "verify", version="1")
    assert answer.status_code == 200
    assert "It does not work: it is a teapot" in answer.text
    assert ": 418, 250 ms" in answer.text
    assert '<dt class="code">webhook-id</dt><dd class="code">7</dd>' in answer.text
    clerk.hub.carriers = {"webhook": Judge()}
    assert "It works." in (await clerk.send("sinks", sink.id, "verify", version="1")).text
    assert await clerk.fingerprint() == before


async def test_a_secret_is_replaced_with_an_overlap(clerk: Clerk) -> None:
    """The new one is shown once, the old one goes on; one that will not do is refused."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    answer = await clerk.send("sinks", sink.id, "rotate", version="1", overlap="0")
    [first] = re.findall(r'id="secret-1">([^<]+)<', answer.text)
    page = await clerk.refused(400, "sinks", sink.id, "rotate", version="2", secret="short", overlap="0")
    assert "Secret: Must be whsec_ and 24 to 64 bytes in base64" in page.text
    answer = await clerk.send("sinks", sink.id, "rotate", version="2", overlap="3600")
    [second] = re.findall(r'id="secret-1">([^<]+)<', answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert find_secrets(clerk.hub, await find(clerk, sink.id)) == (second, first)


async def test_a_sink_is_changed_where_its_form_says_so(clerk: Clerk) -> None:
    """What differs is changed; a stale form shows the sink as it stands."""
    new = NewSink("webhook", "hub")
    sink = await add_sink(clerk.hub, clerk.team, new, SinkPatch(url=URL, name="Shop", fields=("/email",)))
    form = await clerk.look("sinks", sink.id, "edit")
    assert 'name="fields" value="/email" checked' in form.answer.text
    sent = {"name": "Store", "url": f"{URL}/2", "events": "customer.deleted", "version": "1"}
    assert await clerk.done("sinks", sink.id, "edit", **sent) == f"sinks/{sink.id}"
    after = await find(clerk, sink.id)
    assert (after.name, after.url, after.events, after.fields) == ("Store", f"{URL}/2", ("customer.deleted",), ())
    page = await clerk.refused(412, "sinks", sink.id, "edit", **{**sent, "name": "Mine"})
    assert 'name="name" type="text" value="Store"' in page.answer.text


async def test_whoever_moves_an_account_names_its_credentials_again(clerk: Clerk) -> None:
    """What is stored is not sent to another address, to be read there."""
    clerk.hub.carriers = {"account": FakeCarrier()}
    name = next(one.name for one in find_dialects() if one.remote is not None)
    names = re.findall(
        r'name="credentials\.(\w+)"', (await clerk.look("sinks", "new", kind="account", form=name)).answer.text
    )
    credentials = {f"credentials.{one}": "hush" for one in names}
    path = await clerk.done("sinks", "new", kind="account", form=name, url=URL, **credentials)
    page = await clerk.refused(400, *path.split("/"), "edit", url=f"{URL}/2", version="1")
    assert "Is needed along with another url" in page.text
    assert await clerk.done(*path.split("/"), "edit", url=f"{URL}/2", version="1", **credentials) == path


async def test_a_sink_ends_for_good(clerk: Clerk) -> None:
    """Its page is gone, and what waited is never told."""
    sink = await make_sink(clerk.bureau, "Shop", URL)
    assert await clerk.done("sinks", sink.id, "end", version="1") == "sinks"
    assert (await clerk.look("sinks", sink.id)).status == 404
    assert "Nobody is told of changes yet." in (await clerk.look("sinks")).text


async def test_both_sides_are_compared_and_made_equal(clerk: Clerk) -> None:
    """Customers that the other side lacks are named, and told once more; a webhook keeps nothing to compare."""
    clerk.hub.carriers = {"stripe": BlankMirror()}
    await clerk.bureau.desk.api.post(CUSTOMERS, json={"name": "Kestrel"})
    sink = await add_sink(clerk.hub, clerk.team, NewSink("stripe", ""), SinkPatch(name="Pay"))
    assert "Compare now" in (await clerk.look("sinks", sink.id, "drift")).text
    answer = await clerk.send("sinks", sink.id, "drift")
    assert "Customers compared: 1. Not the same on both sides: 1." in answer.text
    assert await count(clerk, sink, "waiting") == 0
    answer = await clerk.send("sinks", sink.id, "repair", version="1")
    assert "Told once more: 1." in answer.text
    assert await count(clerk, sink, "waiting") == 1
    assert (await clerk.look("sinks", sink.id, "customers")).status == 200
    hook = await make_sink(clerk.bureau, "Shop", URL)
    page = await clerk.refused(409, "sinks", hook.id, "drift")
    assert "This sink keeps no copy of customers that could be compared." in page.text
