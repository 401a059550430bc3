"""Tell an orchestrator over HTTP whether the bridge is connected."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from absah_bridge.delivery.bridge import Status


class HealthEndpoint:
    """`GET /health`: 200 while the broker is connected and every queue consumed, else 503."""

    def __init__(self, status: Status, *, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104
        """Port 0 has no endpoint. Raises OSError if the port is taken."""
        self._server = ThreadingHTTPServer((host, port), _handler(status)) if port else None

    def __enter__(self) -> HealthEndpoint:
        if self._server is not None:
            threading.Thread(
                target=self._server.serve_forever, name="bridge-health", daemon=True
            ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _handler(status: Status) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/health":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = json.dumps(
                {
                    "connected": status.connected,
                    "under_way": {n: c.under_way for n, c in status.consumers.items()},
                }
            ).encode()
            self.send_response(
                HTTPStatus.OK if status.connected else HTTPStatus.SERVICE_UNAVAILABLE
            )
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """A probe every few seconds is no news."""

    return Handler
