"""The README's commands, run word for word against a live hub, print what the README says they print."""

from pathlib import Path

from tests.support.pages import read_blocks, run_blocks, to_told
from tests.support.process import running_hub

README = Path(__file__).parents[2] / "README.md"


async def test_the_commands_print_what_the_readme_says(tmp_path: Path) -> None:
    """Each answer in the README is the one that a fresh demo team gives, but for ids and times."""
    blocks = read_blocks(README)
    assert len(blocks) >= 4
    data = tmp_path / "data"
    async with running_hub(tmp_path / "log", "--demo", "--data-dir", str(data)) as hub:
        printed, said = to_told(blocks, await run_blocks(blocks, hub.url, tmp_path, data))
        assert await hub.stop() == 0
    assert len(said) >= 3
    assert printed == said
