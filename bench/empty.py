"""The least that a server of this stack does: takes the body apart and puts an answer together, without a database."""

import argparse
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from customerhub.dialects.wizcommerce.wire import CustomerEdit

_CHECK: Final = TypeAdapter(CustomerEdit)
_encode = msgspec.json.Encoder().encode


def make_app(answer: bytes) -> Starlette:
    """An application that answers every reading and every update of any customer with this."""
    decoded: object = msgspec.json.decode(answer)

    async def get(_: Request) -> Response:
        return Response(_encode(decoded), media_type="application/json")

    async def update(request: Request) -> Response:
        _CHECK.validate_json(await request.body())
        return Response(_encode(decoded), status_code=201, media_type="application/json")

    path = "/v1/customers/{id}"
    return Starlette(routes=[Route(path, get, methods=["GET"]), Route(path, update, methods=["PATCH"])])


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.empty", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer", type=Path, required=True, help="A file with the answer.")
    chosen = parser.parse_args()
    app = make_app(chosen.answer.read_bytes())
    uvicorn.run(app, port=chosen.port, loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
