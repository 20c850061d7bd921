"""Sinks, what is on its way to them, and what is to be watched: the routes."""

from typing import Final

from customerhub.core.access import OPERATOR
from customerhub.dialects.hub import latencies
from customerhub.dialects.hub.answers import VERSION
from customerhub.dialects.hub.auth import ADMIN
from customerhub.dialects.hub.models import Page
from customerhub.dialects.hub.sinks import drift, outgoing, records, wire
from customerhub.dialects.hub.sinks.records import SINKS
from customerhub.web.operation import Operation

_TAGS: Final = ("Sinks",)
_SINK: Final = f"{SINKS}/{{id}}"
_DELIVERY: Final = "5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10"

_SINK_ROUTES: Final = (
    Operation(
        method="GET",
        path=SINKS,
        name="listSinks",
        summary="List sinks",
        description="Of every API of this hub, the newest first, each with how it fares.",
        handler=records.list_page,
        query=wire.SinkListQuery,
        answer=Page[wire.SinkRecord],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=SINKS,
        name="createSink",
        summary="Create a sink",
        description="`webhook` takes `url`, `form` (`hub` unless said otherwise), `events`, `fields`, `config` and "
        "`secret`; `stripe` takes `api_key`, `webhook_secret`, `api_base` and `ownership`; `account` takes `form`, "
        "`url`, `credentials`, `fields`, `ownership`, `creates` and `defaults`. The last two are tried before they are "
        "stored, by a dry run too. `secrets` has the secret that the hub made for a webhook, this once.",
        handler=records.create,
        status=201,
        body=wire.NewSinkBody,
        answer=wire.SinkWithSecrets,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        creates=True,
        is_secret=True,
        examples={
            "webhook": {
                "kind": "webhook",
                "name": "Warehouse",
                "url": "https://hooks.kestrel.example/customers",
                "events": ["customer.created", "customer.updated"],
                "fields": ["/email", "/addresses"],
            },
            "stripe": {"kind": "stripe", "api_key": "rk_live_…", "ownership": {"phone": "stripe"}},
        },
    ),
    Operation(
        method="GET",
        path=_SINK,
        name="getSink",
        summary="Get a sink",
        handler=records.get,
        answer=wire.SinkRecord,
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=_SINK,
        name="updateSink",
        summary="Update a sink",
        description="While it is `paused`, what happens waits for it; while it is `disabled`, nothing new is kept for "
        "it. What waits is tried at once when it is active again, and where its way or its keys change.",
        handler=records.update,
        body=wire.SinkBody,
        answer=wire.SinkWritten,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        is_secret=True,
        examples={"body": {"status": "paused"}},
    ),
    Operation(
        method="DELETE",
        path=_SINK,
        name="deleteSink",
        summary="Delete a sink",
        description="What is on its way to it goes nowhere; nothing is taken back over there.",
        handler=records.delete,
        answer=wire.SinkWritten,
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
    ),
    Operation(
        method="POST",
        path=f"{_SINK}/rotate",
        name="rotateSinkSecret",
        summary="Rotate a webhook's secret",
        description="For `overlap_seconds`, a week at most, messages are signed with both.",
        handler=records.rotate,
        body=wire.SinkRotationBody,
        answer=wire.SinkWithSecrets,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        is_secret=True,
        examples={"body": {"overlap_seconds": 3600}},
    ),
    Operation(
        method="POST",
        path=f"{_SINK}/verify",
        name="verifySink",
        summary="Try a sink",
        description="A webhook gets a test message, by a dry run too; of Stripe and of accounts something harmless is "
        "read. Nothing is stored but the key.",
        handler=records.verify,
        answer=wire.SinkVerdict,
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
    ),
)

_DELIVERY_ROUTES: Final = (
    Operation(
        method="GET",
        path=f"{_SINK}/deliveries",
        name="listDeliveries",
        summary="List deliveries",
        description="To one sink, the newest first.",
        handler=outgoing.list_page,
        query=wire.DeliveryListQuery,
        answer=Page[wire.ShownDelivery],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="GET",
        path=f"{_SINK}/deliveries/{{delivery}}",
        name="getDelivery",
        summary="Get a delivery",
        description="With what was sent and answered at each attempt, and the change that it tells of.",
        handler=outgoing.get,
        answer=wire.DeliveryRecord,
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=f"{_SINK}/replay",
        name="replayDeliveries",
        summary="Send deliveries once more",
        description="Under their own ids: `deliveries` by these, all that are `dead`, those of a piece of the feed "
        "(`from`, `until`), or `all`. Of the feed also what the sink was never told of. 10,000 changes at a time.",
        handler=outgoing.replay,
        body=wire.ReplayBody,
        answer=wire.Replayed,
        errors=(422,),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        examples={
            "deliveries": {"deliveries": [_DELIVERY]},
            "dead": {"dead": True},
            "range": {"from": 1841, "until": 1900},
            "all": {"all": True},
        },
    ),
    Operation(
        method="GET",
        path=f"{_SINK}/customers",
        name="listSynced",
        summary="List what a mirror knows of customers",
        description="Stripe and accounts: which record each customer is there, and what could not be told. Webhooks "
        "keep no copy, so that there is nothing to list.",
        handler=outgoing.list_synced,
        query=wire.SyncListQuery,
        answer=Page[wire.SyncedCustomer],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="GET",
        path=f"{_SINK}/drift",
        name="checkDrift",
        summary="Compare customers with a mirror",
        description="One after the other is read over there, so that a page takes seconds. Nothing is changed.",
        handler=drift.check,
        query=drift.DriftQuery,
        answer=drift.ShownDrift,
        errors=(400, 409),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=f"{_SINK}/repair",
        name="repairDrift",
        summary="Send a mirror what differs once more",
        description="Customers are compared as for `drift`; those that differ, or are not there, go as they stand. Of "
        "what could not be compared nothing is sent. A dry run compares and sends nothing.",
        handler=drift.repair,
        body=drift.RepairBody,
        answer=drift.Repaired,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"customers": [_DELIVERY]}},
    ),
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *_SINK_ROUTES,
    *_DELIVERY_ROUTES,
    Operation(
        method="GET",
        path=f"{VERSION}/metrics",
        name="getMetrics",
        summary="Get metrics",
        description="Of the sinks of every team, in the text format of Prometheus (0.0.4).",
        handler=outgoing.read_metrics,
        permissions=(OPERATOR,),
        tags=("Hub",),
    ),
    Operation(
        method="GET",
        path=f"{VERSION}/latencies",
        name="getLatencies",
        summary="Get the hub's own latencies",
        description="p50, p95 and p99 of each API and each route, in milliseconds: of the last five minutes, and since "
        "the hub was started; of all its processes together. A request that waits for news takes as long as it waits.",
        handler=latencies.read,
        answer=latencies.ShownLatencies,
        permissions=(OPERATOR,),
        tags=("Hub",),
    ),
)
