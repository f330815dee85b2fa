"""`doctor --prometheus` finds what is not there, and `status` too, on a real Prometheus."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from agents.monitoring.monitoring_checks import MonitoringChecks
from agents.monitoring.prometheus_server import PrometheusServer
from agents.monitoring.service_view import service_view
from agents.process.exits import UnavailableError
from config.errors import ConfigError
from tests.drill.scene import Receiver
from tests.support.prometheus import Prometheus, scrape

FILES = Path(__file__).parents[2] / "config/prometheus"
BARE = "global: {evaluation_interval: 1s, scrape_interval: 1s}\n"
LOADED = f"{BARE}rule_files: [rules.yml, alerts.yml]\n"
AWAY = (
    "scrape_configs:\n"
    "- {job_name: dispersion-worker, static_configs: [{targets: ['127.0.0.1:1', '%s']}]}\n"
    "- {job_name: alertmanager, static_configs: [{targets: ['127.0.0.1:1']}]}\n"
)


def said(checks: MonitoringChecks, name: str) -> list[str]:
    return [text for ok, text in checks.all()[name]() if not ok]


def test_what_is_not_there_is_named() -> None:
    with Prometheus(BARE) as prometheus:
        checks = MonitoringChecks(PrometheusServer(prometheus.url))
        assert any("dispersion-exporter is not scraped" in text for text in said(checks, "targets"))
        assert "load rules.yml and alerts.yml" in said(checks, "rules")[0]
        assert "knows no Alertmanager" in said(checks, "alerting")[0]
        assert "DispersionWatchdog does not fire" in said(checks, "alerting")[-1]
        assert "no dispersion_index_vol_ratio" in said(checks, "wall")[0]


def test_rules_that_are_loaded_and_a_worker_that_does_not_answer() -> None:
    receiver = Receiver()
    files = {name: FILES / name for name in ("rules.yml", "alerts.yml")}
    with Prometheus(LOADED + AWAY % receiver.address, files) as prometheus:
        server = PrometheusServer(prometheus.url)
        checks = MonitoringChecks(server)
        prometheus.wait_for('up{job="alertmanager"}')
        prometheus.wait_for('up{job="dispersion-worker"} == 1')
        prometheus.wait_for('ALERTS{alertname="DispersionWatchdog"}')
        assert said(checks, "rules") == []
        assert "dispersion-worker: 1 of 2 answer; start 127.0.0.1:1" in said(checks, "targets")
        assert any("does not take notifications" in text for text in said(checks, "alerting"))
        view = service_view(server)
        assert (view.workers, view.workers_known) == (1, 2)
        assert "1 of 2 workers do not answer" in view.problems[0]
        prometheus.wait_for('ALERTS{alertname="DispersionDown",alertstate="firing"}', 60)
        fired = {one.alert for one in service_view(server).alerts}
        assert "DispersionDown" in fired
        assert "DispersionWatchdog" not in fired
    receiver.close()
    with pytest.raises(UnavailableError, match="correct --prometheus"):
        server.query("up")


@contextmanager
def shown(ages: dict[str, tuple[float, float | None]]) -> Iterator[int]:
    """The port of a page in the session: by index seconds since its reading, and its refresh."""
    registry = CollectorRegistry()
    texts = {
        name: Gauge(f"dispersion_{name}", "x", ("index",), registry=registry)
        for name in ("last_publish_timestamp_seconds", "reading_refresh_seconds")
    }
    Gauge("dispersion_market_session_open", "x", registry=registry).set(1)
    published, refresh = texts.values()
    for index, (age, seconds) in ages.items():
        published.labels(index).set(time.time() - age)
        if seconds is not None:
            refresh.labels(index).set(seconds)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_between_two_rounds_of_a_slow_source_nothing_is_stale() -> None:
    ages = {"SLOW": (60.0, 300.0), "QUICK": (60.0, 0.0), "OLDER": (60.0, None)}
    ages |= {"STOPPED": (400.0, 300.0)}
    with shown(ages) as port, Prometheus(scrape("dispersion-exporter", port)) as prometheus:
        prometheus.wait_for("dispersion_market_session_open")
        told = said(MonitoringChecks(PrometheusServer(prometheus.url)), "wall")
    stale = {text.partition(":")[0] for text in told if "the newest reading is" in text}
    assert stale == {"QUICK", "OLDER", "STOPPED"}


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:9090"):
        PrometheusServer("prometheus:9090")
