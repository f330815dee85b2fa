"""Implied correlation, its bounds and its premium."""

from typing import Final

from streams.catalogue.measure import Measure

CORRELATIONS: Final = (
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
)
