"""The Prometheus and Alertmanager that other tests use start, scrape, reload and fire."""

import time

from tests.support.prometheus import Alertmanager, Prometheus, scrape

RULES = (
    "groups:\n- name: always\n  rules:\n  - alert: Always\n"
    "    expr: vector(1)\n    labels: {severity: page}\n"
)


def test_a_rule_fires_and_reaches_the_alertmanager() -> None:
    with Alertmanager("route: {receiver: none}\nreceivers: [{name: none}]\n") as manager:
        with Prometheus("scrape_configs: []\n") as prometheus:
            target = (
                "alerting: {alertmanagers: [{static_configs: "
                f"[{{targets: ['127.0.0.1:{manager.port}']}}]}}]}}\n"
            )
            prometheus.configure(
                scrape("self", prometheus.port) + "rule_files: [rules.yml]\n" + target,
                {"rules.yml": RULES},
            )
            assert prometheus.wait_for('up{job="self"}')[0][1] == 1.0
            assert prometheus.wait_for('ALERTS{alertname="Always",alertstate="firing"}')
            assert set(prometheus.targets().values()) == {"up"}
            assert [alert["state"] for alert in prometheus.alerts()] == ["firing"]
            deadline = time.monotonic() + 60
            while not manager.alerts() and time.monotonic() < deadline:
                time.sleep(0.1)
        assert [alert["labels"]["alertname"] for alert in manager.alerts()] == ["Always"]
