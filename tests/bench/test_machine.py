"""CPU and memory of a tree of processes."""

import os
import subprocess
import sys

import pytest

from bench.machine import cpu_seconds, machine_seconds, read_memory

_BURN = "import time\nwhile time.process_time() < 0.2: pass"


def run_child() -> None:
    """A child that uses a fifth of a second of CPU and ends."""
    subprocess.run([sys.executable, "-I", "-S", "-c", _BURN], check=True)


def test_what_an_ended_child_has_used_is_counted() -> None:
    """A server's processes are mostly gone when the second sample is taken; their work is not."""
    before = cpu_seconds(os.getpid())
    run_child()
    assert cpu_seconds(os.getpid()) - before >= 0.15  # of 0.2, in clocks that tick a hundred times a second


def test_the_machine_is_at_least_as_busy_as_its_processes() -> None:
    """Else there would be less than nothing left for others."""
    before = machine_seconds()
    run_child()
    assert machine_seconds() - before >= 0.15  # of 0.2, in clocks that tick a hundred times a second


def test_a_process_counts_once_however_often_it_is_named() -> None:
    """A server may be below whoever measures it, or not."""
    run_child()
    once = cpu_seconds(os.getpid())
    assert once <= cpu_seconds(os.getpid(), os.getpid()) < 1.5 * once


def test_what_a_living_grandchild_uses_is_counted() -> None:
    """Workers stand two steps below what was started."""
    child = f"{_BURN}\nprint(1, flush=True)\ninput()"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        assert cpu_seconds(process.pid) >= 0.15  # of 0.2, in clocks that tick a hundred times a second
        memory = read_memory(process.pid)
        assert 2_000_000 < memory.proportional <= memory.resident
        process.communicate("\n")


def test_a_process_that_is_gone_costs_no_figure() -> None:
    """A sample of nothing would make what was measured look cheap."""
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(ProcessLookupError):
        cpu_seconds(process.pid)
