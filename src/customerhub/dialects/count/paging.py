"""Query parameters of COUNT lists."""

import re
from typing import TypeVar

from starlette.datastructures import QueryParams

from customerhub.core.lists import Order
from customerhub.model.error import FieldError, Invalid

Default = TypeVar("Default")
ORDERS: dict[str, Order] = {
    "customer": "name",
    "email": "email",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
_WHOLE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class QueryReader:
    """Reads query parameters one by one and names all that are wrong at once; unknown ones are left alone."""

    def __init__(self, query: QueryParams) -> None:
        self._query = query
        self._errors: list[FieldError] = []

    def integer(self, name: str, default: int, highest: int) -> int:
        """A whole number from 1 on."""
        text = self._query.get(name)
        if text is None:
            return default
        if _WHOLE.fullmatch(text) and int(text) <= highest:
            return int(text)
        return self._refuse(name, "out_of_range", f"must be a whole number from 1 to {highest}", default)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        text = self._query.get(name, default)
        if text in choices:
            return text
        return self._refuse(name, "invalid_enum", f"must be {' or '.join(choices)}", default)

    def text(self, name: str, longest: int) -> str | None:
        """A text; an empty one is none."""
        text = self._query.get(name) or None
        if text is not None and len(text) > longest:
            return self._refuse(name, "too_long", f"must be at most {longest} characters", None)
        return text

    def check(self) -> None:
        """Raise Invalid with everything that was wrong."""
        if self._errors:
            raise Invalid(tuple(self._errors))

    def _refuse(self, name: str, code: str, reason: str, default: Default) -> Default:
        self._errors.append(FieldError((name,), code, reason))
        return default
