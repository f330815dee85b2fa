"""The ATM pair of a reading: 50-delta vols of the index and of the largest names.

It includes the correlation that they imply.
"""

import numpy as np

from analytics.arrays import Bools, Floats
from analytics.correlation import basket_sums, correlation_bounds, implied_correlation
from streams.readings.fields import Fields

CORRELATION = ("implied_correlation", "implied_correlation_lower", "implied_correlation_upper")


def set_index_atm(fields: Fields, atm_vol: float, reason: str) -> None:
    """`index_atm_vol`; a `reason` makes it null."""
    if reason:
        fields.set_null(reason, "index_atm_vol")
    else:
        fields.set_value("index_atm_vol", atm_vol)


def set_basket_correlation(fields: Fields, weights: Floats, atm_vols: Floats, reason: str) -> None:
    """`implied_correlation_basket`: over all names of the basket with a valid ATM vol.

    A `reason` makes it null.
    """
    missing = reason or fields.reason_for("index_atm_vol")
    if missing:
        fields.set_null(missing, "implied_correlation_basket")
    else:
        fields.set_value(
            "implied_correlation_basket",
            implied_correlation(fields.values["index_atm_vol"], weights, atm_vols),
        )


def set_correlation(
    fields: Fields,
    weights: Floats,
    atm_vols: Floats,
    carried: Bools,
    reason: str,
    untaken: str = "",
) -> None:
    """`basket_atm_vol`, `implied_correlation` and its bounds.

    The correlation is published raw; outside [0, 1] it is flagged `rho_out_of_range`. One name
    alone has none (`one_name`).

    Args:
        fields: has `index_atm_vol` or the reason for its absence.
        weights: of the k largest names, any unit.
        atm_vols: theirs, NaN for a name without a valid one: what is left is renormalised, and the
            bounds say what the rest could do.
        carried: names whose vol is an old one; the bounds hold for any vol of theirs.
        reason: why the basket has no values, or empty.
        untaken: why no correlation is taken whatever is there, or empty.
    """
    if reason:
        fields.set_null(reason, "basket_atm_vol")
    else:
        fields.set_value("basket_atm_vol", basket_sums(weights, atm_vols).vol)
    missing = untaken or fields.reason_for("basket_atm_vol", "index_atm_vol")
    if missing:
        fields.set_null(missing, *CORRELATION)
        return
    index = fields.values["index_atm_vol"]
    rho = implied_correlation(index, weights, atm_vols)
    sure = np.isfinite(atm_vols).all() and not carried.any()
    lower, upper = (rho, rho) if sure else correlation_bounds(index, weights, atm_vols, carried)
    for name, value in zip(CORRELATION, (rho, lower, upper), strict=True):
        fields.set_value(name, value)
    if rho < 0 or rho > 1:
        fields.flags.add("rho_out_of_range")
