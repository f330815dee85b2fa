"""Alertmanager's client against a server of our own: credentials, certificates, refusals."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agents.bridge.alertmanager import Alertmanager, AlertmanagerError
from agents.monitoring.identity import config_hash
from agents.process.ports import free_ports
from config.errors import ConfigError
from config.settings import BridgeSettings, Settings
from tests.support.need import program

Seen = list[tuple[str, str, str | None]]


class _Handler(BaseHTTPRequestHandler):
    seen: Seen
    answer: tuple[int, str]

    def do_GET(self) -> None:
        self.seen.append((self.command, self.path, self.headers["Authorization"]))
        status, text = self.answer
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


class Server:
    """One that answers everything alike."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: Seen = []

        class Handler(_Handler):
            seen, answer = self.seen, (200, "[]")

        self.handler: type[_Handler] = Handler
        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self.thread.start()

    def answers(self, status: int, text: str) -> None:
        self.handler.answer = (status, text)

    def stop(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def client(url: str, **settings: object) -> Alertmanager:
    return Alertmanager(BridgeSettings.model_validate({"alertmanager_url": url, **settings}))


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({}, None),
        ({"username": "desk", "password": "hunter2"}, "Basic ZGVzazpodW50ZXIy"),
        ({"username": "desk", "password": "hunter2", "token": "abc"}, "Bearer abc"),
    ],
)
def test_credentials_go_with_the_request(
    server: Server, settings: dict[str, str], header: str | None
) -> None:
    assert client(f"{server.url}/am/", **settings).silences() == []
    assert server.seen == [("GET", "/am/api/v2/silences", header)]


def test_credentials_do_not_cross_a_network_in_the_open() -> None:
    with pytest.raises(
        ConfigError,
        match=(
            r"bridge.alertmanager_url: "
            r"credentials would cross the network in the open; use https"
        ),
    ):
        client("http://alertmanager:9093", token="abc")
    client("https://alertmanager:9093", token="abc")


def test_secrets_stay_out_of_urls_and_of_the_hash() -> None:
    with pytest.raises(ValueError, match="alertmanager_url"):
        BridgeSettings(alertmanager_url="http://desk:hunter2@127.0.0.1:9093")
    plain, secret = (
        Settings(),
        Settings.model_validate({"bridge": {"password": "hunter2", "token": "abc"}}),
    )
    assert config_hash(plain) == config_hash(secret)
    assert "hunter2" not in repr(secret)


@pytest.mark.parametrize(
    ("status", "text", "outcome", "message"),
    [
        (400, '"bad label"', "refused", '400 Bad Request: "bad label"'),
        (302, "", "refused", "302 Found"),
        (503, "", "unreachable", "503 Service Unavailable"),
        (200, "<html>", "refused", "no JSON, so no Alertmanager: '<html>'"),
    ],
)
def test_what_is_no_yes_is_an_error_and_followed_nowhere(
    server: Server, status: int, text: str, outcome: str, message: str
) -> None:
    server.answers(status, text)
    with pytest.raises(AlertmanagerError) as found:
        client(server.url, token="abc").alerts()
    assert found.value.outcome == outcome
    assert message in str(found.value)
    assert "abc" not in str(found.value)
    assert len(server.seen) == 1


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(AlertmanagerError, match="refused") as found:
        client(f"http://127.0.0.1:{free_ports(1)[0]}").alerts()
    assert found.value.outcome == "unreachable"


def test_only_a_certificate_that_is_vouched_for_is_believed(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=x",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run(
        [program("openssl"), *made, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    server = Server(context)
    try:
        assert client(server.url, cafile=cert, token="abc").alerts() == []
        with pytest.raises(AlertmanagerError, match="CERTIFICATE_VERIFY_FAILED"):
            client(server.url).alerts()
    finally:
        server.stop()
    with pytest.raises(ConfigError, match=r"bridge\.cafile"):
        client(server.url, cafile=tmp_path / "absent.pem")
