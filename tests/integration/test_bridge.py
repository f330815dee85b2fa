"""The bridge as a process between a real Kafka and a real Alertmanager."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.alerts.cloud_event import event_message
from agents.kafka.frame_publisher import FramePublisher
from agents.process.ports import free_ports
from config.settings import Settings
from streams.topics import Topics
from tests.support.catalogue import catalogue
from tests.support.command import Running, start, stop
from tests.support.fleet import wait_until
from tests.support.pages import get
from tests.support.prometheus import Alertmanager
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path
from tests.support.stack import RealStack, environment_for, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
CONFIGURATION = (
    "global: {resolve_timeout: 6s}\nroute: {receiver: none}\nreceivers: [{name: none}]\n"
)
PARTITIONS = 2
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)


@pytest.fixture(scope="module")
def firing() -> dict[str, Any]:
    """The event of an unwind that fires, as if it were live."""
    run = Run(cap_unknown=False)
    events = run.play(
        [closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)]
    )
    values = [json.loads(entry.value) for output in run.outputs for entry in output.outbox]
    assert len(values) == len(events)
    (event,) = [
        one
        for one in values
        if one["type"].endswith("firing.v1") and one["data"]["rule"] == "vix_spike_unwind"
    ]
    event["data"] |= {"mode": "live", "severity": "warning"}
    made: dict[str, Any] = event
    return made


@dataclass
class Bridged:
    """What stands around one bridge."""

    settings: Settings
    manager: Alertmanager
    running: list[Running] = field(default_factory=list)

    def start(self, *arguments: str) -> Running:
        """A bridge of these settings."""
        self.running.append(start("bridge", *arguments, env=environment_for(self.settings)))
        return self.running[-1]

    def publish(self, event: dict[str, Any], **data: Any) -> None:
        """An event with other data, as the latest of its alert."""
        value = json.dumps({**event, "data": {**event["data"], **data}}).encode()
        with FramePublisher(self.settings) as publisher:
            publisher.publish_message(event_message("alerts_state", value, 1))

    def shown(self) -> list[tuple[str, str]]:
        """Severity and state of what Alertmanager holds."""
        return [
            (one["labels"]["severity"], one["status"]["state"]) for one in self.manager.alerts()
        ]

    def shows(self, *wanted: tuple[str, str], seconds: float = 20.0) -> None:
        """Wait until Alertmanager holds exactly this."""
        wait_until(lambda: self.shown() == list(wanted), seconds, f"{wanted}")

    def page(self, path: str) -> tuple[int, str]:
        """An answer of the bridge; 0 while there is none."""
        try:
            status, _, text = get(f"http://127.0.0.1:{self.settings.metrics.port}{path}")
        except (urllib.error.URLError, OSError):
            return 0, ""
        return status, text


@pytest.fixture
def bridged(real_stack: RealStack, topic_prefix: str) -> Iterator[Bridged]:
    """Kafka with the state topic; an Alertmanager that is not started."""
    real_stack.create_topics(
        [(Topics(topic_prefix).name("alerts_state"), PARTITIONS)], {"cleanup.policy": "compact"}
    )
    manager = Alertmanager(CONFIGURATION)
    settings = settings_for(
        real_stack,
        topic_prefix,
        metrics={"port": free_ports(1)[0]},
        bridge={"alertmanager_url": manager.url, "resend_seconds": 1.0},
    )
    made = Bridged(settings, manager)
    try:
        yield made
    finally:
        for process in made.running:
            stop(process)
        manager.stop()


def test_the_life_of_an_alert(
    bridged: Bridged, firing: dict[str, Any], real_stack: RealStack
) -> None:
    bridged.publish(firing, status="resolved", ends_at=firing["time"])
    bridged.publish(firing)
    first = bridged.start()
    wait_until(
        lambda: "alertmanager: " in bridged.page("/readyz")[1],
        30,
        "the bridge misses its Alertmanager",
    )
    bridged.manager.start()
    bridged.shows(("warning", "active"))
    assert bridged.page("/readyz") == (200, "ok\n")
    (alert,) = bridged.manager.alerts()
    assert alert["labels"]["alertname"] == "DispersionVixSpikeUnwind"
    assert datetime.fromisoformat(alert["startsAt"]) == datetime.fromisoformat(
        firing["data"]["starts_at"]
    )
    assert alert["annotations"]["summary"] == firing["data"]["summary"]

    _outlives_kafka(bridged, real_stack)
    _severity_changes_while_nobody_bridges(bridged, firing, first)
    _severity_falls_and_rises(bridged, firing)
    _silenced(bridged, firing)

    bridged.publish(firing, severity="critical", status="resolved", ends_at=firing["time"])
    bridged.shows()
    done = stop(bridged.running[-1])
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr


def _outlives_kafka(bridged: Bridged, real_stack: RealStack) -> None:
    """Without Kafka it goes on telling what it knows.

    It does so well past Alertmanager's `resolve_timeout`.
    """
    real_stack.kafka_down()
    try:
        wait_until(lambda: "kafka: " in bridged.page("/readyz")[1], 30, "the bridge misses Kafka")
        (before,) = bridged.manager.alerts()
        wait_until(
            lambda: (
                _ends(bridged) > datetime.fromisoformat(before["endsAt"]) + timedelta(seconds=6)
            ),
            30,
            "told again and again",
        )
        assert bridged.shown() == [("warning", "active")]
        assert bridged.page("/livez")[0] == 200
    finally:
        real_stack.kafka_up()
    wait_until(lambda: bridged.page("/readyz")[0] == 200, 30, "ready again")


def _ends(bridged: Bridged) -> datetime:
    (alert,) = bridged.manager.alerts()
    return datetime.fromisoformat(alert["endsAt"])


def _severity_changes_while_nobody_bridges(
    bridged: Bridged, firing: dict[str, Any], first: Running
) -> None:
    first.kill()
    said = first.communicate()[1]
    assert said.count("Alertmanager at http://") == 1, said
    assert said.count("cannot be reached") == 1, said
    bridged.manager.configure(CONFIGURATION.replace("6s", "1h"))
    second = bridged.start()
    bridged.shows(("warning", "active"))
    second.kill()
    second.wait()
    bridged.publish(firing, severity="critical", transition="updated", previous_status="firing")
    bridged.start()
    bridged.shows(("critical", "active"))


def _severity_falls_and_rises(bridged: Bridged, firing: dict[str, Any]) -> None:
    for severity, reason in (("warning", "eased"), ("critical", "escalated")):
        bridged.publish(
            firing,
            severity=severity,
            transition="updated",
            previous_status="firing",
            reason=reason,
        )
        bridged.shows((severity, "active"))


def _silenced(bridged: Bridged, firing: dict[str, Any]) -> None:
    said = {
        "acked_by": "sam",
        "silenced_by": "jo",
        "silence_why": "known",
        "silenced_until": f"{_hour():%Y-%m-%dT%H:%M:%SZ}",
    }
    bridged.publish(firing, severity="critical", notification=said)
    bridged.shows(("critical", "suppressed"))
    (silence,) = [
        one for one in bridged.manager.get("/api/v2/silences") if one["status"]["state"] == "active"
    ]
    assert silence["comment"] == "jo: known"
    wait_until(
        lambda: bridged.manager.alerts()[0]["annotations"].get("acked_by") == "sam",
        10,
        "who acknowledged",
    )
    bridged.publish(firing, severity="critical", notification=dict.fromkeys(said))
    bridged.shows(("critical", "active"))


def _hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def test_replays_need_a_word_and_the_page_is_catalogued(
    bridged: Bridged, firing: dict[str, Any]
) -> None:
    bridged.publish(firing, mode="replay")
    bridged.manager.start()
    plain = bridged.start()
    wait_until(lambda: bridged.page("/readyz")[0] == 200, 90, "ready")
    assert bridged.shown() == []
    families = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in _families(bridged)
    }
    described = {name: metric for name, metric in catalogue().items() if "bridge" in metric.jobs}
    assert {name: family.type for name, family in families.items()} == {
        name: metric.kind for name, metric in described.items()
    }
    assert {name: set(family.samples[0].labels) for name, family in families.items()} == {
        n: set(m.labels) for n, m in described.items()
    }
    assert stop(plain, signal.SIGINT).returncode == 0
    bridged.start("--all-modes", "--alertmanager", bridged.manager.url, "--json")
    bridged.shows(("warning", "active"))
    assert bridged.manager.alerts()[0]["labels"]["mode"] == "replay"


def _families(bridged: Bridged) -> list[Any]:
    return list(text_string_to_metric_families(bridged.page("/metrics")[1]))
