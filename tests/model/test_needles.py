"""A value is found in whatever spelling it stands, and a text of somebody else is not."""

import json
import re
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model.base32 import to_base32
from customerhub.model.erasure import Marks
from customerhub.model.needles import Needles, find_words, to_needles, to_pattern, to_words

ID = UUID("5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10")
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=4, max_size=30).filter(
    lambda text: len(text.strip()) >= 4
)


def spellings(text: str) -> list[str]:
    """The ways in which a text may stand in a request or an answer."""
    plain = [text, json.dumps(text), json.dumps(text, ensure_ascii=False), quote(text, safe=""), quote_plus(text)]
    return [*plain, json.dumps(text).replace("/", "\\/"), *(escaped(one) for one in plain)]


def escaped(text: str) -> str:
    """As PostgreSQL shows bytes as text: `encode(…, 'escape')`."""
    shown = ("\\\\" if byte == 92 else chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in text.encode())
    return "".join(shown)


def finds(needles: Needles, text: str) -> bool:
    """Whether a text has an anchor, and one of the expressions then finds something in it."""
    low = "".join(one.lower() if one.isascii() else one for one in text)
    if not any(anchor in low for anchor in needles.anchors):
        return False
    return any(re.search(one, text, re.IGNORECASE | re.ASCII) for one in (*needles.ids, *needles.texts))


@given(VALUES)
def test_a_value_is_found_in_every_spelling(value: str) -> None:
    """In JSON with and without escapes, in a path and a query, and in bytes shown as text."""
    needles = to_needles(Marks(texts=frozenset((("name", value),))))
    for text in spellings(value.strip()):
        assert finds(needles, f'{{"x": "{text}"}}'), text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Zelda@Nowhere.example", "to=zelda%40nowhere.EXAMPLE"),
        ("Ågot Øyen", '{"name": "ÅGOT ØYEN"}'),
        ("王小明和", '{"name": "\\u738b\\u5c0f\\u660e\\u548c"}'),
        ("12 High Street / Back", '{"line1": "12 High Street \\/ Back"}'),
        ("x" * 100, "x" * 60),
    ],
)
def test_case_and_escapes_do_not_matter(value: str, text: str) -> None:
    """Of a long value its beginning is enough."""
    assert finds(to_needles(Marks(texts=frozenset((("note", value),)))), text)


def test_others_are_not_found() -> None:
    """Signs in a value stand for themselves; what is too short stands in everything, and is not looked for."""
    needles = to_needles(Marks(texts=frozenset((("name", "A.B.C.D"), ("email", "a@b"), ("name", "Li")))))
    assert needles.texts == (to_pattern("A.B.C.D"),)
    assert not finds(needles, "AxBxCxD")
    assert not finds(needles, "Li a@b")


def test_an_id_is_found_in_both_its_forms() -> None:
    """As a UUID in either case, and in the letters that some answers write it in."""
    for needles in (to_needles(Marks(ids=frozenset((ID,)))), find_words(to_words([ID]))):
        for text in (str(ID), str(ID).upper(), f"ac_{to_base32(ID.int)}"):
            assert finds(needles, f"/v1/customers/{text}?x=1")
        assert not finds(needles, str(UUID(int=ID.int + 1)))


def test_keys_are_those_texts_that_hardly_anybody_else_has() -> None:
    """A custom value is none."""
    needles = to_needles(Marks(texts=frozenset((("email", "zelda@a.example"), ("value", "North West")))))
    assert needles.keys == (to_pattern("zelda@a.example"),)
    assert len(needles.texts) == 1
    assert to_pattern("North West") in needles.texts[0]


def test_many_values_are_few_expressions() -> None:
    """None of them too large to be read."""
    needles = to_needles(Marks(texts=frozenset(("note", f"note {number:04}") for number in range(100))))
    assert len(needles.texts) == 3
    assert finds(needles, "note 0099")
