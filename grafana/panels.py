"""The few panel shapes our dashboards are made of.

They are complete where the SDK leaves gaps (id, refId, reduce options).
"""

from collections.abc import Mapping, Sequence
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
    BigValueJustifyMode,
    BigValueTextMode,
    GraphDrawStyle,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    GridPos,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from grafana.colours import CALM, LINES, OFF, STALE

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
Steps = Sequence[tuple[float | None, str]]
Words = Mapping[str, tuple[str, str]]
"""Value → (word, colour); no colour is that of the thresholds."""
PLAIN: Steps = ((None, CALM),)
LETTERS = "ABCDEFGH"
"""Of queries."""


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
class About:
    """What a panel is: its number, title, meaning, and the runbook's heading that it serves."""

    number: int
    title: str
    meaning: str
    runbook: str = ""


@dataclass(frozen=True)
class Look:
    """How values are shown."""

    unit: str = "percentunit"
    decimals: int | None = 1
    steps: Steps = PLAIN
    words: Words = field(default_factory=dict)
    nan: str = "STALE"
    """The word of a value that is not known now."""
    no_value: str = "NO DATA"
    """The word of a query without any series."""
    names: bool = True
    """Print the legend with each value."""
    name_size: int = 0
    """Pixels; 0 leaves it to the panel."""
    size: int = 0
    """Of the value, pixels; 0 leaves it to the panel."""
    beside: bool = False
    """The name stands beside the value, not above it."""
    columns: bool = False
    """Values stand side by side."""
    whole: tuple[str, ...] = ()
    """Legends whose values have no decimals."""
    colours: tuple[str, ...] = ()
    """A colour for each query in turn, in place of the thresholds."""
    bounds: tuple[float, float] | None = None
    """Of an axis, at least."""


def tile(about: About, place: GridPosition, queries: Sequence[Query], look: Look) -> stat.Panel:
    """Big words and numbers: the only thing that can be read from five metres.

    Instant queries, hence no sparkline: the last number of a range would stay on the tile for as
    long as the range is.
    """
    panel = (
        stat.Panel()
        .color_mode(BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if look.names else BigValueTextMode.VALUE)
        .wide_layout(look.beside)
        .orientation(_orientation(look))
        .justify_mode(BigValueJustifyMode.AUTO if look.beside else BigValueJustifyMode.CENTER)
        .reduce_options(common.ReduceDataOptions().calcs(["last"]).values(values=False))
        .mappings(mappings(look))
    )
    if look.size:
        text = common.VizTextDisplayOptions().title_size(look.name_size or look.size)
        panel = panel.text(text.value_size(look.size))
    for legend in look.whole:
        panel = panel.override_by_name(legend, [DynamicConfigValue("decimals", 0)])
    for letter, colour in zip(LETTERS, look.colours, strict=False):
        steps = {"mode": "absolute", "steps": [{"value": None, "color": colour}]}
        panel = panel.override_by_query(letter, [DynamicConfigValue("thresholds", steps)])
    return _finish(panel, about, place, queries, look, instant=True)


def _orientation(look: Look) -> VizOrientation:
    if look.columns:
        return VizOrientation.VERTICAL
    return VizOrientation.HORIZONTAL if look.beside else VizOrientation.AUTO


def line_chart(
    about: About, place: GridPosition, queries: Sequence[Query], look: Look, *, legend: bool = True
) -> timeseries.Panel:
    """Shape through the day, not reading off. A gap stays a gap."""
    panel = (
        timeseries.Panel()
        .draw_style(GraphDrawStyle.LINE)
        .line_width(3)
        .fill_opacity(0)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .legend(common.VizLegendOptions().show_legend(legend).placement("bottom"))
    )
    if look.bounds:
        panel = panel.axis_soft_min(look.bounds[0]).axis_soft_max(look.bounds[1])
    for query, colour in zip(queries, LINES, strict=False):
        panel = panel.override_by_name(query.legend, [_colour(colour)])
    return _finish(panel, about, place, queries, look, instant=False)


def bars(about: About, place: GridPosition, queries: Sequence[Query], look: Look) -> bargauge.Panel:
    """One bar a series. Instant, like the tiles."""
    panel = (
        bargauge.Panel()
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["last"]).values(values=False))
        .mappings(mappings(look))
    )
    if look.bounds:
        panel = panel.min(look.bounds[0]).max(look.bounds[1])
    return _finish(panel, about, place, queries, look, instant=True)


def mappings(look: Look) -> list[Any]:
    """Words for values, for what is not known now and for what nobody tells."""
    words = {
        value: ValueMappingResult(text=text, color=colour or None)
        for value, (text, colour) in look.words.items()
    }
    return [
        *([ValueMap(options=words)] if words else []),
        _special(SpecialValueMatch.NA_N, look.nan, STALE),
        _special(SpecialValueMatch.NULL, look.no_value, OFF),
    ]


def _special(match: SpecialValueMatch, text: str, colour: str) -> SpecialValueMap:
    result = ValueMappingResult(text=text, color=colour)
    return SpecialValueMap(options=DashboardSpecialValueMapOptions(match, result))


def _colour(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def _finish(
    panel: Any,
    about: About,
    place: GridPosition,
    queries: Sequence[Query],
    look: Look,
    *,
    instant: bool,
) -> Any:
    panel = (
        panel.id(about.number)
        .title(about.title)
        .description(about.meaning)
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
    if about.runbook:
        panel = panel.links([_runbook(about.runbook)])
    for letter, query in zip(LETTERS, queries, strict=False):
        panel = panel.with_target(_target(letter, query, instant=instant))
    return panel


def _runbook(heading: str) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink(f"Runbook: {heading}").type(DashboardLinkType.LINK)
    return link.url(f"${{runbook}}#{heading.lower()}").target_blank(True)


def _target(letter: str, query: Query, *, instant: bool) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .ref_id(letter)
        .expr(query.expr)
        .legend_format(query.legend)
        .datasource(SOURCE)
    )
    return target.instant() if instant else target.range()
