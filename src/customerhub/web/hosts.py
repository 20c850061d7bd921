"""The hosts that the hub answers for, where the operator has named them: a forged Host gets no link and no page."""

import re
from typing import Final

from starlette.datastructures import Headers

from customerhub.model.error import InvalidHeader

_PORT: Final = re.compile(r":[0-9]*$", re.ASCII)


class Hosts:
    """The names in the setting, with commas; without any of them every host will do, and this is False."""

    def __init__(self, setting: str) -> None:
        self._names = frozenset(name.strip().lower() for name in setting.split(",") if name.strip())

    def __bool__(self) -> bool:
        return bool(self._names)

    def check(self, headers: Headers) -> None:
        """Raise InvalidHeader for a request to another host, or to none, or to two; ports do not count."""
        named = headers.getlist("host")
        if len(named) != 1 or _PORT.sub("", named[0].lower()) not in self._names:
            raise InvalidHeader("Host", "is not a host that this hub answers for")
