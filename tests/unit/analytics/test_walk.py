"""Selection: two-zero-bid rule, lone zeros, crossed and missing quotes, and order of filters."""

import numpy as np
import pytest

from analytics.parity import parity_forwards
from analytics.walk import select_legs
from tests.support.option_boards import board_of

STRIKES = (70, 75, 80, 85, 90, 95, 100, 105, 110, 115, 120, 125, 130)


def selected(
    puts: dict[int, tuple[float, float]], calls: dict[int, tuple[float, float]], **rules: bool
) -> dict[float, float]:
    """Strike to spacing over a board of thirteen good strikes around 100, some quotes replaced."""
    rows = []
    for k in STRIKES:
        value = max(6 - 0.15 * abs(k - 100), 0.2)
        call, put = (value + max(100 - k, 0), value + max(k - 100, 0))
        cb, ca = calls.get(k, (call - 0.1, call + 0.1))
        pb, pa = puts.get(k, (put - 0.1, put + 0.1))
        rows.append([k, cb, ca, pb, pa])
    chain = board_of([rows], [0.1])
    legs = select_legs(chain, parity_forwards(chain), **rules)
    return dict(zip(chain.strike[legs.row].tolist(), legs.spacing.tolist(), strict=True))


def test_all_good_quotes_are_taken_from_their_wing() -> None:
    chosen = selected({}, {})
    assert list(chosen) == list(STRIKES)
    assert set(chosen.values()) == {5.0}


def test_lone_zero_bid_is_skipped_and_widens_its_neighbours() -> None:
    chosen = selected({85: (0.0, 0.1)}, {115: (0.0, 0.1)})
    assert 85 not in chosen
    assert 115 not in chosen
    assert (chosen[80], chosen[90], chosen[110], chosen[120]) == (7.5, 7.5, 7.5, 7.5)


def test_two_consecutive_zero_bids_stop_the_walk() -> None:
    chosen = selected({80: (0.0, 0.1), 85: (0.0, 0.1)}, {115: (0.0, 0.1), 120: (0.0, 0.1)})
    assert list(chosen) == [90, 95, 100, 105, 110]
    assert (chosen[90], chosen[110]) == (5.0, 5.0)


def test_zero_bids_apart_do_not_stop_the_walk() -> None:
    chosen = selected({85: (0.0, 0.1), 75: (0.0, 0.1)}, {})
    assert list(chosen)[:3] == [70, 80, 90]
    assert (chosen[70], chosen[80]) == (10.0, 10.0)


def test_zero_bids_at_either_side_of_k0_are_no_pair() -> None:
    assert len(selected({95: (0.0, 0.1)}, {105: (0.0, 0.1)})) == len(STRIKES) - 2


def test_in_the_money_zero_bids_do_not_count() -> None:
    assert len(
        selected({110: (0.0, 9.0), 115: (0.0, 9.0)}, {80: (0.0, 30.0), 85: (0.0, 30.0)})
    ) == len(STRIKES)


def test_missing_quotes_count_as_zero_bids() -> None:
    gone = (np.nan, np.nan)
    assert list(selected({}, {115: gone, 120: (0.0, 0.1)}))[-1] == 110


@pytest.mark.parametrize(("zero_ask_stops", "last"), [(True, 110), (False, 130)])
def test_zero_ask_counts_for_vix_and_is_only_dropped_for_dspx(
    *, zero_ask_stops: bool, last: int
) -> None:
    chosen = selected({}, {115: (0.3, 0.0), 120: (0.3, 0.0)}, zero_ask_stops=zero_ask_stops)
    assert list(chosen)[-1] == last
    assert 115 not in chosen


@pytest.mark.parametrize("zero_ask_stops", [True, False])
def test_crossed_quotes_are_dropped_without_stopping(*, zero_ask_stops: bool) -> None:
    chosen = selected({}, {115: (0.5, 0.4), 120: (0.5, 0.4)}, zero_ask_stops=zero_ask_stops)
    assert list(chosen)[-3:] == [110, 125, 130]
    assert chosen[125] == 10.0


def test_zero_bid_beside_a_crossed_quote_is_no_pair() -> None:
    """The validity filter runs after the two-zero-bid rule.

    A crossed quote in between keeps two zero bids apart.
    """
    chosen = selected({}, {110: (0.0, 0.1), 115: (0.5, 0.4), 120: (0.0, 0.1)}, zero_ask_stops=False)
    assert list(chosen)[-3:] == [105, 125, 130]
