"""What every write carries beside its own data: who asks, under which guards, and how its failures look."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from customerhub.model.answer import Answer, Caller, Guards
from customerhub.model.error import HubError


class Author(Struct, frozen=True):
    """Who does something, as the history shows them, and by which request."""

    caller: Caller
    request_id: str


@dataclass(slots=True)
class Command:
    """One write as a door hands it to a use case.

    `to_answer` turns a failure into the door's own shape: a key keeps the bytes of permanent failures too.
    `ignored` collects the paths of members that the contract ignores; the change row keeps them. `keeps` are failures
    that a key keeps for this door beside the permanent ones.
    """

    caller: Caller
    request_id: str
    to_answer: Callable[[HubError], Answer]
    guards: Guards = field(default_factory=Guards)
    ignored: list[str] = field(default_factory=list)
    keeps: tuple[type[HubError], ...] = ()

    @property
    def author(self) -> Author:
        """Who does it, by which request."""
        return Author(self.caller, self.request_id)
