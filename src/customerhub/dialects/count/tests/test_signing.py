"""Signatures: every published way of signing is taken, and nothing that leaves a body unsigned."""

import hashlib
import hmac
import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.dialects.count.signing import find_distance, is_signed_by, rewrite, to_base_strings

SECRET = "cs_test_5b0e7d1f4a2c49d8b6e3a9170c8f2d64"
SECONDS = "1795294800"
ONE = "/partners/customers/b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16"
ALL = "/partners/customers"
OBJECT = {
    "customer": "Zoë's Bakery Ltd",
    "email": "accounts@zoes-bakery.example",
    "mainPhone": None,
    "billingAddress": {
        "street": "12 Mill Lane",
        "city": "Leeds",
        "state": "West Yorkshire",
        "zipCode": "LS1 4AP",
        "country": "GB",
    },
}
COMPACT = json.dumps(OBJECT, ensure_ascii=False, separators=(",", ":")).encode()
SPACED = json.dumps(OBJECT).encode()

A = "090038aebf4f732de8c61c69d71b922f198dc5c073986c5c1730b240ba14d475"
VECTORS = {
    "A, compact, seconds": ("PUT", ONE, SECONDS, COMPACT, A),
    "A's signature on F's bytes": ("PUT", ONE, SECONDS, SPACED, A),
    "B, milliseconds": (
        *("PUT", ONE, "1795294800417", COMPACT),
        "bbd815a906591f1010c459c38d973c007e2abd9f4518f35410865956fc22e758",
    ),
    "C, list": ("GET", ALL, SECONDS, b"", "ab8de20ae5ce776ec71687d70592be16dbbc816ac033f6e6ac8ef9c469fbe74f"),
    "C2, get": ("GET", ONE, SECONDS, b"", "b761f2d2f2c53b3c9d4eb1abad422a8ce0dcd69b1f6df54c51b55b3a275121c7"),
    "C3, find by email": (
        *("GET", f"{ALL}/find-by-email", SECONDS, b""),
        "6efe6fa694c5b4816b799b56e376949f65a4eadba7dbe18bedd90a7b41dc75e7",
    ),
    "D, delete": ("DELETE", ONE, SECONDS, b"", "0ff68993208314fc32ebd9cdba9dedd7b4805f426cfd9f266b37ba978c06c697"),
    "E1, empty POST without a hash": (
        *("POST", ALL, SECONDS, b""),
        "e313675b3c829492f93538e44a37ae1b72da85b0d8c8e387b05be62857289588",
    ),
    "E1 on an empty object": (
        *("POST", ALL, SECONDS, b"{}"),
        "e313675b3c829492f93538e44a37ae1b72da85b0d8c8e387b05be62857289588",
    ),
    "E2, empty POST with the hash of {}": (
        *("POST", ALL, SECONDS, b""),
        "0599ad955a968841a9cc8ab18fc8dbf4c74d42001be652cf46374ad74b39fb16",
    ),
    "E2 on an empty object": (
        *("POST", ALL, SECONDS, b"{}"),
        "0599ad955a968841a9cc8ab18fc8dbf4c74d42001be652cf46374ad74b39fb16",
    ),
    "F, spaced, escaped": (
        *("PUT", ONE, SECONDS, SPACED),
        "95a7348d38f5675b2fab05fddfe50778dc93a9bb8232c41d10b5682f13392e73",
    ),
    "H, with the mount": (
        *("PUT", ONE, SECONDS, COMPACT),
        "6300d7b6e265401248087fa02eff8bc7f30d61d88a1c5c8dc717177f5721c8a3",
    ),
    "grant": (
        *("POST", "/partners/grant-access-token", SECONDS),
        b'{"grantType":"authorization_code","code":"ac_9f27c1d04b"}',
        "7b460c638dcb1ae47f09c20756bc28276d7506bab8b2fbe8df83532bdc95b782",
    ),
    "refresh": (
        *("POST", "/partners/refresh-user-access-token", SECONDS),
        b'{"grantType":"refresh_token","refreshToken":"rt_4b81e6c2f0"}',
        "da39b27b6d6a60c59a7e296caf930df037f68fac13fb1a04e08e573773aa8dd8",
    ),
}


def sign(base: str) -> str:
    """The signature of a base string."""
    return hmac.new(SECRET.encode(), base.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("method", "path", "timestamp", "body", "signature"), VECTORS.values(), ids=VECTORS)
def test_every_published_way_of_signing_is_taken(
    method: str, path: str, timestamp: str, body: bytes, signature: str
) -> None:
    """The known vectors verify, whichever of the vendor's clients they come from."""
    assert is_signed_by(SECRET, signature, to_base_strings(method, path, timestamp, body))


def test_sorted_keys_are_refused() -> None:
    """Vector G: a signature over sorted keys is not one over the body that was sent."""
    signature = "cb86b53236426c7bf006b47909d0c1e0ea5426aab4db1360719df17a0f750fc3"
    assert not is_signed_by(SECRET, signature, to_base_strings("PUT", ONE, SECONDS, COMPACT))
    assert not is_signed_by(SECRET, signature, to_base_strings("PUT", ONE, SECONDS, SPACED))


@pytest.mark.parametrize(
    ("method", "path", "timestamp", "body"),
    [
        ("PATCH", ONE, SECONDS, COMPACT),
        ("PUT", f"{ONE}/", SECONDS, COMPACT),
        ("PUT", f"/partners{ONE}", SECONDS, COMPACT),
        ("PUT", ONE, "1795294801", COMPACT),
        ("PUT", ONE, SECONDS, COMPACT.replace(b"Leeds", b"leeds")),
        ("PUT", ONE, SECONDS, COMPACT[:-1]),
        ("PUT", ONE, SECONDS, b""),
        ("PUT", ONE, SECONDS, b"{}"),
    ],
)
def test_a_signature_covers_method_path_time_and_body(method: str, path: str, timestamp: str, body: bytes) -> None:
    """Whatever of them is changed by one character, vector A is no longer its signature."""
    assert not is_signed_by(SECRET, A, to_base_strings(method, path, timestamp, body))


@pytest.mark.parametrize("signature", ["", A.upper(), A[:-1], A + "0", "é" * 64, " " + A])
def test_only_the_very_text_is_a_signature(signature: str) -> None:
    """Lower-case hexadecimal, whole, and nothing around it."""
    assert not is_signed_by(SECRET, signature, to_base_strings("PUT", ONE, SECONDS, COMPACT))
    assert not is_signed_by("another secret", A, to_base_strings("PUT", ONE, SECONDS, COMPACT))


@pytest.mark.parametrize("body", [b"[]", b"0", b'{"a":1}', b"no json", b" ", b"\xff", b"null", b"\x00"])
def test_a_body_that_says_something_is_never_unsigned(body: bytes) -> None:
    """Neither the empty hash nor that of `{}` stands for a body that is not empty."""
    bases = to_base_strings("POST", ALL, SECONDS, body)
    empty = hashlib.sha256(b"{}").hexdigest()
    assert [base for base in bases if base.endswith((":", empty))] == []


def test_the_candidates_are_few() -> None:
    """Two paths by two hashes, three where there is no body; no path outside the mount is cut."""
    assert len(to_base_strings("PUT", ONE, SECONDS, SPACED)) == 4
    assert len(to_base_strings("POST", ALL, SECONDS, b"")) == 6
    assert to_base_strings("GET", "/partnership/x", SECONDS, b"") == ["GET:/partnership/x:1795294800:"]
    assert to_base_strings("GET", "/partners", SECONDS, b"") == ["GET:/partners:1795294800:"]


@pytest.mark.parametrize(
    ("timestamp", "distance"),
    [
        ("1795294800", 0),
        ("1795294800417", 0.417),
        ("1795294500", 300),
        ("1795295100000", 300),
        ("179529480", None),
        ("17952948000", None),
        ("1795294800.0", None),
        ("-795294800", None),
        ("١٧٩٥٢٩٤٨٠٠", None),
        (" 1795294800", None),
        ("", None),
    ],
)
def test_timestamps_are_seconds_or_milliseconds(timestamp: str, distance: float | None) -> None:
    """Ten digits are seconds, thirteen milliseconds, and nothing else is a time."""
    found = find_distance(timestamp, datetime.fromtimestamp(1795294800, UTC))
    assert found == (None if distance is None else pytest.approx(distance, abs=1e-3))


REWRITTEN = {
    b'{"b": 1.0, "10": 2, "2": 3, "01": 4, "-1": 5}': b'{"2":3,"10":2,"b":1,"01":4,"-1":5}',
    b'{"4294967294":1,"4294967295":2,"a":3,"0":4}': b'{"0":4,"4294967294":1,"4294967295":2,"a":3}',
    b"[1e21, 1e20, 123456789012345678901234, 0.000001, 1e-7, 1.5e-10, -0, -1.50, 5e-324, 1e999, 9007199254740993]": (
        b"[1e+21,100000000000000000000,1.2345678901234569e+23,0.000001,1e-7,1.5e-10,0,-1.5,5e-324,null,9007199254740992]"
    ),
    rb'["\u00eb\/\u2028\u007f\b\u001f\ud83d\ude00\ud800", "\"\\"]': (
        '["ë/\u2028\x7f\\b\\u001f😀\\ud800","\\"\\\\"]'.encode()
    ),
    b'{"a":1,"b":2,"a":3}': b'{"a":3,"b":2}',
    b'\xef\xbb\xbf{ "a" : [ true , false , null ] }\n': b'{"a":[true,false,null]}',
}


@pytest.mark.parametrize(("body", "written"), REWRITTEN.items())
def test_bodies_are_written_again_as_javascript_does(body: bytes, written: bytes) -> None:
    """Order of members, numbers and escapes are those of `JSON.stringify`."""
    assert rewrite(body) == written


@pytest.mark.parametrize("body", [b"", b"NaN", b"[Infinity]", b"{'a':1}", b"\xff", b"[" * 200_000, b'{"a":1}x'])
def test_what_is_no_json_is_not_written_again(body: bytes) -> None:
    """There is then only the body as sent."""
    assert rewrite(body) is None


@given(st.binary() | st.text().map(str.encode) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0).map(str), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_can_be_looked_at(body: bytes) -> None:
    """No body is a fault, and writing twice is writing once."""
    written = rewrite(body)
    assert written is None or rewrite(written) == written
    assert to_base_strings("POST", ALL, SECONDS, body)


@pytest.mark.skipif(shutil.which("node") is None, reason="compares with a JavaScript engine where there is one")
def test_a_javascript_engine_writes_the_same() -> None:
    """Numbers of all sizes, odd names and odd characters come out as Node writes them."""
    numbers = [sign * mantissa * 10.0**exponent for sign in (1, -1) for mantissa in (1, 1.5, 1.2345678901234567, 9.99)
               for exponent in range(-30, 31)]  # fmt: skip
    names = dict.fromkeys(("b", "4294967295", "4294967294", "7", "07", "1.5", "-0", "a", "0", "__proto__"), 1)
    texts = ["".join(map(chr, range(256))), "\u2028\u2029\ufeff\U0001f600\ud800\udc00\udfff"]
    body = json.dumps([numbers, names, texts])
    program = (
        "let s='';process.stdin.on('data',d=>s+=d).on('end',()=>process.stdout.write(JSON.stringify(JSON.parse(s))))"
    )
    done = subprocess.run(["node", "-e", program], input=body.encode(), capture_output=True, check=True)
    assert rewrite(body.encode()) == done.stdout
