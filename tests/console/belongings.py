"""What a team comes to have beside its customers: a sink that failed, an entry of the request log."""

from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import msgspec

from customerhub.core.imports.running import run_import
from customerhub.core.outgoing import Exchange, Outcome, Sink, Told
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import NewSink, SinkPatch
from customerhub.dialects.forms import find_form
from customerhub.sinks import create_carriers
from customerhub.store.request_logs import RequestLog, insert_logs
from customerhub.store.sinks import insert_sink
from customerhub.store.syncs import Sync, put_sync
from customerhub.web.request_id import to_request_number
from customerhub.worker.run import Worker
from tests.console.house import Bureau
from tests.support.accounts import make_account_sink
from tests.support.carriers import FakeCarrier
from tests.support.listeners import HIGHEST, add_sink
from tests.support.waiting import wait_until

NOWHERE = "https://hook.example/"


async def make_sink(bureau: Bureau, name: str, url: str) -> Sink:
    """A webhook of the team's, which may lead anywhere."""
    new = NewSink("webhook", "hub", is_trusted=True)
    return await add_sink(bureau.desk.hub, UUID(bureau.team), new, SinkPatch(url=url, name=name))


async def make_mirror(bureau: Bureau, text: str, customer: str) -> UUID:
    """The id of a paused mirror that has trouble with a customer; the other side said this text."""
    desk = bureau.desk
    sink = make_account_sink(desk.hub, desk.team, "count", NOWHERE, {})
    known = Sync(UUID(customer), text, 1, {}, {"name": text}, None, text)
    async with desk.hub.database.transaction() as connection:
        await insert_sink(connection, msgspec.structs.replace(sink, name=text, status="paused"), desk.team.id)
        await put_sync(connection, desk.team.id, sink.id, known, desk.hub.now())
    return sink.id


async def tell_in_vain(bureau: Bureau, sink: Sink, reason: str, *, is_served: bool) -> str:
    """The id of a delivery that was refused until it was given up.

    `is_served`: a server tells; otherwise it is done here, and refused with this reason.
    """
    hub = bureau.desk.hub

    async def refuse(_sink: Sink, _told: Told) -> Outcome:
        return Outcome("refused", reason, (Exchange("POST", NOWHERE, status=500, answer=reason),))

    async def find() -> list[str]:
        answer = await bureau.desk.api.get(f"/hub/v1/sinks/{sink.id}/deliveries", params={"status": "dead"})
        return [one["id"] for one in answer.json()["data"]]

    async def is_dead() -> bool:
        return await find() != []

    async with AsyncExitStack() as stack:
        if not is_served:
            async with hub.database.lease() as connection:
                await publish_until(connection, UUID(bureau.team), HIGHEST)
            hub.carriers = {"webhook": FakeCarrier(retries=(), answer=refuse)}
            worker = Worker(hub)
            worker.start()
            stack.push_async_callback(worker.close)
            stack.callback(setattr, hub, "carriers", create_carriers())
        await wait_until(is_dead, "a delivery is given up")
    return (await find())[0]


async def import_file(bureau: Bureau, text: str) -> str:
    """The id of an import of one row that was taken and one that was refused, with this text wherever there can be."""
    desk, cell = bureau.desk, '"' + text.replace('"', '""') + '"'
    content = f"name,email,{cell}\n{cell},no address {cell},{cell}\n{cell},{uuid4().hex}@file.example,{cell}\n"
    answer = await desk.api.post(
        "/hub/v1/imports",
        content=content.encode(),
        params={"file_name": f"{text}.csv"},
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 201, answer.text
    path = f"/hub/v1/imports/{answer.json()['id']}"
    assert (await desk.api.post(f"{path}/run")).status_code == 200
    await run_import(desk.hub, desk.team.id, UUID(answer.json()["id"]), find_form)

    async def is_done() -> bool:
        return bool((await desk.api.get(path)).json()["status"] == "done")

    await wait_until(is_done, "the file is imported")
    return str(answer.json()["id"])


async def log_request(bureau: Bureau, text: str) -> UUID:
    """The id of an entry of the request log, with this text in whatever clients send and are answered."""
    desk = bureau.desk
    caller, now = await desk.caller(), desk.hub.now()
    log = RequestLog(
        team=caller.team,
        id=UUID(int=to_request_number(now, uuid4())),
        at=now,
        dialect=caller.dialect,
        credential=caller.credential,
        credential_name=text,
        actor=caller.actor,
        method="POST",
        host=text,
        path=f"/hub/v1/{text}",
        route="/hub/v1/customers",
        query=((text, text),),
        status=422,
        latency_us=1_234,
        api_version=None,
        client_ip="127.0.0.1",
        user_agent=text,
        referrer=text,
        idempotency_key=text,
        error_code="invalid",
        error_message=text,
        request_body=text,
        response_body=text,
    )
    async with desk.hub.database.lease() as connection:
        await insert_logs(connection, [log])
    return log.id
