"""Every page of the console by its path; each part's own table stands in its own module."""

from collections.abc import Mapping
from typing import Final

from customerhub.console import start
from customerhub.console.desk import PREFIX as ROOT
from customerhub.console.shell import to_static_pages
from customerhub.web.screens import Screen

__all__ = ["PREFIX", "SCREENS", "UPLOADS", "to_static_pages"]

PREFIX: Final = f"{ROOT}/"
"""Under this path there is nothing but the console."""

SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    **start.SCREENS,
}
UPLOADS: Final[Mapping[str, int]] = {}
"""How many bytes the form of a path may have, where it comes with a file."""
