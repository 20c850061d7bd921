"""The commands and programs of the documents, run word for word against a live hub, print what the documents say."""

from pathlib import Path

import pytest

from customerhub.dialects.base import find_dialects
from tests.support.pages import read_blocks, run_blocks, to_told
from tests.support.process import running_hub

ROOT = Path(__file__).parents[2]
_DIALECTS = {dialect.name for dialect in find_dialects()}


@pytest.mark.parametrize(
    ("page", "options", "least", "spoken"),
    [
        ("docs/client.md", ("--demo",), 3, {"hub"}),
        ("docs/sandbox.md", ("--demo", "--sandbox", "--seed", "7"), 3, {"hub", "wizcommerce"}),
    ],
)
async def test_a_page_says_what_happens(
    page: str, options: tuple[str, ...], least: int, spoken: set[str], tmp_path: Path
) -> None:
    """Each answer on the page is the one that a fresh demo team gives, but for ids and times."""
    if missing := spoken - _DIALECTS:
        pytest.skip(f"{', '.join(missing)} is not installed")
    blocks = read_blocks(ROOT / page)
    data, place = tmp_path / "data", tmp_path / "place"
    place.mkdir()
    async with running_hub(tmp_path / "log", *options, "--data-dir", str(data)) as hub:
        printed, said = to_told(blocks, await run_blocks(blocks, hub.url, place, data))
        assert await hub.stop() == 0
    assert len(said) >= least
    assert printed == said
