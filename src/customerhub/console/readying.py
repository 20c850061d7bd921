"""What the first page of a process would wait for, done before anybody asks: templates, and what systems show."""

import asyncio
from typing import Final

from customerhub.console.customer.lighting import learn
from customerhub.console.shell import PAGES
from customerhub.dialects.base import find_dialects

# A process that only just started has other things to do, and one that soon ends need not do this.
_FIRST: Final = 1.0
# Requests go before.
_REST: Final = 0.02


async def make_ready() -> None:
    """Piece by piece, in a thread beside the requests; takes half a second of one processor in all."""
    await asyncio.sleep(_FIRST)
    for name in PAGES.templates.list_templates(extensions=("html",)):
        await asyncio.to_thread(PAGES.templates.get_template, name)
        await asyncio.sleep(_REST)
    for dialect in find_dialects():
        await asyncio.to_thread(learn, dialect)
        await asyncio.sleep(_REST)
