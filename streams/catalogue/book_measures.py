"""Fields of the standard dispersion books."""

from typing import Final

from streams.catalogue.measure import Measure

BOOK: Final = (
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
)
