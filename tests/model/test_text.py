"""Rules for text, and what they cost."""

import email_validator
import pytest

from customerhub.model.text import is_email


def test_an_address_may_have_254_characters() -> None:
    """The limit is that of the trimmed text."""
    domain = "x" * 60 + ("." + "x" * 60) * 2 + ".example"
    local = "a" * 63
    longest = f"{local}@{domain}"
    assert len(longest) == 254
    assert is_email(longest)
    assert is_email(f"  {longest}\n")
    assert not is_email(f"{local}@x{domain}")


def test_a_text_too_long_for_an_address_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte costs no more than its length: it is neither parsed, which would take a second, nor remembered."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("was looked at")

    monkeypatch.setattr(email_validator, "validate_email", fail)
    assert not is_email("a." * 500_000 + "@nordlys.example")
