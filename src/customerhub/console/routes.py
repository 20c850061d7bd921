"""Every page of the console by its path; each part's own table stands in its own module."""

from collections.abc import Mapping
from typing import Final

from customerhub.console import (
    audit,
    catalogue,
    credentials,
    customers,
    deliveries,
    duplicates,
    imports,
    merging,
    requests,
    restoring,
    reverting,
    settings,
    sink_forms,
    sinks,
    start,
    timeline,
    unmerging,
    users,
)
from customerhub.console.customer import overview, views
from customerhub.console.desk import PREFIX as ROOT
from customerhub.console.shell import to_static_pages
from customerhub.web.screens import Screen

__all__ = ["PREFIX", "SCREENS", "UPLOADS", "to_static_pages"]

PREFIX: Final = f"{ROOT}/"
"""Under this path there is nothing but the console."""

SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    **start.SCREENS,
    # Before those of one customer, whose path is any segment here.
    **customers.SCREENS,
    **overview.SCREENS,
    **views.SCREENS,
    **timeline.SCREENS,
    **reverting.SCREENS,
    **restoring.SCREENS,
    **duplicates.SCREENS,
    **merging.SCREENS,
    **unmerging.SCREENS,
    **imports.SCREENS,
    **sink_forms.SCREENS,
    **sinks.SCREENS,
    **deliveries.SCREENS,
    **requests.SCREENS,
    **credentials.SCREENS,
    **users.SCREENS,
    **settings.SCREENS,
    **audit.SCREENS,
    **catalogue.SCREENS,
}
UPLOADS: Final[Mapping[str, int]] = {**imports.UPLOADS}
"""How many bytes the form of a path may have, where it comes with a file."""
