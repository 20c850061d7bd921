"""What stands in for other systems in tests of the command line: it takes one key, and has the records it is given."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from typing_extensions import override


@dataclass
class Elsewhere:
    """A server in a thread: `records` by paths are what it has, `asked` the paths so far, `told` what was posted."""

    url: str
    key: str = "sk_test_good"
    records: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def answer(self, path: str, shown: str) -> tuple[int, Any]:
        """The answer to somebody who shows this."""
        if self.key not in shown:
            return 401, {"error": {"message": "Invalid API Key provided"}, "message": "Invalid API Key provided"}
        return 200, self.records.get(path, {"object": "list", "data": [], "has_more": False})


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Serve until the end of the test."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there.asked.append(self.path)
            headers = self.headers
            shown = f"{headers.get('authorization', '')} {headers.get('x-api-key', '')}"
            status, body = there.answer(self.path.partition("?")[0], shown)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            there.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Elsewhere(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
