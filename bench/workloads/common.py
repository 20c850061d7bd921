"""What the dialects' requests have in common: values that are new each time, and an update under other guards."""

from dataclasses import replace
from functools import partial
from random import Random
from typing import Final

from typing_extensions import override

from bench.request import Body, Request, Subject

ROWS: Final = 100
PAGE_SIZE: Final = 20
_LEAST_KEY: Final = 10**18


class _Steady(Random):
    """No chance at all: who asks with it asks for the same each time."""

    @override
    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 0 if stop is None else start


def new_value(chance: Random) -> str:
    """Eight digits."""
    return f"{chance.randrange(10**8):08d}"


def new_key(chance: Random, _: Subject) -> str:
    """A key that no request has had before, in nineteen digits, as pgbench makes them."""
    return f"{chance.randrange(_LEAST_KEY, 9 * _LEAST_KEY)}"


def given(path: str, _: Random, __: Subject) -> str:
    """A path that is the same for all customers."""
    return path


def below(path: str, _: Random, subject: Subject) -> str:
    """The customer below a path."""
    return f"{path}/{subject.id}"


def by_email(path: str, _: Random, subject: Subject) -> str:
    """A path that ends in the customer's email address."""
    return f"{path}{subject.email}"


def by_words(path: str, _: Random, subject: Subject) -> str:
    """A path that ends in what somebody types who looks for the customer: its email address as far as the `@`."""
    return f"{path}{subject.email.partition('@')[0]}"


def list_neighbours(subject: Subject) -> list[Subject]:
    """A hundred customers, of the numbers up to this one, or the first hundred."""
    first = max(1, subject.number - ROWS + 1)
    return [Subject(number, subject.towns) for number in range(first, first + ROWS)]


def to_writes(update: Request) -> dict[str, Request]:
    """The update under other guards: changing nothing, sent again, and only tried."""
    assert update.body is not None  # noqa: S101 - an update says what to change
    steady = replace(update, body=partial(_say_the_same, update.body))
    return {
        "update-nested": update,
        "no-op": steady,
        "replay": replace(steady, key=_old_key),
        "dry-run": replace(update, headers={**update.headers, "customerhub-dry-run": "true"}),
    }


def _say_the_same(body: Body, _: Random, subject: Subject) -> object:
    return body(_Steady(), subject)


def _old_key(_: Random, subject: Subject) -> str:
    return f"key-of-{subject.number:012d}"
