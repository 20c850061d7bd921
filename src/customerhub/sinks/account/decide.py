"""Whose value of a field stands, decided by values alone: pure functions."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from customerhub.core.owners import AccountOwner

Value = Any  # Any: JSON
Owner = AccountOwner
Verdict = Literal["equal", "send", "keep", "leave"]

OWNED: Final = "differs: owned by the other system"


class Plan(Struct, frozen=True):
    """What one comparison comes to.

    `send` are values that the other side is to get. `base` are the values on which both sides agree once it has them.
    `left` are the fields in which the other side's value stands against ours, and why.
    """

    send: Mapping[str, Value]
    base: Mapping[str, Value]
    left: Mapping[str, str]


def decide(
    ours: Value, theirs: Value, base: Value | UnsetType, seen: Collection[Value], owner: Owner = "hub"
) -> Verdict:
    """What becomes of one field.

    `base` is the value both sides had when they were last equal, UNSET where they never were; `seen` are the values
    that the field has had here since the last comparison, from the one at that time on, but not the one it has now.

    `equal`: there is nothing to do. `send`: ours is the later one, since theirs stood here until now, or both changed
    and ours wins. `keep`: only theirs changed, or we never had a value, so that we have nothing to say of it; their own
    sync tells us. `leave`: both changed, neither saw the other's, and theirs wins.
    """
    if ours == theirs:
        return "equal"
    if theirs in seen or theirs == base:
        return "send"
    if not seen and (ours == base or (ours is None and base is UNSET)):
        return "keep"
    return "send" if owner == "hub" else "leave"


def compare(
    ours: Mapping[str, Value],
    theirs: Mapping[str, Value],
    base: Mapping[str, Value],
    past: Collection[Mapping[str, Value]],
    owners: Mapping[str, Owner],
) -> Plan:
    """Decide each field that we tell; one that they do not tell has no value over there.

    `past` are our former values since the last comparison.
    """
    send: dict[str, Value] = {}
    agreed: dict[str, Value] = dict(base)
    left: dict[str, str] = {}
    for field, value in ours.items():
        seen = [told for former in past if (told := former.get(field)) != value]
        match decide(value, theirs.get(field), base.get(field, UNSET), seen, owners.get(field, "hub")):
            case "equal":
                agreed[field] = value
            case "send":
                send[field] = agreed[field] = value
            case "leave":
                left[field] = OWNED
    return Plan(send, agreed, left)
