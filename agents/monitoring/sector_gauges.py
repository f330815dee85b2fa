"""Gauges of sectors, and of vols without coming reports."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from streams.catalogue.measures import RULE_TENOR
from streams.safe_text import safe


def sector_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Vol, implied correlation and moves of each sector."""
    vol = gauge("sector_vol_ratio", "Basket vol of a sector.", "index", "sector")
    correlation = gauge(
        "sector_correlation_ratio",
        "Correlation at which a sector's names alone give the index's vol.",
        *("index", "sector"),
    )
    change = gauge(
        "sector_vol_change_ratio",
        "Move of a sector's basket vol since the prior close and over 20 sessions.",
        *("index", "sector", "window"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        for one in () if reading is None else reading.sectors:
            labels = [view.spec.symbol, safe(one.sector)]
            for family, more, value in (
                (vol, [], one.basket_vol),
                (correlation, [], one.implied_correlation),
                (change, ["1d"], one.basket_vol_change),
                (change, ["20d"], one.basket_vol_change_20d),
            ):
                if value is not None:
                    family.add_metric([*labels, *more], value)
    yield from (vol, correlation, change)


def earnings_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Basket vol, implied correlation, and the weight that reports soon."""
    families = {
        "basket_vol": gauge(
            "basket_vol_ex_earnings_ratio",
            "Basket vol without what coming reports add, 30 days.",
            "index",
        ),
        "implied_correlation": gauge(
            "implied_correlation_ex_earnings_ratio",
            "Implied correlation without what coming reports add to the names' vols.",
            "index",
        ),
        "weight": gauge(
            "earnings_weight_ratio",
            "Share of the basket's weight that reports before its near expiry.",
            "index",
        ),
    }
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        found = None if reading is None else reading.earnings
        for name, family in families.items() if found is not None else ():
            value = getattr(found, name)
            if value is not None:
                family.add_metric([view.spec.symbol], value)
    yield from families.values()
