"""Gauges of names and sectors as parts of their index."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from streams.catalogue.measures import RULE_TENOR


def name_vols(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Each name once, whatever number of indices it is in."""
    vols: dict[str, float] = {}
    for view in views:
        for symbol, (atm_vol, _) in view.snapshot.names.items():
            if atm_vol is not None:
                vols.setdefault(symbol, atm_vol)
    family = gauge("symbol_vol_ratio", "At-the-money vol of a name, 30 days.", "symbol")
    for symbol, vol in vols.items():
        family.add_metric([symbol], vol)
    yield family


def contributions(views: Sequence[View]) -> GaugeMetricFamily:
    """What names did to the vol of their index since the prior close, the ten largest parts."""
    family = gauge(
        "contribution_ratio",
        "Part of the move of index vol since the prior close that is a name's; the ten largest.",
        *("index", "symbol"),
    )
    for view in views:
        for symbol, part in view.snapshot.contributions.items():
            family.add_metric([view.spec.symbol, symbol], part)
    return family


def sector_returns(views: Sequence[View]) -> GaugeMetricFamily:
    """Of the first index that has sectors, as references and names are."""
    family = gauge(
        "sector_rotation_ratio",
        "Return of a sector less that of its index since the prior close.",
        "sector",
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        rotation = None if reading is None else reading.rotation
        if rotation is not None and rotation.index_return is not None and rotation.sector_returns:
            for sector, move in rotation.sector_returns.items():
                family.add_metric([sector], move - rotation.index_return)
            break
    return family
