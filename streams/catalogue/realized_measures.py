"""Correlation and dispersion as they were realized."""

from typing import Final

from streams.catalogue.measure import Measure

REALIZED: Final = (
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
)
