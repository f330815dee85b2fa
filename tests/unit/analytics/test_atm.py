"""50-delta vols: flat and sloped smiles, few inversions, stray quotes.

They agree with the full smile.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

import analytics.atm
from analytics.arrays import Floats
from analytics.atm import AtmStatus, atm_vols, delta_vols, vols_at_delta
from analytics.implied_vol import implied_vol
from tests.support.option_boards import board_of, smile_table

STRIKES = np.arange(60, 160, 2.5)
YEARS, FORWARD = 0.25, 100.7


def sloped(strikes: Floats) -> Floats:
    return 0.3 - 0.25 * np.log(strikes / FORWARD)


def test_flat_smile() -> None:
    chain = board_of([smile_table(STRIKES, FORWARD, YEARS, 0.35)], [YEARS])
    vol, status = atm_vols(chain, np.array([FORWARD]))
    assert status.tolist() == [0]
    assert vol[0] == pytest.approx(0.35, abs=1e-12)


def test_sloped_smile_is_read_where_delta_is_a_half() -> None:
    chain = board_of([smile_table(STRIKES, FORWARD, YEARS, sloped(STRIKES))], [YEARS])
    vol, _ = atm_vols(chain, np.array([FORWARD]))
    level = 0.3
    for _ in range(50):  # K = F exp(sigma(K)^2 T / 2), by substitution
        level = float(sloped(np.array(FORWARD * np.exp(0.5 * level**2 * YEARS))))
    assert vol[0] == pytest.approx(level, abs=2e-4)
    assert vol[0] != pytest.approx(0.3, abs=5e-4)  # the vol at the forward itself


def test_full_smile_agrees() -> None:
    rng = np.random.default_rng(3)
    forward, slopes = rng.uniform(80, 125, 200), rng.uniform(-0.3, 0.9, 200)
    tables = []
    for f, slope in zip(forward.tolist(), slopes.tolist(), strict=True):
        table = smile_table(STRIKES, f, YEARS, np.maximum(0.25 - slope * np.log(STRIKES / f), 0.05))
        tables.append(table[(table[:, [1, 3]] > 0).all(axis=1)])
    chain = board_of(tables, [YEARS] * 200)
    short, status = atm_vols(chain, forward)
    full, _ = delta_vols(chain, forward, [0.5])
    assert not status.any()
    assert short == pytest.approx(full[:, 0], abs=1e-12)


def test_at_most_four_inversions_a_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    inverted: list[int] = []

    def counting(
        price: Floats, forward: Floats, strike: Floats, years: Floats, call: Floats
    ) -> tuple[Floats, NDArray[np.int8]]:
        inverted.append(price.size)
        return implied_vol(price, forward, strike, years, call)

    monkeypatch.setattr(analytics.atm, "implied_vol", counting)
    fine = np.arange(60, 160, 0.05)
    tables = [
        smile_table(fine, FORWARD, 2.0, 0.3 - 0.9 * np.log(fine / FORWARD)),
        smile_table(STRIKES, FORWARD, YEARS, 0.2),
    ]
    vol, status = atm_vols(board_of(tables, [2.0, YEARS]), np.array([FORWARD, FORWARD]))
    assert not status.any()
    assert vol[1] == pytest.approx(0.2, abs=1e-12)
    assert 4 <= sum(inverted) <= 8


def test_deltas_of_the_wings() -> None:
    chain = board_of([smile_table(STRIKES, FORWARD, YEARS, sloped(STRIKES))], [YEARS])
    vol, status = delta_vols(chain, np.array([FORWARD]), [0.9, 0.5, 0.1, 0.9999])
    assert status.tolist() == [[0, 0, 0, AtmStatus.NOT_BRACKETED]]
    assert vol[0, 0] > vol[0, 1] > vol[0, 2]
    assert np.isnan(vol[0, 3])


@pytest.mark.parametrize(
    ("rows", "years", "forward", "expected"),
    [
        (slice(None), 0.0, FORWARD, AtmStatus.EXPIRED),
        (slice(None), YEARS, np.nan, AtmStatus.NO_FORWARD),
        (slice(0, 1), YEARS, FORWARD, AtmStatus.TOO_FEW),
        (slice(0, 0), YEARS, FORWARD, AtmStatus.TOO_FEW),
        (slice(0, 10), YEARS, FORWARD, AtmStatus.NOT_BRACKETED),
        (slice(None), YEARS, FORWARD, AtmStatus.OK),
    ],
)
def test_refusals(rows: slice, years: float, forward: float, expected: AtmStatus) -> None:
    chain = board_of([smile_table(STRIKES, FORWARD, YEARS, 0.3)[rows]], [years])
    vol, status = atm_vols(chain, np.array([forward]))
    many, statuses = delta_vols(chain, np.array([forward]), [0.5])
    assert AtmStatus(int(status[0])) is expected
    assert AtmStatus(int(statuses[0, 0])) is expected
    assert np.isnan(vol[0]) == np.isnan(many[0, 0]) == (expected is not AtmStatus.OK)
    assert bool(expected.label) == (expected is not AtmStatus.OK)


def test_quotes_that_are_not_two_sided_are_no_part_of_the_smile() -> None:
    table = smile_table(STRIKES, FORWARD, YEARS, 0.3)
    near = np.flatnonzero(np.abs(STRIKES - FORWARD) < 3)
    table[near[0], 1:] = [0, 9, 0, 9]
    table[near[1], 1:] = [5, 4, 5, 4]
    vol, status = atm_vols(board_of([table], [YEARS]), np.array([FORWARD]))
    assert status[0] == 0
    assert vol[0] == pytest.approx(0.3, abs=1e-12)


def test_stray_quotes_in_the_wing_do_not_win() -> None:
    table = smile_table(STRIKES, FORWARD, YEARS, 0.3)
    table[-2, 1:3] = [70, 71]
    vol, _ = delta_vols(board_of([table], [YEARS]), np.array([FORWARD]), [0.5])
    assert vol[0, 0] == pytest.approx(0.3, abs=1e-12)


def test_vendor_deltas_of_puts() -> None:
    vol = vols_at_delta(
        np.array([0, 2, 4]),
        np.array([-0.4, -0.6, -0.2, -0.3]),
        np.array([0.2, 0.3, 0.2, 0.3]),
        [-0.5],
    )
    assert vol[0, 0] == pytest.approx(0.25)
    assert np.isnan(vol[1, 0])
