"""`/metrics` and the probes over HTTP.

waitress serves them in threads of its own, so that it answers while an event loop is busy.

Whoever connects and says nothing takes a file of the process. So connections are few, one that does
not send a whole request in time is closed, and where all are taken the newcomer gets the place of
the one that has been idle longest.
"""

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from time import time
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from agents.monitoring.probe_answer import ProbeAnswer
from agents.process.exits import ActionNeededError

CONNECTIONS = 100
"""Of one listening address, at most."""
REQUEST_SECONDS = 10.0
"""How long a connection may take for a whole request, from its first byte or before it."""
IDLE_SECONDS = 75.0
"""How long one that has been answered may be silent: longer than Prometheus scrapes apart."""
GRACE_SECONDS = 0.25
"""Before which nobody has to go for a newcomer: a request may be on its way."""
HEADER_BYTES = 16 * 1024
BODY_BYTES = 1_024
HELD_BYTES = 64 * 2**20
"""Of an answer that is not fetched: beyond, waitress would open a file."""
THREADS = 8
"""Requests answered at once."""
BACKLOG = 1_024
LOOK_SECONDS = 0.2
STOP_SECONDS = 2.0
METHODS = ("GET", "HEAD")
ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A further address of a host that this machine does not have."""
PATHS_HELP = b"/metrics /livez /readyz /healthz\n"

Probe = Callable[[str, str], ProbeAnswer | None]
Environment = dict[str, Any]
StartResponse = Callable[[str, Sequence[tuple[str, str]]], object]

for _name in ("waitress", "waitress.queue"):
    # Who hangs up in the middle, or asks too much, is no news.
    logging.getLogger(_name).setLevel(logging.ERROR)


class HealthServer:
    """The HTTP server; bound at once, so that a taken port is an error at start."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, probe: Probe) -> None:
        """`host` is a name or an address of either family.

        Of a name all addresses are served. Raises `ActionNeededError` when none can be bound.
        """
        try:
            sockets = _bound(host, port)
        except OSError as error:
            raise ActionNeededError(
                f"cannot listen on {_place(host, port)}: {error}; "
                "choose another metrics.host or metrics.port"
            ) from error
        self.port = int(sockets[0].getsockname()[1])
        self.url = f"http://{_place(host, self.port)}"
        self._map: dict[int, Any] = {}
        self._tasks = ThreadedTaskDispatcher()
        self._tasks.set_thread_count(THREADS)
        application = _Application(registry, probe)
        self._servers = [_serving(application, one, self._map, self._tasks) for one in sockets]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is asked, then close the port and every connection."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._tasks.shutdown(timeout=STOP_SECONDS)
        wasyncore.close_all(self._map, ignore_all=True)

    def _run(self) -> None:
        while not self._over.is_set():
            for server in self._servers:
                server.tidy()
            wasyncore.loop(timeout=LOOK_SECONDS, use_poll=True, map=self._map, count=1)


class _Application:
    """The WSGI side: what is asked, and what the answer is."""

    def __init__(self, registry: CollectorRegistry, probe: Probe) -> None:
        self._metrics = make_wsgi_app(registry, disable_compression=True)
        self._probe = probe

    def __call__(self, environment: Environment, start: StartResponse) -> Sequence[bytes]:
        method, path = environment["REQUEST_METHOD"], environment["PATH_INFO"]
        if method not in METHODS:
            return _say(
                start,
                ProbeAnswer(405, "text/plain", b"GET or HEAD\n"),
                method,
                [("Allow", ", ".join(METHODS))],
            )
        if path == "/metrics":
            return self._scrape({**environment, "REQUEST_METHOD": "GET"}, start, method)
        answer = self._probe(path, environment.get("QUERY_STRING", ""))
        return _say(start, answer or ProbeAnswer(404, "text/plain", PATHS_HELP), method)

    def _scrape(
        self, environment: Environment, start: StartResponse, method: str
    ) -> Sequence[bytes]:
        responses: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(
            self._metrics(
                environment, lambda status, headers: responses.append((status, list(headers)))
            )
        )
        ((status, headers),) = responses
        start(status, [*headers, ("Content-Length", str(len(body)))])
        return [b"" if method == "HEAD" else body]


def _say(
    start: StartResponse, answer: ProbeAnswer, method: str, more: Sequence[tuple[str, str]] = ()
) -> Sequence[bytes]:
    length = str(len(answer.body))
    headers = [("Content-Type", answer.content_type), ("Content-Length", length), *more]
    start(f"{answer.code} {HTTPStatus(answer.code).phrase}", headers)
    return [b"" if method == "HEAD" else answer.body]


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when its next request is waited for."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting_since = self.creation_time
        self.allowed_seconds = REQUEST_SECONDS

    @property
    def unread(self) -> bool:
        """Whether something has come that we have not looked at yet.

        On a busy machine a request waits for its turn.
        """
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

    def service(self) -> None:
        """Answer one request; the next is waited for from now on."""
        super().service()
        self.waiting_since = time()

    def received(self, data: bytes) -> bool:
        """Take what was sent; a request that has begun must end soon."""
        if self.request is None and self.allowed_seconds == IDLE_SECONDS:
            self.waiting_since, self.allowed_seconds = time(), REQUEST_SECONDS
        taken = bool(super().received(data))
        if self.requests:
            self.waiting_since, self.allowed_seconds = time(), IDLE_SECONDS
        return taken


class _Server(TcpWSGIServer):  # type: ignore[misc]
    """A listening socket that closes some of its connections.

    It closes those that are idle for too long, or stand in the way of others.
    """

    channel_class = _Channel

    def readable(self) -> bool:
        """Whether to accept one more."""
        return bool(self.accepting) and len(self.active_channels) < CONNECTIONS

    def tidy(self) -> None:
        """Called between two looks at the sockets.

        Within one, a file's number might be taken for that of its successor.
        """
        now, crowd = time(), len(self.active_channels) - CONNECTIONS + 1
        idle = sorted(
            (one for one in self.active_channels.values() if not one.requests), key=_order
        )
        for number, channel in enumerate(idle):
            waited = now - channel.waiting_since
            in_the_way = number < crowd and waited > GRACE_SECONDS and not channel.unread
            if in_the_way or waited > channel.allowed_seconds:
                channel.handle_close()


def _order(channel: _Channel) -> tuple[bool, float]:
    """Who has to go first.

    Those that have never asked come first, then those that have been silent longest.
    """
    return channel.allowed_seconds == IDLE_SECONDS, channel.waiting_since


def _serving(
    application: _Application,
    listening: socket.socket,
    files: dict[int, Any],
    tasks: ThreadedTaskDispatcher,
) -> _Server:
    adjustments = Adjustments(
        sockets=[listening],
        threads=THREADS,
        backlog=BACKLOG,
        ident="dispersion",
        log_socket_errors=False,
        outbuf_overflow=HELD_BYTES,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=BODY_BYTES,
        clear_untrusted_proxy_headers=True,
    )
    info = (listening.family, listening.type, listening.proto, listening.getsockname())
    return _Server(
        application,
        files,
        _sock=listening,
        dispatcher=tasks,
        adj=adjustments,
        sockinfo=info,
        bind_socket=False,
    )


def _bound(host: str, port: int) -> list[socket.socket]:
    """A bound socket for each address of a host, all on one port.

    Raises `OSError` when there is none.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host):
            same = port or (sockets[0].getsockname()[1] if sockets else 0)
            try:
                sockets.append(_listening(family, address, same))
            except OSError as error:
                if not sockets or error.errno not in ABSENT:
                    raise
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


def _addresses(host: str) -> Iterator[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    known = dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)
    yield from sorted(known, key=lambda one: one[0] != socket.AF_INET)


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address == "::":
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.bind((address, port))
    except OSError:
        one.close()
        raise
    return one


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
