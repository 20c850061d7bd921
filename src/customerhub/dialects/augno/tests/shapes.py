"""What the contract says of every answer's members: which there are, in which order, of which type, and when null."""

import re
from collections.abc import Callable, Iterator

Check = Callable[[object, str], Iterator[str]]
Includes = frozenset[str]
Shape = Callable[[Includes], Check]
NOTHING: Includes = frozenset()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def text(value: object, path: str) -> Iterator[str]:
    """Any text."""
    if not isinstance(value, str):
        yield f"{path}: no text: {value!r}"


def flag(value: object, path: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield f"{path}: no boolean: {value!r}"


def whole(value: object, path: str) -> Iterator[str]:
    """An integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{path}: no integer: {value!r}"


def nothing(value: object, path: str) -> Iterator[str]:
    """The key is there, with null."""
    if value is not None:
        yield f"{path}: not null: {value!r}"


def anything(value: object, path: str) -> Iterator[str]:
    """Whatever JSON holds."""
    del value, path
    yield from ()


def like(pattern: re.Pattern[str]) -> Check:
    """Text of one form."""

    def check(value: object, path: str) -> Iterator[str]:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield f"{path}: not {pattern.pattern}: {value!r}"

    return check


def words(*allowed: str) -> Check:
    """One of these words."""

    def check(value: object, path: str) -> Iterator[str]:
        if value not in allowed:
            yield f"{path}: none of {', '.join(allowed)}: {value!r}"

    return check


def maybe(other: Check) -> Check:
    """Null, or what the other says."""

    def check(value: object, path: str) -> Iterator[str]:
        if value is not None:
            yield from other(value, path)

    return check


def rows(row: Check) -> Check:
    """An array of such."""

    def check(value: object, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path}: no array: {value!r}"
            return
        for place, item in enumerate(value):
            yield from row(item, f"{path}[{place}]")

    return check


def record(**members: Check) -> Check:
    """An object with these members in this order, and no other."""

    def check(value: object, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: no object: {value!r}"
        elif list(value) != list(members):
            yield f"{path}: other members: {list(value)}"
        else:
            for name, member in members.items():
                yield from member(value[name], f"{path}.{name}")

    return check


def resource(prefix: str, tag: str, /, **members: Check) -> Check:
    """A record with an id and its type's name."""
    return record(id=like(re.compile(rf"{prefix}_[0-9a-hjkmnp-tv-z]{{26}}")), object=words(tag), **members)


def listing(row: Check) -> Check:
    """The envelope of every list."""
    info = record(next_cursor=maybe(text), prev_cursor=maybe(text), has_next_page=flag, has_prev_page=flag)
    return record(object=words("list"), page_info=info, data=rows(row))


def has(includes: Includes, name: str) -> bool:
    """Whether a part is asked for, by itself or by one of its own parts."""
    return name in includes or any(one.startswith(f"{name}.") for one in includes)


def part(includes: Includes, name: str, check: Check) -> Check:
    """What a part is: null unless it is asked for."""
    return check if has(includes, name) else nothing


def below(includes: Includes, name: str) -> Includes:
    """What is asked for of a part."""
    return frozenset(one.removeprefix(f"{name}.") for one in includes if one.startswith(f"{name}."))


time = like(TIME)
decimal = like(DECIMAL)
