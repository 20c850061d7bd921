"""JSON in files, read strictly: what two readers would read differently, or what no record can keep, is refused."""

import json
from collections import Counter
from math import isinf
from typing import Final

MAX_DEPTH: Final = 64


class NotJson(ValueError):
    """The text is no JSON that can be kept; its own text says why."""


def read_json(text: str) -> object:
    """The value; raises NotJson for anything else than RFC 8259 has, and beyond it for what could not be kept as told.

    That is a member twice in an object, more than 64 levels, NUL, a lone surrogate, a number that a double cannot hold.
    """
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON at character {error.pos + 1}: {error.msg.lower()}") from None
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    except NotJson:
        raise
    except ValueError:  # Python's refusal of more than 4300 digits
        raise NotJson("has a number of too many digits") from None
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if "\\u" in text:
        _check_texts(value)
    return value


def find_json(text: str, other: object) -> object:
    """The value, or `other` where the text is no JSON."""
    try:
        return read_json(text)
    except NotJson:
        return other


def find_unkept(text: str) -> str | None:
    """What a text has in it that no record can keep; None for any text that can be kept."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a character (a lone surrogate)"
    return None


_TOO_DEEP: Final = f"is nested deeper than {MAX_DEPTH} levels"


def _to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        repeated, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise NotJson(f'has the member "{repeated[:40]}" twice')
    return members


def _refuse_constant(name: str) -> object:
    raise NotJson(f"has {name}, which is not JSON")


def _read_float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise NotJson("has a number that is too large")
    return number


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_to_object, parse_constant=_refuse_constant, parse_float=_read_float
).decode


def _check_depth(root: object) -> None:
    level = [root]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise NotJson(_TOO_DEEP)


def _check_texts(root: object) -> None:
    level = [root]
    while level:
        for value in level:
            names = list(value) if isinstance(value, dict) else [value]
            for text in names:
                if isinstance(text, str) and (found := find_unkept(text)) is not None:
                    raise NotJson(f"has {found} in it")
        level = [inner for value in level for inner in _inside(value)]


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
