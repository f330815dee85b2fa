"""Gauges of the standard dispersion books."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from analytics.trade import Weighting
from streams.catalogue.measures import RULE_TENOR
from streams.reading import Book, BookCarry, BookWindow

WEIGHTINGS = tuple(weighting.value for weighting in Weighting)

LEGS = ("total", "index", "singles", "gamma")


def book_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Marks, decay, cost, carry and correlation, in vol per unit of index vega."""
    mark = gauge(
        "book_mark_ratio",
        "What a standard dispersion book has earned, in vol per unit of index vega.",
        *("index", "weighting", "leg", "window"),
    )
    decay = gauge("book_time_decay_ratio", "Time decay of a book in one day.", "index", "weighting")
    cost = gauge("book_cost_ratio", "Half of bid to ask of a book's legs.", "index", "weighting")
    carry = gauge(
        "book_carry_ratio",
        "What theta-weighted variance swaps earn if the last month is realized again.",
        "index",
    )
    correlation = gauge(
        "book_correlation_ratio",
        "Correlation at which the theta-weighted book breaks even, and the one realized.",
        *("index", "kind"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        book = None if reading is None else reading.book
        if book is None:
            continue
        symbol = view.spec.symbol
        for labels, value in _marks(book):
            mark.add_metric([symbol, *labels], value)
        for weighting in WEIGHTINGS:
            one: BookCarry | None = getattr(book, weighting)
            if one is not None:
                decay.add_metric([symbol, weighting], one.time_decay)
            if one is not None and one.cost is not None:
                cost.add_metric([symbol, weighting], one.cost)
        if book.carry is not None:
            carry.add_metric([symbol], book.carry)
        for kind in ("breakeven", "realized"):
            value = getattr(book, f"{kind}_correlation")
            if value is not None:
                correlation.add_metric([symbol, kind], value)
    yield from (mark, decay, cost, carry, correlation)


def _marks(book: Book) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Labels weighting, leg and window, and values of the legs that are known."""
    for window in ("close", "open"):
        found: BookWindow | None = getattr(book, window)
        for weighting in WEIGHTINGS if found is not None else ():
            for leg in LEGS:
                value = getattr(getattr(found, weighting), leg)
                if value is not None:
                    yield (weighting, leg, window), value
