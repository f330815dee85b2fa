"""The wall: read from five metres, never healthy when stale."""

from math import ceil

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableHide

from grafana.panels import (
    ACT,
    ATTENTION,
    CALM,
    SOURCE,
    GridPosition,
    Look,
    Query,
    bars,
    line_chart,
    stat_tile,
)
from streams.catalogue.measures import HEADLINES, MEASURES, RULE_TENOR, Measure

COLUMNS = 24
"""Of the grid."""
STALE_AFTER = 15
"""Seconds after which a market number leaves the wall."""

FRESH = (
    "(time() - max by (index) "
    '(dispersion_last_publish_timestamp_seconds{job=~"$job",index="$index"})'
    f" < {STALE_AFTER})"
)

SOME_FRESH = (
    "(time() - max by (job) "
    '(dispersion_last_publish_timestamp_seconds{job=~"$job"})'
    f" < {STALE_AFTER})"
)
"""For series without an index."""


def live(metric: str, labels: str = "") -> str:
    """PromQL of a market gauge, empty once its index is stale."""
    return f'max by (index) ({metric}{{job=~"$job",index="$index"{labels}}}) and on (index) {FRESH}'


def build() -> dashboard.Dashboard:
    """The wall dashboard."""
    board = (
        dashboard.Dashboard("Dispersion wall")
        .uid("dispersion-wall")
        .tags(["dispersion"])
        .readonly()
        .refresh("5s")
        .time("now-30m", "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus")
        )
        .with_variable(
            _variable("job", "label_values(dispersion_config_info, job)")
            .multi(True)
            .include_all(True)
            .all_value(".+")
        )
        .with_variable(
            _variable("index", 'label_values(dispersion_config_info{job=~"$job"}, index)')
        )
    )
    for panel in (*_honesty(), *_numbers(), *_shape(), *_alarms()):
        board = board.with_panel(panel)
    return board


def _variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .query(query)
        .hide(VariableHide.HIDE_VARIABLE)
        .datasource(SOURCE)
        .refresh(2)
    )


def _honesty() -> tuple[object, ...]:
    age = 'time() - max(dispersion_last_publish_timestamp_seconds{job=~"$job",index="$index"})'
    return (
        stat_tile(1, "Session", "Whether the exchange session is open.", GridPosition(0, 0, 5, 4),
                  [Query('max(dispersion_market_session_open{job=~"$job"})')],
                  Look(unit="none", decimals=0,
                       words={"1": ("OPEN", CALM), "0": ("CLOSED", "#6e7481")},
                       no_value="NO DATA")),
        stat_tile(2, "Age of the newest reading", "Wall-clock time since a reading was published.",
                  GridPosition(5, 0, 5, 4), [Query(age)],
                  Look(unit="s", decimals=0, steps=((None, CALM), (5, ATTENTION), (15, ACT)),
                       no_value="NO DATA")),
        stat_tile(3, "Coverage",
                  "Share of the basket's weight with fresh quotes: whether to believe the rest.",
                  GridPosition(10, 0, 5, 4), [Query(live("dispersion_coverage_ratio"))],
                  Look(decimals=0, steps=((None, ACT), (0.7, ATTENTION), (0.9, CALM)))),
        stat_tile(4, "Mode", "LIVE, or a word that says it is not.", GridPosition(15, 0, 5, 4),
                  [Query('max by (mode) (dispersion_config_info{job=~"$job",index="$index"})',
                         "{{mode}}")],
                  Look(unit="none", decimals=0, words={"1": (" ", CALM)}, no_value="NO DATA",
                       names=True)),
        stat_tile(5, "Build", "Version of the running monitor.", GridPosition(20, 0, 4, 4),
                  [Query('max by (version) (dispersion_build_info{job=~"$job"})', "{{version}}")],
                  Look(unit="none", decimals=0, words={"1": (" ", "#6e7481")}, no_value="NO DATA",
                       names=True)),
    )  # fmt: skip


def _numbers() -> tuple[object, ...]:
    tiles, x = [], 0
    for at, measure in enumerate(HEADLINES):
        width = ceil((COLUMNS - x) / (len(HEADLINES) - at))
        tiles.append(_tile(10 + at, measure, GridPosition(x, 4, width, 8)))
        x += width
    return tuple(tiles)


def _tile(number: int, measure: Measure, place: GridPosition) -> object:
    title, text = measure.tile
    title, text = title or measure.heading.capitalize(), text or measure.help
    return stat_tile(number, title, text, place, [_at_rule_tenor(measure)], Look())


def _at_rule_tenor(measure: Measure, legend: str = "") -> Query:
    metric = f"dispersion_{measure.field}_ratio"
    return Query(live(metric, f',tenor="{RULE_TENOR}"'), legend)


def _lines(chart: str) -> list[Query]:
    return [_at_rule_tenor(one, one.heading) for one in MEASURES if one.chart == chart]


def _shape() -> tuple[object, ...]:
    sectors = (
        'max by (job, sector) (dispersion_sector_rotation_ratio{job=~"$job"}) and on (job) '
        + SOME_FRESH
    )
    return (
        line_chart(
            20,
            "Vols",
            "When the lower two lines meet the upper one, the trade has converged.",
            GridPosition(0, 12, 8, 9),
            _lines("vols"),
            Look(),
        ),
        line_chart(
            21,
            "Implied correlation",
            "With its bounds from missing names.",
            GridPosition(8, 12, 8, 9),
            _lines("correlation"),
            Look(),
        ),
        bars(
            22,
            "Sector rotation",
            "Sectors less the index since the prior close; half a bar is zero.",
            GridPosition(16, 12, 8, 9),
            [Query(sectors, "{{sector}}")],
            Look(decimals=2, steps=((None, ATTENTION), (0, CALM))),
            reach=0.03,
        ),
    )


def _alarms() -> tuple[object, ...]:
    active = (
        "sum by (severity) (max by (index, alert, severity) "
        '(dispersion_alert_active{job=~"$job",index="$index"}))'
    )
    distance = (
        'min by (alert) (dispersion_alert_distance_ratio{job=~"$job",index="$index"}) and on () '
        + FRESH.replace("by (index) ", "")
    )
    lag = 'sum(dispersion_kafka_consumer_lag_messages{job=~"$job"})'
    dead = 'sum(increase(dispersion_dead_letter_messages_total{job=~"$job"}[$__rate_interval]))'
    return (
        stat_tile(30, "Active alerts", "Alerts that are firing, by severity.",
                  GridPosition(0, 21, 8, 7), [Query(active, "{{severity}}")],
                  Look(unit="none", decimals=0, steps=((None, CALM), (1, ATTENTION)), names=True)),
        stat_tile(31, "Distance to alert", "0 % is firing, 100 % is calm.",
                  GridPosition(8, 21, 8, 7), [Query(distance, "{{alert}}")],
                  Look(decimals=0, steps=((None, ACT), (0.01, ATTENTION), (0.5, CALM)),
                       names=True)),
        stat_tile(32, "Waiting input",
                  "Records on the input topics that no worker has applied yet.",
                  GridPosition(16, 21, 4, 7), [Query(lag)],
                  Look(unit="short", decimals=0, steps=((None, CALM), (10_000, ATTENTION)),
                       no_value="NO DATA")),
        stat_tile(33, "Dead letters", "Records that could not be decoded, lately.",
                  GridPosition(20, 21, 4, 7), [Query(dead)],
                  Look(unit="short", decimals=0, steps=((None, CALM), (1, ATTENTION)),
                       no_value="NO DATA")),
    )  # fmt: skip
