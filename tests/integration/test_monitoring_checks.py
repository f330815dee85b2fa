"""`doctor --prometheus` finds what is not there, and `status` too, on a real Prometheus."""

from pathlib import Path

import pytest

from agents.monitoring.monitoring_checks import MonitoringChecks
from agents.monitoring.prometheus_server import PrometheusServer
from agents.monitoring.service_view import service_view
from agents.process.exits import UnavailableError
from config.errors import ConfigError
from tests.drill.scene import Receiver
from tests.support.aged_page import aged_page
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


def test_between_two_rounds_of_a_slow_source_nothing_is_stale() -> None:
    ages = {"SLOW": (60.0, 300.0), "QUICK": (60.0, 0.0), "OLDER": (60.0, None)}
    ages |= {"STOPPED": (400.0, 300.0)}
    with aged_page(ages) as port, Prometheus(scrape("dispersion-exporter", port)) as prometheus:
        prometheus.wait_for("dispersion_market_session_open")
        told = said(MonitoringChecks(PrometheusServer(prometheus.url)), "wall")
    stale = {text.partition(":")[0] for text in told if "the newest reading is" in text}
    assert stale == {"QUICK", "OLDER", "STOPPED"}


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:9090"):
        PrometheusServer("prometheus:9090")
