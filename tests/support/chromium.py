"""A real browser: Debian's Chromium or what the machine has in its place, driven over a pipe by Playwright."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import playwright
import pytest
from playwright.async_api import Browser, Playwright, async_playwright

from tests.support.servers import UNPACKED, to_environment

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_DRIVER = Path(playwright.__path__[0], "driver", "node")
# What it needs of a machine and a small one lacks.
_LIBRARIES = UNPACKED / "libatomic1"
# Nothing but the hub is asked, whatever a page or the browser itself would like to know.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
# An unpacked tree has its fonts at a place of its own, and the machine may have none.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir>
<dir>{tree}/usr/share/fonts</dir>
<cachedir>{cache}</cachedir>
</fontconfig>
"""


def find_chromium() -> Path:
    """The browser: named by `CUSTOMERHUB_CHROMIUM`, on PATH, or unpacked by `scripts/setup dev`.

    Skips the test where there is none; fails it where the one that was named cannot be run.
    """
    named = os.environ.get("CUSTOMERHUB_CHROMIUM")
    if named:
        assert _answers(Path(named)), f"CUSTOMERHUB_CHROMIUM={named} is no browser that can be started"
        return Path(named)
    for place in _list_places():
        if _answers(place):
            return place
    pytest.skip(
        "THERE IS NO BROWSER, so nothing of the console is tried in one: `scripts/setup dev` unpacks Chromium where "
        "apt-get can download it; else install it, or name it in CUSTOMERHUB_CHROMIUM"
    )


def _list_places() -> Iterator[Path]:
    yield from (Path(found) for found in map(shutil.which, _NAMES) if found is not None)
    # The programs themselves: the scripts that usually start them know only where a package would stand.
    yield from (UNPACKED / "chromium/usr/lib/chromium" / name for name in ("chromium-headless-shell", "chromium"))


def _answers(program: Path) -> bool:
    """A script that only tells where to get a browser is none."""
    try:
        asked = subprocess.run(
            (program, "--version"), env=to_environment(program), capture_output=True, timeout=60, check=False
        )
    except OSError:
        return False
    return asked.returncode == 0


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A browser with a home of its own; it and what drives it are gone afterwards."""
    program = find_chromium()
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as home:
        async with _driving() as driver:
            browser = await driver.chromium.launch(
                executable_path=program, args=_FLAGS, env=_to_environment(program, Path(home))
            )
            try:
                yield browser
            finally:
                await browser.close()


@asynccontextmanager
async def _driving() -> AsyncIterator[Playwright]:
    """What drives browsers; it is started in the environment of this process, whatever is said of the browser's."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in to_environment(_LIBRARIES).items():
            patch.setenv(name, value)
        if not _answers(_DRIVER):
            pytest.skip(f"{_DRIVER} CANNOT BE STARTED, so nothing of the console is tried in a browser")
        driver = async_playwright()
        playwright = await driver.__aenter__()
    try:
        yield playwright
    finally:
        await driver.__aexit__()


def _to_environment(program: Path, home: Path) -> dict[str, str | float | bool]:
    environment: dict[str, str | float | bool] = {**to_environment(program), "HOME": str(home)}
    if UNPACKED in program.parents:
        fonts = home / "fonts.conf"
        fonts.write_text(_FONTS.format(tree=UNPACKED / "chromium", cache=home / "fonts"), encoding="utf-8")
        environment["FONTCONFIG_FILE"] = str(fonts)
    return environment
