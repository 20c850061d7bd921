"""Who wins for which field: what is sent to Stripe, and what becomes of a change that was made there."""

from typing import Final

from msgspec import Struct

from customerhub.core.owners import STRIPE_FIELDS, StripeOwner
from customerhub.sinks.stripe.snapshot import FIELDS, Fields
from customerhub.store.sinks import Sink

Owner = StripeOwner
OWNED: Final = STRIPE_FIELDS


def find_owner(sink: Sink, field: str) -> Owner:
    """Whose a field is: `hub` (Stripe's changes are taken back), `stripe` (the hub's are not sent), or `both`.

    Of both, which is what a field is that nothing is said of, either side may change it; where both did, the hub wins.
    """
    match sink.config.get("ownership", {}).get(field) if field in OWNED else "hub":
        case "hub":
            return "hub"
        case "stripe":
            return "stripe"
    return "both"


class Weighed(Struct, frozen=True):
    """What becomes of a change in Stripe.

    `taken` are the fields whose values the hub takes over. `owed` are those that the hub has to write back. `written`
    is what both sides are known to have from now on, or what Stripe has where that is to change.
    """

    taken: tuple[str, ...]
    owed: tuple[str, ...]
    written: Fields


def weigh(sink: Sink, ours: Fields, theirs: Fields, written: Fields) -> Weighed:
    """Compare what the hub would send, what Stripe has, and what was last written, field by field.

    Only the difference between what Stripe has and what was last written is a change over there: so the echo of the
    hub's own writes is none, and neither is the same value from both sides.
    """
    taken: list[str] = []
    owed: list[str] = []
    known = dict(written)
    for field in FIELDS:
        if theirs[field] == ours[field]:
            known[field] = theirs[field]
        elif field not in written or theirs[field] != written[field]:
            owner = find_owner(sink, field)
            is_conflict = field not in written or ours[field] != written[field]
            is_taken = owner == "stripe" or (owner == "both" and not is_conflict)
            (taken if is_taken else owed).append(field)
            known[field] = theirs[field]
    return Weighed(tuple(taken), tuple(owed), known)
