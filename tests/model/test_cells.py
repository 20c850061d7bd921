"""Views become cells and come back, and no spreadsheet takes a cell for a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model.cells import Columns, find_truth, flatten, guard_cell, overlay, unflatten, unguard_cell
from tests.support.strategies import CHARACTERS

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Columns = {
    "name": "text",
    "a.b": "text",
    "a.c.d": "text",
    "yes": "boolean",
    "version": "number",
    "list": "json",
}
TEXTS = st.text(st.sampled_from("'=+-@\t\r a") | CHARACTERS, max_size=6)


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("=1+1", "'=1+1"),
        ("+4722334455", "'+4722334455"),
        ("-5", "'-5"),
        ("@import", "'@import"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("'tis", "'tis"),
        ("''", "''"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_formula_gets_one_apostrophe(text: str, guarded: str) -> None:
    """A cell that begins like a formula, after any apostrophes, gets one more in front, which is taken off again."""
    assert guard_cell(text) == guarded
    assert unguard_cell(guarded) == text


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    """What is guarded is no formula, and is the same text without its guard; two texts never become one."""
    guarded = guard_cell(text)
    assert unguard_cell(guarded) == text
    assert not guarded.startswith(FORMULAS)


def test_one_apostrophe_is_taken_off() -> None:
    """Of a cell that somebody else has guarded too, and of none other."""
    assert [unguard_cell(text) for text in ("'=x", "''=x", "'x", "=x")] == ["=x", "'=x", "'x", "=x"]


def test_a_view_is_its_columns() -> None:
    """Each column has its cell: dotted members, lists as JSON, nothing for null and for what is not there."""
    view = {"name": "Æ", "a": {"b": None, "c": {"d": "x\ny"}}, "yes": False, "version": 7, "list": [{"å": 1}], "z": 1}
    cells = {"name": "Æ", "a.b": "", "a.c.d": "x\ny", "yes": "false", "version": "7", "list": '[{"å":1}]'}
    assert flatten(view, COLUMNS) == cells
    assert flatten({"a": None}, COLUMNS) == dict.fromkeys(COLUMNS, "")


def test_cells_are_a_view_again() -> None:
    """What a cell says; an empty one says nothing, or that a text is empty where that is asked for."""
    cells = {"name": "", "a.b": "", "a.c.d": "x", "yes": "No", "version": "7", "list": "[]", "strange": "1"}
    told = {"a": {"c": {"d": "x"}}, "yes": False, "version": 7, "list": []}
    assert unflatten(cells, COLUMNS) == told
    assert unflatten(cells, COLUMNS, empty=None) == {**told, "name": None, "a": {"b": None, "c": {"d": "x"}}}


def test_a_cell_of_another_kind_stays_a_text() -> None:
    """So that whoever checks the view refuses it in its own words."""
    cells = {"yes": "perhaps", "version": "7.5", "list": "[1,", "name": "true"}
    assert unflatten(cells, COLUMNS) == cells
    assert unflatten({"list": '{"a":1,"a":2}'}, COLUMNS) == {"list": '{"a":1,"a":2}'}
    assert unflatten({"list": '["\\ud800"]'}, COLUMNS) == {"list": '["\\ud800"]'}


VIEWS = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS.filter(bool),
        "a": st.fixed_dictionaries({"b": TEXTS.filter(bool)}),
        "yes": st.booleans(),
        "version": st.integers(0, 10**15),
        "list": st.lists(st.none() | TEXTS | st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=3),
    },
)


@given(VIEWS)
def test_a_view_comes_back_through_csv(view: dict[str, object]) -> None:
    """Written by the csv module, guarded, and read back: the same view, but for texts that were empty."""
    file = io.StringIO(newline="")
    csv.writer(file).writerow([guard_cell(cell) for cell in flatten(view, COLUMNS).values()])
    file.seek(0)
    (row,) = csv.reader(file)
    assert unflatten(dict(zip(COLUMNS, map(unguard_cell, row), strict=True)), COLUMNS) == view


def test_what_is_told_lies_over_what_is_shown() -> None:
    """Objects member by member, everything else in its place; neither is changed."""
    shown = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert overlay(shown, {"a": {"c": [2]}}) == {"a": {"b": 1, "c": [2]}, "d": 1}
    assert overlay(None, {"a": {"c": 2}}) == {"a": {"c": 2}}
    assert shown == {"a": {"b": 1, "c": [1]}, "d": 1}


def test_yes_and_no_have_several_words() -> None:
    """In any case of letters; other words are neither."""
    assert [find_truth(text) for text in ("TRUE", " yes", "Y", "1", "false", "No", "n", "0")] == [True] * 4 + [
        False
    ] * 4
    assert [find_truth(text) for text in ("ja", "2", "")] == [None] * 3
