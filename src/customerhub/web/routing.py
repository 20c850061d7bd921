"""From a method and a path to an operation, in time that does not grow with the number of routes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from customerhub.model.error import MethodNotAllowed, NoSuchRoute
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Operation


class Match(NamedTuple):
    """The operation for a request, whose it is, and the decoded parameters of its path."""

    operation: Operation
    dialect: Dialect
    parameters: dict[str, str]


class _Target(NamedTuple):
    operation: Operation
    dialect: Dialect
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """One segment of all templates that begin alike; `parameter` takes what no literal takes."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    targets: dict[str, _Target] = field(default_factory=dict)


class RouteTable:
    """The routes of all dialects; a literal segment wins over a parameter.

    Raises ValueError for two operations of one method and template, and for a template that cannot be one.
    """

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._root = _Node()
        self._owners: list[tuple[str, Dialect]] = []
        for dialect in dialects:
            self._owners += ((prefix.rstrip("/"), dialect) for prefix in dialect.prefixes)
            for operation in dialect.operations:
                self._add(operation, dialect)
        self._owners.sort(key=lambda owner: len(owner[0]), reverse=True)

    def _add(self, operation: Operation, dialect: Dialect) -> None:
        node = self._root
        names: list[str] = []
        for segment in _to_segments(operation.path):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node = node.parameter or _Node()
            else:
                node = node.literals.setdefault(segment, _Node())
        other = node.targets.get(operation.method)
        if other:
            raise ValueError(
                f"{operation.method} {operation.path} stands twice: "
                f"{other.dialect.name}.{other.operation.name} and {dialect.name}.{operation.name}"
            )
        if len(set(names)) != len(names):
            raise ValueError(f"{operation.path} uses a name twice")
        node.targets[operation.method] = _Target(operation, dialect, tuple(names))

    def match(self, method: str, path: str) -> Match:
        """The operation for a request; `path` as sent, so that an encoded slash stays inside its segment.

        GET serves HEAD. Raises NoSuchRoute, also for a segment that is not UTF-8 or holds NUL once decoded, and
        MethodNotAllowed.
        """
        segments = path.split("/")
        if segments[0]:
            raise NoSuchRoute
        if "%" in path or not path.isascii():
            segments = [_decode(segment) for segment in segments]
        values: list[str] = []
        node = _find(self._root, segments, 1, values)
        if node is None:
            raise NoSuchRoute
        target = node.targets.get(method) or (node.targets.get("GET") if method == "HEAD" else None)
        if target is None:
            raise MethodNotAllowed(_to_allowed(node))
        return Match(target.operation, target.dialect, dict(zip(target.names, values, strict=True)))

    def find_owner(self, path: str) -> Dialect | None:
        """The dialect whose prefix of this path is the longest, for failures before a route is known."""
        for prefix, dialect in self._owners:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
                return dialect
        return None


def _find(node: _Node, segments: list[str], position: int, values: list[str]) -> _Node | None:
    """The node for all segments from `position` on; `values` collects what its parameters took."""
    while position < len(segments):
        segment = segments[position]
        position += 1
        literal = node.literals.get(segment)
        if literal is not None:
            if node.parameter is None:
                node = literal
                continue
            taken = len(values)
            found = _find(literal, segments, position, values)
            if found is not None:
                return found
            del values[taken:]
        # An empty segment is no value: `/v1/customers/` is not `/v1/customers/{id}`.
        if node.parameter is None or not segment:
            return None
        values.append(segment)
        node = node.parameter
    return node if node.targets else None


def _to_segments(template: str) -> list[str]:
    if not template.startswith("/"):
        raise ValueError(f"{template!r} does not begin with a slash")
    segments = template.split("/")[1:]
    for segment in segments:
        is_parameter = segment.startswith("{") and segment.endswith("}") and segment[1:-1].isidentifier()
        if not is_parameter and set("{}%") & set(segment):
            raise ValueError(f"{template!r}: a parameter is a whole segment, literals stand decoded")
    return segments


def _to_allowed(node: _Node) -> tuple[str, ...]:
    methods = set(node.targets)
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _decode(segment: str) -> str:
    try:
        text = unquote_to_bytes(segment.encode("latin-1")).decode()
    except UnicodeError:
        raise NoSuchRoute from None
    if "\0" in text:
        raise NoSuchRoute
    return text
