"""Columns are led where their names say, and never two to one place."""

from difflib import SequenceMatcher
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model import suggest as suggesting
from customerhub.model.suggest import suggest, to_targets
from customerhub.model.targets import target_errors, targets


@pytest.mark.parametrize(
    ("column", "target"),
    [
        ("Company", "name"),
        ("Company Name", "name"),
        ("ACCOUNT", "name"),
        ("E-mail", "email"),
        ("Tel", "phone"),
        ("Zip", "bill_to.postal_code"),
        ("Billing City", "bill_to.city"),
        ("BillingCity", "bill_to.city"),
        ("bill_to_city", "bill_to.city"),
        ("Ship To Street", "ship_to.line1"),
        ("shippingAddress.street", "ship_to.line1"),
        ("Delivery Address Line 2", "ship_to.line2"),
        ("Contact E-mail", "primary_contact.email"),
        ("Customer #", "number"),
        ("VAT No.", "tax_number"),
        ("Paymnt terms", "payment_term"),
        ("Custmer name", "name"),
        ("Sales Rep", "sales_reps"),
        ("Credit limit", "credit_limit.value"),
        ("attributes.Region", "attributes.Region"),
        ("addresses[2].city", "addresses[2].city"),
        ("id", "id"),
        ("Shoe size", None),
        ("", None),
        ("***", None),
    ],
)
def test_a_column_says_where_it_goes(column: str, target: str | None) -> None:
    """By the member's name, by usual names of it, by one that is misspelled; else nowhere."""
    assert to_targets(suggest([column])) == {column: target}


def test_the_surer_column_has_the_place() -> None:
    """Of equals the first; the other one goes nowhere, or to what it may mean beside that."""
    found = suggest(["Account", "Company", "name", "City", "Billing City"])
    assert to_targets(found) == {
        "Account": None,
        "Company": None,
        "name": "name",
        "City": "bill_to.city",
        "Billing City": None,
    }
    assert found["name"] is not None
    assert (found["name"].confidence, found["name"].reason) == (1.0, "is the name of the member")


def test_values_speak_where_names_do_not() -> None:
    """A column of email addresses is one, if no other is."""
    rows = [{"Kontakt": "a@b.test"}, {"Kontakt": ""}, {"Kontakt": "c@d.test"}]
    assert to_targets(suggest(["Kontakt"], rows)) == {"Kontakt": "email"}
    assert to_targets(suggest(["Kontakt", "Email"], rows)) == {"Kontakt": None, "Email": "email"}


class _Counting(SequenceMatcher[str]):
    """Counts how often two phrases are compared."""

    made = 0

    def __init__(self, *arguments: Any) -> None:  # Any: as the library's
        super().__init__(*arguments)
        type(self).made += 1


def test_strange_columns_are_compared_with_few_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of columns that are almost like many phrases would take half a minute otherwise."""
    monkeypatch.setattr(suggesting, "SequenceMatcher", _Counting)
    header = [f"shippng addres cty {number:03d}" for number in range(100)] + ["x" * 100_000]
    assert suggest(header)["x" * 100_000] is None
    assert _Counting.made <= 20 * 100
    one = suggest(["shippng addres city"])["shippng addres city"]
    assert one is not None
    assert one.target == "ship_to.city"


HEADERS = st.lists(
    st.sampled_from(
        [*targets(), "Company", "City", "Billing City", "Bill To", "addresses[0].city", "attributes.X", "VAT"]
    )
    | st.text(max_size=12),
    max_size=12,
    unique=True,
)


@given(HEADERS)
def test_suggestions_are_a_sound_mapping(header: list[str]) -> None:
    """Of any columns: each has an answer, every answer is a target, no two columns share a place."""
    found = to_targets(suggest(header))
    assert list(found) == header
    assert target_errors(found, header) == ()
