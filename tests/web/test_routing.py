"""From a path to its operation."""

import pytest

from customerhub.model.error import MethodNotAllowed, NoSuchRoute
from customerhub.web.operation import Operation
from customerhub.web.routing import RouteTable
from tests.web.fake import FakeDialect, show


def route(method: str, path: str, name: str = "") -> Operation:
    """An operation of this method and template."""
    return Operation(method=method, path=path, name=name or f"{method} {path}", summary="", handler=show)


FIRST = FakeDialect(
    (
        route("GET", "/v1/customers"),
        route("POST", "/v1/customers"),
        route("GET", "/v1/customers/{id}"),
        route("PATCH", "/v1/customers/{id}"),
        route("GET", "/v1/customers/find-by-email"),
        route("GET", "/v1/customers/{customer_id}/addresses/{address_id}"),
        route("GET", "/v1/customers/find-by-email/stats"),
    ),
    name="first",
    prefixes=("/v1", "/auth/"),
)
SECOND = FakeDialect((route("GET", "/v1/sales/{id}"),), name="second", prefixes=("/v1/sales",))
TABLE = RouteTable([FIRST, SECOND])


@pytest.mark.parametrize(
    ("method", "path", "template", "parameters"),
    [
        ("GET", "/v1/customers", "GET /v1/customers", {}),
        ("POST", "/v1/customers", "POST /v1/customers", {}),
        ("GET", "/v1/customers/7", "GET /v1/customers/{id}", {"id": "7"}),
        ("HEAD", "/v1/customers/7", "GET /v1/customers/{id}", {"id": "7"}),
        ("GET", "/v1/customers/find-by-email", "GET /v1/customers/find-by-email", {}),
        ("GET", "/v1/customers/find%2Dby-email", "GET /v1/customers/find-by-email", {}),
        ("GET", "/v1/customers/find-by-email/stats", "GET /v1/customers/find-by-email/stats", {}),
        (
            "GET",
            "/v1/customers/find-by-email/addresses/2",
            "GET /v1/customers/{customer_id}/addresses/{address_id}",
            {"customer_id": "find-by-email", "address_id": "2"},
        ),
        ("GET", "/v1/customers/a%2Fb", "GET /v1/customers/{id}", {"id": "a/b"}),
        ("GET", "/v1/customers/%C3%A9%20%25", "GET /v1/customers/{id}", {"id": "é %"}),
        ("GET", "/v1/customers/a+b", "GET /v1/customers/{id}", {"id": "a+b"}),
        ("GET", "/v1/customers/%zz", "GET /v1/customers/{id}", {"id": "%zz"}),
        ("GET", "/v1/sales/9", "GET /v1/sales/{id}", {"id": "9"}),
    ],
)
def test_a_path_finds_its_operation(method: str, path: str, template: str, parameters: dict[str, str]) -> None:
    """Literal segments win over parameters, and parameters arrive decoded."""
    match = TABLE.match(method, path)
    assert (match.operation.name, match.parameters) == (template, parameters)
    assert match.dialect.name == ("second" if path.startswith("/v1/sales") else "first")


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/v1", "/v2/customers", "v1/customers", "/v1/customers/", "/v1/customers/7/", "//v1/customers", "*"),
        *("/v1/customers/7/addresses", "/v1//customers", "/v1/customers//addresses/2", "/v1/Customers"),
        *("/v1/customers/%00", "/v1/customers/%ff", "/v1/customers/\xff", "/v1/customers/\ud800", "/v1/customers%2F7"),
    ],
)
def test_any_other_path_is_no_route(path: str) -> None:
    """A slash too many, another case, or bytes that are no text lead nowhere."""
    with pytest.raises(NoSuchRoute):
        TABLE.match("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/customers", ("GET", "HEAD", "POST")),
        ("HEAD", "/v1/customers/7/addresses/2", None),
        ("PATCH", "/v1/customers/find-by-email", ("GET", "HEAD")),
        ("get", "/v1/customers", ("GET", "HEAD", "POST")),
    ],
)
def test_another_method_is_told_which_there_are(method: str, path: str, allowed: tuple[str, ...] | None) -> None:
    """A path that exists names its methods; HEAD goes with GET."""
    if allowed is None:
        assert TABLE.match(method, path).operation.method == "GET"
        return
    with pytest.raises(MethodNotAllowed) as caught:
        TABLE.match(method, path)
    assert caught.value.allowed == allowed


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1", "first"),
        ("/v1/nothing", "first"),
        ("/v1/sales", "second"),
        ("/v1/sales/x/y", "second"),
        ("/v1/salesman", "first"),
        ("/v10", None),
        ("/auth", "first"),
        ("/auth/token", "first"),
        ("/", None),
    ],
)
def test_the_longest_prefix_owns_a_path(path: str, owner: str | None) -> None:
    """Failures before routing take the shape of the dialect with the longest prefix, by whole segments."""
    found = TABLE.find_owner(path)
    assert (found and found.name) == owner


def test_a_dialect_may_own_everything() -> None:
    """The prefix `/` is every path."""
    everything = RouteTable([FakeDialect(prefixes=("/",)), SECOND])
    assert [found and found.name for found in map(everything.find_owner, ("/", "/x/y", "/v1/sales/1"))] == [
        "fake",
        "fake",
        "second",
    ]


def test_two_operations_of_one_route_are_refused_at_the_start() -> None:
    """Names of parameters do not make two routes of one."""
    with pytest.raises(ValueError, match=r"^GET /v1/customers/\{x\} stands twice: first\.GET .* and third\.again$"):
        RouteTable([FIRST, FakeDialect((route("GET", "/v1/customers/{x}", "again"),), name="third")])


@pytest.mark.parametrize("path", ["v1", "", "/{id", "/id}", "/a{id}", "/{a b}", "/{id}/{id}", "/a%20b", "/{}"])
def test_a_template_that_is_none_is_refused_at_the_start(path: str) -> None:
    """A mistake in a route table does not wait for a request."""
    with pytest.raises(ValueError, match=r"begin with a slash|whole segment|uses a name twice"):
        RouteTable([FakeDialect((route("GET", path),))])


def test_a_long_path_is_no_burden() -> None:
    """A path of many segments ends where the table does."""
    with pytest.raises(NoSuchRoute):
        TABLE.match("GET", "/v1/customers" + "/x" * 30_000)
