"""Alerts on error budgets that will not last the month."""

from collections.abc import Iterator
from typing import Final

from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.recording import COVERED, FRESH, PUBLISH_LATE
from config.service_alerts.service_alert import ServiceAlert

FAST: Final = ("1h", "5m", 7, "critical")

SLOW: Final = ("6h", "30m", 2, "warning")
"""Long window, short window, times the budget, severity: 5 and 9 % of the budget of 21 sessions."""


def budget_burn(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """Latency, freshness and coverage, each over a fast and a slow pair of windows."""
    limits = site.limits
    for long, short, times, severity in (FAST, SLOW):
        burnt = f"> {times} * {limits.late_budget:g}"
        yield ServiceAlert(
            "DispersionLatencyBudgetBurn",
            f"{PUBLISH_LATE}{long} {burnt} and {PUBLISH_LATE}{short} {burnt}\n"
            "and on (job)"
            " sum by (job) (increase(dispersion_event_to_publish_seconds_count[1h])) > 300",
            severity,
            ("job",),
            "Readings come late so often that the month's budget will not last.",
            f"{{{{ $value | humanizePercentage }}}} of the readings of the last {long} came later"
            " than a second.",
            labels=(("window", long),),
        )
        for name, series, budget, words in (
            ("Freshness", FRESH, limits.stale_budget, "without a fresh reading"),
            ("Coverage", COVERED, limits.coverage_budget, "below the wanted coverage"),
        ):
            burnt = f"> {times} * {budget:g}"
            yield ServiceAlert(
                f"Dispersion{name}BudgetBurn",
                f"1 - avg_over_time({series}[{long}]) {burnt}\n"
                f"and 1 - avg_over_time({series}[{short}]) {burnt}\n"
                f"and count_over_time({series}[1h]) > 180",
                severity,
                ("index",),
                f"So much of the session is {words} that the month's budget will not last.",
                "{{ $value | humanizePercentage }} of the session time of the last "
                f"{long}, index {{{{ $labels.index }}}}.",
                labels=(("window", long),),
            )
