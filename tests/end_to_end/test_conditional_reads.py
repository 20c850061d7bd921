"""What holds for every route that only reads: `If-None-Match` is heard where the table says so, and HEAD is GET."""

import pytest

from tests.end_to_end.answers import headers_of
from tests.end_to_end.door import Door
from tests.end_to_end.recipes import ROUTES, Route

# One route of each dialect, by which the test finds its door.
FIRST = [*{route.dialect.name: route for route in ROUTES}.values()]
READS = [route for route in ROUTES if route.operation.method == "GET" and not route.operation.is_public]


@pytest.mark.parametrize("route", FIRST, ids=lambda route: route.dialect.name)
async def test_readers_are_told_what_they_have(route: Route, door: Door) -> None:
    """304 where the table has it, to `*` and to the record's tag among others, strong or weak; elsewhere the answer."""
    furniture = await door.furnish()
    for read in (one for one in READS if one.dialect is route.dialect):
        path = furniture.fill(read.operation.path)
        whole = await door.send(read, path, None)
        if not whole.is_success:
            # It needs to be told what to look for, is for others, or there is nothing of the kind about this record.
            assert whole.status_code in (400, 403, 409), (path, whole.text)
            continue
        tag = whole.headers.get("etag", '"1"')
        for tags in ("*", tag, f'"0", W/{tag}'):
            answer = await door.send(read, path, None, if_none_match=tags)
            if 304 in read.operation.others:
                assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
            else:
                assert answer.status_code == whole.status_code
                assert answer.headers.get("etag") == whole.headers.get("etag")
        other = await door.send(read, path, None, if_none_match='"999", x')
        assert other.status_code == whole.status_code


@pytest.mark.parametrize("route", FIRST, ids=lambda route: route.dialect.name)
async def test_head_is_get_without_its_body(route: Route, door: Door) -> None:
    """The same status and headers, 304 too."""
    furniture = await door.furnish()
    for read in (one for one in READS if one.dialect is route.dialect):
        path = furniture.fill(read.operation.path)
        for headers in ({}, {"If-None-Match": "*"}):
            asked, told = [
                await door.api.request(method, path, headers=headers, auth=door.auth) for method in ("HEAD", "GET")
            ]
            assert (asked.status_code, asked.content) == (told.status_code, b""), path
            assert set(headers_of(asked)) == set(headers_of(told)), path
