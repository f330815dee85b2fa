"""The few panel shapes our dashboards are made of.

They are complete where the SDK leaves gaps (id, refId, reduce options).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
CALM, ATTENTION, ACT = "#8ab8ff", "#ff9830", "#e02f44"
"""Colour-blind safe; a word always says the same as the colour."""


@dataclass(frozen=True)
class GridPosition:
    """Grid position of a panel: 24 columns, rows of 38 px."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Query:
    """One PromQL expression and its legend."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Look:
    """How values are shown."""

    unit: str = "percentunit"
    decimals: int | None = 1
    steps: Sequence[tuple[float | None, str]] = ((None, CALM),)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Value → (word, colour)."""
    no_value: str = "STALE"
    names: bool = False
    """Print the legend beside each value."""


def stat_tile(
    number: int,
    title: str,
    description: str,
    place: GridPosition,
    queries: Sequence[Query],
    look: Look,
) -> stat.Panel:
    """Big numbers: the only thing that can be read from five metres.

    Instant queries, hence no sparkline: the last number of a range would stay on the tile for as
    long as the range is.
    """
    panel = (
        stat.Panel()
        .color_mode(
            BigValueColorMode.BACKGROUND_SOLID
            if look.words or len(look.steps) > 1
            else BigValueColorMode.VALUE
        )
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if look.names else BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .mappings(
            [
                ValueMap(
                    options={
                        value: ValueMappingResult(text=text, color=color)
                        for value, (text, color) in look.words.items()
                    }
                )
            ]
        )
    )
    return _finish(panel, number, title, description, place, queries, look, instant=True)


def line_chart(
    number: int,
    title: str,
    description: str,
    place: GridPosition,
    queries: Sequence[Query],
    look: Look,
) -> timeseries.Panel:
    """Shape through the day, not reading off."""
    panel = timeseries.Panel().draw_style(GraphDrawStyle.LINE).line_width(3).fill_opacity(0)
    return _finish(panel, number, title, description, place, queries, look, instant=False)


def bars(
    number: int,
    title: str,
    description: str,
    place: GridPosition,
    queries: Sequence[Query],
    look: Look,
    reach: float,
) -> bargauge.Panel:
    """One bar a series, from -`reach` to `reach`: half a bar is zero. Instant, like the tiles."""
    panel = (
        bargauge.Panel()
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .min(-reach)
        .max(reach)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    )
    return _finish(panel, number, title, description, place, queries, look, instant=True)


def _finish(
    panel: Any,
    number: int,
    title: str,
    description: str,
    place: GridPosition,
    queries: Sequence[Query],
    look: Look,
    *,
    instant: bool,
) -> Any:
    panel = (
        panel.id(number)
        .title(title)
        .description(description)
        .grid_pos(GridPos(x=place.x, y=place.y, w=place.w, h=place.h))
        .datasource(SOURCE)
        .unit(look.unit)
        .no_value(look.no_value)
        .thresholds(
            dashboard.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value=value, color=color) for value, color in look.steps])
        )
    )
    if look.decimals is not None:
        panel = panel.decimals(look.decimals)
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        target = (
            prometheus.Dataquery()
            .ref_id(letter)
            .expr(query.expr)
            .legend_format(query.legend)
            .datasource(SOURCE)
        )
        panel = panel.with_target(target.instant() if instant else target.range())
    return panel
