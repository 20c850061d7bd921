"""What processes cost this machine: CPU time and memory of a whole tree of them, read from /proc (proc(5))."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_KIBIBYTE = 1024
# Fields of /proc/<pid>/stat behind the command's name: the parent, and the four clocks, own and of children that ended.
_PARENT = 1
_CLOCKS = slice(11, 15)
# Of /proc/stat's first line: user, nice, system, interrupts of both kinds, and what was taken (steal).
_BUSY = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class Memory:
    """Bytes of a tree of processes: `resident` counts shared pages once in each process, `proportional` once in all."""

    resident: int
    proportional: int


def cpu_seconds(*roots: int) -> float:
    """CPU time of processes, of all that live below them, and of all below them that have ended and were waited for.

    A server that gives each client a process of its own has lost most of them when the second sample is taken; what
    they have used is then counted by their parent. Raises ProcessLookupError where the process is gone.
    """
    parents, clocks = _read_processes()
    for root in roots:
        if root not in clocks:
            raise ProcessLookupError(root)
    return sum(clocks[process] for process in {one for root in roots for one in _tree(root, parents)}) * _TICK_SECONDS


def machine_seconds() -> float:
    """CPU time of all that ran on this machine, and what the machines beside it on its host took from it."""
    ticks = [int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(ticks[place] for place in _BUSY) * _TICK_SECONDS


def read_memory(root: int) -> Memory:
    """Memory of a process and of all that live below it."""
    parents, _ = _read_processes()
    found = [_read_rollup(process) for process in _tree(root, parents)]
    return Memory(sum(one.resident for one in found), sum(one.proportional for one in found))


def read_own_memory(process: int) -> Memory:
    """Memory of one process, without those below it."""
    return _read_rollup(process)


def _read_processes() -> tuple[dict[int, int], dict[int, int]]:
    """The parent of every process, and its clock ticks."""
    parents: dict[int, int] = {}
    clocks: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since it was listed
        fields = stat.rpartition(b")")[2].split()
        process = int(entry.name)
        parents[process] = int(fields[_PARENT])
        clocks[process] = sum(map(int, fields[_CLOCKS]))
    return parents, clocks


def _tree(root: int, parents: dict[int, int]) -> list[int]:
    """The process and everything below it."""
    children = defaultdict(list)
    for process, parent in parents.items():
        children[parent].append(process)
    found = [root]
    for process in found:
        found += children[process]
    return found


def _read_rollup(process: int) -> Memory:
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return Memory(0, 0)
    sizes = {name: int(rest.split()[0]) * _KIBIBYTE for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(sizes.get("Rss", 0), sizes.get("Pss", 0))
