"""How much a load or crash test does: bounded in `make test`, at its full size under CUSTOMERHUB_SOAK=1."""

import os
from typing import TypeVar

T = TypeVar("T")


def sized(bounded: T, full: T) -> T:
    """The size for this run."""
    return full if os.environ.get("CUSTOMERHUB_SOAK") == "1" else bounded
