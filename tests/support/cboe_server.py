"""A server in Cboe's format in threads of its own, for commands that run as processes."""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.support.vendor_documents import cboe_chain, cboe_levels, moment


class CboeServer:
    """Chains of the names in `shown`, made at the time of the request."""

    def __init__(self, now: Callable[[], int], shown: Collection[str]) -> None:
        """`now` is the time of the documents, ns."""
        self._now = now
        self.shown = set(shown)
        self.asked: Counter[str] = Counter()
        self.texts: dict[str, bytes] = {}
        """Other documents by path."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = outer.document(self.path)
                self.send_response(200 if body else 403)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def document(self, path: str) -> bytes | None:
        """What stands at a path; None for nothing."""
        name = path.rpartition("/")[2].removesuffix(".json")
        self.asked[name] += 1
        if path in self.texts:
            return self.texts[path]
        at = moment(self._now())
        if name == "all_us_indices":
            return cboe_levels(at)
        return cboe_chain(name, at) if name in self.shown else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
