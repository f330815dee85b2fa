"""An instant: the values of one index at one second.

It is kept so that a later second can be compared with it.
"""

from datetime import date

import msgspec

from streams.reading import Basis, Constituents, Reading


class Instant(msgspec.Struct, frozen=True, kw_only=True):
    """What a difference needs to know about one second; decimals, None when unknown."""

    ts: int
    """Event time, nanoseconds UTC."""
    session: date
    basis: Basis
    index_vol: float | None = None
    basket_vol: float | None = None
    index_atm_vol: float | None = None
    basket_atm_vol: float | None = None
    implied_correlation: float | None = None
    constituents: Constituents | None = None

    @property
    def index_level(self) -> float | None:
        """Index vol of the pair that the rules use.

        The ATM pair stands in where a source has nothing else, never a mix.
        """
        return self.index_atm_vol if self.basis == "atm" else self.index_vol

    @property
    def basket_level(self) -> float | None:
        """Basket vol of the same pair as `index_level`."""
        return self.basket_atm_vol if self.basis == "atm" else self.basket_vol

    @property
    def spread_level(self) -> float | None:
        """Basket less index vol of that pair."""
        if self.index_level is None or self.basket_level is None:
            return None
        return self.basket_level - self.index_level

    @property
    def vol_ratio(self) -> float | None:
        """Basket over index vol of that pair."""
        if not self.index_level or self.basket_level is None:
            return None
        return self.basket_level / self.index_level

    def level(self, measure: str) -> float | None:
        """A field by its name in readings; vols and their spread of the pair that the rules use."""
        value: float | None = getattr(self, _OF_THE_PAIR.get(measure, measure))
        return value


_OF_THE_PAIR = {
    "index_vol": "index_level",
    "basket_vol": "basket_level",
    "vol_spread": "spread_level",
}


def instant_of(reading: Reading, ts: int) -> Instant:
    """The instant that a reading at `ts` (nanoseconds) leaves behind."""
    return Instant(
        ts=ts,
        session=reading.session,
        basis=reading.basis,
        index_vol=reading.index_vol,
        basket_vol=reading.basket_vol,
        index_atm_vol=reading.index_atm_vol,
        basket_atm_vol=reading.basket_atm_vol,
        implied_correlation=reading.implied_correlation,
        constituents=reading.constituents,
    )
