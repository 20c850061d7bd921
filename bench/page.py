"""docs/performance.md: what was measured, between marks, in a page whose other words are written by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.kept import Growth, Kept, Start, read_kept
from bench.options import MAIN
from bench.origin import Origin
from bench.picture import to_svg
from bench.report import Report, to_noise
from bench.results import Judged, Ratio
from bench.table import HEAD, to_cells
from bench.verdicts import judge_growth, judge_start

DOCS: Final = Path(__file__).parents[1] / "docs"
MEASURED: Final = DOCS / "measured"
BEGIN: Final = "<!-- Measured: written by `python -m bench.page`, changed by nobody. -->"
END: Final = "<!-- End of what was measured. -->"
PICTURE: Final = "performance.svg"
FRAME: Final = f"""# What the hub costs

{BEGIN}
{END}

## What explains the gaps
"""
_MEGABYTE: Final = 1e6
REPRODUCED: Final = """\
Three commands measure, keep what they found in `docs/measured/` and write this page anew:

```sh
make bench
.venv/bin/python -m bench.growth --minutes 60 --write
.venv/bin/python -m bench.start --write
```

Without `--write` nothing here changes: `.venv/bin/python -m bench --quick` is a short look, and `--help` of each says
which sizes and durations can be chosen. `.venv/bin/python -m bench.page` writes the page anew of what is kept."""
FAIRNESS: Final = """\
What the floor is: the two statements that the hub sends for this update, taken from a hub at work, run by pgbench with
as many clients and prepared, on a copy of the same database, each about a customer drawn anew, with a key of its own.
Values are as long as the hub's. Where the two differ:

- The hub gives each change its place in the feed and polls for it; the floor leaves that out.
- The hub sends a new street each time, the floor each row's own addresses as it read them, a few spaces longer.
- pgbench sends and gets text, the hub's driver binary; the floor finds ids by md5, and asks for the time with the
  reading. Both cost PostgreSQL a little more in the floor.
- pgbench has a connection for each client, the hub few for all of them.

CPU is that of whole trees of processes (/proc), ended ones included: the server's and PostgreSQL's, without the
clients, which run on the same cores as all the rest. A round of the hub ends when the feed has all that was written.
PostgreSQL's work in the background (vacuum, checkpoints) is counted with whatever runs meanwhile; that is why medians
of many short rounds are compared, each with its neighbour of the same round."""
# Requests a second, and µs of CPU of all server processes and PostgreSQL.
ELSEWHERE: Final = (
    ("pgbench, one statement doing update, change, event and key", "6,900", "250"),
    ("pgbench, bare UPDATE by primary key", "22,500", "67"),
    ("pgbench, the same work as eight statements", "2,500", "515"),
    ("pgbench, read, then one statement, nested lists in the row", "5,800 to 6,200", "260 to 294"),
    ("Starlette and pydantic, no database, 2 KB in and 3 KB out", "5,500 a worker", "140 to 190"),
    ("prototype of the hub's path, naive (its floor: 320)", "1,600", "1,000"),
    ("prototype of the hub's path, well made (its floor: 320)", "2,200 to 2,700", "560 to 670"),
    ("FastAPI, SQLAlchemy's ORM and asyncpg, audit row, 2 workers", "337 at best", "5,750"),
    ("Django REST Framework and simple history", "195 at best", "9,330"),
    ("Directus, 2 processes, revisions on", "120", "16,290"),
    ("Strapi", "52", "29,560"),
    ("Medusa 2, 2 processes", "26", "72,630"),
    ("Saleor", "12", "164,220"),
)


def write_page(docs: Path, kept: Kept) -> None:
    """docs/performance.md of all that is kept, and its picture; what is written by hand stays.

    Raises ValueError where the page's marks are gone.
    """
    file = docs / "performance.md"
    page = file.read_text(encoding="utf-8") if file.exists() else FRAME
    file.write_text(rewrite(page, kept), encoding="utf-8")
    if kept.report is not None and kept.report.curve:
        (docs / PICTURE).write_text(to_svg(kept.report.curve), encoding="utf-8")


def rewrite(page: str, kept: Kept) -> str:
    """The page with what was measured. Raises ValueError where its marks are gone."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{BEGIN} and {END} are not in the page")
    return f"{before}{BEGIN}\n\n{to_text(kept)}\n\n{END}{after}"


def to_text(kept: Kept) -> str:
    """What was measured, in Markdown."""
    targets = kept.report.targets if kept.report is not None else []
    targets = targets + (judge_growth(kept.growth) if kept.growth is not None else [])
    targets = targets + (judge_start(kept.start) if kept.start is not None else [])
    parts = [REPRODUCED] + (["## Targets", _to_targets(targets)] if targets else [])
    parts += _tell_report(kept.report) if kept.report is not None else []
    parts += _tell_growth(kept.growth) if kept.growth is not None else []
    parts += _tell_start(kept.start) if kept.start is not None else []
    here = [line for line in kept.report.lines if line.workload == MAIN] if kept.report is not None else []
    rows = [(f"**{line.subject}**, in this run", f"{line.rate:,.0f}", f"{line.cpu:,.0f}") for line in here]
    parts += [
        "## Beside others",
        "The update. What is not of this run was measured elsewhere: 2 cores, PostgreSQL 15, 100,000 customers.",
        _to_table(("", "requests/s", "CPU µs"), [*rows, *ELSEWHERE]),
    ]
    return "\n\n".join(parts)


def _tell_report(report: Report) -> list[str]:
    parts = [
        "## The update beside its floor and its peers",
        _to_origin(report.origin) + _to_introduction(report),
        "Times in ms; CPU in µs a request, of the server, of PostgreSQL and of both; memory of the server in MB.",
        _to_table(HEAD, [to_cells(line) for line in report.lines], names=2),
        "CPU of the update with a nested address to the floor's, of neighbouring rounds:",
        _to_table(("", "×", "lowest", "highest"), [(name, *_to_cells(ratio)) for name, ratio in report.ratios.items()]),
    ]
    if report.curve:
        parts += ["### Latency by load", f"![p50, p95 and p99 of that update by requests a second]({PICTURE})"]
    return parts


def _tell_growth(growth: Growth) -> list[str]:
    rows = (
        (
            *(one.part, one.name, f"{one.ratio.value:.2f}", f"{one.server:,.0f}", f"{one.postgresql:,.0f}"),
            *(f"{one.rate:,.0f}", f"{one.p50:.1f}", f"{one.p99:.1f}", f"{one.idle:.0%}", str(one.errors or "")),
        )
        for one in growth.findings
    )
    head = ("part", "line", "×", "server", "PostgreSQL", "/s", "p50", "p99", "idle", "errors")
    parts = [
        "## With more data, more workers, more time",
        (
            f"{_to_origin(growth.origin)} Each line stands beside the first of its part, and takes turns with it: the "
            "last by requests a second, the others by CPU. `idle` is what was left of the machine meanwhile: "
            "a second worker can add no more than that."
        ),
        _to_table(head, rows, names=2),
    ]
    if (endurance := growth.endurance) is not None:
        parts.append(
            f"A worker under {endurance.minutes:.0f} minutes of updates and lists ({endurance.requests:,} requests, "
            f"{endurance.errors} errors) had {endurance.samples[0]:.0f} MB at first, {endurance.samples[-1]:.0f} MB at "
            f"last, and {endurance.most:.0f} MB at most."
        )
    return parts


def _tell_start(start: Start) -> list[str]:
    kinds = {"`serve`, empty directory": start.empty, "`serve`, existing directory": start.existing}
    rows = (
        (name, f"{one.seconds:.2f}", f"{one.fastest:.2f}", f"{one.slowest:.2f}", f"{one.cpu_seconds:.2f}")
        for name, one in (kinds | {"`--help`": start.help}).items()
    )
    packages = [(name, f"{size / _MEGABYTE:.1f}") for name, size in start.installed.largest.items()]
    return [
        "## Starting, and what is installed",
        f"{_to_origin(start.origin)} Seconds to the first answer, medians of {start.rounds} starts.",
        _to_table(("", "s", "fastest", "slowest", "CPU s"), rows),
        (
            f"A hub that has just started takes {start.own.proportional / _MEGABYTE:.0f} MB, and "
            f"{start.with_postgresql.proportional / _MEGABYTE:.0f} MB with its PostgreSQL. Installed are "
            f"{start.installed.bytes / _MEGABYTE:.0f} MB in {start.installed.packages} packages; the largest, in MB:"
        ),
        _to_table(("package", "MB"), packages),
    ]


def _to_origin(origin: Origin) -> str:
    machine = ", ".join(origin.machine.values())
    versions = ", ".join(f"{name} {number}" for name, number in origin.versions.items())
    return f"Measured on {origin.at:%Y-%m-%d} by `{origin.command}`: {machine}; {versions}."


def _to_introduction(report: Report) -> str:
    noise = to_noise(report) * 100
    chance = _to_range(report.chance) if report.chance is not None else "not measured"
    return f"""
{report.customers:,} customers; `fsync` and `synchronous_commit` are on, and so is all that is on by default: history,
feed, keys, logs, searches. All lines of a group take turns on one PostgreSQL; their figures are medians of rounds,
{report.rounds} of those that targets compare with the floor. Noise: half of the rounds of the hub's update are within
{noise:.1f} % of its median CPU; two lines that are the same are to each other as {chance}.

{FAIRNESS}"""


def _to_targets(targets: Iterable[Judged]) -> str:
    rows = (
        (
            judged.target,
            *_to_cells(judged.measured),
            f"{'at least' if judged.is_least else 'at most'} {judged.limit:g} {judged.unit}",
            "met" if judged.is_met else "**missed**",
        )
        for judged in targets
    )
    return _to_table(("target", "measured", "lowest", "highest", "limit", ""), rows)


def _to_cells(ratio: Ratio) -> tuple[str, str, str]:
    return f"{ratio.value:.2f}", f"{ratio.lowest:.2f}", f"{ratio.highest:.2f}"


def _to_range(ratio: Ratio) -> str:
    return f"{ratio.value:.2f} × ({ratio.lowest:.2f} to {ratio.highest:.2f})"


def _to_table(head: Sequence[str], rows: Iterable[Sequence[str]], names: int = 1) -> str:
    """The first columns to the left, as they are names; numbers to the right."""
    rule = [*["---"] * names, *["--:"] * (len(head) - names)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def main() -> None:
    """Write the page of what is kept."""
    write_page(DOCS, read_kept(MEASURED))


if __name__ == "__main__":
    main()
