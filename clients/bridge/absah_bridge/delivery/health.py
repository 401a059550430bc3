"""Tell an orchestrator over HTTP whether the bridge serves."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from absah_bridge.delivery.status import Status

CLIENT_SECONDS = 5.0
"""For which a client may say nothing; each has a thread of its own."""


class HealthEndpoint:
    """`GET /health`: 200 while the broker is connected, every queue consumed and the core serving,
    else 503; how it stands as JSON."""

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
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            if self.path != "/health":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = json.dumps(
                {
                    "connected": status.connected,
                    "core_serving": status.core_serving,
                    "core_limit": status.core_limit,
                    "systems": {
                        name: {
                            "under_way": consumer.under_way,
                            "oldest_seconds": round(consumer.oldest_seconds, 1),
                        }
                        for name, consumer in list(status.consumers.items())
                    },
                    "queues": dict(status.queued),
                }
            ).encode()
            self.send_response(HTTPStatus.OK if status.healthy else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """A probe every few seconds is no news."""

    return Handler
