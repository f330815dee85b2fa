"""Codes of series."""

import pytest

from streams.market import IndexSpec, Market
from streams.records import Series
from streams.valuation.monitored import underlyings
from streams.valuation.series_codes import FULL, UNMONITORED, SeriesCodes

WATCHED = underlyings(Market((IndexSpec("SPX"), IndexSpec("SPY"))))
SPX, SPXW, SPY, ELSE = Series("SPX", "SPX"), Series("SPX", "SPXW"), Series("SPY", "SPY"), Series("ZZZZ", "ZZZZ")


def test_codes_come_in_order_of_arrival_and_stay() -> None:
    codes = SeriesCodes(WATCHED)
    assert codes.of([SPY, ELSE, SPXW]).tolist() == [0, UNMONITORED, 1]
    assert codes.of([SPX, SPY]).tolist() == [2, 0]
    assert codes.underlying.tolist() == [1, 0, 0]


def test_there_is_room_for_so_many() -> None:
    codes = SeriesCodes(WATCHED, limit=1)
    assert codes.of([SPY, SPX]).tolist() == [0, FULL]
    assert codes.of([SPX, SPY]).tolist() == [FULL, 0]


def test_checkpoint_keeps_codes_of_names_that_are_no_longer_monitored() -> None:
    codes = SeriesCodes(WATCHED)
    codes.of([SPXW, SPY])
    later = SeriesCodes(underlyings(Market((IndexSpec("SPY"),))))
    later.restore(codes.encode())
    assert later.known == [SPXW, SPY]
    assert later.underlying.tolist() == [-1, 0]
    with pytest.raises(ValueError, match="repetitions"):
        later.restore(b"\x92\x92\xa3SPY\xa3SPY\x92\xa3SPY\xa3SPY")
