"""JSON Patch, as its standard tells it."""

import copy
from typing import Any

import jsonpatch
import pytest

from customerhub.dialects.hub.json_patch import apply_patch
from customerhub.model.error import Malformed
from customerhub.web.body import read_json_array

# RFC 6902, appendix A: section, document, operations, result.
EXAMPLES: list[tuple[str, Any, list[dict[str, Any]], Any]] = [
    ("A.1", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    (
        "A.2",
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ("A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ("A.4", {"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    (
        "A.5",
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        "A.6",
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        "A.7",
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        "A.8",
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    (
        "A.10",
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    ("A.11", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ("A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    (
        "A.16",
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
]
# The examples that must fail.
FAILURES: list[tuple[str, Any, list[dict[str, Any]]]] = [
    ("A.9", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}]),
    ("A.12", {"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}]),
    ("A.15", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}]),
]


@pytest.mark.parametrize(
    ("document", "operations", "result"), [one[1:] for one in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_appendix_a(document: Any, operations: list[dict[str, Any]], result: Any) -> None:
    """Every example that succeeds, and neither document is touched."""
    before = copy.deepcopy((document, operations))
    assert apply_patch(document, operations) == result
    assert (document, operations) == before


@pytest.mark.parametrize(("document", "operations"), [one[1:] for one in FAILURES], ids=[one[0] for one in FAILURES])
def test_failures_of_appendix_a(document: Any, operations: list[dict[str, Any]]) -> None:
    """Every example that fails, and the document stays as it is."""
    before = copy.deepcopy(document)
    with pytest.raises((jsonpatch.JsonPatchException, jsonpatch.JsonPointerException)):
        apply_patch(document, operations)
    assert document == before


def test_a_13() -> None:
    """An operation with a member twice is no operation: it would mean something else to everybody."""
    with pytest.raises(Malformed, match='"op" comes twice'):
        read_json_array(b'[{"op":"add","path":"/baz","value":"qux","op":"remove"}]')
