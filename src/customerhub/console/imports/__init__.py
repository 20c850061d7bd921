"""Imports: a file is brought, its columns are mapped, it is tried, run, and what came of it is shown."""

from collections.abc import Mapping
from typing import Final

from customerhub.console.imports import actions, bringing, one
from customerhub.web.screens import Screen

__all__ = ["SCREENS", "UPLOADS"]

SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {**bringing.SCREENS, **one.SCREENS, **actions.SCREENS}
UPLOADS: Final = bringing.UPLOADS
