"""Stand-ins for Stripe as processes of their own: the package `localstripe`, and the strict double of ours.

`localstripe` is under the GPL: a tool of these tests, which only ever talk to it through Stripe's own library.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import stripe

from customerhub.sinks.stripe.api import Wire
from tests.support.plain import PLAIN
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_START_SECONDS = 30


@dataclass
class StandIn:
    """A running stand-in; `url` is what an integration names as Stripe's address."""

    process: Process
    url: str

    def pause(self) -> None:
        """Answer nothing until `resume`; whoever connects waits."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        self.process.send_signal(signal.SIGCONT)


@dataclass
class Account:
    """One account at a stand-in, seen through Stripe's own library."""

    stand_in: StandIn
    api_key: str

    @asynccontextmanager
    async def customers(self) -> AsyncIterator[stripe.CustomerService]:
        """The library's customers, on this account."""
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
            yield stripe.StripeClient(
                self.api_key, base_addresses={"api": self.stand_in.url}, http_client=Wire(client)
            ).v1.customers

    async def list_all(self) -> list[dict[str, Any]]:
        """Every customer there is."""
        found = []
        async with self.customers() as customers:
            page = await customers.list_async({"limit": 100})
            while True:
                found += [customer.to_dict() for customer in page.data]
                if not page.has_more:
                    return found
                page = await customers.list_async({"limit": 100, "starting_after": page.data[-1].id})

    async def find(self, customer_id: object) -> list[dict[str, Any]]:
        """Every customer that has this id of the hub's: one, if all is well."""
        return [found for found in await self.list_all() if found["metadata"].get("customerhub_id") == str(customer_id)]

    async def change(self, external_id: str, **values: Any) -> None:  # Any: parameters of many types
        """Do what somebody does at Stripe's own pages."""
        async with self.customers() as customers:
            await customers.update_async(external_id, values)  # type: ignore[arg-type] # parameters by their names

    async def delete(self, external_id: str) -> None:
        """Take a customer away, as somebody does at Stripe's own pages."""
        async with self.customers() as customers:
            await customers.delete_async(external_id)


@dataclass
class DoubleAccount(Account):
    """One account at our own double, which can be asked for more."""

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # Any: decoded JSON
        """A wish beside Stripe's API."""
        async with httpx.AsyncClient(base_url=self.stand_in.url, trust_env=False, verify=PLAIN) as client:
            answer = await client.request(method, f"/_double/{self.api_key}{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    async def befall(self, kind: str, **fault: object) -> None:
        """Let something befall the next requests."""
        await self.ask("POST", "/faults", {"kind": kind, **fault})

    async def requests(self, *operations: str) -> list[dict[str, Any]]:
        """What was asked so far, of some operations or of all."""
        asked: list[dict[str, Any]] = await self.ask("GET", "/requests")
        return [request for request in asked if not operations or request["operation"] in operations]


def find_free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_localstripe(log: Path) -> AsyncIterator[StandIn]:
    """The package, with nothing in it; whatever happens, the process is gone afterwards."""
    port = find_free_port()
    async with _running(log, port, "-m", "localstripe", "--from-scratch", "--port", str(port)) as stand_in:
        yield stand_in


@asynccontextmanager
async def running_double(log: Path) -> AsyncIterator[StandIn]:
    """Our own strict double, without accounts; whatever happens, the process is gone afterwards."""
    port = find_free_port()
    async with _running(log, port, "-m", "tests.support.stripe_double", str(port)) as stand_in:
        yield stand_in


@asynccontextmanager
async def _running(log: Path, port: int, *arguments: str) -> AsyncIterator[StandIn]:
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    stand_in = StandIn(process, f"http://127.0.0.1:{port}")

    async def answers() -> bool:
        assert process.returncode is None, f"the stand-in ended: see {log}"
        try:
            async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
                return (await client.get(f"{stand_in.url}/v1/customers")).status_code == 401
        except httpx.HTTPError:
            return False

    try:
        await wait_until(answers, "the stand-in answers", _START_SECONDS)
        yield stand_in
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def open_account(double: StandIn, **wishes: object) -> DoubleAccount:
    """A new account at the double."""
    account = DoubleAccount(double, f"sk_test_{uuid4().hex}")
    await account.ask("PUT", "", wishes)
    return account
