"""Pictures of numbers, made of rectangles: where each of them stands, and the same figures as a table."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

WIDTH: Final = 420
_HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 4, 8, 22
_ROW, _BAR, _NAMES = 30, 16, 100
_MOST_SERIES: Final = 8
_LABELS: Final = 6
_STEPS: Final = (1, 2, 5, 10)
# What is there is seen, however little it is beside the rest.
_LEAST: Final = 1.0


class Series(Struct, frozen=True):
    """One kind of what is counted; `tone` is the class that gives it a colour."""

    key: str
    title: str
    tone: str


class Part(Struct, frozen=True):
    """One rectangle."""

    tone: str
    x: float
    y: float
    width: float
    height: float


class Bar(Struct, frozen=True):
    """One column or row: its parts, what it says to who points at it, where its label stands, if it has one."""

    says: str
    parts: tuple[Part, ...]
    label: str
    x: float
    y: float
    total: int


class Tick(Struct, frozen=True):
    """A line across, and the number that it stands for."""

    y: float
    text: str


class Chart(Struct, frozen=True):
    """A picture and the figures behind it; `names` is what its lines are of, `table` has a line for each."""

    key: str
    title: str
    says: str
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    names: str
    table: tuple[tuple[str, tuple[int, ...]], ...]
    is_upright: bool

    @property
    def width(self) -> int:
        """In units of the picture."""
        return WIDTH

    @property
    def left(self) -> int:
        """Where its columns or rows begin."""
        return _LEFT if self.is_upright else _NAMES

    @property
    def total(self) -> int:
        """All of it together."""
        return sum(bar.total for bar in self.bars)


def to_series(
    titles: Mapping[str, str], totals: Mapping[str, int], tones: Mapping[str, str] | None = None
) -> list[Series]:
    """A series for everything that there is, the most first; beyond the eighth they share a colour."""
    keys = sorted((key for key in totals if totals[key]), key=lambda key: (-totals[key], key))
    return [
        Series(key, titles.get(key, key.replace("_", " ").capitalize()), (tones or {}).get(key, f"s{place}"))
        for place, key in ((min(place, _MOST_SERIES - 1), key) for place, key in enumerate(keys))
    ]


def to_columns(
    key: str, title: str, names: str, lines: Sequence[tuple[str, Mapping[str, int]]], series: Sequence[Series]
) -> Chart:
    """Upright bars side by side, each made of its series one upon the other."""
    totals = [sum(numbers.get(one.key, 0) for one in series) for _, numbers in lines]
    highest = _to_highest(max(totals, default=0))
    height, width = _HEIGHT - _TOP - _BOTTOM, WIDTH - _LEFT - _RIGHT
    step = width / max(len(lines), 1)
    every = -(-len(lines) // _LABELS) or 1
    bars: list[Bar] = []
    for place, ((name, numbers), total) in enumerate(zip(lines, totals, strict=True)):
        x, y, parts = _LEFT + place * step, float(_HEIGHT - _BOTTOM), list[Part]()
        for one in series:
            if number := numbers.get(one.key, 0):
                tall = max(number / highest * height, _LEAST)
                y -= tall
                parts.append(Part(one.tone, _round(x + step * 0.1), _round(y), _round(step * 0.8), _round(tall)))
        label = name if place % every == 0 else ""
        says = _say(name, numbers, series)
        bars.append(Bar(says, tuple(parts), label, _round(x + step / 2), _HEIGHT - 6, total))
    ticks = tuple(
        Tick(_round(_HEIGHT - _BOTTOM - share * height), f"{int(highest * share):,}") for share in (0, 0.5, 1)
    )
    return _to_chart((key, title, names), lines, series, tuple(bars), ticks, _HEIGHT, is_upright=True)


def to_rows(
    key: str, title: str, names: str, lines: Sequence[tuple[str, Mapping[str, int]]], series: Sequence[Series]
) -> Chart:
    """Lying bars one below the other, each made of its series side by side."""
    totals = [sum(numbers.get(one.key, 0) for one in series) for _, numbers in lines]
    width = WIDTH - _NAMES - 70
    highest = max((*totals, 1))
    bars: list[Bar] = []
    for place, ((name, numbers), total) in enumerate(zip(lines, totals, strict=True)):
        x, y, parts = float(_NAMES), place * _ROW + (_ROW - _BAR) / 2, list[Part]()
        for one in series:
            if number := numbers.get(one.key, 0):
                long = max(number / highest * width, _LEAST)
                parts.append(Part(one.tone, _round(x), y, _round(long), _BAR))
                x += long
        bars.append(Bar(_say(name, numbers, series), tuple(parts), name, _round(x + 6), y + _BAR - 4, total))
    return _to_chart((key, title, names), lines, series, tuple(bars), (), max(len(lines), 1) * _ROW, is_upright=False)


def _to_chart(
    head: tuple[str, str, str],
    lines: Sequence[tuple[str, Mapping[str, int]]],
    series: Sequence[Series],
    bars: tuple[Bar, ...],
    ticks: tuple[Tick, ...],
    height: int,
    *,
    is_upright: bool,
) -> Chart:
    key, title, names = head
    table = tuple((name, tuple(numbers.get(one.key, 0) for one in series)) for name, numbers in lines)
    sums = ", ".join(f"{one.title} {sum(row[place] for _, row in table):,}" for place, one in enumerate(series))
    return Chart(key, title, sums or "Nothing yet", height, bars, ticks, tuple(series), names, table, is_upright)


def _say(name: str, numbers: Mapping[str, int], series: Sequence[Series]) -> str:
    parts = [f"{one.title} {numbers[one.key]:,}" for one in series if numbers.get(one.key)]
    return f"{name}: {', '.join(parts) or 'none'}"


def _to_highest(number: int) -> int:
    """The least round number that is not below, and even, so that half of it is a number too."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= max(number, 2) and step * power % 2 == 0:
                return step * power
        power *= 10


def _round(number: float) -> float:
    return round(number, 2)
