"""Write the files of Prometheus: `python -m config.service_alerts.build [SITE.toml FOLDER]`.

They follow from the table of alerts and the parameters of a site. A test holds the committed files
to those that are shipped.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Final

from config.errors import ConfigError
from config.service_alerts.parameters import SHIPPED, AlertingParameters, load_parameters
from config.service_alerts.recording import recording_rules
from config.service_alerts.service_alert import ServiceAlert
from config.service_alerts.table import service_alerts

NOTE: Final = "# Written by `make alerting` from config/service_alerts and parameters.toml.\n"
SCRAPE_FASTEST: Final = "exporter"
"""The wall is as old as its scrape."""


def rendered(site: AlertingParameters) -> dict[str, str]:
    """File name → text."""
    return {
        "rules.yml": f"{NOTE}{''.join(_rules(site))}",
        "alerts.yml": f"{NOTE}{''.join(_alerts(site))}",
        "prometheus.yml": f"{NOTE}{''.join(_prometheus(site))}",
    }


def _rules(site: AlertingParameters) -> Iterator[str]:
    yield "groups:\n  - name: dispersion\n    rules:\n"
    for rule in recording_rules(site):
        yield f"      - record: {rule.record}\n{_expr(rule.expr)}"


def _alerts(site: AlertingParameters) -> Iterator[str]:
    yield "# Alerts on the service. Market alerts are decided in the stream and never here.\n"
    yield "groups:\n  - name: dispersion-service\n    rules:\n"
    for alert in service_alerts(site):
        yield f"      - alert: {alert.name}\n{_expr(alert.expr)}"
        if alert.waits:
            yield f"        for: {alert.waits}\n"
        if alert.keeps:
            yield f"        keep_firing_for: {alert.keeps}\n"
        yield from _table("labels", {"severity": alert.severity, **dict(alert.labels)})
        yield from _table("annotations", _annotations(alert, site))


def _annotations(alert: ServiceAlert, site: AlertingParameters) -> dict[str, str]:
    return {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{site.runbook_base}#{alert.name.lower()}",
        "dashboard_url": f"{site.dashboard_base}/d/dispersion-wall",
    }


def _expr(text: str) -> str:
    return f"        expr: |-\n{indent(text, ' ' * 10)}\n"


def _table(name: str, values: dict[str, str]) -> Iterator[str]:
    yield f"        {name}:\n"
    for key, value in values.items():
        yield f"          {key}: {json.dumps(value, ensure_ascii=False)}\n"


def _prometheus(site: AlertingParameters) -> Iterator[str]:
    yield (
        "# Each component is a job of its own: under one name, living workers would hide a dead\n"
        "# exporter. A job without targets is one that nobody runs.\n"
        "global:\n  scrape_interval: 5s\n  scrape_timeout: 2s\n  evaluation_interval: 5s\n\n"
        "rule_files: [rules.yml, alerts.yml]\n\n"
        "alerting:\n  alertmanagers:\n    - static_configs:\n"
        f"        - targets: {json.dumps(site.alertmanagers)}\n\n"
        "scrape_configs:\n"
    )
    for component, job in site.jobs.items():
        yield f"  - job_name: {job.name}\n"
        if component == SCRAPE_FASTEST:
            yield "    scrape_interval: 1s\n    scrape_timeout: 1s\n"
        yield f"    static_configs:\n      - targets: {json.dumps(job.targets)}\n"
    for name, targets in (("alertmanager", site.alertmanagers), ("prometheus", site.prometheus)):
        yield f"  - job_name: {name}\n    static_configs:\n      - targets: {json.dumps(targets)}\n"


def main() -> int:
    """Write the files; 2 where the parameters are wrong."""
    parameters, folder = map(Path, sys.argv[1:] or (SHIPPED, SHIPPED.parent))
    try:
        site = load_parameters(parameters)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rendered(site).items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
