"""JSON from files is read strictly."""

import pytest

from customerhub.model.json_text import NotJson, find_json, find_unkept, read_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON at character 2: expecting property name enclosed in double quotes"),
        ('{"a":1,"a":2}', 'has the member "a" twice'),
        ("[NaN]", "has NaN, which is not JSON"),
        ("[1e999]", "has a number that is too large"),
        (f"[{'9' * 5000}]", "has a number of too many digits"),
        ('["\\ud800"]', "has half of a character (a lone surrogate) in it"),
        ('{"a\\u0000":[]}', "has a NUL character in it"),
        ("[" * 70 + "]" * 70, "is nested deeper than 64 levels"),
        ("[" * 100_000, "is nested deeper than 64 levels"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: str, reason: str) -> None:
    """With what is wrong, wherever it stands."""
    with pytest.raises(NotJson) as refused:
        read_json(text)
    assert str(refused.value) == reason
    assert find_json(text, None) is None


def test_everything_else_is_read() -> None:
    """Numbers, texts of any language, 64 levels."""
    assert read_json('{"a":[1,2.5,"\\u00e6\\ud83d\\ude00",null]}') == {"a": [1, 2.5, "æ😀", None]}
    assert read_json("[" * 64 + "]" * 64) is not None
    assert find_unkept("æ😀\n") is None
