"""Every failure that is to be expected is one sentence, and gives no secret away."""

import asyncpg
import pytest
from pydantic import ValidationError

from customerhub.cli.failure import Refused, to_sentence
from customerhub.embedded import EmbeddedError
from customerhub.model.error import NotFound, Unavailable
from customerhub.settings import Settings


def unavailable(cause: BaseException) -> Unavailable:
    """What the database layer raises from this cause."""
    error = Unavailable()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused("No."), "No."),
        (EmbeddedError("The disk is full."), "The disk is full."),
        (NotFound("team", "x"), "no such team: x"),
        (Unavailable(), "The database cannot be reached."),
        (
            unavailable(ConnectionRefusedError(111, "Connection refused")),
            "The database server cannot be reached: [Errno 111] Connection refused.",
        ),
        (
            unavailable(TimeoutError()),
            "The database server does not answer: is the URL right, and nothing in the way?",
        ),
        (
            unavailable(RuntimeError("the database is at migration 1, this version needs 2")),
            "The database is at migration 1, this version needs 2: run `customerhub migrate`.",
        ),
        (
            asyncpg.exceptions.ClientConfigurationError("invalid DSN: http://me:secret@host/x"),
            "The database URL cannot be used: invalid DSN: http://…@host/x.",
        ),
        (
            asyncpg.exceptions.InvalidCatalogNameError('database "x" does not exist'),
            'The server has no such database (database "x" does not exist): create it, then run `customerhub migrate`.',
        ),
        (
            asyncpg.exceptions.InvalidPasswordError("password authentication failed"),
            (
                "The database server does not let us in (password authentication failed): "
                "look at user and password in the URL."
            ),
        ),
        (asyncpg.exceptions.DiskFullError("no\n space"), "The database refused: no space."),
    ],
)
def test_a_failure_is_one_sentence(error: BaseException, sentence: str) -> None:
    """What is printed says what is wrong and how to mend it, on one line."""
    assert to_sentence(error) == sentence


def test_a_wrong_setting_is_named_and_not_shown() -> None:
    """The sentence names the variable; the value, which may be a secret, is not in it."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"port": "secret"})
    sentence = to_sentence(caught.value)
    assert sentence.startswith("A setting is wrong: CUSTOMERHUB_PORT: ")
    assert "secret" not in sentence
