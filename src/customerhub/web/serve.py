"""One ASGI application for all dialects and pages: what happens to every request, in order."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import Receive, Scope, Send

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller, Guards, Stream
from customerhub.model.error import (
    Busy,
    FieldError,
    Forbidden,
    HubError,
    Internal,
    Invalid,
    MethodNotAllowed,
    NoSuchRoute,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from customerhub.store.statements import RUNNING
from customerhub.web.dialect import Dialect
from customerhub.web.exchange import Exchange
from customerhub.web.guards import read_guards
from customerhub.web.hooks import Hooks, answer_message
from customerhub.web.hosts import Hosts
from customerhub.web.incoming import Incoming
from customerhub.web.limit import Limits
from customerhub.web.log import get_logger
from customerhub.web.meter import Meter
from customerhub.web.operation import Call, Operation
from customerhub.web.origin import Origin
from customerhub.web.page import Page
from customerhub.web.request_id import to_request_id, to_request_number
from customerhub.web.routing import Match, RouteTable
from customerhub.web.screens import Screens
from customerhub.web.sending import (
    RawHeaders,
    send_answer,
    to_plain_answer,
    to_rate_headers,
    to_raw_headers,
    with_error_headers,
)
from customerhub.web.simulate import HungUp, befall, hang_up, is_dropped, read_fault
from customerhub.web.streaming import Outgoing
from customerhub.web.upload import ClientGone, check_declaration, drain, read_body

Lifespan = Callable[[], AbstractAsyncContextManager[object]]

_TOLD_TO_ALL: Final = (Unauthenticated, RateLimited, Busy, Unavailable, Internal)
_CLIENT_GONE: Final = 499
_READS: Final = ("GET", "HEAD")
_NO_QUERY: Final = QueryParams()
_NO_GUARDS: Final = Guards()


class Site:
    """The ASGI application.

    `pages`, `screens` and `hooks` are served beside the dialects; `lifespan` is entered before the first request and
    left after the last. Raises ValueError where two routes, or a route and one of those, are the same.
    """

    def __init__(
        self,
        hub: Hub,
        dialects: Sequence[Dialect],
        *,
        limits: Limits,
        pages: Mapping[str, Page] | None = None,
        screens: Screens | None = None,
        hooks: Hooks | None = None,
        lifespan: Lifespan = nullcontext,
    ) -> None:
        self._hub = hub
        self._limits = limits
        self._routes = RouteTable(dialects)
        self._pages = dict(pages or {})
        self._screens = screens or Screens({})
        self._hooks = hooks or Hooks()
        self._lifespan = lifespan
        self._hosts = Hosts(hub.settings.allowed_hosts)
        self._log = get_logger()
        self._check_pages()
        gets = (("GET", path) for path in (*self._pages, *self._screens.paths))
        posts = (("POST", path) for path in (*self._screens.paths, *self._hooks.paths))
        self._meter = Meter(hub.slot, dialects, (*gets, *posts))

    def _check_pages(self) -> None:
        pages = (("GET", path) for path in (*self._pages, *self._screens.examples))
        for method, path in (*pages, *(("POST", path) for path in self._hooks.examples)):
            try:
                found = self._routes.match(method, path)
            except (NoSuchRoute, MethodNotAllowed):
                continue
            raise ValueError(f"{path} is a page and matches {found.operation.path} of {found.dialect.name}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the life of the process (ASGI 3)."""
        if scope["type"] == "http":
            self._meter.begin()
            try:
                await self._serve(scope, receive, send)
            finally:
                self._meter.end()
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def leave(self) -> None:
        """Say where it is asked whether this process is ready that it will soon be gone."""
        self._hub.is_leaving = True

    def let_go(self) -> None:
        """Answer those who wait for news: the process is about to stop."""
        self._hub.publisher.let_go()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        path = raw_path.decode("latin-1")
        # A look at a page, such as a probe of the process's health, is no request to a sandbox's clock.
        if self._hub.settings.sandbox and path not in self._pages:
            await self._hub.begin()
        clock = self._hub.monotonic
        started, now = clock(), self._hub.now()
        number = to_request_number(now, self._hub.new_id())
        exchange = Exchange(number, to_request_id(number), now, started, scope, scope["method"], path, clock)
        RUNNING.set(exchange)
        try:
            answer, headers = await self._answer(exchange, scope, receive)
        except ClientGone:
            exchange.log(self._log, _CLIENT_GONE)
            self._meter.observe(exchange, None)
            return
        # Before it is sent: the client may follow the link to the entry as soon as it has the answer.
        self._record(exchange, answer)
        if self._hub.settings.sandbox:
            # What is put back after an answer must not meet what the request left behind to be written.
            await self._hub.recorder.flush()
        if is_dropped(exchange.fault, answer):
            await hang_up(scope, receive)
        elif answer.stream is not None and exchange.method != "HEAD":
            await self._stream(exchange, answer, answer.stream, headers, receive, send)
            return
        else:
            await send_answer(send, answer, [*headers, *exchange.rate], has_body=exchange.method != "HEAD")
        exchange.log(self._log, answer.status)
        self._meter.observe(exchange, answer)

    async def _stream(
        self, exchange: Exchange, answer: Answer, stream: Stream, headers: RawHeaders, receive: Receive, send: Send
    ) -> None:
        """Send a body while it is made. What fails in the middle breaks the connection: no client takes it for whole.

        Returning before the end is what makes the server do so (ASGI 3 leaves it to the server; uvicorn closes).
        """
        outgoing = Outgoing(send, answer.status, [*headers, *exchange.rate], self._hub.settings.stall_seconds)
        answered: Answer | None = answer
        failure: HubError | None = None
        try:
            async with outgoing.watching(receive):
                await stream(outgoing)
                await outgoing.finish()
        except HubError as error:
            failure = error
        except ClientGone:
            answered = None
        except Exception as error:  # noqa: BLE001 - the process's loop: a fault must not take down its neighbours
            failure = exchange.log_fault(self._log, error)
        exchange.sent = outgoing.size
        if failure is not None and outgoing.has_begun:
            exchange.error, exchange.is_broken = failure, True
        elif failure is not None:
            answered, headers = self._to_failure(exchange, failure)
            await send_answer(send, answered, [*headers, *exchange.rate], has_body=True)
        exchange.log(self._log, _CLIENT_GONE if answered is None else answered.status)
        self._meter.observe(exchange, answered)

    def _record(self, exchange: Exchange, answer: Answer) -> None:
        recorder, caller = self._hub.recorder, exchange.caller
        if caller is None or isinstance(exchange.error, Unauthenticated):
            return
        recorder.note_use(caller, exchange.started)
        if recorder.takes_logs:
            entry = exchange.to_entry(answer, with_bodies=self._hub.settings.request_log_bodies)
            if entry is not None:
                recorder.record(entry)

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive) -> tuple[Answer, RawHeaders]:
        """An answer for whatever happens, but for a client that is gone and for being cancelled."""
        try:
            answer = await self._handle(exchange, scope, receive)
            return answer, to_raw_headers(answer, exchange.request_id)
        except HubError as error:
            failure = await self._weigh(exchange, error)
        except (ClientGone, HungUp):
            raise
        except Exception as error:  # noqa: BLE001 - the process's loop: a fault must not take down its neighbours
            failure = exchange.log_fault(self._log, error)
        return self._to_failure(exchange, failure)

    async def _weigh(self, exchange: Exchange, error: HubError) -> HubError:
        """The error to be told: whoever holds a credential that has ended learns nothing else of a request.

        Use cases ask after the credential first, but a header, a path or a query may be refused before one is reached.
        """
        if exchange.caller is None or isinstance(error, _TOLD_TO_ALL):
            return error
        try:
            await self._hub.check_caller(exchange.caller)
        except HubError as ended:
            return ended
        except Exception as fault:  # noqa: BLE001 - this runs beside the net that catches faults, and has its own
            return exchange.log_fault(self._log, fault)
        return error

    async def _handle(self, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        headers = Headers(scope=scope)
        page = self._pages.get(exchange.path)
        if page is not None:
            exchange.route = exchange.path
            if exchange.method not in _READS:
                raise MethodNotAllowed(_READS)
            return await page(headers)
        if self._hosts:
            self._hosts.check(headers)
        if self._screens.owns(exchange.path):
            exchange.route, _ = self._screens.find(exchange.path)
            return await self._screens.answer(
                exchange.path, scope, receive, hub=self._hub, limits=self._limits, request_id=exchange.request_id
            )
        found = self._hooks.find(exchange.path)
        if found is not None:
            exchange.route = found.hook.path
            if self._limits.counts_addresses:
                await self._check_address(exchange, scope)
            return await answer_message(
                found, exchange.method, headers, receive, hub=self._hub, request_id=exchange.request_id
            )
        match = self._routes.match(exchange.method, exchange.path)
        exchange.route = match.operation.path
        exchange.belong_to(match.dialect)
        if self._limits.counts_addresses:
            await self._check_address(exchange, scope)
        call = await self._to_call(exchange, match, scope, headers, receive)
        exchange.fault = read_fault(headers, self._hub.settings)
        if exchange.fault is not None:
            await befall(exchange.fault, scope, receive, self._hub.settings)
        return await match.operation.handler(call)

    async def _check_address(self, exchange: Exchange, scope: Scope) -> None:
        """Count the request before anything of it is read; whatever is answered then says what is left."""
        client = scope["client"]
        state = await self._limits.count_address(client[0] if client else "")
        if state is not None:
            exchange.rate = to_rate_headers(state)
            if state.is_over:
                raise RateLimited(state.reset)

    async def _to_call(
        self, exchange: Exchange, match: Match, scope: Scope, headers: Headers, receive: Receive
    ) -> Call:
        """All that stands between a route and its handler, in this order: body, caller, limit, guards.

        Where the route takes more than other bodies are, whoever sends it must be known before any of it is kept.
        """
        operation, dialect, parameters = match
        raw_query = scope["query_string"].decode("latin-1")
        query = _to_query(raw_query) if raw_query else _NO_QUERY
        caller: Caller | None = None
        if operation.max_body is not None:
            try:
                caller = await self._admit(exchange, match, self._to_incoming(exchange, scope, raw_query, headers, b""))
            except HubError:
                if "expect" not in headers:
                    await drain(receive, operation.max_body, self._hub.settings.body_seconds)
                raise
        body = b"" if exchange.method in _READS else await self._read(operation, scope, headers, receive)
        incoming = self._to_incoming(exchange, scope, raw_query, headers, body)
        if caller is None:
            caller = await self._admit(exchange, match, incoming)
        exchange.is_secret, exchange.body = operation.is_secret, body
        guards = _NO_GUARDS
        if operation.writes:
            guards = read_guards(
                headers, exchange.method, exchange.path, raw_query, body, takes_key=operation.takes_key
            )
            exchange.key = guards.key.key if guards.key is not None else None
            exchange.is_dry_run = guards.dry_run
        command = Command(
            caller,
            exchange.request_id,
            lambda error: dialect.to_answer(error, self._to_origin(exchange, error)),
            guards,
            keeps=dialect.kept_errors,
        )
        return Call(self._hub, command, parameters, query, body, incoming)

    async def _admit(self, exchange: Exchange, match: Match, incoming: Incoming) -> Caller:
        """Who asks, if they may ask for this, now."""
        if match.operation.is_public:
            return Caller.anonymous(match.dialect.name)
        caller = await match.dialect.authenticate(self._hub, incoming)
        exchange.caller = caller
        await self._limits.check_credential(caller.credential, self._hub.find_rate_limit(caller))
        for permission in match.operation.permissions:
            if permission not in caller.scopes:
                raise Forbidden(permission)
        return caller

    def _to_incoming(self, exchange: Exchange, scope: Scope, raw_query: str, headers: Headers, body: bytes) -> Incoming:
        client = scope["client"]
        return Incoming(
            method=exchange.method,
            path=scope["path"],
            raw_path=exchange.path,
            raw_query=raw_query,
            headers=headers,
            body=body,
            has_body=bool(body) or (exchange.method in _READS and _declares_body(headers)),
            scheme=scope.get("scheme", "http"),
            client_address=client[0] if client else "",
            limits=self._limits,
        )

    async def _read(self, operation: Operation, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        settings = self._hub.settings
        limit = operation.max_body or settings.max_body
        has_length = "content-length" in headers
        if not has_length and "transfer-encoding" not in headers and scope["http_version"].startswith("1"):
            return b""
        declared = check_declaration(headers, limit, operation.media_types)
        return await read_body(receive, limit, settings.body_seconds, declared=declared)

    def _to_origin(self, exchange: Exchange, error: HubError) -> Origin:
        public_url = self._hub.settings.public_url
        return exchange.to_origin(error, public_url, promises_logs=self._hub.recorder.promises_logs)

    def _to_failure(self, exchange: Exchange, error: HubError) -> tuple[Answer, RawHeaders]:
        exchange.error = error
        if self._screens.owns(exchange.path):
            to_shape = self._screens.to_failure
        else:
            owner = exchange.dialect or self._routes.find_owner(exchange.path)
            if owner is not None:
                exchange.belong_to(owner)
            to_shape = owner.to_answer if owner else to_plain_answer
        try:
            answer = with_error_headers(to_shape(error, self._to_origin(exchange, error)), error)
            return answer, to_raw_headers(answer, exchange.request_id)
        except Exception as fault:  # noqa: BLE001 - a fault in the shape of failures still gets an answer
            answer = to_plain_answer(exchange.log_fault(self._log, fault), Origin(exchange.request_id))
            return answer, to_raw_headers(answer, exchange.request_id)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The life of the process: requests that run at its end have been answered before the server tells us."""
        await receive()
        stage = "startup"
        try:
            async with self._lifespan():
                await send({"type": "lifespan.startup.complete"})
                stage = "shutdown"
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
        except Exception as error:  # noqa: BLE001 - the server decides what becomes of a process that cannot start
            self._log.error(f"{stage} failed", exc_info=error)
            await send({"type": f"lifespan.{stage}.failed", "message": type(error).__name__})


def _declares_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _to_query(raw: str) -> QueryParams:
    """The query's pairs; raises Invalid for NUL, which no column can hold and no value of ours can mean."""
    query = QueryParams(raw)
    if "%00" in raw or "\0" in raw:
        names = dict.fromkeys(name for name, value in query.multi_items() if "\0" in name or "\0" in value)
        if names:
            raise Invalid(
                tuple(
                    FieldError((name.replace("\0", "\ufffd"),), "nul", "must not hold a NUL character")
                    for name in names
                )
            )
    return query
