"""What deploy/ says is what there is: commands, options, settings, paths and times; and systemd can read its units."""

import json
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from typer.core import TyperGroup

from customerhub.cli.commands import load_command
from customerhub.cli.process import DRAIN_SECONDS
from customerhub.cli.workers import _KILL_AFTER_SECONDS
from customerhub.settings import Settings
from customerhub.web.health import READY_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
PROGRAM = "/opt/customerhub/bin/customerhub"
# So long the hub's own PostgreSQL may take to stop.
STOP_SECONDS = 35
VARIABLES = {f"CUSTOMERHUB_{name}".upper() for name in Settings.model_fields}


class Unit(ConfigParser):
    """A unit of systemd; of a name that stands more than once the values follow each other on lines."""

    def __init__(self, path: Path) -> None:
        super().__init__(interpolation=None, strict=False, delimiters=("=",))
        self.optionxform = str  # type: ignore[assignment,method-assign]  # names as they are written
        lines: dict[tuple[str, str], list[str]] = {}
        section = ""
        for line in path.read_text("utf-8").splitlines():
            if match := re.fullmatch(r"\[(\w+)\]", line):
                section = match[1]
            elif line and not line.startswith("#"):
                name, _, value = line.partition("=")
                lines.setdefault((section, name), []).append(value)
        self.read_dict({one: {n: "\n".join(v) for (s, n), v in lines.items() if s == one} for one, _ in lines})


def check_command(words: list[str]) -> None:
    """Fail for a command that the command line does not have, or an option that the command does not."""
    name, *rest = words
    command = load_command(name)
    while isinstance(command, TyperGroup) and rest:
        name, *rest = rest
        command = command.commands[name]  # type: ignore[assignment] # typer makes these
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options, words


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(path: Path) -> None:
    """Its command, its settings and the directory of its data; it waits longer for the end than the end takes."""
    service = Unit(path)["Service"]
    program, *words = service["ExecStart"].split()
    assert program == PROGRAM
    check_command(words)
    assert {line.partition("=")[0] for line in service["Environment"].splitlines()} <= VARIABLES
    assert int(service["TimeoutStopSec"]) > DRAIN_SECONDS + _KILL_AFTER_SECONDS + STOP_SECONDS * ("serve" in words)
    assert service["KillMode"] == "mixed"
    assert service["User"] != "root"


def test_there_is_a_unit_for_requests_and_one_for_sinks() -> None:
    """`serve` and `work`; only the first one has a data directory, which it alone may write to."""
    started = {path.name: Unit(path)["Service"]["ExecStart"].split()[1] for path in UNITS}
    assert started == {"customerhub-work.service": "work", "customerhub.service": "serve"}
    serve, work = (Unit(DEPLOY / name)["Service"] for name in ("customerhub.service", "customerhub-work.service"))
    assert f"CUSTOMERHUB_DATA_DIR=/var/lib/{serve['StateDirectory']}/data" in serve["Environment"].splitlines()
    assert "StateDirectory" not in work
    hardening = {"NoNewPrivileges", "ProtectSystem", "CapabilityBoundingSet", "SystemCallFilter", "RestrictNamespaces"}
    assert hardening <= set(serve)
    assert {name: serve[name] for name in hardening} == {name: work[name] for name in hardening}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd on this machine")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_reads_the_unit(path: Path, tmp_path: Path) -> None:
    """Without a word of complaint, once the program is where it says."""
    copy = tmp_path / path.name
    copy.write_text(path.read_text("utf-8").replace(PROGRAM, sys.executable), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if path.stem in line] == []


def instructions() -> list[tuple[str, str]]:
    """Name and rest of every instruction of the Containerfile, continued lines joined, comments gone."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line]


def rest_of(name: str) -> list[str]:
    """What follows each instruction of this name."""
    return [rest for found, rest in instructions() if found == name]


def test_the_container_is_made_of_what_there_is() -> None:
    """Every path that is copied into it exists and is let through to the build; packages are those of the lock."""
    copied = [rest.split()[:-1] for rest in rest_of("COPY") if not rest.startswith("--from")]
    sources = {source for one in copied for source in one}
    assert sources == {"requirements/run.txt", "pyproject.toml", "README.md", "LICENSE", "src"}
    assert all((ROOT / source).exists() for source in sources)
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == sources
    (install,) = [rest for rest in rest_of("RUN") if "run.txt" in rest]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert {rest.split()[0] for rest in rest_of("FROM")} == {"python:3.11-slim"}


def test_the_container_runs_what_there_is() -> None:
    """Its command and its settings; not as root, with no secret in it, and healthy when it is ready."""
    words = [*json.loads(rest_of("ENTRYPOINT")[0]), *json.loads(rest_of("CMD")[0])]
    assert words[0] == "customerhub"
    check_command(words[1:])
    assert rest_of("USER") == ["customerhub"]
    (environment,) = [rest for rest in rest_of("ENV") if "CUSTOMERHUB_" in rest]
    names = {word.partition("=")[0] for word in environment.split() if word.startswith("CUSTOMERHUB_")}
    assert names <= VARIABLES
    assert not {name for name in names if "SECRET" in name or "URL" in name}
    options, _, command = rest_of("HEALTHCHECK")[0].partition(" CMD ")
    program = json.loads(command)
    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")
    assert "/readyz" in program[2]
    timeout = re.search(r"--timeout=(\d+)s", options)
    assert timeout is not None
    assert int(timeout[1]) > READY_SECONDS


def test_commands_in_the_manual_are_commands() -> None:
    """Every `customerhub …` in docs/operations.md, with the options that it is shown with."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    found = re.findall(r"customerhub ((?:[a-z][a-z-]+ ?)+(?:[^\n`|#>']*))", text)
    assert len(found) > 20
    for line in found:
        check_command(line.split())


def test_settings_in_the_manual_are_settings() -> None:
    """Every CUSTOMERHUB_… variable in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(re.findall(r"CUSTOMERHUB_[A-Z_]+[A-Z]", text)) <= VARIABLES
