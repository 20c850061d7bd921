"""What was exported in any dialect's shape is told apart, and read again it changes nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customerhub.core.customers import Proposal
from customerhub.dialects.base import find_dialects
from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.cells import flatten
from customerhub.model.customer import Customer
from customerhub.model.mapping import Empty, Told
from customerhub.model.references import reference_errors
from customerhub.web.dialect import Dialect
from customerhub.web.shape import read_cells, read_record, recognise, recognise_record
from tests.support.soak import sized
from tests.support.strategies import ACTOR, START, TEAM, catalogues, customers, ids, moment

DIALECTS = find_dialects()
NOBODY = Catalogue(1)
NORDLYS = Customer(TEAM, ACTOR, 3, START, START, ACTOR, ACTOR, name="Nordlys", number="C00001", email="a@nordlys.test")
law = settings(
    max_examples=sized(10, 300),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=[dialect.name for dialect in DIALECTS])


def view(dialect: Dialect, customer: Customer, catalogue: Catalogue) -> dict[str, Any]:
    """A customer as a line of JSON has it."""
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dialect.show(customer, catalogue)))
    return shown


def propose(dialect: Dialect, told: Told, customer: Customer, catalogue: Catalogue) -> Proposal:
    """What a row asks for; it must be accepted."""
    assert told.errors == ()
    proposal, _ = dialect.propose(told.body, customer, catalogue, ids())
    assert told.to_columns(proposal.to_wire(reference_errors(customer, proposal.patch, catalogue))) == ()
    return proposal


@pytest.mark.soak
@every_dialect
@law
@given(st.data())
def test_an_export_read_again_changes_nothing(dialect: Dialect, data: st.DataObject) -> None:
    """As cells, where an empty one leaves or clears, as a line of JSON, and as its answer with the envelope."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = view(dialect, customer, catalogue)
    cells = flatten(shown, dialect.shape.columns)
    modes: tuple[Empty, ...] = ("leave", "clear")
    told = [read_cells(dialect, cells, customer, catalogue, empty=empty) for empty in modes]
    told.append(read_record(dialect, shown, customer, catalogue))
    if dialect.shape.envelope:
        told.append(read_record(dialect, {dialect.shape.envelope: shown}, customer, catalogue))
    for one in told:
        proposal = propose(dialect, one, customer, catalogue)
        assert apply(customer, proposal.patch, catalogue, moment(customer)).changes == ()


@every_dialect
def test_a_shape_is_told_by_its_columns(dialect: Dialect) -> None:
    """All of them, the first of them, or those of one answer, with the envelope and without."""
    columns = tuple(dialect.shape.columns)
    assert recognise(columns, DIALECTS) is dialect
    assert recognise(columns[: len(columns) * 2 // 3], DIALECTS) is dialect
    assert recognise((*columns, "Our own column"), DIALECTS) is dialect
    shown = view(dialect, NORDLYS, NOBODY)
    assert recognise_record(shown, DIALECTS) is dialect
    assert recognise_record({"data": shown} if dialect.shape.envelope else shown, DIALECTS) is dialect


@every_dialect
def test_no_shape_without_an_id(dialect: Dialect) -> None:
    """Columns that only look like a dialect's are somebody's own spreadsheet."""
    assert recognise([name for name in dialect.shape.columns if name != dialect.shape.identity], DIALECTS) is None


def test_a_spreadsheet_has_no_shape() -> None:
    """Columns that every system has, and columns that none has."""
    assert recognise(("id", "name", "email"), DIALECTS) is None
    assert recognise(("Company", "E-mail", "Zip"), DIALECTS) is None
    assert recognise((), DIALECTS) is None
    assert recognise_record({"id": "1", "name": "x", "data": {"id": "2"}}, DIALECTS) is None


@every_dialect
def test_a_customer_is_found_by_its_view(dialect: Dialect) -> None:
    """By its id as the record has it, whatever ids look like there, and by its email address."""
    shown = view(dialect, NORDLYS, NOBODY)
    assert dialect.find_key(shown, "id") == str(NORDLYS.id)
    assert dialect.find_key(shown, "email") == "a@nordlys.test"
    assert dialect.find_key({}, "id") is None
    assert dialect.find_key({"id": 5, "email": ["x"], "number": {}}, "number") is None


@every_dialect
def test_a_view_of_any_shape_makes_a_request(dialect: Dialect) -> None:
    """Whatever stands where, nothing is raised; it is for the proposal to refuse it."""
    junk: object
    for junk in (None, 5, "x", [1], [{"id": 5}], {"data": [1]}, [None], {"id": []}):
        junked: dict[str, object] = dict.fromkeys(view(dialect, NORDLYS, NOBODY), junk)
        for customer in (NORDLYS, None):
            assert isinstance(dialect.to_request(junked, customer, NOBODY), dict)


@every_dialect
def test_an_empty_cell_leaves_what_is_there(dialect: Dialect) -> None:
    """A row with nothing but its id asks for nothing, and a value is all that one asks for that has one."""
    column = next(name for name in dialect.shape.columns if name in ("name", "customer"))
    told = read_cells(dialect, {dialect.shape.identity: "x", column: ""}, NORDLYS, NOBODY)
    assert propose(dialect, told, NORDLYS, NOBODY).patch == type(propose(dialect, told, NORDLYS, NOBODY).patch)()
    told = read_cells(dialect, {column: "Sørlys"}, NORDLYS, NOBODY)
    applied = apply(NORDLYS, propose(dialect, told, NORDLYS, NOBODY).patch, NOBODY, moment(NORDLYS))
    assert [(change.path, change.new) for change in applied.changes] == [("/name", "Sørlys")]


@every_dialect
def test_an_error_is_told_by_its_column(dialect: Dialect) -> None:
    """Also where the request calls the member otherwise than the view."""
    column = next(name for name in dialect.shape.columns if name in ("name", "customer"))
    told = read_cells(dialect, {column: " " * 3}, NORDLYS, NOBODY)
    proposal, _ = dialect.propose(told.body, NORDLYS, NOBODY, ids())
    assert [error.path for error in told.to_columns(proposal.errors)] == [(column,)]
