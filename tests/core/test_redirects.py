"""Where partners may send people back to."""

import pytest

from customerhub.core.redirects import add_query, find_target, is_registered, to_origin

REGISTERED = ("https://crm.example/count/cb", "http://localhost:7777", "https://app.example:8443/a/")


@pytest.mark.parametrize(
    "uri",
    [
        "https://crm.example/count/cb",
        "https://CRM.example:443/count/cb",
        "https://crm.example/count/cb/",
        "https://crm.example/count/cb/deep/er",
        "http://localhost:7777",
        "http://localhost:7777/any/where",
        "https://app.example:8443/a",
        "https://app.example:8443/a/b%20c",
    ],
)
def test_what_is_registered_and_what_lies_under_it_is_allowed(uri: str) -> None:
    """The very address, or more segments of its path, with the same scheme, host and port."""
    assert is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "http://crm.example/count/cb",
        "https://crm.example:8443/count/cb",
        "https://crm.example.evil.example/count/cb",
        "https://evil.example/count/cb",
        "https://crm.example/count/cbx",
        "https://crm.example/count",
        "https://crm.example/Count/cb",
        "https://crm.example",
        "https://user@crm.example/count/cb",
        "https://evil.example@crm.example/count/cb",
        "https://crm.example@evil.example/count/cb",
        "https://crm.example/count/cb?next=1",
        "https://crm.example/count/cb?",
        "https://crm.example/count/cb#part",
        "https://crm.example/count/cb/../../x",
        "https://crm.example/count/cb/./x",
        "https://crm.example/count/cb/%2e%2e/x",
        "https://crm.example/count/cb/%2E./x",
        "https://crm.example/count/cb/..%2fx",
        "https://crm.example/count/cb/%252e%252e/x",
        "https://crm.example/count/cb\\..\\x",
        "https://crm.example/count/cb/%5c..%5cx",
        "https://crm.example/count/cb\t",
        "https://crm.example/count/cb\r\nset-cookie: a",
        " https://crm.example/count/cb",
        "https://crm.exämple/count/cb",
        "https://crm.example:port/count/cb",
        "https://crm.example:/count/cb",
        "https:///count/cb",
        "https:crm.example/count/cb",
        "//crm.example/count/cb",
        "javascript://crm.example/count/cb",
        "custom:/count/cb",
        "http://localhost",
        "http://[::1",
        "",
    ],
)
def test_everything_else_is_refused(uri: str) -> None:
    """Another place, a place that a browser or a server could read as another, and what is no address."""
    assert not is_registered(uri, REGISTERED)


def test_a_client_without_addresses_has_nowhere_to_send_people() -> None:
    """Nothing registered allows nothing, and what could not be registered allows nothing either."""
    assert not is_registered("https://crm.example/", ())
    assert not is_registered("https://crm.example/x?y", ("https://crm.example/x?y",))
    assert find_target("https://crm.example/" + "a" * 2000) is None


def test_what_partners_are_told_is_encoded() -> None:
    """No value can end the query or add to it."""
    told = add_query("https://crm.example/cb", code="a&b", state="c=d #e\r\n")
    assert told == "https://crm.example/cb?code=a%26b&state=c%3Dd+%23e%0D%0A"
    assert to_origin("https://app.example:8443/a/b") == "https://app.example:8443"
