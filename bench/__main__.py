"""`python -m bench`: the hub, its floor and its peers, measured side by side in one run."""

import asyncio
import sys
import tempfile
from pathlib import Path

from bench.kept import keep, read_kept
from bench.options import MAIN, Options, read_options
from bench.origin import read_command
from bench.page import DOCS, MEASURED, PICTURE, write_page
from bench.picture import to_svg
from bench.report import Report, to_report
from bench.run import check_floor, measure
from bench.served import heed_ending
from bench.stage import opened_stage
from bench.table import to_screen


async def run(options: Options, command: str) -> Report:
    """One run, on a PostgreSQL and servers of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with opened_stage(options, Path(directory)) as stage:
            if MAIN in options.workloads:
                await check_floor(stage)
            measured = await measure(stage)
            postgresql = str(await stage.keeper.fetchval("show server_version"))
    return to_report(measured, options, command, postgresql)


def write(report: Report, directory: Path) -> None:
    """The record as JSON, and the latency curve."""
    keep(directory, report)
    if report.curve:
        (directory / PICTURE).write_text(to_svg(report.curve), encoding="utf-8")


def main() -> None:
    """Measure, and say what was found."""
    heed_ending()
    options = read_options()
    report = asyncio.run(run(options, read_command("bench")))
    write(report, options.output)
    if options.writes:
        keep(MEASURED, report)
        write_page(DOCS, read_kept(MEASURED))
    sys.stdout.write(to_screen(report) + "\n")


if __name__ == "__main__":
    main()
