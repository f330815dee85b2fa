"""The model-free pair of a reading: index vol and basket vol from variance strips.

What compares them belongs to it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from analytics.dispersion import basket_vol, dispersion, variance_ratio, vol_spread
from streams.readings.fields import Fields
from streams.readings.index_point import IndexPoint

PAIR = ("dispersion", "variance_ratio", "vol_spread")


def set_index(fields: Fields, point: IndexPoint, reason: str) -> None:
    """`index_vol`, `index_vol_bid` and `quality_width`; a `reason` makes all three null."""
    if reason:
        fields.set_null(reason, "index_vol", "index_vol_bid", "quality_width")
        return
    fields.set_value("index_vol", math.sqrt(point.variance))
    bid, ask = (
        math.sqrt(variance) if variance >= 0 else math.nan
        for variance in (point.bid_variance, point.ask_variance)
    )
    fields.set_value("index_vol_bid", bid)
    fields.set_value("quality_width", ask - bid, "" if math.isnan(bid) else "no_ask_variance")


def set_basket(
    fields: Fields, weights: NDArray[np.float64], variances: NDArray[np.float64], reason: str
) -> None:
    """`basket_vol` over the k names given, and the pair once both vols are known.

    Weights are in any unit, variances annualised.

    `dispersion` has a floor of zero ("DSPX methodology, November 2024"), flagged
    `dispersion_floor`.
    """
    if reason:
        fields.set_null(reason, "basket_vol")
    else:
        fields.set_value("basket_vol", basket_vol(weights, variances))
    missing = fields.reason_for("basket_vol", "index_vol")
    if missing:
        fields.set_null(missing, *PAIR)
        return
    basket, index = fields.values["basket_vol"], fields.values["index_vol"]
    fields.set_value("dispersion", dispersion(basket * basket, index))
    fields.set_value("variance_ratio", variance_ratio(index, basket))
    fields.set_value("vol_spread", vol_spread(index, basket))
    if index > basket:
        fields.flags.add("dispersion_floor")
