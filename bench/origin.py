"""Where, when and with what something was measured."""

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

_PACKAGES: Final = ("customerhub", "asyncpg", "starlette", "uvicorn", "uvloop", "pydantic", "msgspec")


class Origin(msgspec.Struct, frozen=True):
    """The command that measured, when, on which machine, and the versions of what was measured."""

    at: datetime
    command: str
    machine: dict[str, str]
    versions: dict[str, str]


def read_origin(command: str, postgresql: str = "") -> Origin:
    """Of something that was measured just now, here; without a version of PostgreSQL none is told."""
    versions = {"PostgreSQL": postgresql} if postgresql else {}
    versions |= {"Python": platform.python_version()} | {package: version(package) for package in _PACKAGES}
    return Origin(datetime.now(UTC), command, read_machine(), versions)


def read_command(module: str) -> str:
    """What was typed to run this module."""
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def read_machine() -> dict[str, str]:
    """What this machine is, as far as it matters for speed."""
    processors = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.partition(":")[2].strip() for line in processors.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": f"{os.cpu_count()} of {models[0] if models else platform.machine()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }
