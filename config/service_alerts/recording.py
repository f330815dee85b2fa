"""Recording rules: what alerts, dashboards and the SLOs share.

The indicators of the SLOs exist only while a live session is open. So an average of them over any
window counts session time alone.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from config.service_alerts.parameters import AlertingParameters

WINDOWS: Final = ("5m", "30m", "1h", "6h")
PUBLISHED: Final = "index:dispersion_last_publish_timestamp_seconds:max"
READ: Final = "index:dispersion_last_reading_timestamp_seconds:max"
SESSION: Final = "job:dispersion_market_session_open:max"
REFRESH: Final = "index:dispersion_reading_refresh_seconds:max"
LIVE_INDEX: Final = "index:dispersion_live:max"
LIVE_JOB: Final = "job:dispersion_live:max"
FRESH: Final = "index:dispersion_session_fresh:bool"
COVERED: Final = "index:dispersion_session_covered:bool"
PUBLISH_LATE: Final = "job:dispersion_publish_late:ratio_rate"
ALERT_LATE: Final = "job:dispersion_alert_late:ratio_rate"
FRESH_SECONDS: Final = 5
"""Published age that the freshness SLO allows beyond the refresh of the sources."""


class RecordingRule(NamedTuple):
    """One recorded series."""

    record: str
    expr: str


def recording_rules(site: AlertingParameters) -> Iterator[RecordingRule]:
    """All of them, in an order in which each may use those before it."""
    yield RecordingRule(
        PUBLISHED, "max by (job, index) (dispersion_last_publish_timestamp_seconds)"
    )
    yield RecordingRule(SESSION, "max by (job) (dispersion_market_session_open)")
    yield RecordingRule(READ, "max by (job, index) (dispersion_last_reading_timestamp_seconds)")
    # An exporter that does not tell the refresh has streams of quotes.
    yield RecordingRule(
        REFRESH,
        f"max by (job, index) (dispersion_reading_refresh_seconds) or 0 * {PUBLISHED}",
    )
    live = 'dispersion_config_info{mode="live"}'
    yield RecordingRule(LIVE_INDEX, f"max by (job, index) ({live})")
    yield RecordingRule(LIVE_JOB, f"max by (job) ({live})")
    age = f"time() - max by (index) ({PUBLISHED} + {REFRESH})"
    yield RecordingRule(FRESH, _in_session(f"{age} <= bool {FRESH_SECONDS}"))
    coverage = "max by (index) (dispersion_coverage_ratio)"
    yield RecordingRule(COVERED, _in_session(f"{coverage} >= bool {site.limits.coverage:g}"))
    for window in WINDOWS:
        late = _late("dispersion_event_to_publish_seconds", "1.0", window)
        yield RecordingRule(f"{PUBLISH_LATE}{window}", late)
    for window in WINDOWS:
        late = _late("dispersion_alert_delivery_seconds", "2.0", window)
        yield RecordingRule(f"{ALERT_LATE}{window}", late)


def _in_session(judged: str) -> str:
    """1 or 0 while a live session is open, and 0 where the judged series has vanished.

    Any job that lives tells the mode and the session, so a dead exporter is no gap.
    """
    live = f"max by (index) ({LIVE_INDEX})"
    return (
        f"(({judged}) or on (index) 0 * {live})\n"
        f"and on (index) {live}\n"
        f"and on () (max({SESSION}) == 1)"
    )


def _late(histogram: str, edge: str, window: str) -> str:
    return (
        f'1 - sum by (job) (rate({histogram}_bucket{{le="{edge}"}}[{window}]))\n'
        f"/ sum by (job) (rate({histogram}_count[{window}]))"
    )
