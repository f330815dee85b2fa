"""The shipped Alertmanager configuration on a real one: who is told what."""

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.drill.scene import Receiver, manager_configuration
from tests.support.fleet import wait_until
from tests.support.prometheus import Alertmanager

GROUP_WAIT = 5.0
"""Seconds that what may follow from another fault waits before it pages."""
MARKET = {
    "alertname": "DispersionVixSpikeUnwind",
    "index": "SPY",
    "tenor": "30d",
    "scope": "intraday",
    "fingerprint": "f",
    "label": "unwind",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def manager(receiver: Receiver) -> Iterator[Alertmanager]:
    with Alertmanager(manager_configuration(receiver.address)) as made:
        yield made


def post(manager: Alertmanager, *alerts: dict[str, str]) -> None:
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    body = json.dumps([{"labels": labels, "endsAt": ends} for labels in alerts]).encode()
    request = urllib.request.Request(
        f"{manager.url}/api/v2/alerts", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def market(severity: str, mode: str) -> dict[str, str]:
    return {**MARKET, "severity": severity, "mode": mode, "group_key": f"SPY/{mode}"}


def service(name: str, severity: str, **labels: str) -> dict[str, str]:
    return {"alertname": f"Dispersion{name}", "severity": severity, **labels}


def states(manager: Alertmanager) -> dict[tuple[str, str, str], str]:
    def key(labels: dict[str, Any]) -> tuple[str, str, str]:
        return labels["alertname"], labels["severity"], labels.get("mode", "")

    return {key(one["labels"]): one["status"]["state"] for one in manager.alerts()}


def told(receiver: Receiver) -> set[tuple[str, str]]:
    return {(page.receiver, page.alert) for page in receiver.pages}


def test_a_scenario_silences_nothing_live_and_pages_nobody(
    manager: Alertmanager, receiver: Receiver
) -> None:
    post(manager, market("critical", "scenario"), market("warning", "live"))
    name = MARKET["alertname"]
    wait_until(lambda: ("chat", name) in told(receiver), 30, "the live warning told")
    assert states(manager) == {
        (name, "critical", "scenario"): "active",
        (name, "warning", "live"): "active",
    }
    assert ("pager", name) not in told(receiver)
    post(manager, market("critical", "live"))
    wait_until(lambda: ("pager", name) in told(receiver), 30, "the live critical paged")
    wait_until(
        lambda: states(manager)[name, "warning", "live"] == "suppressed", 30, "the lesser one quiet"
    )


def test_one_fault_is_one_page(manager: Alertmanager, receiver: Receiver) -> None:
    post(manager, service("KafkaDown", "critical"), service("Watchdog", "none"))
    index = {"job": "dispersion-exporter", "index": "SPY"}
    post(
        manager,
        service("Stale", "critical", mode="live", **index),
        service("ConsumerStuck", "critical", job="dispersion-exporter", topic="q", partition="1"),
        service("AlertPublishFailing", "critical", job="dispersion-worker"),
        service("Down", "critical", job="dispersion-exporter", component="exporter"),
        service("FreshnessBudgetBurn", "critical", index="SPY", window="1h"),
        service("PartitionsRefused", "critical", job="dispersion-exporter", stage="detector"),
        service("Stale", "critical", mode="delayed", job="j", index="DLY"),
    )
    wait_until(
        lambda: ("pager", "DispersionPartitionsRefused") in told(receiver), 30, "the other page"
    )
    paged = {alert for name, alert in told(receiver) if name == "pager"}
    assert paged == {"DispersionKafkaDown", "DispersionPartitionsRefused"}
    assert ("dead-mans-switch", "DispersionWatchdog") in told(receiver)


def test_what_follows_from_a_fault_waits_for_it(manager: Alertmanager, receiver: Receiver) -> None:
    """On a slow machine both begin at one evaluation, and the cause is told a little later."""
    at = {"job": "dispersion-exporter", "index": "SPY", "mode": "live"}
    follow = ("Stale", "Behind", "InputStalled", "ConsumerStuck", "FreshnessBudgetBurn")
    post(manager, *(service(name, "critical", **at) for name in follow))
    time.sleep(0.5)
    post(manager, service("Down", "critical", job="dispersion-worker", component="worker"))
    wait_until(lambda: ("pager", "DispersionDown") in told(receiver), 30, "the cause paged")
    time.sleep(GROUP_WAIT + 2.0)
    assert {alert for name, alert in told(receiver) if name == "pager"} == {"DispersionDown"}
