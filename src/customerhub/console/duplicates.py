"""Who may be one and the same customer: the team's groups, and the candidates of one customer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.core.duplicates import Candidate, Match, find_duplicates, walk_alike
from customerhub.core.patience import Patience
from customerhub.model.answer import Answer
from customerhub.model.duplicates import WEIGHTS, Reason
from customerhub.web.screens import Screen

_LIMIT: Final = 20
# Where hardly any customers have something in common so many pieces more are looked through for one page.
_MORE_PIECES: Final = 2
_SHOWN: Final = 12
_STRONG: Final = 4
_REASONS: Final[Mapping[Reason, str]] = {
    "email": "Same email",
    "tax_number": "Same tax number",
    "name_and_postal_code": "Same name and postal code",
    "phone": "Same phone",
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """Something shared: why it says something, what it is, and how much it says, as a number and as a badge's tone."""

    reason: str
    value: str
    score: int
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate with its likenesses and their score: 4 and more is hardly by chance."""

    candidate: Candidate
    likenesses: tuple[Likeness, ...]
    score: int


async def show_groups(desk: Desk) -> Answer:
    """`GET /console/{team}/duplicates`: a page of groups of customers that share a value."""
    scope, patience = f"duplicates {desk.team}", Patience(desk.hub)
    found = await walk_alike(desk.hub, desk.caller, to_position(scope, desk.visit.query.get("page")), _LIMIT)
    for _ in range(_MORE_PIECES):
        if found.groups or found.after is None or not patience.is_left:
            break
        found = await walk_alike(desk.hub, desk.caller, found.after, _LIMIT)
    token = to_token(scope, found.after)
    return desk.render(
        "duplicates.html",
        groups=[(group, to_likeness(group.match), group.customers[:_SHOWN]) for group in found.groups],
        is_first="page" not in desk.visit.query,
        older=desk.url("duplicates", page=token) if token else None,
    )


async def show_candidates(desk: Desk, subject: Subject) -> Answer:
    """`GET …/duplicates`: everybody who may be this customer, the likeliest first."""
    found = await find_duplicates(desk.hub, desk.caller, subject.customer.id)
    return desk.render(
        "candidates.html",
        subject=subject,
        tab="duplicates",
        rows=[_to_row(candidate) for candidate in found.candidates],
        common=[(one, to_likeness(one.match)) for one in found.common],
    )


def _to_row(candidate: Candidate) -> Row:
    return Row(candidate, tuple(map(to_likeness, candidate.matches)), to_score(candidate.matches))


def to_score(matches: Collection[Match]) -> int:
    """What the reasons say together; several addresses at one place say no more than one."""
    return sum(WEIGHTS[reason] for reason in {match.reason for match in matches})


def to_likeness(match: Match) -> Likeness:
    """A reason in words."""
    score = WEIGHTS[match.reason]
    return Likeness(_REASONS[match.reason], match.value, score, "warn" if score >= _STRONG else "plain")


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{PREFIX}/{{team}}/duplicates": {"GET": signed_in(show_groups, permission="customers:read")},
    f"{PREFIX}/{{team}}/customers/{{id}}/duplicates": {
        "GET": of_customer(show_candidates, permission="customers:read")
    },
}
