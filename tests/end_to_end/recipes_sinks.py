"""For every write of sinks through the hub's own API a request that changes something, and others."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from customerhub.core.outgoing import Carriers
from customerhub.store.deliveries import enqueue
from tests.end_to_end.recipes import Recipe
from tests.support.carriers import BlankMirror
from tests.support.hub import Desk, Json

SINKS: Final = "/hub/v1/sinks"
SINK: Final = f"{SINKS}/{{id}}"
# A name that leads nowhere.
URL: Final = "https://hooks.kestrel.invalid/customers"
# Routes whose answers hold what is shown once, as they are asked here.
SECRETS: Final = frozenset((f"POST {SINKS}", f"POST {SINK}/rotate"))
# How sinks are reached by whoever answers these requests in process.
CARRIERS: Final[Carriers] = {"stripe": BlankMirror()}

Make = Callable[[Desk], Awaitable[Recipe]]


def to_sink_body() -> Json:
    """A webhook of which nobody hears: it is paused, and what it asks for does not happen while others publish."""
    return {
        "kind": "webhook",
        "name": "Warehouse",
        "url": URL,
        "form": "hub",
        "events": ["customer.erased"],
        "fields": ["/email", "/addresses"],
        "config": {},
        "status": "paused",
    }


async def make_sink(desk: Desk) -> str:
    """A webhook for which nothing waits."""
    answer = await desk.api.post(SINKS, json=to_sink_body())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sink"]["id"])


async def make_delivery(desk: Desk, sink: str) -> str:
    """Something that waits for the sink."""
    customer = await desk.create()
    async with desk.hub.database.lease() as connection:
        await enqueue(connection, desk.team.id, UUID(sink), [UUID(customer["id"])], desk.hub.now())
    (delivery,) = (await desk.api.get(f"{SINKS}/{sink}/deliveries")).json()["data"]
    return str(delivery["id"])


async def _create(desk: Desk) -> Recipe:
    del desk
    body = to_sink_body()
    return Recipe(
        path=SINKS,
        body=body,
        other=body | {"name": "Depot"},
        wrong=body | {"url": "http://kestrel.invalid/"},
        wrong_field="url",
    )


async def _update(desk: Desk) -> Recipe:
    body = {"name": "Depot", "events": ["customer.deleted"], "fields": []}
    return Recipe(
        path=f"{SINKS}/{await make_sink(desk)}",
        tag='"1"',
        body=body,
        other=body | {"name": "Store"},
        wrong=body | {"status": "asleep"},
        wrong_field="status",
    )


async def _delete(desk: Desk) -> Recipe:
    return Recipe(path=f"{SINKS}/{await make_sink(desk)}", tag='"1"', is_final=True)


async def _rotate(desk: Desk) -> Recipe:
    return Recipe(
        path=f"{SINKS}/{await make_sink(desk)}/rotate",
        tag='"1"',
        body={"overlap_seconds": 60},
        other={"overlap_seconds": 0},
        wrong={"overlap_seconds": -1},
        wrong_field="overlap_seconds",
    )


async def _verify(desk: Desk) -> Recipe:
    return Recipe(path=f"{SINKS}/{await make_sink(desk)}/verify", tag='"1"', changes_nothing=True)


async def _replay(desk: Desk) -> Recipe:
    """Of what was told already."""
    sink = await make_sink(desk)
    await make_delivery(desk, sink)
    async with desk.hub.database.lease() as connection:
        await connection.execute(
            "update delivery set status = 'dead', settled_at = now() where team = $1 and sink = $2",
            desk.team.id,
            UUID(sink),
        )
    return Recipe(
        path=f"{SINKS}/{sink}/replay",
        tag='"1"',
        body={"dead": True},
        other={"all": True},
        wrong={"from": 0},
        wrong_field="from",
    )


async def _repair(desk: Desk) -> Recipe:
    """Of an account with Stripe that lacks every customer, and leads nowhere."""
    made = await desk.api.post(
        SINKS,
        json={"kind": "stripe", "api_key": "sk_test_1", "api_base": "https://stripe.invalid", "status": "paused"},
    )
    assert made.status_code == 201, made.text
    ids = [(await desk.create())["id"] for _ in range(2)]
    return Recipe(
        path=f"{SINKS}/{made.json()['sink']['id']}/repair",
        tag='"1"',
        body={"customers": ids[:1]},
        other={"customers": ids[1:]},
        wrong={"customers": ["nobody"]},
        wrong_field="customers[0]",
    )


RECIPES: Final[Mapping[str, Make]] = {
    f"POST {SINKS}": _create,
    f"PATCH {SINK}": _update,
    f"DELETE {SINK}": _delete,
    f"POST {SINK}/rotate": _rotate,
    f"POST {SINK}/verify": _verify,
    f"POST {SINK}/replay": _replay,
    f"POST {SINK}/repair": _repair,
}
