"""What a COUNT client's signature may cover, whether one proves knowledge of the secret, and how one is made."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

MOUNT: Final = "/partners"

_EMPTY_OBJECT: Final = b"{}"
_UNSIGNED_BODIES: Final = ("GET", "HEAD", "DELETE")
_TIMESTAMP: Final = re.compile(r"[0-9]{10}(?:[0-9]{3})?", re.ASCII)
_SECONDS_DIGITS: Final = 10
# JavaScript puts members whose name is an array index (ECMA-262, 6.1.7) before all others.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_LAST_INDEX: Final = 2**32 - 2
# Where JavaScript begins to write numbers with an exponent (ECMA-262, 6.1.6.1.20).
_LARGEST_PLAIN: Final = 21
_SMALLEST_PLAIN: Final = -6


def is_signed_by(secret: str, signature: str, base_strings: Sequence[str]) -> bool:
    """Whether the signature is that of one of the base strings; takes as long whichever it is, and for none."""
    given = signature.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(_sign(secret, base).encode(), given) for base in base_strings]
    return any(matches)


def sign(secret: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    """The signature of a request of ours, as the vendor's own clients make it; `path` is what is behind the mount."""
    digest = _hash(body) if body and method not in _UNSIGNED_BODIES else ""
    return _sign(secret, _to_base_string(method, path, timestamp, digest))


def _sign(secret: str, base: str) -> str:
    return hmac.new(secret.encode(), base.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _to_base_string(method: str, path: str, timestamp: str, digest: str) -> str:
    return f"{method}:{path}:{timestamp}:{digest}"


def to_base_strings(method: str, path: str, timestamp: str, body: bytes) -> list[str]:
    """Everything that a known client signs for this request: each path with each hash of the body.

    `path` and `timestamp` as sent. Never one without the body's hash where there is a body that says something.
    """
    paths = [path.removeprefix(MOUNT), path] if path.startswith(f"{MOUNT}/") else [path]
    hashes = [""] if method in _UNSIGNED_BODIES else _to_body_hashes(body)
    return [_to_base_string(method, one, timestamp, digest) for one in paths for digest in hashes]


def _to_body_hashes(body: bytes) -> list[str]:
    again = _EMPTY_OBJECT if not body else rewrite(body)
    hashes = [_hash(body)]
    if again is not None:
        hashes.append(_hash(again))
    if again == _EMPTY_OBJECT:
        hashes.append("")
    return list(dict.fromkeys(hashes))


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def find_distance(timestamp: str, now: datetime) -> float | None:
    """Seconds between `now` and a timestamp of 10 digits (seconds) or 13 (milliseconds); None where it is neither."""
    if not _TIMESTAMP.fullmatch(timestamp):
        return None
    number = int(timestamp)
    return abs(now.timestamp() - (number if len(timestamp) == _SECONDS_DIGITS else number / 1000))


def rewrite(body: bytes) -> bytes | None:
    """The body as `JSON.stringify(JSON.parse(body))` writes it in JavaScript; None where it is no JSON."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_int=float, parse_constant=_refuse)
        # What a lone surrogate becomes here is just how JavaScript escapes it.
        return _write(value).encode("utf-8", "backslashreplace")
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> object:
    raise ValueError(name)


def _write(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_write(name)}:{_write(value[name])}" for name in _in_order(list(value))) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, float):
        return _write_number(value)
    return json.dumps(value, ensure_ascii=False)


def _in_order(names: list[str]) -> list[str]:
    indexes = [name for name in names if _INDEX.fullmatch(name) and int(name) <= _LAST_INDEX]
    if not indexes:
        return names
    known = set(indexes)
    return sorted(indexes, key=int) + [name for name in names if name not in known]


def _write_number(number: float) -> str:
    """A double as JavaScript prints it: the digits are Python's, the place of the point is not."""
    if number in (float("inf"), float("-inf")):
        return "null"
    if number == 0:
        return "0"
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    padded = whole + ("" if fraction == "0" else fraction)
    digits = padded.lstrip("0")
    # The value is 0.digits × 10 ** point.
    point = len(whole) + int(exponent or 0) - (len(padded) - len(digits))
    return ("-" if number < 0 else "") + _place_point(digits.rstrip("0"), point)


def _place_point(digits: str, point: int) -> str:
    length = len(digits)
    if length <= point <= _LARGEST_PLAIN:
        return digits.ljust(point, "0")
    if 0 < point <= _LARGEST_PLAIN:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if length == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
