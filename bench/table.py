"""The lines and the targets as tables on a terminal."""

from collections.abc import Sequence
from typing import Final

from bench.report import Report
from bench.results import Line

HEAD: Final = ("who", "what", "/s", "p50", "p95", "p99", "server", "PostgreSQL", "both", "± %", "MB", "errors")
_NAMES: Final = 2


def to_screen(report: Report) -> str:
    """All that a run found, for whoever has waited for it."""
    ratios = (f"{subject}: {ratio.value:.2f} × the floor's CPU" for subject, ratio in report.ratios.items())
    targets = (
        f"{'met   ' if judged.is_met else 'MISSED'} {judged.target}: {judged.measured.value:.2f}"
        f" ({'at least' if judged.is_least else 'at most'} {judged.limit:g})"
        for judged in report.targets
    )
    chance = f"the floor to itself: {report.chance.value:.2f}" if report.chance is not None else ""
    return "\n".join((to_table(report.lines), "", *ratios, chance, "", *targets))


def to_table(lines: Sequence[Line]) -> str:
    """One line each, names to the left and numbers to the right."""
    rows = [HEAD, *map(to_cells, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(_align, range(len(row)), row, widths)).rstrip() for row in rows)


def _align(at: int, cell: str, width: int) -> str:
    return cell.ljust(width) if at < _NAMES else cell.rjust(width)


def to_cells(line: Line) -> tuple[str, ...]:
    """A line's figures as they are shown."""
    return (
        line.subject,
        line.workload,
        f"{line.rate:,.0f}",
        f"{line.p50:.1f}",
        f"{line.p95:.1f}",
        f"{line.p99:.1f}",
        f"{line.server:,.0f}",
        f"{line.database:,.0f}",
        f"{line.cpu:,.0f}",
        f"{line.noise * 100:.1f}",
        f"{line.memory:.0f}" if line.memory else "",
        str(line.errors or ""),
    )
