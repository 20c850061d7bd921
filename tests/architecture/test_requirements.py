"""What gets installed is locked with hashes and says nothing about where from; no file names one machine's places."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("run.txt", "dev.txt")

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?P<marker> ; [^#]*?)?(?: --hash=sha256:[0-9a-f]{64})+")

# In pieces, so that this file does not hold what it looks for.
REGISTRIES = [
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]
PATHS_OF_ONE_MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root)(?![\w-])")


def requirement_lines(lock: str) -> list[str]:
    """The lines of a requirements file as pip reads them: continued lines joined, comments gone."""
    text = (REQUIREMENTS / lock).read_text("utf-8")
    lines = re.sub(r" *\\\n *", " ", text).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins(lock: str) -> dict[str, set[tuple[str, str | None]]]:
    """Versions by package name, each with the marker under which it is meant."""
    found: dict[str, set[tuple[str, str | None]]] = {}
    for line in requirement_lines(lock):
        if match := PIN.fullmatch(line):
            found.setdefault(match["name"], set()).add((match["version"], match["marker"]))
    return found


def package_name(requirement: str) -> str:
    """The normalised name at the head of a requirement."""
    head = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", head).lower()


def files_of_the_repository() -> list[Path]:
    """What is committed, and what would be if it were added now."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in sorted(set(listing.split("\0")) - {""}) if (path := ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    """Every line is one exact version with at least one SHA-256, and there is no line of another kind."""
    lines = requirement_lines(lock)
    assert lines != []
    assert [line for line in lines if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_requirements_name_no_place(lock: str) -> None:
    """No address and no path, comments included: pip's own configuration says where packages come from."""
    assert [line for line in (REQUIREMENTS / lock).read_text("utf-8").splitlines() if "/" in line] == []


def test_what_the_project_asks_for_is_locked() -> None:
    """Every dependency and the build backend are in run.txt, every development tool in dev.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    lines = (REQUIREMENTS / "dev.in").read_text("utf-8").splitlines()
    tools = [line for line in lines if line and not line.startswith(("#", "-"))]
    assert tools != []
    assert {package_name(requirement) for requirement in wanted} - pins("run.txt").keys() == set()
    assert {package_name(requirement) for requirement in tools} - pins("dev.txt").keys() == set()


def test_tests_run_on_what_is_shipped() -> None:
    """A package that both files name is at the same version in both."""
    run, dev = pins("run.txt"), pins("dev.txt")
    assert {name: (run[name], dev[name]) for name in run.keys() & dev.keys() if run[name] != dev[name]} == {}


def test_no_file_holds_a_registry_address() -> None:
    """Whoever installs behind a mirror finds no other address in the way."""
    assert [
        f"{path.relative_to(ROOT)}: {registry}"
        for path in files_of_the_repository()
        for registry in REGISTRIES
        if registry in path.read_text("utf-8", errors="replace")
    ] == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    """Nothing points into the directories of the machine that it was written on."""
    assert [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files_of_the_repository()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if PATHS_OF_ONE_MACHINE.search(line)
    ] == []
