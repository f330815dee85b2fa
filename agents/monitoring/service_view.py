"""What Prometheus knows of the service: workers, alerts that fire, and whether lag drains."""

import msgspec

from agents.monitoring.prometheus_server import PrometheusServer
from config.service_alerts.parameters import load_parameters

STEADY = 0.5
"""Records a second below which lag neither drains nor grows."""


class FiringServiceAlert(msgspec.Struct, frozen=True):
    """One alert on the service."""

    alert: str
    severity: str
    labels: dict[str, str]


class ServiceView(msgspec.Struct, frozen=True):
    """One look at Prometheus."""

    workers: int
    """Workers that answer."""
    workers_known: int
    """Workers that are scraped."""
    alerts: list[FiringServiceAlert]
    trend: dict[str, str]
    """Topic → draining or growing; others stand."""

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words."""
        missing = self.workers_known - self.workers
        found = []
        if missing:
            found.append(
                f"{missing} of {self.workers_known} workers do not answer; "
                "see the runbook, DispersionWorkerMissing"
            )
        return found + [
            f"{one.severity} {one.alert} fires; see the runbook, {one.alert}" for one in self.alerts
        ]


def service_view(server: PrometheusServer) -> ServiceView:
    """Ask it. Raises `UnavailableError`."""
    job = load_parameters().job("worker")
    up = server.query(f'up{{job="{job}"}}')
    alerts = server.query('ALERTS{alertname=~"Dispersion.+",alertstate="firing",severity!="none"}')
    slopes = server.query("sum by (topic) (deriv(dispersion_input_lag_messages[1m]))")
    return ServiceView(
        sum(one.value == 1 for one in up),
        len(up),
        sorted(
            (_firing(dict(one.labels)) for one in alerts), key=lambda one: (one.severity, one.alert)
        ),
        {
            one.labels["topic"]: "growing" if one.value > 0 else "draining"
            for one in slopes
            if abs(one.value) >= STEADY
        },
    )


def _firing(labels: dict[str, str]) -> FiringServiceAlert:
    name, severity = labels.pop("alertname"), labels.pop("severity")
    return FiringServiceAlert(
        name,
        severity,
        {key: labels[key] for key in labels if key not in {"__name__", "alertstate"}},
    )
