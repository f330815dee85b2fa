"""The pair of vols and the correlation without the reports that come soon.

A coming report lifts a name's vol and not the index's, so that the spread widens without a trade.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol
from streams.points import BASIS_ATM
from streams.reading import Constituents, Earnings, Reading
from streams.report.calendar_section import AHEAD, NO_CALENDAR, Event, next_events
from streams.report.figure import Figure, figure


class EarningsSection(msgspec.Struct, frozen=True, kw_only=True):
    """What coming reports do to the pair.

    A reading with `earnings` knows the vols of its names without their reports. Of one without,
    names that the calendar has within the next ten sessions are left out whole.
    """

    method: Literal["", "taken out", "left out"] = ""
    """Of the reports, or of the names; empty without any."""
    names: tuple[str, ...]
    """Before their near expiry, or within the next ten sessions."""
    weight: Figure
    """Their share of the weight of the valid names."""
    basket_vol: Figure
    """Without them."""
    vol_spread: Figure
    """Without them, less index vol."""
    spread_of_reports: Figure
    """Vol spread with them less that without them: what their reports add."""
    implied_correlation: Figure
    """Without them, over the rest of the basket."""
    correlation_of_all: Figure
    """Over the whole basket."""


def earnings_section(reading: Reading, events: Sequence[Event] | None) -> EarningsSection:
    """Source: methodology 8.7."""
    if reading.earnings is not None and reading.earnings.names:
        return _taken_out(reading, reading.earnings)
    names = reading.constituents
    if events is None or names is None:
        return _nothing(NO_CALENDAR if events is None else "no names behind the reading")
    near = {one.symbol for one in next_events(reading.session, events) if one.kind == "earnings"}
    reporting = tuple(symbol for symbol in names.symbols if symbol in near)
    if not reporting:
        return _nothing(f"no name of the basket reports within {AHEAD} sessions")
    return _without(reading, names, reporting)


def _taken_out(reading: Reading, known: Earnings) -> EarningsSection:
    why = reading.reasons
    spread, whole = known.vol_spread, reading.vol_spread
    added = None if spread is None or whole is None else whole - spread
    no_spread = why.get("earnings.vol_spread", why.get("vol_spread", ""))
    return EarningsSection(
        method="taken out",
        names=tuple(one.symbol for one in known.names),
        weight=figure(known.weight, "share", ""),
        basket_vol=figure(known.basket_vol, "vol", why.get("earnings.basket_vol", "")),
        vol_spread=figure(spread, "vol", no_spread),
        spread_of_reports=figure(added, "vol", no_spread),
        implied_correlation=figure(
            known.implied_correlation, "correlation", why.get("earnings.implied_correlation", "")
        ),
        correlation_of_all=figure(
            reading.implied_correlation, "correlation", why.get("implied_correlation", "")
        ),
    )


def _without(reading: Reading, names: Constituents, reporting: tuple[str, ...]) -> EarningsSection:
    weights = np.array(names.weights)
    rest = ~np.isin(names.symbols, reporting)
    left = basket_vol(weights[rest], np.array(names.variances, np.float64)[rest])
    vols = np.array(names.atm_vols, np.float64)[rest]
    index, atm = reading.index_vol, reading.index_atm_vol
    rho = np.nan if atm is None else implied_correlation(atm, weights[rest], vols)
    spread = None if index is None else left - index
    whole = reading.vol_spread
    added = None if spread is None or whole is None else whole - spread
    why = "no vols of the other names, or of the index"
    if reading.basis == "atm":
        why = BASIS_ATM
    return EarningsSection(
        method="left out",
        names=reporting,
        weight=figure(float(weights[~rest].sum() / weights.sum()), "share", ""),
        basket_vol=figure(left, "vol", why),
        vol_spread=figure(spread, "vol", why),
        spread_of_reports=figure(added, "vol", why),
        implied_correlation=figure(float(rho), "correlation", why),
        correlation_of_all=figure(
            reading.implied_correlation_basket,
            "correlation",
            reading.reasons.get("implied_correlation_basket", why),
        ),
    )


def _nothing(why: str) -> EarningsSection:
    vol, correlation = figure(None, "vol", why), figure(None, "correlation", why)
    return EarningsSection(
        names=(),
        weight=figure(None, "share", why),
        basket_vol=vol,
        vol_spread=vol,
        spread_of_reports=vol,
        implied_correlation=correlation,
        correlation_of_all=correlation,
    )
