"""Alerts on components that do not answer."""

from collections.abc import Iterator
from typing import Final

from config.service_alerts.parameters import COMPONENTS, AlertingParameters
from config.service_alerts.recording import SESSION
from config.service_alerts.service_alert import OUTLASTS, ServiceAlert

LOST: Final = {
    "exporter": "No exporter answers, so the wall is dark.",
    "worker": "No worker answers, so nothing is computed.",
    "bridge": "No bridge answers, so market alerts do not reach Alertmanager.",
    "ingest": "No ingest answers, so quotes of the feed do not reach the monitor.",
}


def unanswered(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """Components without a living target, and the alert that shows that alerting works."""
    for component in COMPONENTS:
        yield from _down(site, component)
    worker = site.job("worker")
    yield ServiceAlert(
        "DispersionWorkerMissing",
        f'count by (job) (up{{job="{worker}"}} == 0)',
        "warning",
        ("job",),
        "A worker does not answer; the others carry its partitions.",
        "{{ $value }} of the workers of job {{ $labels.job }} have not answered for two minutes.",
        waits="2m",
    )
    yield ServiceAlert(
        "DispersionWatchdog",
        f'count(up{{job=~"{_names(site)}"}})',
        "none",
        (),
        "Always firing; its absence means that alerting itself is broken.",
        "Route it to a dead man's switch.",
    )
    yield ServiceAlert(
        "DispersionMonitoringBroken",
        "sum by (job) (rate(prometheus_notifications_errors_total[5m])) > 0\n"
        'or up{job="alertmanager"} == 0\n'
        "or sum by (job) (rate(prometheus_rule_evaluation_failures_total[5m])) > 0",
        "critical",
        ("job",),
        "Prometheus or Alertmanager does not work, so other pages may not come.",
        "Job {{ $labels.job }}: notifications fail, rules fail, or Alertmanager does not answer.",
        waits="2m",
    )


def _names(site: AlertingParameters) -> str:
    return "|".join(site.job(component) for component in COMPONENTS)


def _down(site: AlertingParameters, component: str) -> Iterator[ServiceAlert]:
    """Critical in the session and where nobody knows of it, else a warning."""
    job = site.job(component)
    silent = f'sum by (job) (up{{job="{job}"}}) == 0'
    if site.expected(component):
        silent = f'(absent(up{{job="{job}"}}) or {silent})'
    closed = f"(max({SESSION}) == 0)"
    for severity, gate in (("critical", "unless"), ("warning", "and")):
        yield ServiceAlert(
            "DispersionDown",
            f"{silent}\n{gate} on () {closed}",
            severity,
            ("job",),
            LOST[component],
            "Job {{ $labels.job }} has no living target.",
            waits="15s",
            keeps=OUTLASTS,
            labels=(("component", component),),
        )
