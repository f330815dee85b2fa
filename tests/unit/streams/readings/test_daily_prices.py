"""One price a session: which tick counts, what a window may use, and what is kept."""

from datetime import date

import numpy as np
import pytest

from streams.readings.daily_prices import KEEP, DailyPrices
from streams.readings.session_hours import hours_on
from streams.records import NS
from tests.support.points_frames import prices
from tests.support.trading_days import sessions_in

DAYS = sessions_in(date(2026, 1, 2), date(2026, 6, 30))
NAMES = ("A", "B", "IDX")


def filled(
    closes: list[list[float]], days: tuple[date, ...] = DAYS, names: tuple[str, ...] = NAMES
) -> DailyPrices:
    """One tick of every name at each close; NaN does not tick."""
    daily = DailyPrices(names)
    for day, row in zip(days, closes, strict=False):
        hours = hours_on(day)
        daily.begin(hours)
        daily.apply(
            prices(
                {name: price for name, price in zip(names, row, strict=True) if np.isfinite(price)},
                hours.equity_close,
            )
        )
    return daily


def test_the_last_price_in_equity_hours_counts() -> None:
    hours, daily = hours_on(DAYS[0]), DailyPrices(NAMES)
    daily.apply(prices({"A": 1.0}, hours.open + NS))
    daily.begin(hours)
    for ts, price in (
        (hours.open, 1.0),
        (hours.open + NS, 2.0),
        (hours.equity_close, 3.0),
        (hours.equity_close + NS, 4.0),
    ):
        daily.apply(prices({"A": price, "other": 9.0}, ts))
    daily.apply(prices({"A": 0.0, "B": -1.0}, hours.equity_close))
    np.testing.assert_array_equal(daily.table().today, [3.0, np.nan, np.nan])
    assert daily.table().closes.shape == (0, 3)


def test_a_daily_level_of_the_index_counts_only_without_an_earlier_tick() -> None:
    hours = hours_on(DAYS[0])
    for earlier, expected in ((None, 50.0), (49.0, 49.0)):
        daily = DailyPrices(NAMES)
        daily.begin(hours)
        if earlier:
            daily.apply(prices({"IDX": earlier}, hours.equity_close))
        daily.apply(prices({"IDX": 50.0, "A": 10.0}, hours.close))
        daily.apply(prices({"IDX": 51.0}, hours.close + NS))
        np.testing.assert_array_equal(daily.table().today, [np.nan, np.nan, expected])


def test_returns_need_both_ends_and_no_jump() -> None:
    daily = filled(
        [[10.0, 10.0, 100.0], [11.0, np.nan, 101.0], [12.1, 20.0, 102.0], [12.1, 20.2, np.nan]]
    )
    table = daily.table()
    np.testing.assert_allclose(table.over(1), [0.0, 0.01, np.nan])
    np.testing.assert_allclose(table.over(2), [0.1, np.nan, np.nan], atol=1e-12)
    np.testing.assert_allclose(table.over(3), [0.21, np.nan, np.nan], atol=1e-12)
    assert np.isnan(table.over(4)).all()
    np.testing.assert_allclose(
        table.steps(5),
        [[0.1, np.nan, 0.01], [0.1, np.nan, 1 / 101], [0.0, 0.01, np.nan]],
        atol=1e-12,
    )


def test_a_split_between_the_ends_is_seen_though_both_ends_are_there() -> None:
    table = filled([[100.0, 1.0, 1.0], [50.0, 1.0, 1.0], [90.0, 1.5, 1.0]]).table()
    np.testing.assert_allclose(table.over(2), [np.nan, np.nan, 0.0])


def test_history_before_a_long_gap_is_not_used() -> None:
    daily = filled([[1.0, 1.0, 1.0]] * 6, (*DAYS[:3], *DAYS[20:23]))
    assert len(daily.table().closes) == 2


def test_sessions_beyond_the_reach_are_deleted() -> None:
    daily = filled([[1.0, 1.0, 1.0]] * (KEEP + 3))
    assert len(daily.table().closes) == KEEP
    chunks = dict(daily.changed())
    assert {name for name, value in chunks.items() if not value} == {
        f"closes/{day}" for day in DAYS[:2]
    }
    assert sum(1 for value in chunks.values() if value) == KEEP + 1
    assert dict(daily.changed()) == {}


def test_a_checkpoint_is_read_by_symbol() -> None:
    daily = filled([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    chunks = dict(daily.changed())
    again = DailyPrices(("B", "NEW", "IDX"))
    again.begin(hours_on(DAYS[1]))
    again.restore(chunks)
    np.testing.assert_array_equal(again.table().closes, [[2.0, np.nan, 3.0]])
    np.testing.assert_array_equal(again.table().today, [5.0, np.nan, 6.0])
    assert set(dict(again.changed())) == set(chunks)


@pytest.mark.parametrize("value", [b"", b"nonsense"])
def test_foreign_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        DailyPrices(NAMES).restore({"closes/2026-01-02": value})
