"""A request's body as JSON, read strictly."""

import json
from collections.abc import Callable
from math import isinf
from typing import Final

import msgspec

from customerhub.model.error import FieldError, Malformed, Path

MAX_DEPTH: Final = 64

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_WHITESPACE: Final = b" \t\r\n"
_NO_OBJECT: Final = "a JSON object is required"
_NO_ARRAY: Final = "a JSON array is required"
_TOO_DEEP: Final = f"the body is nested deeper than {MAX_DEPTH} levels"

_decode = msgspec.json.Decoder().decode


def read_json_object(raw: bytes) -> dict[str, object]:
    """The body as a JSON object (RFC 8259), every integer exact, every other number the nearest double.

    Stricter than the RFC, since each of these would be read differently by somebody or could not be stored: no member
    twice in an object, at most 64 levels, no NUL, no lone surrogate, no NaN. A byte order mark at the start is
    skipped (RFC 8259, 8.1, allows that). Raises Malformed, whose reason names the place.
    """
    value = _read(raw, _NO_OBJECT)
    if type(value) is not dict:
        raise Malformed(_NO_OBJECT)
    return value


def read_json_array(raw: bytes) -> list[object]:
    """The body as a JSON array, as strictly."""
    value = _read(raw, _NO_ARRAY)
    if type(value) is not list:
        raise Malformed(_NO_ARRAY)
    return value


def _read(raw: bytes, needed: str) -> object:
    if raw.startswith(_BYTE_ORDER_MARK):
        raw = raw[3:]
    try:
        value = _decode(raw)
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed(_explain(raw, needed)) from None
    if type(value) is not dict and type(value) is not list:
        raise Malformed(needed)
    members = _count_members(value)
    # Both counts include every member, so equality proves that none came twice; a colon inside a text can only make
    # them larger, and then the slow reading decides.
    if raw.count(b":") != members and raw.translate(None, _WHITESPACE).count(b'":') != members:
        _check_members_once(raw)
    if b"\\" in raw and b"\\u0000" in raw:
        _check(value, _judge_nul)
    return value


def _count_members(root: object) -> int:
    """How many members all objects have together; raises Malformed where they nest too deeply."""
    members = 0
    level = [root]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for container in level:
            if type(container) is dict:
                members += len(container)
                items = container.values()
            else:
                items = container  # type: ignore[assignment]  # what is no dict in here is a list
            for item in items:
                kind = type(item)
                if kind is dict or kind is list:
                    below.append(item)
        if not below:
            return members
        level = below
    raise Malformed(_TOO_DEEP)


class _Repeated:
    """Stands in the slow reading for an object in which `key` came twice."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


def _check_members_once(raw: bytes) -> None:
    repeated: list[_Repeated] = []

    def to_object(pairs: list[tuple[str, object]]) -> object:
        members: dict[str, object] = {}
        for key, item in pairs:
            if key in members:
                repeated.append(_Repeated(key))
                return repeated[-1]
            members[key] = item
        return members

    root = json.loads(raw.decode(), object_pairs_hook=to_object)
    if repeated:
        _check(root, _judge_repeated)


def _explain(raw: bytes, needed: str) -> str:
    """Why the fast reading refused the body, found by a slow one."""
    if not raw.strip(_WHITESPACE):
        return needed
    try:
        root = _slow_decode(raw.decode())
    except UnicodeDecodeError as error:
        return f"the body is not UTF-8 at byte {error.start + 1}"
    except json.JSONDecodeError as error:
        return f"the body is not JSON at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:  # without a name of ours it is Python's refusal of more than 4300 digits
        return str(error) if isinstance(error, _NumberError) else "a number has too many digits"
    if isinstance(root, dict | list):
        _count_members(root)
    _check(root, _judge_surrogate)
    return "a number is too large"


class _NumberError(ValueError):
    """A number that is none in JSON, or none that a double can hold."""


def _refuse_constant(name: str) -> object:
    raise _NumberError(f"{name} is not JSON")


def _read_float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _NumberError("a number is too large")
    return number


_slow_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_read_float).decode


def _check(root: object, judge: Callable[[object], str | None]) -> None:
    """Raises Malformed for the first text or name, in the order of the body, against which `judge` says something."""
    found = _find(root, judge)
    if found:
        reason, path = found
        raise Malformed(f"{reason} in {_dotted(path)}" if path else reason)


def _find(item: object, judge: Callable[[object], str | None]) -> tuple[str, Path] | None:
    reason = judge(item)
    if reason:
        return reason, ()
    steps = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for step, child in steps:
        named = judge(step)
        if named:
            return named, (step,)
        found = _find(child, judge)
        if found:
            return found[0], (step, *found[1])
    return None


def _judge_repeated(item: object) -> str | None:
    return f'the member "{shorten(item.key)}" comes twice' if isinstance(item, _Repeated) else None


def _judge_nul(item: object) -> str | None:
    return "a NUL character" if isinstance(item, str) and "\0" in item else None


def _judge_surrogate(item: object) -> str | None:
    if isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError:
            return "a lone surrogate"
    return None


def _dotted(path: Path) -> str:
    return FieldError(tuple(shorten(step) if isinstance(step, str) else step for step in path), "", "").dotted()


def shorten(text: str, length: int = 40) -> str:
    """A client's own text, fit to stand in an answer: a lone surrogate in it could not even be encoded."""
    text = text if len(text) <= length else f"{text[:length]}…"
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
