"""The desk: what a trader asks of the trade, from a metre and a half."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import dashboard

from grafana.board import board
from grafana.colours import ATTENTION, CALM, LINES, OFF
from grafana.panels import About, GridPosition, Look, Query, bars, line_chart, tile
from grafana.promql import OF_INDEX, at_rule_tenor, gauge, masked, masked_on_index
from streams.catalogue.measures import MEASURES, RULE_TENOR

BAR = ((None, LINES[0]),)
POINTS = Look(unit="none", decimals=1)
"""Hundredths: vol points, points of correlation."""
FOLLOWED = ("implied_correlation", "vol_spread")
"""Fields that show what came after an alert."""


def build(runbook: str) -> dashboard.Dashboard:
    """The dashboard of the desk."""
    panels = (*_carry(), *_day(), *_names(), *_history(), *_rotation(), _contributors())
    return board(
        "Dispersion desk", "dispersion-desk", panels, since="now-8h", refresh="10s", runbook=runbook
    )


def _carry() -> tuple[object, ...]:
    return (
        tile(
            About(1, "Carry", "Implied less realized, points: what the trade earns if no more "
                  "comes than came."),
            GridPosition(0, 0, 8, 6),
            [
                Query(_less_realized("implied_correlation", "realized_correlation"), "correlation"),
                Query(_less_realized("dispersion", "realized_dispersion"), "dispersion"),
            ],
            POINTS,
        ),
        tile(
            About(2, "Since the prior close", "Points, on the names that both have."),
            GridPosition(8, 0, 8, 6),
            [Query(_of_day("dispersion_change_ratio", 'window="1d"'), "{{measure}}")],
            POINTS,
        ),
        tile(
            About(3, "Rank of the year", "Share of the closes that were below, percent."),
            GridPosition(16, 0, 8, 6),
            [Query(_of_day("dispersion_percentile_ratio", 'window=~".+d"'), "{{measure}}")],
            Look(unit="none", decimals=0),
        ),
    )  # fmt: skip


def _less_realized(implied: str, realized: str) -> str:
    known = gauge(f"dispersion_{realized}_ratio", 'window="21d"')
    return masked(f"100 * ({at_rule_tenor(implied)} - {known})")


def _of_day(metric: str, window: str) -> str:
    found = f'max by (measure) ({metric}{{{OF_INDEX},tenor="{RULE_TENOR}",{window}}})'
    return masked_on_index(f"100 * {found}")


def _lines(fields: Iterable[str]) -> list[Query]:
    headings = {one.field: one.heading for one in MEASURES}
    return [Query(masked(f"100 * {at_rule_tenor(name)}"), headings[name]) for name in fields]


def _charted(chart: str) -> list[Query]:
    return _lines(one.field for one in MEASURES if one.chart == chart)


def _day() -> tuple[object, ...]:
    tenors = "max by (tenor) (dispersion_{}_ratio{{" + OF_INDEX + "}})"
    return (
        line_chart(
            About(10, "Vols", "When the lower two meet the upper one, the trade has converged."),
            GridPosition(0, 6, 8, 9),
            _charted("vols"),
            Look(unit="none"),
        ),
        line_chart(
            About(11, "Implied correlation", "With its bounds from missing names."),
            GridPosition(8, 6, 8, 9),
            _charted("correlation"),
            Look(unit="none"),
        ),
        bars(
            About(12, "Term structure", "Index vol and implied correlation by tenor, points."),
            GridPosition(16, 6, 8, 9),
            [
                Query(masked_on_index(f"100 * {tenors.format('index_vol')}"), "vol {{tenor}}"),
                Query(
                    masked_on_index(f"100 * {tenors.format('implied_correlation')}"),
                    "correlation {{tenor}}",
                ),
            ],
            Look(unit="none", steps=BAR, bounds=(0.0, 100.0)),
        ),
    )


def _names() -> tuple[object, ...]:
    vols = 'max by (symbol) (dispersion_symbol_vol_ratio{job=~"$job"})'
    sectors = 'max by (sector) (dispersion_sector_rotation_ratio{job=~"$job"})'
    lacking = f"sum by (pair, state, reason) (dispersion_names_lacking{{{OF_INDEX}}})"
    return (
        bars(
            About(20, "Highest vols", "30-day at-the-money vols of names."),
            GridPosition(0, 15, 8, 10),
            [Query(masked_on_index(f"topk(12, {vols})"), "{{symbol}}")],
            Look(steps=BAR, bounds=(0.0, 1.5)),
        ),
        bars(
            About(21, "Rotation", "Sectors less the index since the prior close."),
            GridPosition(8, 15, 8, 10),
            [Query(masked_on_index(sectors), "{{sector}}")],
            Look(decimals=2, steps=((None, LINES[1]), (0, LINES[0])), bounds=(-0.03, 0.03)),
        ),
        tile(
            About(22, "Names without a value", "By pair of vols and why.", "data_quality"),
            GridPosition(16, 15, 8, 10),
            [Query(masked_on_index(lacking), "{{pair}} {{state}} {{reason}}")],
            Look(unit="none", decimals=0, beside=True),
        ),
    )


def _history() -> tuple[object, ...]:
    active = f"max by (alert) (dispersion_alert_active{{{OF_INDEX}}} == 1)"
    level = 'max by (reference) (dispersion_reference_index_ratio{job=~"$job"})'
    error = 'max by (reference) (dispersion_reference_tracking_error_ratio{job=~"$job"})'
    return (
        line_chart(
            About(30, "Alerts that fired", "A line for as long as an alert fires."),
            GridPosition(0, 25, 12, 8),
            [Query(active, "{{alert}}")],
            Look(unit="none", decimals=0),
        ),
        line_chart(
            About(31, "What followed", "Spread and correlation, under the same times."),
            GridPosition(12, 25, 12, 8),
            _lines(FOLLOWED),
            Look(unit="none"),
        ),
        tile(
            About(32, "Published levels", "Of the index provider."),
            GridPosition(0, 33, 12, 6),
            [Query(masked_on_index(f"100 * {level}"), "{{reference}}")],
            POINTS,
        ),
        tile(
            About(
                33,
                "Tracking error",
                "Ours less the published level, points.",
                "DispersionTrackingError",
            ),
            GridPosition(12, 33, 12, 6),
            [Query(masked_on_index(f"100 * {error}"), "{{reference}}")],
            POINTS,
        ),
    )


def _rotation() -> tuple[object, ...]:
    def of(metric: str, by: str, state: str = "") -> str:
        return f"max by ({by}) ({metric}{{{OF_INDEX}{state}}})"

    passed, unknown = (
        of("dispersion_rotation_sign", "sign", f',state="{state}"')
        for state in ("passed", "unknown")
    )
    moves = of("dispersion_rotation_ratio", "measure", ',measure!="sector_dispersion_z"')
    sectors = of("dispersion_sector_vol_change_ratio", "sector", ',window="1d"')
    events = of("dispersion_next_event_sessions", "kind")
    return (
        tile(
            About(40, "Defensives, the seven, sectors", "Percent: defensives against the index "
                  "and the seven best less worst over 20 sessions; the rest of today."),
            GridPosition(0, 39, 6, 10),
            [Query(masked_on_index(f"100 * {moves}"), "{{measure}}")],
            Look(unit="none", beside=True),
        ),
        tile(
            About(41, "Signs of a mechanical rotation", "A heuristic; four of six that pass "
                  "are a score that the rule speaks of.", "mechanical_rotation"),
            GridPosition(6, 39, 6, 10),
            [Query(masked_on_index(f"{passed} + 2 * {unknown}"), "{{sign}}")],
            Look(
                unit="none",
                decimals=0,
                words={"0": ("no", CALM), "1": ("YES", ATTENTION), "2": ("unknown", OFF)},
                beside=True,
            ),
        ),
        bars(
            About(42, "Vol of sectors", "Basket vol of each since the prior close, points."),
            GridPosition(12, 39, 6, 10),
            [Query(masked_on_index(f"100 * {sectors}"), "{{sector}}")],
            Look(unit="none", steps=BAR, bounds=(-10.0, 10.0)),
        ),
        tile(
            About(43, "Next events", "Sessions from that of the newest reading, within ten."),
            GridPosition(18, 39, 6, 10),
            [Query(masked_on_index(events), "{{kind}}")],
            Look(unit="none", decimals=0, no_value="NONE", beside=True),
        ),
    )  # fmt: skip


def _contributors() -> object:
    parts = f"max by (symbol) (dispersion_contribution_ratio{{{OF_INDEX}}})"
    return bars(
        About(
            50,
            "What moved index vol",
            "Parts of names in the move since the prior close, points, the ten largest; what all "
            "names share is correlation.",
        ),
        GridPosition(0, 49, 24, 10),
        [Query(f"sort_desc({masked_on_index(f'100 * {parts}')})", "{{symbol}}")],
        Look(
            unit="none",
            decimals=2,
            steps=((None, LINES[1]), (0, LINES[0])),
            bounds=(-1.0, 1.0),
        ),
    )
