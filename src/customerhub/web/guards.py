"""The headers that guard a write, and those in which its answer says what was done."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.datastructures import Headers

from customerhub.model.answer import Guards, IdempotencyKey, IfMatch
from customerhub.model.error import InvalidHeader

MAX_KEY: Final = 255
MAX_IGNORED: Final = 1024

_IF_MATCH: Final = b"if-match"
_KEY: Final = b"idempotency-key"
_DRY_RUN: Final = b"customerhub-dry-run"
_GUARDS: Final = frozenset((_IF_MATCH, _KEY, _DRY_RUN))
_NO_GUARDS: Final = Guards()
_ANY_VERSION: Final = IfMatch(any_version=True)

_TAG: Final = re.compile(r'[ \t]*(?:(?P<weak>W/)?"(?P<tag>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|\Z)')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_QUOTED_KEY: Final = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"')
_BARE_KEY: Final = re.compile(r"[\x20-\x7e]*")


def read_guards(
    headers: Headers, method: str, path: str, query_string: str, raw_body: bytes, *, takes_key: bool
) -> Guards:
    """The guards of one write; where `takes_key` is False the contract gives `Idempotency-Key` no effect.

    Raises InvalidHeader for a header that breaks its rule: reading past it would run unguarded what was meant guarded.
    """
    found = {name for name, _ in headers.raw if name in _GUARDS}
    if not found:
        return _NO_GUARDS
    if_match = key = None
    if _IF_MATCH in found:
        if_match = _to_if_match(headers.getlist("if-match"))
    if takes_key and _KEY in found:
        text = _to_key(headers.getlist("idempotency-key"))
        key = IdempotencyKey(text, to_fingerprint(method, path, query_string, raw_body))
    dry_run = _DRY_RUN in found and _to_dry_run(headers.getlist("customerhub-dry-run"))
    return Guards(if_match, key, dry_run)


def _to_if_match(lines: Sequence[str]) -> IfMatch:
    """RFC 9110, 13.1.1: `*`, or entity tags of which the weak ones never match; several lines are one list."""
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return _ANY_VERSION
    versions: set[int] = set()
    position, tags = 0, 0
    while position < len(text):
        match = _TAG.match(text, position)
        if not match:
            raise InvalidHeader("If-Match", 'must be * or quoted tags, such as "12"')
        position = match.end()
        tag = match["tag"]
        if tag is not None:
            tags += 1
            if not match["weak"] and _VERSION.fullmatch(tag):
                versions.add(int(tag))
    if not tags:
        raise InvalidHeader("If-Match", "names no tag")
    return IfMatch(frozenset(versions))


def is_known(lines: Sequence[str], version: int) -> bool:
    """Whether `If-None-Match` names the version, so that a reader has it already (RFC 9110, 13.1.2).

    Weak tags count here, `*` is any version. What is no list of tags names none: that costs a whole answer and no more.
    """
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return True
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if not match:
            return False
        position = match.end()
        if match["tag"] == str(version):
            return True
    return False


def _to_key(lines: Sequence[str]) -> str:
    """The key without the quotes of a structured field's string (RFC 8941, 3.3.3), which many clients leave out."""
    if len(lines) != 1:
        raise InvalidHeader("Idempotency-Key", "must be sent once")
    text = lines[0].strip(" \t")
    if text.startswith('"'):
        if not _QUOTED_KEY.fullmatch(text):
            raise InvalidHeader("Idempotency-Key", "is not a well-formed quoted string")
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    if not 1 <= len(text) <= MAX_KEY or not _BARE_KEY.fullmatch(text):
        raise InvalidHeader("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
    return text


def _to_dry_run(lines: Sequence[str]) -> bool:
    value = lines[0].strip(" \t").lower()
    if len(lines) != 1 or value not in ("true", "false"):
        raise InvalidHeader("Customerhub-Dry-Run", "must be true or false")
    return value == "true"


def to_fingerprint(method: str, path: str, query_string: str, raw_body: bytes) -> bytes:
    """What makes two requests the same request: 32 bytes over method, path, query and body.

    Each part goes in behind its length, so that no two different requests line up to the same bytes. The query's pairs
    are ordered by name; those of one name keep their order, which may mean something.
    """
    pairs = parse_qsl(query_string, keep_blank_values=True, encoding="latin-1") if query_string else []
    parts = [method, path]
    for pair in sorted(pairs, key=lambda pair: pair[0]):
        parts += pair
    digest = sha256(len(pairs).to_bytes(8))
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8))
        digest.update(encoded)
    digest.update(sha256(raw_body).digest())
    return digest.digest()


def etag(version: int) -> str:
    """The strong entity tag that names this version in every dialect."""
    return f'"{version}"'


def ignored_header(paths: Sequence[str]) -> str | None:
    """The value of `Customerhub-Ignored`: the paths in the order met, each once; None where there are none.

    A client names its members as it likes, so all but letters, digits and `._-[]` is percent-encoded, and the empty
    name is `""`. After about 1 KB the rest is only counted, as `+3 more`.
    """
    names = list(dict.fromkeys(paths))
    shown: list[str] = []
    room = MAX_IGNORED
    for name in names:
        if len(name) + 2 > room:
            break
        encoded = quote(name, safe="[]", errors="surrogatepass").replace("~", "%7E") or '""'
        room -= len(encoded) + 2
        if room < 0:
            break
        shown.append(encoded)
    if len(shown) < len(names):
        shown.append(f"+{len(names) - len(shown)} more")
    return ", ".join(shown) if shown else None
