"""The monitor under a real Prometheus and a real Alertmanager, and who is paged.

The market is a scenario, for event time is of another day on most days. So the rules are those that
are shipped with `scenario` in the place of `live`, without those that judge event time and those
that add up faults (the budgets); the session gauge is held open by a page beside.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import yaml

from agents.process.ports import free_ports
from tests.support.command import ROOT
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import QUOTES, TICKS
from tests.support.pages import get
from tests.support.prometheus import Alertmanager, Prometheus
from tests.support.stack import RealStack, create_flow_topics, settings_for

if TYPE_CHECKING:
    import subprocess

PARTITIONS = 2
FEED_TOPIC = "drill-feed"
"""Of a feed of single quotes, which is silent here."""
LEFT_OUT = re.compile("Dispersion(Behind|InputStalled|.*BudgetBurn)")


class Page(NamedTuple):
    """One alert of a message to a receiver."""

    receiver: str
    alert: str
    status: str
    at: float


class Receiver:
    """A webhook for every receiver of Alertmanager."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver = self.path.strip("/")
                pages.extend(
                    Page(receiver, one["labels"]["alertname"], one["status"], time.monotonic())
                    for one in body["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                """The session gauge, held open for both jobs."""
                self.send_response(200)
                self.end_headers()
                for job in ("dispersion-exporter", "dispersion-worker"):
                    line = f'dispersion_market_session_open{{job="{job}",calendar="XNYS"}} 1\n'
                    self.wfile.write(line.encode())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def manager_configuration(address: str, mode: str = "live") -> str:
    """Alertmanager's file as shipped, its receivers led to a webhook."""
    text = (ROOT / "config/alertmanager/alertmanager.yml").read_text()
    made = yaml.safe_load(
        text.replace("live|", f"{mode}|").replace('mode="live"', f'mode="{mode}"')
    )
    for receiver in made["receivers"]:
        hook = {"url": f"http://{address}/{receiver['name']}", "send_resolved": True}
        receiver["webhook_configs"] = [hook]
    return yaml.safe_dump(made)


def rules(mode: str = "scenario", keep: str = "") -> dict[str, str]:
    """The files of rules for a market of another mode; `keep` shortens how long alerts go on."""
    found = {}
    for name in ("rules.yml", "alerts.yml"):
        text = (ROOT / "config/prometheus" / name).read_text()
        made = yaml.safe_load(
            text.replace('mode="live"', f'mode="{mode}"').replace("live|", f"{mode}|")
        )
        (group,) = made["groups"]
        group["rules"] = [
            one | ({"keep_firing_for": keep} if keep and "keep_firing_for" in one else {})
            for one in group["rules"]
            if not LEFT_OUT.fullmatch(one.get("alert", ""))
        ]
        found[name] = yaml.safe_dump(made)
    return found


class Part:
    """A process of ours on a port of its own, which may be started again."""

    def __init__(self, fleet: Fleet, command: str, *arguments: str, **environment: str) -> None:
        (self.port,) = free_ports(1)
        self._fleet = fleet
        self._command = (command, *arguments)
        self._environment = {**environment, "DISPERSION_METRICS__PORT": str(self.port)}
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it."""
        self.process = self._fleet.start("agents.cli.main", *self._command, **self._environment)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def again(self) -> None:
        """End what is left of it, and start it anew."""
        self.process.kill()
        self.process.wait()
        self.start()

    def ready(self) -> bool:
        """Whether it calls itself ready."""
        try:
            return get(f"http://127.0.0.1:{self.port}/readyz")[0] == 200
        except OSError:
            return False


class Scene:
    """Everything that a fault may be played on."""

    def __init__(self, stack: RealStack, directory: Path, keep: str = "") -> None:
        self.stack = stack
        self.directory = directory
        self.receiver = Receiver()
        self.manager = Alertmanager(manager_configuration(self.receiver.address, "scenario"))
        settings = settings_for(
            stack,
            "drill.",
            mode="scenario",
            kafka={"partitions": dict.fromkeys(("quotes", "ticks", "results"), PARTITIONS)},
            redis={"checkpoint_seconds": 1.0},
            bridge={"alertmanager_url": self.manager.url},
            ingest={"topic": FEED_TOPIC},
        )
        create_flow_topics(stack, settings)
        stack.create_topics([(FEED_TOPIC, 1)])
        self.settings = settings
        self.fleet = Fleet(settings, stack.redis_url, directory)
        self.exporter = Part(self.fleet, "exporter")
        self.workers = [
            Part(
                self.fleet,
                "worker",
                DISPERSION_WORKER__DATA_DIR=str(directory / f"data-{number}"),
            )
            for number in range(2)
        ]
        self.bridge = Part(self.fleet, "bridge", "--all-modes")
        self.ingest = Part(self.fleet, "ingest")
        self.prometheus = Prometheus(self._scrapes(), rules(keep=keep))

    @property
    def parts(self) -> list[Part]:
        """Our processes."""
        return [self.exporter, *self.workers, self.bridge, self.ingest]

    def _scrapes(self) -> str:
        made = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())
        at = {
            "dispersion-exporter": [self.exporter.port],
            "dispersion-worker": [one.port for one in self.workers],
            "dispersion-bridge": [self.bridge.port],
            "dispersion-ingest": [self.ingest.port],
            "alertmanager": [self.manager.port],
        }
        jobs = [one for one in made["scrape_configs"] if one["job_name"] in at]
        for job in jobs:
            places = [f"127.0.0.1:{port}" for port in at[job["job_name"]]]
            job["static_configs"] = [{"targets": places}]
            job["metric_relabel_configs"] = [
                {
                    "source_labels": ["__name__"],
                    "regex": "dispersion_market_session_open",
                    "action": "drop",
                }
            ]
        session = {
            "job_name": "session",
            "honor_labels": True,
            "static_configs": [{"targets": [self.receiver.address]}],
        }
        made["scrape_configs"] = [*jobs, session]
        alertmanagers = [{"static_configs": [{"targets": [f"127.0.0.1:{self.manager.port}"]}]}]
        made["alerting"] = {"alertmanagers": alertmanagers}
        return yaml.safe_dump(made)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        for part in self.parts:
            part.start()
        self.manager.start()
        self.prometheus.start()
        wait_until(lambda: all(part.ready() for part in self.parts), 120, "all parts ready")
        self.feed = self.fleet.start("agents.cli.main", *_replay())

    def __exit__(self, *_: object) -> None:
        self.fleet.__exit__()
        self.prometheus.stop()
        self.manager.stop()
        self.receiver.close()

    def age(self) -> float:
        """Seconds since the newest reading was published, as Redis has it."""
        found = self.prometheus.query("time() - max(dispersion_last_publish_timestamp_seconds)")
        return found[0][1] if found else float("inf")

    def restless(self) -> set[str]:
        """Critical service alerts that fire, or will in a moment."""
        return {
            one["labels"]["alertname"]
            for one in self.prometheus.alerts()
            if one["labels"]["severity"] == "critical"
        }

    def firing(self) -> dict[str, str]:
        """Alert → severity of the service alerts that fire."""
        return {
            one["labels"]["alertname"]: one["labels"]["severity"]
            for one in self.prometheus.alerts()
            if one["state"] == "firing" and one["labels"]["severity"] != "none"
        }


def _replay() -> list[str]:
    files = [f"--quotes={file}" for file in QUOTES] + [f"--ticks={file}" for file in TICKS]
    return ["replay", *files, "--scenario=calm", "--refresh=2", "--speed=1x"]


@contextmanager
def scene(directory: Path, keep: str = "") -> Iterator[Scene]:
    """A scene on a stack of its own."""
    with RealStack() as stack, Scene(stack, directory, keep) as made:
        yield made


def say(text: str) -> None:
    """A line for whoever watches."""
    print(text, file=sys.stderr, flush=True)
