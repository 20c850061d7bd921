"""What an erasure takes along of what sinks were told, and what they are told of it."""

import asyncio

from customerhub.core.admin import get_team
from customerhub.core.erasure import erase_as_operator
from customerhub.core.outgoing import Exchange, Outcome, Sink, Told
from customerhub.model.customer import Customer
from customerhub.store.syncs import Sync, find_sync, put_sync
from tests.support.carriers import DELIVERED
from tests.worker.conftest import Post


async def erase(post: Post, customer: Customer) -> None:
    """A person is taken out of everything."""
    await erase_as_operator(post.hub, await get_team(post.hub, str(post.writer.team)), customer.id)


async def find_said(post: Post) -> list[str]:
    """All that is kept of what sinks were told and said."""
    async with post.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select concat(a.reason, a.exchanges) from attempt a where a.team = $1 "
            "union all select d.reason from delivery d where d.team = $1 and d.reason is not null "
            "union all select concat(s.written, s.left_out, s.creation, s.error) from sync s where s.team = $1",
            post.writer.team,
        )
    return [row[0] for row in rows]


async def test_an_erasure_takes_along_what_sinks_were_told(post: Post) -> None:
    """Bodies, answers and reasons, also of an attempt that was under way. The sink hears of the erasure."""
    is_under_way, goes_on = asyncio.Event(), asyncio.Event()

    async def answer(_sink: Sink, told: Told) -> Outcome:
        if told.version == 2:
            is_under_way.set()
            await goes_on.wait()
        if told.version == 3:
            return DELIVERED
        return Outcome("refused", "not Aster again", (Exchange("POST", "https://there.test/", body=told.after.name),))

    post.webhook.answer = answer
    sink = await post.add_sink()
    made = await post.writer.create(name="Aster Quillfeather")
    await post.writer.update(made, note="Aster likes asters")
    await post.publish()
    mirrored = Sync(made.id, "cus_1", 1, {"name": "Aster"}, {"phone": "Aster's"}, None, "Aster?")
    async with post.hub.database.lease() as connection:
        await put_sync(connection, sink.team, sink.id, mirrored, post.hub.now())
    post.work()
    await is_under_way.wait()
    assert any("Aster" in text for text in await find_said(post))
    await erase(post, made)
    goes_on.set()
    await post.publish()
    await post.wait_for(sink, "dead", "dead", "delivered")
    assert [one.type for _, one in post.webhook.told] == ["customer.created", "customer.updated", "customer.erased"]
    assert [text for text in await find_said(post) if "Aster" in text] == []
    async with post.hub.database.lease() as connection:
        await put_sync(connection, sink.team, sink.id, mirrored, post.hub.now())
        left = await find_sync(connection, sink.team, sink.id, made.id)
    assert left is not None
    assert (left.external_id, left.written, left.left_out, left.error) == ("cus_1", {}, {}, None)


async def test_what_the_history_has_no_more_is_skipped(post: Post) -> None:
    """A version whose values were erased before it was told says nothing, nor why; the erasure itself is told."""
    sink = await post.add_sink()
    made = await post.writer.create(name="Aster")
    await erase(post, made)
    await post.publish()
    post.work()
    await post.wait_for(sink, "skipped", "delivered")
    assert [(one.type, one.after.name) for _, one in post.webhook.told] == [("customer.erased", "")]
    assert [one.reason for one in await post.deliveries(sink)] == [None, None]
