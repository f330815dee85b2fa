"""What every dashboard has: its variables, its links to the others and its annotations."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
)

from grafana.panels import SOURCE

RUNBOOK = "docs/use/runbook.md"
"""Where the runbook is, unless the dashboards are made with another address."""
TAG = "dispersion"


def board(
    title: str, uid: str, panels: Iterable[object], *, since: str, refresh: str, runbook: str
) -> dashboard.Dashboard:
    """A dashboard with its panels; `since` is the start of its time range."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags([TAG])
        .readonly()
        .refresh(refresh)
        .time(since, "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Dispersion")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
        )
    )
    for variable in _variables(runbook):
        made = made.with_variable(variable)
    for annotation in _annotations():
        made = made.annotation(annotation)
    for panel in panels:
        made = made.with_panel(panel)
    return made


def _variables(runbook: str) -> tuple[object, ...]:
    return (
        dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        _variable("job", "label_values(dispersion_config_info, job)")
        .multi(True)
        .include_all(True)
        .all_value(".+"),
        _variable("index", 'label_values(dispersion_config_info{job=~"$job"}, index)'),
        dashboard.ConstantVariable("runbook").value(runbook),
    )


def _variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .query(query)
        .hide(VariableHide.DONT_HIDE)
        .datasource(SOURCE)
        .refresh(2)
    )


def _annotations() -> tuple[dashboard.AnnotationQuery, ...]:
    firing = 'max by (alert) (dispersion_alert_active{job=~"$job",index="$index"}) == 1'
    info = 'dispersion_config_info{job=~"$job",index="$index"}'
    config = f"max by (config_hash) ({info})"
    before = f"max by (config_hash) ({info} offset 1m)"
    opened = 'max by (calendar) (dispersion_market_session_open{job=~"$job"}) == 1'
    return (
        _annotation("Market alerts", firing, "#c4162a", "{{alert}}"),
        _annotation("Configuration", f"{config} unless {before}", "#8ab8ff", "changed"),
        _annotation("Session", opened, "#3d4450", "{{calendar}} is open").enable(False),
    )


def _annotation(name: str, expr: str, colour: str, title: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .enable(True)
        .icon_color(colour)
        .expr(expr)
        .title_format(title)
        .step("30s")
    )
