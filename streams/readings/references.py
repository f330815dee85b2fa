"""Published references of one session, and how far our own numbers are from them."""

from collections.abc import Mapping

from streams.catalogue.measures import COUNTERPARTS, RULE_TENOR_DAYS
from streams.points import PricePoints


class References:
    """Latest decimal level of each reference since the session began."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._symbols = frozenset(symbols)
        self.levels: dict[str, float] = {}

    def apply(self, points: PricePoints) -> None:
        """Take new levels."""
        for symbol, level in zip(points.symbol, points.price.tolist(), strict=True):
            if symbol in self._symbols:
                self.levels[symbol] = level

    def at_tenor(self, tenor_days: int) -> dict[str, float]:
        """Levels that belong with readings of this tenor, by name.

        One without a known counterpart belongs with 30 days.
        """
        return {
            symbol: level
            for symbol, level in sorted(self.levels.items())
            if COUNTERPARTS.get(symbol, (RULE_TENOR_DAYS, ""))[0] == tenor_days
        }


def tracking_error(
    references: Mapping[str, float], values: Mapping[str, float]
) -> dict[str, float]:
    """Ours minus the reference, where we have the field.

    >>> tracking_error({"VIX": 0.25, "DSPX": 0.3}, {"index_vol": 0.5})
    {'VIX': 0.25}
    """
    ours = {symbol: COUNTERPARTS[symbol][1] for symbol in references if symbol in COUNTERPARTS}
    return {
        symbol: values[field] - references[symbol]
        for symbol, field in ours.items()
        if field in values
    }
