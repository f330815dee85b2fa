"""The HTTP server of `/metrics` and the probes, on real sockets.

Whoever connects must not take what the work needs.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge

from agents.monitoring import http_server
from agents.monitoring.http_server import CONNECTIONS, HEADER_BYTES, HealthServer
from agents.monitoring.probe_answer import ProbeAnswer
from agents.process.exits import ActionNeededError

IDLE = 1_100
"""More than a process may have files by the usual limit."""
pytestmark = pytest.mark.timeout(120)


def probe(path: str, query: str) -> ProbeAnswer | None:
    return (
        ProbeAnswer(200, "text/plain", f"{path} {query}\n".encode())
        if path in {"/livez", "/readyz"}
        else None
    )


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("answer", "Of everything.", registry=registry).set(42)
    return registry


@pytest.fixture
def server(registry: CollectorRegistry) -> Iterator[HealthServer]:
    server = HealthServer("127.0.0.1", 0, registry, probe)
    server.start()
    yield server
    server.stop()


def ask(
    port: int, path: str, method: str = "GET", host: str = "127.0.0.1", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files() -> int:
    """Sockets and files of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def idle(server: HealthServer) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, whose files are not ours, holds connections and says nothing."""
    script = (
        "import resource, socket, sys\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (2 * {IDLE}, "
        "resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        f"held = [socket.create_connection(('127.0.0.1', {server.port}), 60) "
        f"for _ in range({IDLE})]\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.communicate()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts its files in /proc")
def test_idle_connections_take_no_more_files_than_they_may(
    server: HealthServer, idle: subprocess.Popen[str]
) -> None:
    before, most = files(), 0
    assert idle.stdout is not None
    told = threading.Thread(target=idle.stdout.readline)
    told.start()
    while told.is_alive():
        most = max(most, files())
        assert ask(server.port, "/livez")[0] == 200, "while they come"
    for path in ("/livez", "/readyz", "/metrics"):
        assert ask(server.port, path)[0] == 200, "while they are held"
    assert max(most, files()) - before <= CONNECTIONS + 20


def test_a_request_that_comes_byte_by_byte_is_cut_off(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 1.0)
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            for _ in range(3)
        ]
        slow[0].sendall(b"GET /livez HTTP/1.1\r\n")
        slow[1].sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow[1].recv(4096).startswith(b"HTTP/1.1 200")
        slow[1].sendall(b"GET /livez HTTP/1.1\r\nX: ")  # the second request of a connection no less
        over = [False] * 3
        deadline = time.monotonic() + 30
        while not all(over):
            assert time.monotonic() < deadline, over
            for number, one in enumerate(slow):
                over[number] = over[number] or _hung_up(one, b"a")
            assert ask(server.port, "/livez")[0] == 200
            time.sleep(0.1)


def _hung_up(one: socket.socket, more: bytes) -> bool:
    try:
        one.sendall(more)
        one.setblocking(False)
        return one.recv(10) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        one.setblocking(True)


def test_a_giant_header_or_body_is_refused(server: HealthServer) -> None:
    assert ask(server.port, "/livez", **{"X-Fat": "a" * (HEADER_BYTES // 2)})[0] == 200
    with socket.create_connection(("127.0.0.1", server.port), 20) as one:
        one.sendall(b"GET /livez HTTP/1.1\r\nX-Fat: " + b"a" * HEADER_BYTES)
        assert one.recv(4096).startswith(b"HTTP/1.0 431"), "without waiting for its end"
    with socket.create_connection(("127.0.0.1", server.port), 20) as one:
        one.sendall(b"GET /livez HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        assert b" 413 " in one.recv(4096)
    assert ask(server.port, "/livez")[0] == 200


def test_what_is_no_http_and_other_methods_are_refused(server: HealthServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 20) as one:
        one.sendall(b"\x16\x03\x01\x00\x05hello\r\n\r\n")
        assert b" 400 " in one.recv(4096)
    code, _, headers = ask(server.port, "/metrics", "POST")
    assert (code, headers["Allow"]) == (405, "GET, HEAD")
    assert ask(server.port, "/nowhere")[0] == 404


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/nowhere"])
def test_head_is_get_without_the_body(server: HealthServer, path: str) -> None:
    code, body, headers = ask(server.port, path)
    told = ask(server.port, path, "HEAD")
    assert (told[0], told[1]) == (code, b"")
    assert (told[2]["Content-Length"], told[2]["Content-Type"]) == (
        str(len(body)),
        headers["Content-Type"],
    )
    assert "waitress" not in headers["Server"]


def test_a_query_reaches_the_probe_and_one_connection_serves_many_requests(
    server: HealthServer,
) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    for _ in range(20):
        connection.request("GET", "/readyz?verbose")
        assert connection.getresponse().read() == b"/readyz verbose\n"
    connection.close()


@pytest.mark.parametrize("host", ["::1", "localhost", "127.0.0.1", "0.0.0.0", "::"])
def test_both_families_are_served(registry: CollectorRegistry, host: str) -> None:
    server = HealthServer(host, 0, registry, probe)
    server.start()
    reached = {"::1": ["::1"], "localhost": ["127.0.0.1"], "::": ["127.0.0.1", "::1"]}.get(
        host, ["127.0.0.1"]
    )
    try:
        for one in reached:
            assert b"answer 42" in ask(server.port, "/metrics", host=one)[1]
        assert server.url == f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
        with pytest.raises(
            ActionNeededError,
            match=r"cannot listen on .*choose another metrics\.host or metrics\.port",
        ):
            HealthServer(host, server.port, registry, probe)
    finally:
        server.stop()
    with pytest.raises(OSError):  # noqa: PT011 - whatever the refusal is called
        socket.create_connection((reached[0], server.port), 5)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_somebody_else_is_refused(registry: CollectorRegistry, host: str) -> None:
    with pytest.raises(ActionNeededError, match="cannot listen on"):
        HealthServer(host, 0, registry, probe)


def test_who_hangs_up_in_the_middle_leaves_no_word(
    registry: CollectorRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    Gauge("filler", "More than fits into a socket." * 200_000, registry=registry)
    server = HealthServer("127.0.0.1", 0, registry, probe)
    server.start()
    for number in range(12):
        with socket.create_connection(("127.0.0.1", server.port), 20) as one:
            one.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
            )  # a reset, as of a killed scraper
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" if number % 3 else b"GET /metr")
            if number % 3 == 1:
                one.recv(100)
    assert ask(server.port, "/livez")[0] == 200
    server.stop()
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")


def test_scrapes_are_served_while_another_hangs_and_a_stop_waits_for_none(
    registry: CollectorRegistry,
) -> None:
    held, asked = threading.Event(), threading.Event()

    def slow(path: str, query: str) -> ProbeAnswer | None:
        if query == "slow":
            asked.set()
            held.wait(30)
        return probe(path, query)

    server = HealthServer("127.0.0.1", 0, registry, slow)
    server.start()
    results: list[int] = []
    hanging = threading.Thread(target=lambda: results.append(ask(server.port, "/livez?slow")[0]))
    hanging.start()
    assert asked.wait(20)
    assert ask(server.port, "/readyz")[0] == 200
    held.set()
    hanging.join(20)
    server.stop()
    assert results == [200]
    assert not [
        one for one in threading.enumerate() if one.name == "http" or "waitress" in one.name
    ]
