"""Which customer a page is about: a live one, one that was deleted, or one that went into another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from customerhub.console.desk import Desk, signed_in
from customerhub.core.customers import Relatives, Wanted, Written, find_successor
from customerhub.core.customers import get_customer as read_customer
from customerhub.core.timeline import get_deleted_customer
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import NotFound
from customerhub.web.screens import Screen

# The tabs of a customer's page: the last segment of its path, its title, whether a deleted customer has it.
_TABS: Final = (
    (None, "Overview", True),
    ("systems", "As each system sees it", False),
    ("timeline", "Timeline", True),
    ("duplicates", "Duplicates", False),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a customer's page."""

    title: str
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """The customer in the path, live or deleted, with what it refers to.

    `successor` is the live customer that it went into, where it was merged away.
    """

    customer: Customer
    catalogue: Catalogue
    relatives: Relatives | None = None
    successor: UUID | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it is there for nobody but its history."""
        return self.customer.deleted_at is not None

    def tabs(self, desk: Desk, here: str | None) -> list[Tab]:
        """The tabs that it has."""
        return [
            Tab(title, to_path(desk, self.customer.id, segment), segment == here)
            for segment, title, is_lasting in _TABS
            if is_lasting or not self.is_deleted
        ]


def to_path(desk: Desk, customer_id: UUID, *segments: str | None) -> str:
    """The address of a customer's page, or of a tab of it."""
    return desk.url("customers", customer_id, *filter(None, segments))


async def get_customer(desk: Desk, wanted: Wanted | None = None) -> Written:
    """The live customer in the path (`id`); raises NotFound, also for one that is deleted."""
    return await read_customer(desk.hub, desk.caller, desk.get_id(kind="customer"), wanted)


async def get_subject(desk: Desk, wanted: Wanted | None = None) -> Subject:
    """The customer in the path (`id`), a deleted one as it was last; raises NotFound where there never was one."""
    try:
        found = await get_customer(desk, wanted)
    except NotFound:
        customer_id = desk.get_id(kind="customer")
        gone = await get_deleted_customer(desk.hub, desk.caller, customer_id)
        successor = await find_successor(desk.hub, desk.caller, customer_id)
        return Subject(gone.customer, gone.catalogue, successor=successor)
    return Subject(found.customer, found.catalogue, found.relatives)


SubjectScreen = Callable[[Desk, Subject], Awaitable[Answer]]


def of_customer(
    screen: SubjectScreen, *, permission: str | None = None, wanted: Wanted | None = None, lasting: bool = False
) -> Screen:
    """A screen of the customer in the path.

    Of one that was merged away people are led to the same page of the one that it went into; of one that is deleted to
    its overview, which says so. `lasting` screens are shown of these too.
    """

    async def show(desk: Desk) -> Answer:
        subject = await get_subject(desk, wanted)
        if subject.is_deleted and not lasting:
            return _lead_on(desk, subject)
        return await screen(desk, subject)

    return signed_in(show, permission=permission)


def _lead_on(desk: Desk, subject: Subject) -> Answer:
    target = subject.successor
    if desk.visit.method == "POST" or target is None:
        return desk.go("customers", subject.customer.id)
    rest = desk.visit.path.removeprefix(desk.url("customers", desk.parameter("id"))).strip("/")
    return desk.go("customers", target, *filter(None, rest.split("/")), **dict(desk.visit.query))
