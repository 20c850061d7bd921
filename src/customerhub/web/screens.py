"""Pages with forms: what people do with a browser, beside the dialects; every failure is a page too."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, Final
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import FormData, Headers, QueryParams, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.routing import compile_path
from starlette.types import Receive, Scope

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.error import (
    BodyTooLarge,
    Busy,
    Conflict,
    Forbidden,
    HubError,
    Invalid,
    InvalidHeader,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from customerhub.web.limit import Limits
from customerhub.web.origin import Origin
from customerhub.web.render import render
from customerhub.web.upload import check_declaration, read_body, receive_body

_FORM: Final = "application/x-www-form-urlencoded"
_FILE_FORM: Final = "multipart/form-data"
_MAX_FORM: Final = 262_144
_MAX_FIELDS: Final = 2_500
_STATUSES: Final[dict[type[HubError], int]] = {
    Malformed: 400,
    Invalid: 400,
    InvalidHeader: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NoSuchRoute: 404,
    MethodNotAllowed: 405,
    RequestTimeout: 408,
    Conflict: 409,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    PreconditionRequired: 428,
    RateLimited: 429,
    Busy: 503,
    Unavailable: 503,
}
_SENTENCES: Final[dict[int, str]] = {
    403: "This form is too old, did not come from this hub, or you may not do this. Go back, load the page again, and "
    "repeat it.",
    404: "There is no such page, or it is not yours to see.",
    409: "Things are not as they were when the page was made. Go back, load it again, and look.",
    412: "Somebody else has changed this meanwhile. Go back, load the page again, and look.",
    413: "That is more than the hub takes at once.",
    429: "There were too many attempts. Wait a few minutes, and try again.",
    500: "Something went wrong on our side.",
    503: "The hub cannot answer at the moment. Try again.",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form: `content` is open until the screen has answered, and on disk if it is large."""

    name: str
    content: BinaryIO


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser; `form` has the last value of each field, and is empty but after a POST.

    `fields` has all pairs of the form, for those that may come several times. `parameters` are those of the path.
    """

    hub: Hub
    limits: Limits
    request_id: str
    method: str
    path: str
    raw_query: str
    query: QueryParams
    form: Mapping[str, str]
    headers: Headers
    scheme: str
    client_address: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[tuple[str, str], ...] = ()
    uploads: Mapping[str, Upload] = field(default_factory=dict)


Screen = Callable[[Visit], Awaitable[Answer]]


class Screens:
    """The screens by path and method; HEAD is answered like GET. `{name}` in a path is a whole segment.

    `prefixes` are paths under which there is nothing but screens. `uploads` says how many bytes the form of a path may
    have; others may have as many as people type.
    """

    def __init__(
        self,
        screens: Mapping[str, Mapping[str, Screen]],
        *,
        prefixes: tuple[str, ...] = (),
        uploads: Mapping[str, int] | None = None,
    ) -> None:
        self._screens = screens
        self._prefixes = prefixes
        self._uploads = uploads or {}
        self._plain = frozenset(path for path in screens if "{" not in path)
        # Whoever names a segment comes before whoever takes any.
        self._patterns = [(compile_path(path)[0], path) for path in sorted(screens, key=_to_rank) if "{" in path]
        self.paths = frozenset(screens)

    @property
    def examples(self) -> tuple[str, ...]:
        """A path of each screen, to see whether somebody else serves it too."""
        return tuple(path.replace("{", "").replace("}", "") for path in sorted(self.paths))

    def owns(self, path: str) -> bool:
        """Whether a path, as it was sent, is a screen's or nobody's."""
        return path in self._plain or path.startswith(self._prefixes)

    def find(self, path: str) -> tuple[str, dict[str, str]]:
        """The template of a path, and what the path says. Raises NoSuchRoute."""
        if path in self._plain:
            return path, {}
        for pattern, template in self._patterns:
            if found := pattern.match(path):
                parameters = {name: unquote(value) for name, value in found.groupdict().items()}
                if any("\0" in value for value in parameters.values()):
                    break
                return template, parameters
        raise NoSuchRoute

    async def answer(
        self, path: str, scope: Scope, receive: Receive, *, hub: Hub, limits: Limits, request_id: str
    ) -> Answer:
        """What the screen at a path answers; raises its failures, which are for `to_failure`."""
        template, parameters = self.find(path)
        methods = self._screens[template]
        method = scope["method"]
        screen = methods.get("GET" if method == "HEAD" else method)
        if screen is None:
            raise MethodNotAllowed(tuple(sorted({*methods, *(("HEAD",) if "GET" in methods else ())})))
        headers, client = Headers(scope=scope), scope["client"]
        raw_query = scope["query_string"].decode("latin-1")
        query = QueryParams(raw_query)
        if any("\0" in text for pair in query.multi_items() for text in pair):
            raise Malformed("a NUL character in the query")
        sent = _Form()
        try:
            if method == "POST":
                limit = self._uploads.get(template)
                sent = await _read_form(headers, receive, hub.settings.body_seconds, limit)
            visit = Visit(
                hub=hub,
                limits=limits,
                request_id=request_id,
                method=method,
                path=path,
                raw_query=raw_query,
                query=query,
                form=dict(sent.fields),
                headers=headers,
                scheme=scope.get("scheme", "http"),
                client_address=client[0] if client else "",
                parameters=parameters,
                fields=sent.fields,
                uploads=sent.uploads,
            )
            return await screen(visit)
        finally:
            for upload in sent.uploads.values():
                upload.content.close()

    @staticmethod
    def to_failure(error: HubError, origin: Origin) -> Answer:
        """The failure as a page."""
        known = (_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
        status = HTTPStatus(next(known, 500))
        sentence = _SENTENCES.get(status) or "The hub cannot do what the browser asked for."
        return render(
            "problem.html", status.value, title=status.phrase, sentence=sentence, request_id=origin.request_id
        )


def _to_rank(path: str) -> list[bool]:
    return [segment.startswith("{") for segment in path.split("/")]


@dataclass(frozen=True, slots=True)
class _Form:
    fields: tuple[tuple[str, str], ...] = ()
    uploads: Mapping[str, Upload] = field(default_factory=dict)


async def _read_form(headers: Headers, receive: Receive, seconds: float, limit: int | None) -> _Form:
    """What a form holds; raises as reading a body does, and Malformed for what no browser sends.

    With a limit, in bytes, it may come with files.
    """
    types = (_FORM,) if limit is None else (_FORM, _FILE_FORM)
    declared = check_declaration(headers, limit or _MAX_FORM, types)
    if limit is not None and headers.get("content-type", "").lower().startswith(_FILE_FORM):
        chunks = receive_body(receive, limit, seconds, declared=declared)
        form = await _read_files(headers, chunks)
    else:
        form = _Form(await _read_pairs(receive, seconds, declared))
    if any("\0" in text for pair in form.fields for text in pair):
        raise Malformed("a NUL character in the form")
    return form


async def _read_pairs(receive: Receive, seconds: float, declared: int | None) -> tuple[tuple[str, str], ...]:
    body = await read_body(receive, _MAX_FORM, seconds, declared=declared)
    try:
        return tuple(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
        )
    except ValueError as error:
        raise Malformed("the form cannot be read") from error


async def _read_files(headers: Headers, chunks: AsyncGenerator[bytes]) -> _Form:
    """A form with files (RFC 7578); what is large lies on disk meanwhile."""
    parser = MultiPartParser(headers, chunks, max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FORM)
    try:
        form: FormData = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise Malformed("the form cannot be read") from error
    return _to_form(form.multi_items())


def _to_form(items: Iterable[tuple[str, str | UploadFile]]) -> _Form:
    fields: list[tuple[str, str]] = []
    uploads: dict[str, Upload] = {}
    for name, value in items:
        if isinstance(value, str):
            fields.append((name, value))
        else:
            uploads[name] = Upload(value.filename or "", value.file)
    return _Form(tuple(fields), uploads)
