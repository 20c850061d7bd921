"""What became of a record at two hands: the places where either differs from what both started from."""

from collections.abc import Iterator
from typing import Final

from customerhub.dialects.hub.canonical import LISTS, Shown, to_body
from customerhub.dialects.hub.errors import to_pointer
from customerhub.model.customer import Customer
from customerhub.model.error import Path

# They are others in every version.
_MARKS: Final = ("version", "updated_at", "updated_by")


def to_difference(base: Customer, mine: Customer, theirs: Customer) -> list[Shown]:
    """Each place at which one of the two differs from `base`, with its three values; null where there is none.

    Entries of lists stand by their ids; one that is new or gone is one place.
    """
    before, ours, others = (_to_tree(to_body(customer)) for customer in (base, mine, theirs))
    paths = dict.fromkeys((*_differing(before, ours), *_differing(before, others)))
    whole = [path for path in paths if not any(path[:length] in paths for length in range(1, len(path)))]
    return [
        {
            "path": to_pointer(path),
            "base": _value_at(before, path),
            "mine": _value_at(ours, path),
            "theirs": _value_at(others, path),
        }
        for path in whole
    ]


def _to_tree(body: Shown) -> Shown:
    """The canonical form with lists as objects by the ids of their entries, without what every version has anew."""
    tree = {member: value for member, value in body.items() if member not in _MARKS}
    for member in LISTS:
        tree[member] = {
            entry["id"]: {name: value for name, value in entry.items() if name not in _MARKS} for entry in body[member]
        }
    return tree


def _differing(one: object, other: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            if name in one and name in other:
                yield from _differing(one[name], other[name], (*path, name))
            else:
                yield (*path, name)
    elif one != other:
        yield path


def _value_at(tree: object, path: Path) -> object:
    for step in path:
        if not isinstance(tree, dict) or step not in tree:
            return None
        tree = tree[step]
    return tree
