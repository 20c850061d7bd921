"""A team at a glance: pictures with their figures as a table, numbers, and what happened last."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, timedelta

import pytest

from customerhub.console.charts import Series, to_columns, to_rows, to_series
from customerhub.core import figures
from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.leaf import look
from tests.console.visitor import Visitor, visiting
from tests.support.customers import new_customer, put_customers

HTML = "<script>hurt()</script>"


@pytest.fixture
async def admin(site: Site, bureau: Bureau) -> AsyncIterator[Visitor]:
    """The team's administrator."""
    async with visiting(site, bureau.admin) as visitor:
        yield visitor


async def test_a_new_team_is_told_what_to_do(admin: Visitor, bureau: Bureau) -> None:
    """Without customers and sinks the page leads to the first of each."""
    page = await look(admin, bureau.path())
    assert page.status == 200
    assert "0 customers" in page.text
    assert page.link("Make a customer") == bureau.path("customers", "new")
    assert page.link("Add a sink") == bureau.path("sinks")
    assert "No file was imported yet" in page.text
    assert "data-poll" not in page.answer.text


async def test_what_happened_last_says_who_and_what(admin: Visitor, bureau: Bureau) -> None:
    """The newest first, by the customer's name, with the fields that changed and the door."""
    desk = bureau.desk
    ravn = await desk.create(name=f"Ravn {HTML}")
    await desk.patched(ravn, {"phone": "+47 1", "note": "x"})
    gone = await desk.create(name="Gone")
    await desk.api.delete(f"/hub/v1/customers/{gone['id']}")
    page = await look(admin, bureau.path())
    latest = [row for row in page.rows if row and row[0] in (f"Ravn {HTML}", "Gone")]
    assert [row[:2] for row in latest] == [
        ["Gone", "Deleted: Deleted"],
        ["Gone", "Created"],
        [f"Ravn {HTML}", "Updated: Phone, Note"],
        [f"Ravn {HTML}", "Created"],
    ]
    assert {row[2] for row in latest} == {"test key"}
    assert page.link("Gone") == bureau.path("customers", gone["id"])
    assert HTML not in page.answer.text


async def test_pictures_have_their_figures_as_tables(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """Each picture is named and described, and a table says the same."""
    desk = bureau.desk
    for place in range(3):
        await desk.create(name=f"Customer {place}", standing="hold_all" if place else "normal", status="active")
    page = await look(admin, bureau.path())
    assert "3 customers" in page.text
    assert page.row("Normal") == ["1"]
    assert page.row("Hold all") == ["2"]
    today = hub.now().astimezone(UTC)
    assert page.row(f"{today.day} {today:%b}") == ["3"]
    pictures = re.findall(r'<svg class="chart".*?</svg>', page.answer.text, re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        names = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', picture)
        assert names is not None
        assert f'<title id="{names[1]}">' in picture
        assert f'<desc id="{names[2]}">' in picture
    assert "style=" not in page.answer.text


async def test_a_page_says_that_it_counts(
    hub: Hub, admin: Visitor, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is more than one look counts, the page says how far it is and looks again by itself."""
    monkeypatch.setattr(figures, "_ENTRIES", 2)
    monkeypatch.setattr(figures, "_GENTLY", 1)
    monkeypatch.setattr(figures, "_BUDGET_SECONDS", -1)
    team = bureau.desk.team.id
    async with hub.database.lease() as connection:
        await put_customers(connection, [new_customer(team, hub.now() - timedelta(days=40)) for _ in range(5)])
    await look(admin, bureau.path())
    page = await look(admin, bureau.path())
    assert "Being counted: 2 so far" in page.text
    assert 'id="figures" data-poll=' in page.answer.text
    for _ in range(2):
        page = await look(admin, bureau.path())
    assert "5 customers" in page.text
    assert "data-poll" not in page.answer.text


def test_columns_fill_the_picture() -> None:
    """The highest column of a round number reaches the top; nothing stands beyond the picture, or on something else."""
    series = [Series("a", "A", "s0"), Series("b", "B", "s1")]
    lines = [("1 May", {"a": 60, "b": 40}), ("2 May", {}), ("3 May", {"b": 1})]
    chart = to_columns("key", "Title", "Day", lines, series)
    assert [tick.text for tick in chart.ticks] == ["0", "50", "100"]
    low, high = chart.ticks[0].y, chart.ticks[2].y
    first, second, third = chart.bars
    assert [(part.tone, part.y, part.height) for part in first.parts] == [
        ("s0", low - 0.6 * (low - high), 0.6 * (low - high)),
        ("s1", high, 0.4 * (low - high)),
    ]
    assert (second.parts, second.says) == ((), "2 May: none")
    assert third.says == "3 May: B 1"
    assert third.parts[0].x + third.parts[0].width < chart.width
    assert chart.table == (("1 May", (60, 40)), ("2 May", (0, 0)), ("3 May", (0, 1)))
    assert (chart.says, chart.total) == ("A 60, B 41", 101)


def test_rows_lie_side_by_side() -> None:
    """The longest row fills its room, the parts of a row follow each other, and little is still to be seen."""
    series = [Series("a", "A", "s0"), Series("b", "B", "s7")]
    chart = to_rows("key", "Title", "Standing", [("Normal", {"a": 1_000_000, "b": 1}), ("Hold", {})], series)
    one, other = chart.bars[0].parts
    assert one.x + one.width == other.x
    assert other.width == 1
    assert chart.bars[0].says == "Normal: A 1,000,000, B 1"
    assert chart.bars[1].total == 0
    assert to_columns("key", "Title", "Day", [], []).bars == ()


def test_many_series_share_the_last_colour() -> None:
    """What there is most of has the first colour; beyond the eighth nothing has one of its own."""
    found = to_series({"a": "Own name"}, {"a": 5, "b_c": 50, "none": 0} | {f"x{place}": 1 for place in range(9)})
    assert [(one.title, one.tone) for one in found[:3]] == [("B c", "s0"), ("Own name", "s1"), ("X0", "s2")]
    assert len(found) == 11
    assert {one.tone for one in found[7:]} == {"s7"}
