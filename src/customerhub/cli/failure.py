"""Failures that are to be expected, each as one sentence for the person at the terminal."""

import re
from typing import Final

import asyncpg
from pydantic import ValidationError

from customerhub.embedded import EmbeddedError
from customerhub.model.error import Busy, HubError, Unavailable
from customerhub.settings import Settings


class Refused(Exception):
    """The command cannot do what was asked; the message is one sentence that says why, and how to mend it."""


EXPECTED: Final = (
    Refused,
    HubError,
    EmbeddedError,
    ValidationError,
    asyncpg.exceptions.PostgresError,
    asyncpg.exceptions.InterfaceError,
    TimeoutError,
)


def to_sentence(error: BaseException) -> str:
    """What to tell the person; nothing in it that a database URL holds but its server and its database."""
    match error:
        case Unavailable():
            return _to_database_sentence(error.__cause__)
        case Busy() if error.__cause__ is not None:
            return _to_database_sentence(error.__cause__)
        case ValidationError():
            return _to_setting_sentence(error)
        case asyncpg.exceptions.PostgresError() | asyncpg.exceptions.InterfaceError() | TimeoutError():
            return _to_database_sentence(error)
        case _:
            return str(error)


def _to_setting_sentence(error: ValidationError) -> str:
    """Which settings are wrong; where one stands in the environment its name there is what helps."""
    prefix = Settings.model_config.get("env_prefix", "")
    problems = (
        f"{prefix}{'_'.join(map(str, one['loc'])).upper()}: {one['msg'][:1].lower()}{one['msg'][1:]}"
        for one in error.errors(include_input=False, include_url=False)
    )
    return f"A setting is wrong: {'; '.join(problems)}."


def _to_database_sentence(cause: BaseException | None) -> str:
    match cause:
        case asyncpg.InvalidCatalogNameError():
            return f"The server has no such database ({_text(cause)}): create it, then run `customerhub migrate`."
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"The database server does not let us in ({_text(cause)}): look at user and password in the URL."
        case asyncpg.InsufficientPrivilegeError():
            return f"The database user lacks a permission: {_text(cause)}."
        case asyncpg.exceptions.ClientConfigurationError():
            return f"The database URL cannot be used: {_text(cause)}."
        case asyncpg.CannotConnectNowError() | asyncpg.TooManyConnectionsError():
            return f"The database server takes no connections now: {_text(cause)}."
        case asyncpg.LockNotAvailableError():
            return "Somebody else holds a table that is to be changed: try again when they are done."
        case TimeoutError():
            return "The database server does not answer: is the URL right, and nothing in the way?"
        case OSError():
            return f"The database server cannot be reached: {_text(cause)}."
        case RuntimeError():
            return f"{str(cause)[:1].upper()}{str(cause)[1:]}: run `customerhub migrate`."
        case None:
            return "The database cannot be reached."
    return f"The database refused: {_text(cause)}."


def _text(error: BaseException) -> str:
    """The driver's words on one line, without what could be a user and a password before a host."""
    line = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return re.sub(r"//[^/@\s]*@", "//…@", line)
