"""Where a list's page 1,000 is: by its number where the dialect counts pages, else from cursor to cursor."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import httpx

from bench.request import Request, Signing, Subject, take_apart
from bench.served import Place

Json = dict[str, Any]  # Any: decoded JSON
FIRST: Final = 1
LAST: Final = 1_000
PAGE_SIZE: Final = 20
# The largest page that the cursors of all dialects allow, so that the way to page 1,000 is short.
_STRIDE: Final = 1_000


@dataclass(frozen=True)
class List:
    """A dialect's list of customers: its first page, and how one asks for a later one."""

    request: Request
    path: str
    page: str = ""
    cursor: str = ""
    next_of: Callable[[Json], str | None] = lambda answer: answer["next"]


def _given(path: str, _: random.Random, __: Subject) -> str:
    return path


def _at(found: List, **parameters: str) -> Request:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return replace(found.request, path=partial(_given, f"{found.path}{query}"))


def _find_lists(place: Place) -> dict[str, List]:
    wizcommerce, count = place.credentials["wizcommerce"], place.credentials["count"]
    signing = Signing(count["client_id"], count["client_secret"])
    bearer = {
        name: {"authorization": f"Bearer {shown['api_key']}"}
        for name, shown in place.credentials.items()
        if "api_key" in shown
    }
    token = {"authorization": f"Bearer {count['access_token']}"}

    def get(headers: dict[str, str], signs: Signing | None = None) -> Request:
        return Request("GET", partial(_given, ""), headers, signing=signs)

    return {
        "wizcommerce": List(
            get({"x-api-key": wizcommerce["api_key"]}), f"/v1/customers?page_size={PAGE_SIZE}&", page="page"
        ),
        "count": List(get(token, signing), f"/partners/customers?limit={PAGE_SIZE}&", page="page"),
        "augno": List(
            get(bearer["augno"]),
            "/v1/sales/customers?",
            cursor="cursor",
            next_of=lambda answer: answer["page_info"]["next_cursor"],
        ),
        "hub": List(get(bearer["hub"]), "/hub/v1/customers?", cursor="after"),
    }


async def list_requests(place: Place, port: int, last: int) -> dict[str, tuple[Request, Request]]:
    """By dialect the requests of page 1 and of page `last`, both of `PAGE_SIZE` customers."""
    found = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for dialect, one in _find_lists(place).items():
            if one.page:
                found[dialect] = (_at(one, **{one.page: str(FIRST)}), _at(one, **{one.page: str(last)}))
                continue
            cursor = await _walk(client, one, (last - 1) * PAGE_SIZE)
            size = {"limit": str(PAGE_SIZE)}
            found[dialect] = (_at(one, **size), _at(one, **size, **({one.cursor: cursor} if cursor else {})))
    return found


async def _walk(client: httpx.AsyncClient, found: List, skipped: int) -> str | None:
    """The cursor of what comes after so many customers."""
    cursor = None
    while skipped:
        size = min(skipped, _STRIDE)
        request = _at(found, limit=str(size), **({found.cursor: cursor} if cursor else {}))
        method, path, headers, _ = take_apart(request.build(random.Random(), Subject(1, ())))  # noqa: S311 - no secret
        answer = (await client.request(method, path, headers=headers)).raise_for_status().json()
        cursor = found.next_of(answer)
        skipped -= size
    return cursor
