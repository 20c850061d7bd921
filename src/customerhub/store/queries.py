"""Load named, described SQL from `.sql` files: `-- name: x`, a comment, one statement."""

import re
from importlib.resources import files

_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(file_name: str, package: str = "customerhub.store") -> dict[str, str]:
    """The statements of one file by name; raises ValueError where a name stands twice."""
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    pieces = _HEADER.split(text)[1:]
    queries: dict[str, str] = {}
    for name, statement in zip(pieces[::2], pieces[1::2], strict=True):
        if name in queries:
            raise ValueError(f"{file_name} names {name} twice")
        queries[name] = statement.strip().rstrip(";")
    return queries
