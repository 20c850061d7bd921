"""The use cases of administration as the operator at the command line asks for them."""

from typing import Generic, TypeVar
from uuid import UUID

from customerhub.core.admin import get_team, to_command
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.lists import get_catalogue
from customerhub.model.answer import Answer
from customerhub.model.catalogue import User
from customerhub.model.customer import email_key
from customerhub.model.error import NotFound

T = TypeVar("T")


class Kept(Generic[T]):
    """Renders what a use case shows for whoever asks: here nobody reads the answer, and what it is about is kept."""

    def __init__(self) -> None:
        self._things: list[tuple[T, tuple[object, ...]]] = []

    def __call__(self, thing: T, *more: object) -> Answer:
        """The answer, which is empty."""
        self._things.append((thing, more))
        return Answer(200)

    @property
    def thing(self) -> T:
        """What was shown last."""
        return self._things[-1][0]

    @property
    def more(self) -> tuple[object, ...]:
        """What was shown along with it."""
        return self._things[-1][1]


async def command_in(hub: Hub, team: str) -> Command:
    """A write of the operator's in a team of this id or name; raises NotFound."""
    return to_command((await get_team(hub, team)).id)


async def find_user(hub: Hub, command: Command, id_or_email: str) -> User:
    """A member of the team by id or email address; raises NotFound."""
    for user in (await get_catalogue(hub, command.caller)).users():
        if str(user.id) == id_or_email.lower() or (user.email and email_key(user.email) == email_key(id_or_email)):
            return user
    raise NotFound("user", id_or_email)


def to_id(text: str, kind: str) -> UUID:
    """The id that was typed; raises NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(kind, text) from None
