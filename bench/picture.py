"""The latency curve as a picture: how long answers take at which load."""

from collections.abc import Mapping, Sequence
from typing import Final

# Load in requests a second, and ms: one of each quantile.
Curve = Mapping[str, Sequence[tuple[float, float]]]

_WIDTH: Final = 720
_HEIGHT: Final = 360
_LEFT: Final = 60
_BOTTOM: Final = 310
_TOP: Final = 20
_RIGHT: Final = 640
_COLOURS: Final = ("#2f6f9f", "#c77d1e", "#a23b3b")
_FONT: Final = 'font-family="sans-serif" font-size="12" fill="#444"'
_STEPS: Final = 5
_ROUND: Final = (1, 2, 5, 10)


def to_svg(curve: Curve) -> str:
    """A line for each quantile, over requests a second, in ms."""
    points = [point for line in curve.values() for point in line]
    most_load, most_time = (_round_up(max(values)) for values in zip(*points, strict=True))

    def place(load: float, time: float) -> str:
        x = _LEFT + load / most_load * (_RIGHT - _LEFT)
        return f"{x:.1f},{_BOTTOM - time / most_time * (_BOTTOM - _TOP):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">requests a second</text>',
        f'<text x="{_LEFT}" y="{_TOP - 6}">ms</text>',
    ]
    for step in range(_STEPS + 1):
        load, time = most_load * step / _STEPS, most_time * step / _STEPS
        y = place(0, time).split(",")[1]
        parts.append(f'<path d="M{_LEFT},{y}H{_RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{time:g}</text>')
        x = place(load, 0).split(",")[0]
        parts.append(f'<text x="{x}" y="{_BOTTOM + 18}" text-anchor="middle">{load:g}</text>')
    for colour, (name, line) in zip(_COLOURS, curve.items(), strict=True):
        placed = [place(*point) for point in line]
        parts.append(f'<polyline points="{" ".join(placed)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = placed[-1].split(",")
        parts.append(f'<text x="{x}" y="{y}" dx="8" dy="4" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 of its power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next(power * step for step in _ROUND if power * step >= value)
