"""The documents that follow the code say what the code says."""

import pytest

from tests.support.documents import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_would_write(name: str) -> None:
    """A change to a route, a view or a setting that leaves its page behind fails here."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run python -m tests.support.documents"
