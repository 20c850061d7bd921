"""Real processes of the command line for its tests: one command, or a server with everything it leaves behind."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from http.client import HTTPConnection, HTTPException
from io import StringIO
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from customerhub.cli import main

COMMAND = (sys.executable, "-m", "customerhub")
MARK = "CUSTOMERHUB_TEST_MARK"


def run(*arguments: object, text: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; `text` is its standard input."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_json(*arguments: object, **environment: str) -> Any:
    """What a command that succeeds prints with `--json`: nothing but one JSON value."""
    done = run(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_here(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The same in this process: to start another takes a second of a processor, and most commands a tenth of that."""
    command = ["customerhub", *map(str, arguments)]
    output, errors = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        for name in os.environ.keys() - clean_environment().keys():
            patch.delenv(name)
        for name, value in (clean_environment() | environment).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code or 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(command, code, output.getvalue(), errors.getvalue())


def run_json_here(*arguments: object, **environment: str) -> Any:
    """What `run_json` gives, of a command that runs in this process."""
    done = run_here(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def clean_environment() -> dict[str, str]:
    """The environment without settings of the hub that a developer may have there; a width that wraps no sentence."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}
    return kept | {"COLUMNS": "200", "NO_COLOR": "1"}


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, and fail with its name when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Serving:
    """`customerhub serve --json` as a process of its own, ready to answer; killed with all of its own at the end."""

    command: tuple[str, ...] = ("serve", "--port", "0")

    def __init__(self, data_directory: Path, *options: str, **environment: str) -> None:
        self.data_directory = data_directory
        self.mark = uuid4().hex
        self.output = data_directory.with_name(f"{data_directory.name}.{self.mark}.out")
        self.errors = self.output.with_suffix(".err")
        arguments = (*self.command, "--data-dir", str(data_directory), "--json", *options)
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                env=clean_environment() | environment | {MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self.answer: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            wait_until(self._is_ready, 60, "the server is ready")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.errors.read_text()
        try:
            self.answer = json.loads(self.output.read_text())
        except ValueError:
            return False
        return True

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not self.left_behind(), 20, f"nothing of the server lives on: {self.left_behind()}")

    @property
    def url(self) -> str:
        """Where it answers."""
        return str(self.answer["url"])

    @property
    def port(self) -> int:
        """The port it took."""
        return int(self.url.rpartition(":")[2])

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Tell it to stop and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def workers(self) -> list[int]:
        """Its worker processes."""
        return [pid for pid in self._marked() if b"customerhub.cli.worker" in _read(pid, "cmdline")]

    def left_behind(self) -> list[int]:
        """Every process that the server started and that lives: workers, PostgreSQL, PostgreSQL's keeper."""
        place = os.fsencode(self.data_directory)
        return [*self._marked(), *(pid for pid in _processes() if place in _read(pid, "cmdline"))]

    def _marked(self) -> list[int]:
        mark = f"{MARK}={self.mark}".encode()
        return [pid for pid in _processes() if mark in _read(pid, "environ")]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body of one request on a connection of its own; status 0 where none can be made."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            content = None if body is None else json.dumps(body)
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, content, sent | {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            return 0, None
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("content-type") or "")
        return answer.status, json.loads(text) if is_json else text.decode()

    def log(self) -> list[dict[str, Any]]:
        """The lines on standard error, each of which is JSON."""
        return [json.loads(line) for line in self.errors.read_text().splitlines()]


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and int(path.name) != os.getpid()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def paste(command: str) -> Any:
    """Run a `curl` command line as a shell would, by curl itself where the machine has it; its answer as JSON."""
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)
    words = shlex.split(command)
    (url,) = (word for word in words if re.match("https?://", word))
    pairs = list(pairwise(words))
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    ((method,), (body,)) = ([value for option, value in pairs if option == name] for name in ("-X", "-d"))
    target = urlsplit(url)
    connection = HTTPConnection(target.netloc, timeout=20)
    connection.request(method, target.path, body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer
