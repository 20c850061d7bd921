"""Customers as a list: search, filters, orders, columns, new ones and deleted ones."""

from collections.abc import Mapping
from typing import Final

from customerhub.console.customers import deleted, export, listing, new
from customerhub.web.screens import Screen

__all__ = ["SCREENS"]

SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    **listing.SCREENS,
    **new.SCREENS,
    **deleted.SCREENS,
    **export.SCREENS,
}
