"""What counts as a JSON object, and what is said of what does not."""

import json
import math
import time
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customerhub.model.error import Malformed
from customerhub.web.body import MAX_DEPTH, read_json_object


def refusal(raw: bytes) -> str:
    """The reason for which a body is refused."""
    with pytest.raises(Malformed) as caught:
        read_json_object(raw)
    return caught.value.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "a JSON object is required"),
        (b" \r\n\t", "a JSON object is required"),
        (b"\xef\xbb\xbf", "a JSON object is required"),
        (b"[]", "a JSON object is required"),
        (b'"text"', "a JSON object is required"),
        (b"null", "a JSON object is required"),
        (b"12", "a JSON object is required"),
        (b'{"a": 1', "the body is not JSON at line 1, column 8"),
        (b'{"a": 1,}', None),
        (b'{\n "a": tru}', "the body is not JSON at line 2, column 7"),
        (b'{"a": 1} {}', "the body is not JSON at line 1, column 10"),
        (b"{'a': 1}", "the body is not JSON at line 1, column 2"),
        (b'{"a": 01}', None),
        (b'{"a": "\x01"}', "the body is not JSON at line 1, column 8"),
        (b'{"a": "\xff"}', "the body is not UTF-8 at byte 8"),
        (b'{"a": "\xed\xa0\x80"}', "the body is not UTF-8 at byte 8"),
        ('{"a": 1}'.encode("utf-16"), "the body is not UTF-8 at byte 1"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e400}', "a number is too large"),
        (b'{"a": ' + b"9" * 4301 + b"}", "a number has too many digits"),
        (b'{"a": 1, "a": 1}', 'the member "a" comes twice'),
        (b'{"a": 1, "\\u0061": 2}', 'the member "a" comes twice'),
        (b'{"a": [0, {"b" : 1, "c": 2, "b"\n: 3}]}', 'the member "b" comes twice in a[1]'),
        (b'{"t": ":", "a": {"x": 1, "x": 2}}', 'the member "x" comes twice in a'),
        (b'{"a\\"": 1, "a\\"": 2}', 'the member "a"" comes twice'),
        (b'{"a": "x\\u0000y"}', "a NUL character in a"),
        (b'{"a": [{"b\\u0000": 1}]}', "a NUL character in a[0].b\ufffd"),
        (b'{"a": "\\ud800"}', "a lone surrogate in a"),
        (b'{"a": "\\udc00\\ud800"}', "a lone surrogate in a"),
        (b'{"a": [1, {"\\udead": 1}]}', "a lone surrogate in a[1].\ufffd"),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(raw: bytes, reason: str | None) -> None:
    """A body that is not one JSON object, read the same way by everybody, is refused with the reason and the place."""
    found = refusal(raw)
    if reason is None:
        # Where a comma or a zero is too much, versions of Python differ by one column.
        assert found.startswith("the body is not JSON at line 1, column ")
    else:
        assert found == reason


def test_a_long_name_is_cut_short_in_the_reason() -> None:
    """The reason does not repeat whatever length of text the client sent."""
    name = "n" * 100_000
    assert refusal(f'{{"{name}": 1, "{name}": 2}}'.encode()) == f'the member "{"n" * 40}…" comes twice'


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b' \t\r\n{"a": 1} \t\r\n', {"a": 1}),
        (b'{"a": ""}', {"a": ""}),
        (b'{"": {"": 1}}', {"": {"": 1}}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a": ":", "b": "\\":", "c": " :"}', {"a": ":", "b": '":', "c": " :"}),
        (b'{"a": "2025-01-01T00:00:00Z", "b": "http://x/"}', {"a": "2025-01-01T00:00:00Z", "b": "http://x/"}),
        (b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}', {"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}),
        (b'{"a": 18446744073709551616}', {"a": 18446744073709551616}),
        (b'{"a": 1' + b"0" * 400 + b"}", {"a": 10**400}),
        (b'{"a": 12345678901234567.25}', {"a": 12345678901234567.25}),
        (b'{"a": "\x7f"}', {"a": "\x7f"}),
    ],
)
def test_what_is_an_object_is_read_exactly(raw: bytes, value: dict[str, object]) -> None:
    """Everything that JSON can say is read as it was said."""
    assert read_json_object(raw) == value


def test_integers_stay_integers_and_others_floats() -> None:
    """1, 1.0 and true are three things."""
    assert repr(read_json_object(b'{"a": [1, 1.0, true, -0.0, 1e2]}')) == "{'a': [1, 1.0, True, -0.0, 100.0]}"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_allowed_up_to_the_limit_and_not_beyond(opening: bytes, closing: bytes) -> None:
    """64 levels are read, 65 are refused."""

    def nest(levels: int) -> bytes:
        return b'{"a":' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"

    assert read_json_object(nest(MAX_DEPTH)) == json.loads(nest(MAX_DEPTH))
    assert refusal(nest(MAX_DEPTH + 1)) == "the body is nested deeper than 64 levels"


@pytest.mark.parametrize("levels", [1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("end", [b"1", b'"\\ud800"', b"NaN", b""])
def test_great_depth_costs_nothing(levels: int, opening: bytes, closing: bytes, end: bytes) -> None:
    """A body of a thousand or a hundred thousand levels is refused at once, whatever stands at its bottom."""
    raw = b'{"a":' + opening * levels + end + closing * levels + b"}"
    started = time.perf_counter()
    assert "nested deeper than 64 levels" in refusal(raw) or end != b"1"
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": ' + b"9" * 1_000_000 + b"}",
        b'{"a": 1e' + b"9" * 1_000_000 + b"}",
        b'{"a": [' + b"9" * 4300 + b",9" * 200_000 + b"]}",
        b'{"a": [' + b'":",' * 200_000 + b"1]}",
        b'{"a": [' + b"{}," * 200_000 + b"1]}",
        b'{"a": ' + b"[" * 60 + b"1," * 400_000 + b'"\\u0000"' + b"]" * 60 + b"}",
        b'{"a": "' + b"\\ud800" * 150_000 + b'"}',
        b'"' * 1_000_000,
        b" " * 1_000_000,
    ],
)
def test_no_body_of_a_megabyte_is_slow(raw: bytes) -> None:
    """Whatever a megabyte holds, it is read or refused within a second."""
    started = time.perf_counter()
    with suppress(Malformed):
        read_json_object(raw)
    assert time.perf_counter() - started < 1


TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
LAYOUTS: Final = st.sampled_from(
    [
        {},
        {"ensure_ascii": False},
        {"indent": 1},
        {"separators": (",", ":")},
        {"separators": (" ,\n", "\t:\r")},
    ]
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), LAYOUTS)
@example({":": ":", '"': '":', "a": " :"}, {})
def test_every_object_comes_back_as_it_was_written(value: dict[str, object], layout: dict[str, object]) -> None:
    """However an object is laid out, it is read as the standard library reads it, types included."""
    raw = json.dumps(value, **layout).encode()  # type: ignore[arg-type]  # the layouts are arguments of dumps
    assert repr(read_json_object(raw)) == repr(json.loads(raw))


PIECES: Final = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            "\\",
            " ",
            "\n",
            '""',
            '"a"',
            '"b"',
            '"a":',
            '"b" :',
            '":"',
            '"a\\""',
            '"\\\\"',
        ),
        *(
            "\\u0000",
            '"\\u0000"',
            '"\\ud800"',
            '"\\ud83d\\ude00"',
            '"\\u003a"',
            '"\\u0061":',
            "\0",
            "\x01",
            "\ufeff",
            "é",
        ),
        *("1", "-", "0", ".", "e", "1e999", "-0.0", "9" * 30, "true", "null", "NaN", "-Infinity", "tru", "//"),
    ]
)


def is_good(raw: bytes) -> bool:
    """The same rules again, written for plainness: the standard library reads the body, and none of ours bars it."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def refuse(_: str) -> float:
        raise AssertionError

    def finite(text: str) -> float:
        assert math.isfinite(float(text))
        return float(text)

    def depth(item: object) -> int:
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=once, parse_constant=refuse, parse_float=finite)
        json.dumps(value, ensure_ascii=False).encode()
    except (AssertionError, ValueError):
        return False
    return (
        isinstance(value, dict) and depth(value) <= MAX_DEPTH and "\\u0000" not in json.dumps(value).replace("\\\\", "")
    )


@given(
    st.lists(PIECES).map("".join).map(lambda text: f'{{"x": {text}}}'.encode())
    | st.lists(PIECES).map("".join).map(str.encode)
)
@example(b'{"a":1,"a" :2}')
@example(b'{"a":":","b":1,"b":2}')
def test_what_is_refused_is_what_the_rules_bar(raw: bytes) -> None:
    """A body is refused exactly where the standard library, or one of our rules applied to its reading, refuses it."""
    try:
        value = read_json_object(raw)
    except Malformed:
        assert not is_good(raw)
    else:
        assert is_good(raw)
        assert repr(value) == repr(json.loads(raw.decode("utf-8-sig")))


@given(st.binary() | st.binary().map(lambda inner: b'{"a":"' + inner + b'"}'))
def test_no_input_raises_anything_else(raw: bytes) -> None:
    """Any bytes at all are an object or Malformed."""
    with suppress(Malformed):
        assert type(read_json_object(raw)) is dict
