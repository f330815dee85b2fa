"""Codes of series."""

import msgspec
import numpy as np
import pytest

from streams.market import IndexSpec, Market
from streams.records import Series
from streams.valuation.series_codes import FULL, PER_UNDERLYING, UNMONITORED, SeriesCodes
from streams.valuation.universe import underlyings

WATCHED = underlyings(Market((IndexSpec("SPX"), IndexSpec("SPY"))))
SPX, SPXW, SPY, ELSE = (
    Series("SPX", "SPX"),
    Series("SPX", "SPXW"),
    Series("SPY", "SPY"),
    Series("ZZZZ", "ZZZZ"),
)


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


def wrong(count: int, underlying: str = "SPX") -> list[Series]:
    """What a producer makes that writes the symbol of the option into the root."""
    return [Series(underlying, f"{underlying}260717C{at:08d}") for at in range(count)]


def test_wrong_roots_take_the_room_of_their_own_underlying_alone() -> None:
    codes = SeriesCodes(WATCHED)
    got = codes.of(wrong(40_000))
    assert np.count_nonzero(got >= 0) == PER_UNDERLYING
    assert set(got[PER_UNDERLYING:].tolist()) == {FULL}
    assert codes.of([SPX, SPXW, SPY]).tolist() == [PER_UNDERLYING, FULL, PER_UNDERLYING + 1]


def test_what_no_key_has_is_forgotten_and_its_code_given_anew() -> None:
    codes = SeriesCodes(WATCHED)
    codes.of([SPY, *wrong(40), SPX])
    codes.encode()
    codes.keep(np.array([0, 2]))
    assert codes.changed
    assert codes.underlying.tolist() == [1, -1, 0]
    assert codes.of([wrong(2)[1], SPXW, SPX, SPY]).tolist() == [2, 1, 3, 0]
    again = SeriesCodes(WATCHED)
    codes.keep(np.array([3]))
    again.restore(codes.encode())
    assert again.known == codes.known
    assert again.underlying.tolist() == [-1, -1, -1, 0]
    assert again.of([SPY, SPX]).tolist() == codes.of([SPY, SPX]).tolist() == [0, 3]


def test_a_table_that_an_earlier_version_filled_is_brought_within_bounds() -> None:
    full = [*wrong(2**15 - 2), SPX, SPXW]
    codes = SeriesCodes(WATCHED)
    codes.restore(msgspec.msgpack.encode(full))
    assert codes.changed
    assert np.flatnonzero(codes.underlying >= 0).tolist() == [*range(PER_UNDERLYING - 1), 2**15 - 2]
    assert codes.of([SPX, SPY]).tolist() == [2**15 - 2, PER_UNDERLYING - 1]
