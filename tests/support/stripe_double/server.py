"""The double over HTTP: Stripe's paths, and under /_double what a test asks of it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.stripe_double.account import Account, Fault, Kept, Reply
from tests.support.stripe_double.rules import Json, Refusal, read_form

ACCOUNTS: Final[dict[str, Account]] = {}
_MOST_KEY: Final = 255

Work = Callable[[], Json]


async def customers(request: Request) -> Response:
    """Lists and creations."""
    account = _find_account(request)
    if isinstance(account, Response):
        return account
    if request.method == "GET":
        return await _answer(request, account, "list", lambda: account.list(_read_query(request)))
    form = read_form(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    return await _answer(request, account, "create", lambda: account.create(form), form)


async def search(request: Request) -> Response:
    """Searches by metadata."""
    account = _find_account(request)
    if isinstance(account, Response):
        return account
    return await _answer(request, account, "search", lambda: account.search(_read_query(request)))


async def customer(request: Request) -> Response:
    """One customer."""
    account, customer_id = _find_account(request), request.path_params["customer"]
    if isinstance(account, Response):
        return account
    if request.method == "GET":
        return await _answer(request, account, "retrieve", lambda: account.get(customer_id))
    if request.method == "DELETE":
        return await _answer(request, account, "delete", lambda: account.delete(customer_id))
    form = read_form(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    return await _answer(request, account, "update", lambda: account.update(customer_id, form), form)


def _find_account(request: Request) -> Account | Response:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    account = ACCOUNTS.get(key)
    if account is None:
        return _to_response(_fail(401, f"Invalid API Key provided: {key[:7]}***"))
    if account.is_locked_out:
        return _to_response(_fail(403, "The provided key does not have the required permissions."))
    return account


def _read_query(request: Request) -> Json:
    return read_form(list(request.query_params.multi_items()))


async def _answer(request: Request, account: Account, operation: str, work: Work, form: Json | None = None) -> Response:
    key = request.headers.get("idempotency-key") if form is not None else None
    noted = {"operation": operation, "path": request.url.path, "key": key, "form": form}
    account.requests.append({**noted, "headers": dict(request.headers)})
    reply = _reply(request, account, operation, work, key, form)
    if reply.is_dropped:
        request.receive.__self__.transport.abort()  # type: ignore[attr-defined] # uvicorn's own, behind its method
    return _to_response(reply)


def _reply(request: Request, account: Account, operation: str, work: Work, key: str | None, form: Json | None) -> Reply:
    if key is not None and len(key) > _MOST_KEY:
        return _fail(400, "Idempotency keys may be 255 characters long at most.")
    fingerprint = sha256(msgspec.json.encode([request.url.path, form], order="deterministic")).hexdigest()
    kept = account.kept.get(key) if key is not None else None
    if kept is not None and kept.fingerprint != fingerprint:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        return Reply(400, {"error": {"type": "idempotency_error", "message": message}})
    if kept is not None and kept.reply is not None:
        return Reply(kept.reply.status, kept.reply.body, (("idempotent-replayed", "true"),))
    fault = account.take_fault(operation)
    if fault is not None and fault.kind in _BEFORE:
        return _BEFORE[fault.kind](fault)
    try:
        reply = Reply(200, work()) if fault is None or fault.kind != "failed" else _fail(500, fault.message)
    except Refusal as refusal:
        # What is refused before any work is not kept under its key.
        return Reply(refusal.status, refusal.body)
    if fault is not None and fault.kind == "failed_after":
        reply = _fail(500, fault.message)
    if key is not None:
        account.kept[key] = Kept(fingerprint, reply)
    return Reply(reply.status, reply.body, is_dropped=fault is not None and fault.kind == "dropped_after")


def _fail(status: int, message: str, **more: str) -> Reply:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return Reply(status, {"error": {"type": kind, "message": message, **more}})


def _limit(fault: Fault, code: str) -> Reply:
    reply = _fail(429, "Request rate limit exceeded.", code=code)
    return Reply(reply.status, reply.body, tuple(fault.headers.items()))


_BEFORE: Final[dict[str, Callable[[Fault], Reply]]] = {
    "rate_limit": lambda fault: _limit(fault, "rate_limit"),
    "lock_timeout": lambda fault: _limit(fault, "lock_timeout"),
    "key_in_use": lambda _: _fail(409, "There is another request in progress.", code="idempotency_key_in_use"),
    "dropped": lambda _: Reply(0, {}, is_dropped=True),
    "refused": lambda fault: _fail(400, fault.message, **({"param": fault.param} if fault.param else {})),
    "unavailable": lambda fault: Reply(503, {}, tuple(fault.headers.items())),
}


def _to_response(reply: Reply) -> Response:
    return JSONResponse(reply.body, reply.status or 500, headers=dict((("request-id", "req_double"), *reply.headers)))


# What tests ask for


async def open_account(request: Request) -> Response:
    """Make an account, or change how one behaves."""
    wish = await request.json()
    account = ACCOUNTS.setdefault(request.path_params["key"], Account(request.path_params["key"]))
    for name, value in wish.items():
        setattr(account, name, value)
    return JSONResponse({})


async def ask_for_fault(request: Request) -> Response:
    """Let something befall the next requests."""
    ACCOUNTS[request.path_params["key"]].faults.append(Fault(**await request.json()))
    return JSONResponse({})


async def show_requests(request: Request) -> Response:
    """All requests since the account was opened."""
    return JSONResponse(ACCOUNTS[request.path_params["key"]].requests)


async def show_account(request: Request) -> Response:
    """How many messages are still on their way."""
    return JSONResponse({"messages": ACCOUNTS[request.path_params["key"]].messages})


async def forget_keys(request: Request) -> Response:
    """A day has passed: every idempotency key is new again."""
    ACCOUNTS[request.path_params["key"]].kept.clear()
    return JSONResponse({})


app = Starlette(
    routes=[
        Route("/v1/customers", customers, methods=["GET", "POST"]),
        Route("/v1/customers/search", search, methods=["GET"]),
        Route("/v1/customers/{customer}", customer, methods=["GET", "POST", "DELETE"]),
        Route("/_double/{key}", open_account, methods=["PUT"]),
        Route("/_double/{key}", show_account, methods=["GET"]),
        Route("/_double/{key}/faults", ask_for_fault, methods=["POST"]),
        Route("/_double/{key}/requests", show_requests, methods=["GET"]),
        Route("/_double/{key}/keys", forget_keys, methods=["DELETE"]),
    ]
)
