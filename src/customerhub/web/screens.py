"""Pages with forms: what people do with a browser, beside the dialects; every failure is a page too."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, QueryParams
from starlette.types import Receive, Scope

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Forbidden,
    HubError,
    Invalid,
    InvalidHeader,
    Malformed,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.web.limit import Limits
from customerhub.web.origin import Origin
from customerhub.web.render import render
from customerhub.web.upload import check_declaration, read_body

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_FORM: Final = 65_536
_MAX_FIELDS: Final = 100
_STATUSES: Final[dict[type[HubError], int]] = {
    Malformed: 400,
    Invalid: 400,
    InvalidHeader: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    RequestTimeout: 408,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    RateLimited: 429,
    Busy: 503,
    Unavailable: 503,
}
_SENTENCES: Final[dict[int, str]] = {
    403: "This form is too old or did not come from this hub. Go back, load the page again, and repeat it.",
    429: "There were too many attempts. Wait a few minutes, and try again.",
    500: "Something went wrong on our side.",
    503: "The hub cannot answer at the moment. Try again.",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser; `form` has the last value of each field, and is empty but after a POST."""

    hub: Hub
    limits: Limits
    request_id: str
    path: str
    raw_query: str
    query: QueryParams
    form: Mapping[str, str]
    headers: Headers
    scheme: str
    client_address: str


Screen = Callable[[Visit], Awaitable[Answer]]


class Screens:
    """The screens by path and method; HEAD is answered like GET."""

    def __init__(self, screens: Mapping[str, Mapping[str, Screen]]) -> None:
        self._screens = screens
        self.paths = frozenset(screens)

    async def answer(
        self, path: str, scope: Scope, receive: Receive, *, hub: Hub, limits: Limits, request_id: str
    ) -> Answer:
        """What the screen at one of `paths` answers; raises its failures, which are for `to_failure`."""
        methods = self._screens[path]
        method = scope["method"]
        screen = methods.get("GET" if method == "HEAD" else method)
        if screen is None:
            raise MethodNotAllowed(tuple(sorted({*methods, *(("HEAD",) if "GET" in methods else ())})))
        headers, client = Headers(scope=scope), scope["client"]
        raw_query = scope["query_string"].decode("latin-1")
        form = await _read_form(headers, receive, hub.settings.body_seconds) if method == "POST" else {}
        query = QueryParams(raw_query)
        if any("\0" in value for value in query.values()):
            raise Malformed("a NUL character in the query")
        visit = Visit(
            hub=hub,
            limits=limits,
            request_id=request_id,
            path=path,
            raw_query=raw_query,
            query=query,
            form=form,
            headers=headers,
            scheme=scope.get("scheme", "http"),
            client_address=client[0] if client else "",
        )
        return await screen(visit)

    @staticmethod
    def to_failure(error: HubError, origin: Origin) -> Answer:
        """The failure as a page."""
        status = HTTPStatus(_STATUSES.get(type(error), 500))
        sentence = _SENTENCES.get(status) or "The hub cannot do what the browser asked for."
        return render(
            "problem.html", status.value, title=status.phrase, sentence=sentence, request_id=origin.request_id
        )


async def _read_form(headers: Headers, receive: Receive, seconds: float) -> dict[str, str]:
    """The fields of a form; raises as reading a body does, and Malformed for what no browser sends."""
    declared = check_declaration(headers, _MAX_FORM, (_FORM,))
    body = await read_body(receive, _MAX_FORM, seconds, declared=declared)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise Malformed("the form cannot be read") from error
    if any("\0" in value for _, value in pairs):
        raise Malformed("a NUL character in the form")
    return dict(pairs)
