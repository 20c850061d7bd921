"""PostgreSQL alone: pgbench running statements of the hub's, measured while all its clients are at work."""

import math
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.machine import cpu_seconds
from bench.statements import Script

# Until all clients are connected and have prepared what they send.
LEAD_SECONDS: Final = 0.7
# The last transactions end after the second sample was taken.
_TAIL_SECONDS: Final = 0.3
_MICROSECOND: Final = 1e-6
_PROCESSED: Final = re.compile(r"number of transactions actually processed: (\d+)")
_FAILED: Final = re.compile(r"number of failed transactions: (\d+)")


@dataclass(frozen=True)
class FloorRun:
    """What pgbench did in the time measured: seconds of each transaction, and PostgreSQL's CPU seconds.

    `transactions` are those of the whole run, before and after that time too.
    """

    latencies: list[float]
    seconds: float
    cpu: float
    errors: int
    transactions: int


def run_floor(
    pgbench: Path,
    url: str,
    server: int,
    script: Script,
    seconds: float,
    *,
    connections: int = 32,
    lead: float = LEAD_SECONDS,
) -> FloorRun:
    """Run a script for so long, prepared, and measure what PostgreSQL spends on it, after `lead` seconds of it.

    The samples are taken while the clients are at work, so that neither connecting nor leaving is counted.
    Raises RuntimeError with what pgbench says where it fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "script.sql")
        file.write_text(script.text)
        command = [str(pgbench), "--no-vacuum", "--protocol=prepared", f"--client={connections}", "--jobs=1"]
        command += [f"--time={math.ceil(lead + seconds + _TAIL_SECONDS)}", f"--file={file}"]
        command += ["--log", f"--log-prefix={directory}/transactions"]
        command += [f"--define={name}={value}" for name, value in script.variables.items()]
        process = subprocess.Popen(
            [*command, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PGOPTIONS": "-c jit=off -c timezone=UTC"},
        )
        time.sleep(lead)
        from_time, before = time.time(), cpu_seconds(server)
        time.sleep(seconds)
        until_time, after = time.time(), cpu_seconds(server)
        told, complaints = process.communicate()
        if process.returncode:
            raise RuntimeError(f"pgbench failed: {complaints or told}")
        latencies = _read_log(Path(directory), from_time, until_time)
    processed, failed = (int(_find(pattern, told)) for pattern in (_PROCESSED, _FAILED))
    return FloorRun(latencies, until_time - from_time, after - before, failed, processed)


def _find(pattern: re.Pattern[str], told: str) -> str:
    found = pattern.search(told)
    if found is None:
        raise RuntimeError(f"pgbench told nothing of it: {told}")
    return found.group(1)


def _read_log(directory: Path, from_time: float, until_time: float) -> list[float]:
    """Seconds of each transaction that ended in this time (pgbench, "Per-Transaction Logging")."""
    latencies: list[float] = []
    for file in directory.glob("transactions.*"):
        for line in file.read_text().splitlines():
            _, _, took, _, ended, ended_micro, *_ = line.split()
            if from_time <= int(ended) + int(ended_micro) * _MICROSECOND < until_time and took.isdecimal():
                latencies.append(int(took) * _MICROSECOND)
    return latencies
