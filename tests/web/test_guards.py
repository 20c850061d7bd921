"""The headers that guard a write, read to the letter."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from customerhub.model.answer import Guards, IfMatch
from customerhub.model.error import InvalidHeader
from customerhub.web.guards import etag, ignored_header, read_guards, to_fingerprint


def read(*headers: tuple[str, str], takes_key: bool = True) -> Guards:
    """The guards of a request with these header lines."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return read_guards(Headers(raw=raw), "PATCH", "/x", "", b"{}", takes_key=takes_key)


def key_of(*lines: str) -> str:
    """The idempotency key that these header lines name."""
    key = read(*(("Idempotency-Key", line) for line in lines)).key
    assert key is not None
    return key.key


def test_a_write_without_guards_is_unguarded() -> None:
    """No header, no guard."""
    assert read(("content-type", "application/json")) == Guards()


@pytest.mark.parametrize(
    ("lines", "versions"),
    [
        (['"12"'], {12}),
        (['  "12"\t'], {12}),
        (['"1", "2","3"'], {1, 2, 3}),
        (['"1"', '"2"'], {1, 2}),
        (['"1",, ,"2",'], {1, 2}),
        (['"1"', ""], {1}),
        (['W/"12"'], set()),
        (['W/"12", "13"'], {13}),
        (['"abc"'], set()),
        (['"a,b", "7"'], {7}),
        (['""'], set()),
        (['"012"'], set()),
        (['"0"'], set()),
        (['"+1"'], set()),
        (['"1 2"'], None),
        (['"\xb2"'], set()),
        (['"9223372036854775807"'], {9223372036854775807}),
        (['"' + "9" * 40 + '"'], set()),
    ],
)
def test_if_match_names_versions(lines: Sequence[str], versions: set[int] | None) -> None:
    """Strong tags of digits alone name versions; weak tags match nothing, and foreign tags name nothing of ours."""
    headers = [("If-Match", line) for line in lines]
    if versions is None:
        with pytest.raises(InvalidHeader):
            read(*headers)
    else:
        assert read(*headers).if_match == IfMatch(frozenset(versions))


@pytest.mark.parametrize("text", ["*", " * ", "\t*"])
def test_a_star_is_any_version(text: str) -> None:
    """`*` asks only that there is a record."""
    assert read(("If-Match", text)).if_match == IfMatch(any_version=True)


@pytest.mark.parametrize(
    "lines",
    [
        ["\n"],
        ['"1"\n'],
        ["12"],
        ['"12'],
        ['12"'],
        ['"1" "2"'],
        ['"1";"2"'],
        ["*, *"],
        ['*, "1"'],
        ["*", '"1"'],
        ['w/"1"'],
        ['W/ "1"'],
        [""],
        [" , "],
        ['"a"b"'],
    ],
)
def test_a_broken_if_match_is_refused(lines: Sequence[str]) -> None:
    """What cannot be read as tags is refused, since ignoring it would write unguarded."""
    with pytest.raises(InvalidHeader) as caught:
        read(*(("If-Match", line) for line in lines))
    assert caught.value.name == "If-Match"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ("  abc\t", "abc"),
        ('" abc "', " abc "),
        ("a b", "a b"),
        ("a,b;c=d", "a,b;c=d"),
        ('"a\\"b\\\\c"', 'a"b\\c'),
        ('a"b', 'a"b'),
        ("a\\b", "a\\b"),
        ("~!", "~!"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ],
)
def test_a_key_is_one_key_bare_or_quoted(line: str, key: str) -> None:
    """The quotes of a structured field are no part of the key."""
    assert key_of(line) == key


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ['""'],
        ["   "],
        ["x" * 256],
        ['"' + "x" * 256 + '"'],
        ["é"],
        ['"é"'],
        ["a\tb"],
        ['"a'],
        ['"a"b"'],
        ['"a\\b"'],
        ['"a";q=1'],
        ["a", "a"],
    ],
)
def test_a_broken_key_is_refused(lines: Sequence[str]) -> None:
    """Empty, too long, not printable ASCII, half quoted or sent twice: refused, since the retry would not find it."""
    with pytest.raises(InvalidHeader) as caught:
        key_of(*lines)
    assert caught.value.name == "Idempotency-Key"


def test_a_route_may_ignore_the_key() -> None:
    """Where the contract gives the header no effect, not even a broken one has any."""
    assert read(("Idempotency-Key", "abc"), takes_key=False) == Guards()
    assert read(("Idempotency-Key", ""), takes_key=False) == Guards()


@pytest.mark.parametrize(("text", "dry_run"), [("true", True), ("TRUE", True), (" False ", False)])
def test_a_dry_run_is_true_or_false(text: str, *, dry_run: bool) -> None:
    """Either word, in any case."""
    assert read(("Customerhub-Dry-Run", text)).dry_run is dry_run


@pytest.mark.parametrize("lines", [["yes"], ["1"], [""], ["true, true"], ["true", "true"], ["true", "false"]])
def test_any_other_dry_run_is_refused(lines: Sequence[str]) -> None:
    """A misspelt wish to only try must not become a write."""
    with pytest.raises(InvalidHeader) as caught:
        read(*(("Customerhub-Dry-Run", line) for line in lines))
    assert caught.value.name == "Customerhub-Dry-Run"


@given(st.integers(1, 2**63 - 1))
def test_a_tag_comes_back_as_its_version(version: int) -> None:
    """What ETag says, If-Match means."""
    assert read(("If-Match", etag(version))).if_match == IfMatch(frozenset([version]))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
@example('"')
@example("\\")
def test_every_printable_key_can_be_sent_quoted(key: str) -> None:
    """Quoted as a structured field, every printable key arrives as it is; bare, unless it looks quoted or padded."""
    assert key_of('"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"') == key
    assume(not key.startswith('"') and key.strip() == key)
    assert key_of(key) == key


LINES: Final = st.text(st.characters(max_codepoint=0xFF), max_size=20) | st.lists(
    st.sampled_from(["W/", '"', "*", ",", " ", "1", "a", "\\", "\t", "\n", "\xff", "true"])
).map("".join)


@given(
    headers=st.lists(st.tuples(st.sampled_from(["if-match", "idempotency-key", "customerhub-dry-run"]), LINES)),
    takes_key=st.booleans(),
)
def test_no_header_raises_anything_else(headers: list[tuple[str, str]], *, takes_key: bool) -> None:
    """Whatever the lines hold, they are guards or InvalidHeader."""
    with suppress(InvalidHeader):
        assert isinstance(read(*headers, takes_key=takes_key), Guards)


def test_the_fingerprint_tells_requests_apart() -> None:
    """Another method, path, query or body is another request, also where the same bytes are cut elsewhere."""
    requests = [
        ("PATCH", "/x", "", b"{}"),
        ("PUT", "/x", "", b"{}"),
        ("PATCH", "/x/", "", b"{}"),
        ("PATCH", "/x", "a=1", b"{}"),
        ("PATCH", "/x", "a=1&a=2", b"{}"),
        ("PATCH", "/x", "a=2&a=1", b"{}"),
        ("PATCH", "/x", "a=", b"{}"),
        ("PATCH", "/x", "a=1%26b%3D2", b"{}"),
        ("PATCH", "/x", "a=1&b=2", b"{}"),
        ("PATCH", "/x", "", b"{} "),
        ("PATC", "H/x", "", b"{}"),
    ]
    fingerprints = [to_fingerprint(*request) for request in requests]
    assert len(set(fingerprints)) == len(requests)
    assert {len(fingerprint) for fingerprint in fingerprints} == {32}


def test_the_fingerprint_does_not_see_the_order_of_the_query() -> None:
    """A client that writes its parameters in another order, or encodes them otherwise, sends the same request."""
    assert to_fingerprint("PATCH", "/x", "a=1&b=%41", b"") == to_fingerprint("PATCH", "/x", "b=A&a=1", b"")


@given(st.text(), st.text(), st.text(), st.binary())
def test_every_request_has_a_fingerprint(method: str, path: str, query: str, body: bytes) -> None:
    """The same request has the same one, whatever is in it."""
    assert to_fingerprint(method, path, query, body) == to_fingerprint(method, path, query, body)


def test_ignored_paths_are_listed_in_their_order_once() -> None:
    """What the contract ignores is named as it was met."""
    assert ignored_header([]) is None
    assert ignored_header(["status", "addresses[0].id", "status"]) == "status, addresses[0].id"


def test_ignored_names_cannot_break_the_header() -> None:
    """A client may name its members as it likes: nothing of that gets out of the header or looks like two names."""
    assert ignored_header(["a\r\nset-cookie: x", "b, c", "+1 more", "é", "\ud800", "100%"]) == (
        "a%0D%0Aset-cookie%3A%20x, b%2C%20c, %2B1%20more, %C3%A9, %ED%A0%80, 100%25"
    )


def test_many_ignored_names_are_counted() -> None:
    """After about a kilobyte the rest is a number."""
    value = ignored_header([f"member{number:03}" for number in range(200)])
    assert value is not None
    assert value.startswith("member000, member001, ")
    assert value.endswith(", member091, member092, +107 more")
    assert ignored_header(["x" * 5000]) == "+1 more"


@given(st.lists(st.text()))
def test_ignored_names_can_be_read_back(paths: list[str]) -> None:
    """Every name that is shown comes back exactly; those that are not shown are counted; the value stays short."""
    value = ignored_header(paths)
    if value is None:
        assert paths == []
        return
    assert value.isascii()
    assert value.isprintable()
    assert len(value) <= 1100
    distinct = list(dict.fromkeys(paths))
    parts = value.split(", ")
    more = int(parts.pop().removeprefix("+").removesuffix(" more")) if parts[-1].startswith("+") else 0
    shown = [unquote(part, errors="surrogatepass") if part != '""' else "" for part in parts]
    assert shown == distinct[: len(shown)]
    assert len(shown) + more == len(distinct)
