"""What can be chosen for a run."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.workloads import DIALECTS, WORKLOADS

MAIN: Final = "update-nested"
PEER: Final = "fastapi + sqlalchemy"


@dataclass(frozen=True)
class Options:
    """How many customers, which lines, and for how long; `rounds` and `seconds` are those of the lines compared."""

    customers: int = 100_000
    connections: int = 32
    workers: int = 1
    hub_connections: int | None = None
    peer_workers: int = 2
    rounds: int = 7
    seconds: float = 1.0
    other_rounds: int = 5
    other_seconds: float = 0.4
    warm_seconds: float = 1.0
    workloads: tuple[str, ...] = WORKLOADS
    dialects: tuple[str, ...] = tuple(DIALECTS)
    has_others: bool = True
    has_peer: bool = True
    has_curve: bool = True
    output: Path = Path("build/bench")
    writes: bool = False


def read_options(arguments: list[str] | None = None) -> Options:
    """The options of a command line."""
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hub, its floor and its peers.")
    parser.add_argument("--customers", type=int, help=f"Customers of the team ({default.customers}).")
    parser.add_argument("--connections", type=int, help=f"Clients at once ({default.connections}).")
    parser.add_argument("--workers", type=int, default=default.workers, help="Processes of the hub.")
    parser.add_argument(
        "--hub-connections", type=int, help="Of each of them to PostgreSQL, if other than the setting's default."
    )
    parser.add_argument("--peer-workers", type=int, default=default.peer_workers, help="Processes of the peer.")
    parser.add_argument("--rounds", type=int, help=f"Rounds of the lines that are compared ({default.rounds}).")
    parser.add_argument("--seconds", type=float, help=f"Length of those rounds ({default.seconds}).")
    parser.add_argument("--other-rounds", type=int, default=default.other_rounds, help="Rounds of all other lines.")
    parser.add_argument("--other-seconds", type=float, default=default.other_seconds, help="Length of those rounds.")
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="Only this workload; may be repeated.")
    parser.add_argument("--dialect", action="append", choices=tuple(DIALECTS), help="Only this one; may be repeated.")
    parser.add_argument("--no-peer", action="store_true", help="Without the peer, whose tables take a while to fill.")
    parser.add_argument("--quick", action="store_true", help="20,000 customers, three rounds, no peer, no curve.")
    parser.add_argument("--output", type=Path, default=default.output, help=f"Directory ({default.output}).")
    parser.add_argument("--write", action="store_true", help="Also write docs/performance.md and its picture.")
    chosen = parser.parse_args(arguments)
    is_quick = chosen.quick
    return Options(
        customers=chosen.customers or (20_000 if is_quick else default.customers),
        connections=chosen.connections or default.connections,
        workers=chosen.workers,
        hub_connections=chosen.hub_connections,
        peer_workers=chosen.peer_workers,
        rounds=chosen.rounds or (3 if is_quick else default.rounds),
        seconds=chosen.seconds or default.seconds,
        other_rounds=3 if is_quick else chosen.other_rounds,
        other_seconds=chosen.other_seconds,
        workloads=tuple(chosen.only or WORKLOADS),
        dialects=tuple(chosen.dialect or DIALECTS),
        has_peer=not (is_quick or chosen.no_peer),
        has_curve=not is_quick,
        output=chosen.output,
        writes=chosen.write,
    )
