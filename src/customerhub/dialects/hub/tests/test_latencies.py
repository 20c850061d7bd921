"""How long the hub's own answers take, for those who run it."""

from customerhub.core.access import OPERATOR
from customerhub.dialects.hub.tests.helpers import refusal
from tests.support.hub import Desk, make_desk

LATENCIES = "/hub/v1/latencies"
ROUTE = ("hub", "GET", "/hub/v1/customers/{id}")


async def test_latencies_are_for_those_who_run_the_hub(desk: Desk) -> None:
    """By API and by route, with how many requests they are of; a team's administrator does not see them."""
    customer = await desk.create()
    for _ in range(3):
        await desk.get(customer["id"])
    assert refusal(await desk.api.get(LATENCIES)) == (403, "forbidden", [])
    site = desk.api._transport.app  # type: ignore[attr-defined]
    async with make_desk(desk.hub, site, desk.team, scopes=(OPERATOR,)) as operator:
        answer = await operator.api.get(LATENCIES)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["window_seconds"], told["error"]) == (300, 0.05)
    (route,) = [one for one in told["routes"] if (one["dialect"], one["method"], one["path"]) == ROUTE]
    for quantiles in (route["recent"], route["since_start"]):
        assert quantiles["requests"] == 3
        assert 0 < quantiles["p50"] <= quantiles["p95"] <= quantiles["p99"]
    (whole,) = [one for one in told["dialects"] if one["dialect"] == "hub"]
    assert (whole["method"], whole["path"]) == (None, None)
    assert whole["since_start"]["requests"] == sum(
        one["since_start"]["requests"] for one in told["routes"] if one["dialect"] == "hub"
    )
    assert customer["id"] not in answer.text
