"""Whether monitoring would notice: targets, rules, Alertmanager and the numbers of the wall.

Each check yields whether something is well, and in words what is not and the next step.
"""

from collections.abc import Callable, Iterator, Mapping

from agents.monitoring.prometheus_server import PrometheusServer
from config.service_alerts.parameters import COMPONENTS, load_parameters
from config.service_alerts.recording import recording_rules
from config.service_alerts.table import service_alerts

Told = Iterator[tuple[bool, str]]
FRESH_SECONDS = 15.0
WALL = (
    "dispersion_index_vol_ratio",
    "dispersion_basket_vol_ratio",
    "dispersion_dispersion_ratio",
    "dispersion_implied_correlation_ratio",
    "dispersion_coverage_ratio",
    "dispersion_regime",
    "dispersion_input_lag_messages",
)
"""What the wall's queries begin with."""
PUBLISHED = "max by (index) (dispersion_last_publish_timestamp_seconds)"
STALE = (
    f"time() - {PUBLISHED} > {FRESH_SECONDS:g} + "
    f"(max by (index) (dispersion_reading_refresh_seconds) or 0 * {PUBLISHED}) "
    "and on () max(dispersion_market_session_open) == 1"
)
"""Ages of what is stale in the session, as the alert judges it."""


class MonitoringChecks:
    """All that one Prometheus can tell of monitoring."""

    def __init__(self, server: PrometheusServer) -> None:
        self._server = server
        self._site = load_parameters()

    def all(self) -> Mapping[str, Callable[[], Told]]:
        """Checks by name."""
        return {
            "targets": self.targets,
            "rules": self.rules,
            "alerting": self.alerting,
            "wall": self.wall,
        }

    def targets(self) -> Told:
        """Every component that is expected answers; the bridge and each worker among them."""
        for component in COMPONENTS:
            job = self._site.job(component)
            up = self._server.query(f'up{{job="{job}"}}')
            silent = [one.labels["instance"] for one in up if one.value != 1]
            if not up and self._site.expected(component):
                yield False, f"{job} is not scraped: `make alerting` writes a configuration"
            elif up:
                well = len(up) - len(silent)
                text = f"{job}: {well} of {len(up)} answer"
                yield not silent, f"{text}; start {', '.join(silent)}" if silent else text

    def rules(self) -> Told:
        """The rules that are shipped are loaded, and none fails."""
        groups = self._server.get("rules")["groups"]
        loaded = [rule for group in groups for rule in group["rules"]]
        names = {rule["name"] for rule in loaded}
        shipped = {rule.record for rule in recording_rules(self._site)}
        shipped |= {alert.name for alert in service_alerts(self._site)}
        missing = sorted(shipped - names)
        failing = sorted({rule["name"] for rule in loaded if rule.get("health") == "err"})
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            yield (
                False,
                f"not loaded: {', '.join(missing[:3])}{more}; load rules.yml and alerts.yml",
            )
        if failing:
            yield False, f"failing: {', '.join(failing)}; the log of Prometheus says why"
        if not missing and not failing:
            yield True, f"{len(shipped)} rules are loaded"

    def alerting(self) -> Told:
        """Prometheus has an Alertmanager, and it takes what it is told."""
        active = self._server.get("alertmanagers")["activeAlertmanagers"]
        if not active:
            yield False, "Prometheus knows no Alertmanager; name one under `alerting`"
        errors = self._server.query("sum(rate(prometheus_notifications_errors_total[5m])) > 0")
        away = self._server.query('up{job="alertmanager"} == 0')
        if errors or away:
            yield False, "Alertmanager does not take notifications; start it"
        elif active:
            yield True, f"{len(active)} Alertmanager"
        if not self._server.query('ALERTS{alertname="DispersionWatchdog"}'):
            yield False, "DispersionWatchdog does not fire; are the rules loaded and jobs scraped?"

    def wall(self) -> Told:
        """Every number that the wall begins with is there, and fresh in the session."""
        missing = [name for name in WALL if not self._server.query(name)]
        if missing:
            yield False, f"no {', '.join(missing)}: the exporter has no reading, or no answer"
        else:
            yield True, "every number of the wall is there"
        for one in self._server.query(STALE):
            yield (
                False,
                (
                    f"{one.labels['index']}: the newest reading is {one.value:.0f} s old; "
                    "see the runbook, DispersionStale"
                ),
            )
