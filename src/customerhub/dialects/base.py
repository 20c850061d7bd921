"""Find the dialects: every folder beside this module is one, and a folder that is gone is one less."""

import importlib
import pkgutil
from collections.abc import Iterable

import customerhub.dialects
from customerhub.web.dialect import Dialect


def find_dialects() -> tuple[Dialect, ...]:
    """The dialects in order of name; each folder's package has its instance as `dialect`."""
    names = sorted(module.name for module in pkgutil.iter_modules(customerhub.dialects.__path__) if module.ispkg)
    return tuple(importlib.import_module(f"customerhub.dialects.{name}").dialect for name in names)


def find_canonical(dialects: Iterable[Dialect]) -> Dialect | None:
    """The dialect whose form is the record itself; None where its folder is gone."""
    return next((dialect for dialect in dialects if dialect.is_canonical), None)
