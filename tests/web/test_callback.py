"""Where webhooks may lead: to the internet, and not into the network that the hub stands in."""

import asyncio
import socket
from typing import Any

import pytest

from customerhub.web.callback import find_callback_fault

PRIVATE = "must not lead to a private or local address"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "127.0.0.1."),
        *("[::1]", "[::]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[ff02::1]", "[::ffff:127.0.0.1]"),
        *("[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[2001:db8::1]", "[fec0::1]", "[::127.0.0.1]", "[4000::1]"),
        *("localhost", "LOCALHOST", "a.localhost", "printer.local", "db.internal", "localhost."),
    ],
)
async def test_private_addresses_are_found_in_every_spelling(host: str) -> None:
    """Literal addresses in all forms that resolvers read, wrapped ones, and names that are local by definition."""
    assert await find_callback_fault(f"https://{host}/hook", allows_private=False) == PRIVATE
    assert await find_callback_fault(f"https://{host}/hook", allows_private=True) is None


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]"])
async def test_public_addresses_pass(host: str) -> None:
    """Literal ones."""
    assert await find_callback_fault(f"https://{host}:8443/hook", allows_private=False) is None


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["93.184.216.34"], None),
        (["93.184.216.34", "10.0.0.7"], PRIVATE),
        (["::1"], PRIVATE),
        (None, None),
    ],
)
async def test_a_name_is_what_it_leads_to(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str] | None, expected: str | None
) -> None:
    """Each of its addresses must be public; a name that leads nowhere yet passes."""

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        assert (host, port) == ("crm.example", 443)
        if addresses is None:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await find_callback_fault("https://crm.example/hook", allows_private=False) == expected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://crm.example/hook", "must be an https URL"),
        ("ftp://crm.example/hook", "must be an https URL"),
        ("crm.example/hook", "must be an https URL"),
        ("https:///hook", "must be an https URL"),
        ("https://me:you@crm.example/", "must not hold a user name or a password"),
        ("https://crm.example/#here", "must not hold a fragment"),
        ("https://crm.example:0/", "must have a port from 1 to 65535"),
        ("https://crm.example:99999/", "must be a URL"),
        ("https://[::1/", "must be a URL"),
        ("https://crm.example/ä", "must be a URL of printable ASCII characters"),
        ("https://crm.example\\@10.0.0.1/", "must be a URL of printable ASCII characters"),
        ("https://crm.example/\n", "must be a URL of printable ASCII characters"),
    ],
)
async def test_other_urls_say_what_is_wrong(url: str, reason: str) -> None:
    """Whatever the setting says about private addresses."""
    for allows_private in (False, True):
        assert await find_callback_fault(url, allows_private=allows_private) == reason


async def test_plain_http_is_for_those_who_may() -> None:
    """Where it is allowed an http URL passes, and is looked at like any other."""
    for host, allows_private, expected in (
        ("8.8.8.8", False, None),
        ("10.0.0.1", False, PRIVATE),
        ("10.0.0.1", True, None),
    ):
        url = f"http://{host}/hook"
        assert await find_callback_fault(url, allows_private=allows_private, allows_http=True) == expected
    reason = "must be an http or https URL"
    assert await find_callback_fault("ftp://8.8.8.8/", allows_private=True, allows_http=True) == reason
