"""`/metrics`, `/livez`, `/readyz` and `/healthz`, served from a thread so that they answer while the event loop is busy."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from agents.exits import Refusal
from agents.monitoring.status import Status

PATHS = frozenset({"/livez", "/readyz", "/healthz"})
LOOP_SECONDS = 1.0
"""The event loop answers within this time, or it is not alive."""


class Check(NamedTuple):
    """One thing that is well or not."""

    name: str
    ok: bool
    message: str
    age: float = 0.0
    """Seconds since it has been so, where known."""


class Answer(NamedTuple):
    """One HTTP answer."""

    code: int
    content_type: str
    body: bytes


class Probes:
    """What the probes find, from the worker's status alone."""

    def __init__(self, status: Status, stall_after: float) -> None:
        self._status, self._stall_after = status, stall_after

    def live(self) -> list[Check]:
        """Restarting would help when one fails. Rebalancing is alive, and so is a worker that Redis or Kafka holds up."""
        silent = monotonic() - self._status.beat
        stalled = [] if self._status.held or self._status.phase != "running" else self._status.stalled(self._stall_after)
        return [
            Check("event_loop", silent <= LOOP_SECONDS, f"last ran {silent:.1f} s ago", silent),
            Check("progress", not stalled, "; ".join(stalled) or "every partition with waiting input advances"),
        ]

    def ready(self) -> list[Check]:
        """All true when the worker does its work."""
        status = self._status
        age = monotonic() - status.since
        return [
            *self.live(),
            Check("phase", status.phase == "running", status.phase, age),
            Check("redis", status.redis_ok, "answers" if status.redis_ok else "does not answer"),
            Check("kafka", not (status.held and status.redis_ok), "acknowledges" if not status.held else "acknowledgements are out"),
        ]

    def answer(self, path: str, query: str) -> Answer | None:
        """The answer to a probe; None for a path that is none."""
        if path not in PATHS:
            return None
        checks = self.live() if path == "/livez" else self.ready()
        return told(path, query, checks, {"phase": self._status.phase, "partitions": len(self._status.partitions)})


def told(path: str, query: str, checks: Sequence[Check], more: Mapping[str, object]) -> Answer:
    """Checks as an answer: a word or the failures, or with `/healthz` and `?verbose` everything as JSON. `/healthz` is always 200."""
    failed = [check for check in checks if not check.ok]
    code = 200 if path == "/healthz" or not failed else 503
    if path == "/healthz" or "verbose" in parse_qs(query, keep_blank_values=True):
        body = {
            "status": "failing" if failed else "ok",
            **more,
            "checks": {check.name: {"ok": check.ok, "message": check.message, "age_seconds": round(check.age, 3)} for check in checks},
        }
        return Answer(code, "application/json", json.dumps(body).encode())
    text = "".join(f"{check.name}: {check.message}\n" for check in failed) or "ok\n"
    return Answer(code, "text/plain; charset=utf-8", text.encode())


class HealthServer:
    """The HTTP server; bound at once, so that a taken port is an error at start."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, probes: Callable[[str, str], Answer | None]) -> None:
        """Raises `Refusal` when the address cannot be bound."""

        class Handler(BaseHTTPRequestHandler):
            server_version, sys_version = "dispersion", ""

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                if url.path == "/metrics":
                    encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                    answer = Answer(200, content_type, encode(registry))
                else:
                    answer = probes(url.path, url.query) or Answer(404, "text/plain", b"/metrics /livez /readyz /healthz\n")
                self.send_response(answer.code)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Probes are not news."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise Refusal(f"cannot listen on {host}:{port}: {error}; choose another metrics.port") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
