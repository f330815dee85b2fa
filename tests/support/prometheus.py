"""A Prometheus and an Alertmanager on free loopback ports, and the few questions tests ask them."""

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from agents.embedded.supervised_process import SupervisedProcess
from agents.process.ports import free_ports
from tests.support.need import program

START_SECONDS = 30.0


class MonitoringServer:
    """What both programs have in common.

    It is a configuration file, an HTTP port, a readiness page, reload on SIGHUP.
    """

    programs: tuple[str, ...]
    data_flag: str
    flags: tuple[str, ...] = ()

    def __init__(self, configuration: str, files: Mapping[str, str | Path] | None = None) -> None:
        """`files` (rules, templates) are laid beside the configuration under their names.

        So relative paths in it work.
        """
        self._binary = program(*self.programs)
        self.directory = Path(tempfile.mkdtemp(prefix="dispersion-monitoring-"))
        self.port = free_ports(1)[0]
        self._server: SupervisedProcess | None = None
        self.configure(configuration, files)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def configure(self, configuration: str, files: Mapping[str, str | Path] | None = None) -> None:
        """Write the configuration; a running server reads it anew."""
        for name, content in (files or {}).items():
            (self.directory / name).write_text(
                content.read_text() if isinstance(content, Path) else content
            )
        (self.directory / "configuration.yml").write_text(configuration)
        if self._server:
            self._server.signal(signal.SIGHUP)

    def start(self) -> Self:
        """Start; returns when it is ready. Raises `OSError` with the end of its log."""
        command = [
            *(str(self._binary), f"--config.file={self.directory / 'configuration.yml'}"),
            *(
                f"{self.data_flag}={self.directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                *self.flags,
            ),
        ]
        self._server = SupervisedProcess(
            command, log=self.directory / "server.log", cwd=self.directory, remove=self.directory
        )
        deadline = time.monotonic() + START_SECONDS
        while self._server.running and time.monotonic() < deadline:
            try:
                with urlopen(f"{self.url}/-/ready", timeout=2):
                    return self
            except (URLError, OSError):
                time.sleep(0.05)
        report = self._server.tail()
        self.stop()
        message = f"{self.programs[0]} did not start: {report}"
        raise OSError(message)

    def stop(self) -> None:
        """End and remove the data."""
        if self._server:
            self._server.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON answer of an API path."""
        with urlopen(f"{self.url}{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)


class Prometheus(MonitoringServer):
    """`prometheus` with a configuration of the test's own."""

    programs = ("prometheus",)
    data_flag = "--storage.tsdb.path"
    flags = (
        "--storage.tsdb.retention.time=1h",
        "--log.level=warn",
        "--rules.alert.resend-delay=1s",
    )

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of every series of an instant vector."""
        answer = self.get("/api/v1/query", query=expression)
        return [
            (series["metric"], float(series["value"][1])) for series in answer["data"]["result"]
        ]

    def wait_for(
        self, expression: str, seconds: float = 30.0
    ) -> list[tuple[dict[str, str], float]]:
        """The first result of an expression that is not empty. Raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.query(expression):
                return found
            time.sleep(0.2)
        message = f"no result of {expression} within {seconds:g} s"
        raise TimeoutError(message)

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts."""
        return list(self.get("/api/v1/alerts")["data"]["alerts"])

    def targets(self) -> dict[str, str]:
        """Health by scrape URL."""
        return {
            target["scrapeUrl"]: target["health"]
            for target in self.get("/api/v1/targets")["data"]["activeTargets"]
        }


class Alertmanager(MonitoringServer):
    """`alertmanager`, which Debian names `prometheus-alertmanager`; alone, without a cluster."""

    programs = ("prometheus-alertmanager", "alertmanager")
    data_flag = "--storage.path"
    flags = ("--cluster.listen-address=", "--log.level=warn")

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts it holds, as its API v2 tells them."""
        return list(self.get("/api/v2/alerts"))


def scrape(job: str, port: int, interval: str = "200ms") -> str:
    """The configuration of a Prometheus that scrapes one local port."""
    return (
        f"global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}\n"
        f"scrape_configs:\n- job_name: {job}\n"
        f"  static_configs:\n  - targets: ['127.0.0.1:{port}']\n"
    )
