"""Every alert on the service, by the question that it answers.

Market alerts are decided in the stream and never here. A clause that no unit test needs is not
here either: `tests/integration/test_rules.py` takes out each in turn.
"""

from collections.abc import Iterator

from config.service_alerts.acceptance import acceptance
from config.service_alerts.budget_burn import budget_burn
from config.service_alerts.completeness import completeness
from config.service_alerts.consumer_lag import consumer_lag
from config.service_alerts.delivery import delivery
from config.service_alerts.freshness import freshness
from config.service_alerts.missing_reports import missing_reports
from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.refusals import refusals
from config.service_alerts.saturation import saturation
from config.service_alerts.servers import servers
from config.service_alerts.service_alert import ServiceAlert
from config.service_alerts.unanswered import unanswered


def service_alerts(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """All of them, in the order of the questions."""
    yield from unanswered(site)
    yield from servers()
    yield from freshness(site)
    yield from completeness(site)
    yield from consumer_lag(site)
    yield from budget_burn(site)
    yield from refusals()
    yield from acceptance()
    yield from saturation(site)
    yield from delivery()
    yield from missing_reports(site)
