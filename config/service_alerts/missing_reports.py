"""The alert on a session without a report."""

from collections.abc import Iterator

from config.service_alerts.parameters import REPORTER, AlertingParameters
from config.service_alerts.service_alert import ServiceAlert


def missing_reports(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """A reporter that is dead counts too, for it is asked for nothing else."""
    job = site.job(REPORTER)
    dead = f'sum by (job) (up{{job="{job}"}}) == 0'
    if site.expected(REPORTER):
        dead = f'absent(up{{job="{job}"}}) or {dead}'
    yield ServiceAlert(
        "DispersionReportMissing",
        f"max by (job, index) (dispersion_reports_missing) > 0\nor {dead}",
        "warning",
        ("job", "index"),
        "A session has ended without a report, or no reporter answers.",
        "Job {{ $labels.job }}, index {{ $labels.index }}: the report that follows the close is not"
        " there yet, and nothing makes it.",
        waits="20m",
    )
