"""The fields of a reading that hold a measure, one row each.

What shows or ranks measures follows from the rows: the gauges of the exporter, evidence, ranks
and scores of events, the board, `explain`, the columns of tables, the words of the bridge, the
wall, the levels that are published for them, and the tables of the pages.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

RULE_TENOR_DAYS: Final = 30
RULE_TENOR: Final = f"{RULE_TENOR_DAYS}d"
"""Of the readings that the rules run on; `Reading.tenor`."""


class Measure(NamedTuple):
    """One field. A number says that it stands at that place of a list; 0 is not there at all."""

    field: str
    """Its name in the JSON of a reading; a dot leads into an object."""
    unit: Literal["vol", "correlation", "return", "share", "ratio", "z"]
    """All are decimals: a vol of 0.15 is 15 vol points."""
    heading: str
    meaning: str
    reason_when_null: str
    """Why it is null where whoever computes it says no more."""
    formula: str = ""
    """In the methodology, which lists the fields that have one."""
    page: str = ""
    """Its page among those of the measures, without `.md`."""
    gauge: Literal["", "index", "tenor", "window"] = ""
    """Last label of `dispersion_<field>_ratio`; of `index` alone it is at the rule tenor."""
    published: Mapping[int, str] = {}
    """Level that an index provider publishes for it, by tenor in days; 100 times the decimal."""
    ranked: bool = False
    """Its closes are kept, and a level has a rank among them."""
    evidence: int = 0
    """Among the levels of an event."""
    scored: int = 0
    """Among the ranks and scores of an event."""
    headline: int = 0
    """On the board, in `status --json` and among the tiles of the wall."""
    explained: int = 0
    """On the screen of `explain`."""
    column: str = ""
    """Heading in the narrow tables of `backtest` and `status`."""
    chart: Literal["", "vols", "correlation"] = ""
    """The chart of the desk that it is a line of."""
    tile: tuple[str, str] = ("", "")
    """Title and words of its tile where heading and meaning say too little to a passer-by."""

    @property
    def help(self) -> str:
        """The meaning as a sentence."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]}."

    @property
    def gauge_labels(self) -> tuple[str, ...]:
        """Label names of its gauge."""
        return ("index",) if self.gauge == "index" else ("index", self.gauge)


MEASURES: Final = (
    Measure(
        "index_vol",
        "vol",
        "index vol",
        "model-free vol of the index, VIX style",
        "no_quotes",
        formula="model-free vol of the index at the tenor",
        page="index-vol",
        gauge="tenor",
        published={9: "VIX9D", 30: "VIX", 91: "VIX3M"},
        ranked=True,
        evidence=1,
        scored=1,
        headline=1,
        explained=1,
        column="index vol",
        chart="vols",
        tile=("", "Model-free 30-day vol of the index, VIX style."),
    ),
    Measure(
        "basket_vol",
        "vol",
        "basket vol",
        "root-mean-square model-free vol of the constituents, VIXEQ style",
        "no_quotes",
        formula="√(Σ wᵢ vᵢ), vᵢ the model-free variance of a name",
        page="basket-vol-and-dispersion",
        gauge="tenor",
        published={30: "VIXEQ"},
        ranked=True,
        evidence=2,
        headline=2,
        explained=2,
        column="basket vol",
        chart="vols",
    ),
    Measure(
        "dispersion",
        "vol",
        "dispersion",
        "square root of basket variance less index variance, DSPX style",
        "no_quotes",
        formula="√max(Σ wᵢ vᵢ − index_vol², 0)",
        page="basket-vol-and-dispersion",
        gauge="tenor",
        published={30: "DSPX"},
        ranked=True,
        evidence=3,
        scored=3,
        headline=3,
        explained=4,
        column="dispersion",
        chart="vols",
    ),
    Measure(
        "vol_spread",
        "vol",
        "vol spread",
        "basket vol less index vol",
        "no_quotes",
        formula="basket_vol − index_vol (VIXEQ − VIX)",
        gauge="tenor",
        ranked=True,
        evidence=4,
        scored=2,
        headline=5,
        explained=3,
        tile=("Basket less index vol", "The spread the trade is long; convergence is its fall."),
    ),
    Measure(
        "implied_correlation",
        "correlation",
        "implied correlation",
        "correlation implied by at-the-money vols, COR style, raw: never clipped to [0, 1]",
        "one_name",
        formula="(s_I² − Σ wᵢ² sᵢ²) / ((Σ wᵢ sᵢ)² − Σ wᵢ² sᵢ²), on the 50 largest names",
        page="implied-correlation",
        gauge="tenor",
        published={30: "COR1M", 91: "COR3M"},
        ranked=True,
        evidence=5,
        scored=4,
        headline=4,
        explained=5,
        column="implied corr.",
        chart="correlation",
        tile=(
            "",
            "Average pairwise correlation implied by at-the-money vols, COR style.",
        ),
    ),
    Measure(
        "implied_correlation_lower",
        "correlation",
        "lower bound",
        "implied correlation with every missing name at a high vol",
        "one_name",
        page="implied-correlation",
        gauge="tenor",
        evidence=6,
        chart="correlation",
    ),
    Measure(
        "implied_correlation_upper",
        "correlation",
        "upper bound",
        "implied correlation with every missing name at a low vol",
        "one_name",
        page="implied-correlation",
        gauge="tenor",
        evidence=7,
        chart="correlation",
    ),
    Measure(
        "implied_correlation_basket",
        "correlation",
        "implied correlation, basket",
        "implied correlation on the whole basket instead of its 50 largest names",
        "one_name",
        page="implied-correlation",
    ),
    Measure(
        "correlation_premium",
        "correlation",
        "correlation premium",
        "implied less realized correlation",
        "no_window",
        formula="implied_correlation − realized_correlation",
    ),
    Measure(
        "implied_correlation_skew",
        "correlation",
        "implied correlation by delta",
        "implied correlation on vols at other forward call deltas, by delta",
        "one_name",
        page="implied-correlation",
    ),
    Measure(
        "index_atm_vol",
        "vol",
        "index ATM vol",
        "50-delta vol of the index",
        "no_quotes",
        formula="s_I, the 50-delta vol of the index",
        page="at-the-money-vol",
        evidence=8,
        explained=6,
    ),
    Measure(
        "basket_atm_vol",
        "vol",
        "basket ATM vol",
        "weighted mean of the 50-delta vols of the largest names",
        "no_quotes",
        formula="Σ wᵢ sᵢ, on the 50 largest names",
        page="at-the-money-vol",
        evidence=9,
        explained=7,
    ),
    Measure(
        "variance_ratio",
        "ratio",
        "variance ratio",
        "index variance over basket variance",
        "no_quotes",
        formula="index_vol² / basket_vol²",
        evidence=10,
    ),
    Measure(
        "index_vol_bid",
        "vol",
        "index vol on bids",
        "index vol on bids, VWB style",
        "no_bid_variance",
        page="index-vol",
    ),
    Measure(
        "quality_width",
        "vol",
        "quality width",
        "index vol on asks less index vol on bids",
        "no_bid_variance",
        page="index-vol",
        evidence=12,
    ),
    Measure(
        "rotation",
        "return",
        "rotation",
        "sectors, defensives and the largest names against the index, from prices",
        "no_window",
        formula="an object: sectors, defensives and the largest names against the index",
        page="rotation",
    ),
    Measure(
        "book",
        "vol",
        "book",
        "what the standard dispersion books have earned, per unit of index vega",
        "no_window",
        formula="an object: marks since the prior close and the open, cost and carry",
        page="trade",
    ),
    Measure(
        "sectors",
        "vol",
        "sectors",
        "basket vol and implied correlation of each sector, and their changes",
        "no_basket",
        formula="an object a sector: basket vol, implied correlation and their changes",
        page="sectors",
    ),
    Measure(
        "earnings",
        "vol",
        "ex earnings",
        "basket vol and implied correlation without what coming reports add",
        "no_calendar",
        formula="an object: the vols without coming reports, and the names that report",
        page="earnings",
    ),
    Measure(
        "earnings.basket_vol",
        "vol",
        "basket vol ex earnings",
        "basket vol without what coming reports add",
        "coverage",
        page="earnings",
    ),
    Measure(
        "earnings.vol_spread",
        "vol",
        "vol spread ex earnings",
        "basket vol ex earnings less index vol",
        "coverage",
        page="earnings",
    ),
    Measure(
        "earnings.implied_correlation",
        "correlation",
        "implied correlation ex earnings",
        "implied correlation without what coming reports add to the names' vols",
        "coverage",
        page="earnings",
    ),
    Measure(
        "realized_correlation",
        "correlation",
        "realized correlation",
        "correlation realized over the window (`21d`, `63d` sessions), synthetic basket",
        "no_window",
        formula="implied_correlation with realized variances of 5-minute returns, overnight "
        "included, over 21 sessions at 30 days and 63 at 91",
        page="realized",
        gauge="window",
        evidence=11,
    ),
    Measure(
        "realized_dispersion",
        "vol",
        "realized dispersion",
        "dispersion realized over the window",
        "no_window",
        page="realized",
        gauge="window",
    ),
    Measure(
        "realized_correlation_index",
        "correlation",
        "realized correlation, index",
        "realized correlation against the index's own returns",
        "no_window",
        page="realized",
    ),
    Measure(
        "basket_gap",
        "vol",
        "basket gap",
        "realized vol of the index less that of the synthetic basket",
        "no_window",
        page="realized",
    ),
    Measure(
        "realized_correlation_session",
        "correlation",
        "realized correlation, session",
        "realized correlation of the session so far, without the night before it",
        "no_window",
        page="realized",
    ),
    Measure(
        "coverage",
        "share",
        "coverage",
        "share of the basket's weight with fresh quotes: whether to believe the rest",
        "no_basket",
        formula="configured weight of names with a fresh point / configured weight",
        gauge="index",
        column="coverage",
        evidence=13,
    ),
    Measure(
        "coverage_valid",
        "share",
        "coverage, valid",
        "share of the basket's weight with a valid point, carried ones included",
        "no_basket",
    ),
    Measure(
        "coverage_names",
        "share",
        "coverage, names",
        "share of the basket's names, by count, with fresh quotes",
        "no_basket",
        evidence=14,
    ),
    Measure(
        "coverage_atm",
        "share",
        "coverage, ATM vols",
        "share of the basket's weight with a fresh 50-delta vol: whether to believe correlation",
        "no_basket",
        formula="configured weight of names with a fresh 50-delta vol / configured weight",
        gauge="index",
        evidence=15,
    ),
    Measure(
        "coverage_atm_names",
        "share",
        "coverage, ATM vols, names",
        "share of the basket's names, by count, with a fresh 50-delta vol",
        "no_basket",
        evidence=16,
    ),
    Measure(
        "book.close",
        "vol",
        "book since the close",
        "marks of the books since the prior close",
        "no_prior_close",
        page="trade",
    ),
    Measure(
        "book.open",
        "vol",
        "book since the open",
        "marks of the books since the session's first reading that is believed",
        "no_opening",
        page="trade",
    ),
    Measure(
        "book.breakeven_correlation",
        "correlation",
        "break-even correlation",
        "index variance over the weighted variance of the largest names",
        "no_quotes",
        page="trade",
    ),
    Measure(
        "book.realized_correlation",
        "correlation",
        "realized against break-even",
        "the ratio of break-even correlation, of realized variances",
        "no_window",
        page="trade",
    ),
    Measure(
        "book.carry",
        "vol",
        "carry",
        "what theta-weighted variance swaps earn if the next month realizes what the last did",
        "no_window",
        page="trade",
    ),
    Measure(
        "rotation.index_return",
        "return",
        "index return",
        "return of the index since the prior close",
        "no_index_ticks",
        page="rotation",
    ),
    Measure(
        "rotation.sector_dispersion",
        "return",
        "sector dispersion",
        "weighted cross-sectional deviation of the sector returns",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.sector_dispersion_z",
        "z",
        "sector dispersion, z",
        "sector dispersion among the closes of earlier sessions",
        "no_spread",
        page="rotation",
    ),
    Measure(
        "rotation.sector_range",
        "return",
        "sector range",
        "best less worst sector",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.defensive_strength",
        "return",
        "defensive strength",
        "the defensive set against the index over 20 sessions",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.defensive_today",
        "return",
        "defensive strength today",
        "the defensive set against the index since the prior close",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.mag7_spread",
        "return",
        "leaders' spread",
        "best less worst of the seven leaders over 20 sessions",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.autocorrelation",
        "correlation",
        "autocorrelation",
        "of the defensive set's session-to-session strength, the latest five sessions",
        "coverage",
        page="rotation",
    ),
)


def _placed(place: Callable[[Measure], int]) -> tuple[Measure, ...]:
    return tuple(sorted(filter(place, MEASURES), key=place))


REASON_WHEN_NULL: Final = {measure.field: measure.reason_when_null for measure in MEASURES}
GAUGES: Final = tuple(measure for measure in MEASURES if measure.gauge)
COLUMNS: Final = tuple(measure for measure in MEASURES if measure.column)
HEADLINES: Final = _placed(lambda measure: measure.headline)
EXPLAINED: Final = _placed(lambda measure: measure.explained)
EVIDENCE: Final = tuple(one.field for one in _placed(lambda measure: measure.evidence))
SCORED: Final = tuple(one.field for one in _placed(lambda measure: measure.scored))
RANKED: Final = tuple(measure.field for measure in MEASURES if measure.ranked)
COUNTERPARTS: Final = {
    level: (tenor, measure.field)
    for measure in MEASURES
    for tenor, level in measure.published.items()
}
"""Published level → tenor in days, and the field it is the published form of."""
LEVELS: Final = {
    field: level for level, (tenor, field) in COUNTERPARTS.items() if tenor == RULE_TENOR_DAYS
}
"""Field of a reading of daily files → the level that it is taken from."""
