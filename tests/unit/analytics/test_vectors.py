"""The published and computed test vectors, at the tolerances they hold."""

import csv
import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from analytics.arrays import Floats
from analytics.black76 import price
from analytics.changepoint import cusum
from analytics.correlation import basket_sums, correlation_bounds, implied_correlation
from analytics.dispersion import basket_vol, dispersion, variance_ratio
from analytics.implied_vol import implied_vol
from analytics.option_chain import OptionChain
from analytics.realized import realized_variance
from analytics.strip import StripValues, value_strips
from analytics.tenor import interpolate_variance
from tests.support.evaluation import vectors
from tests.support.option_boards import board_of
from tests.support.oracles.correlation import index_vol_at
from tests.support.oracles.strip_table import Contributions, strip_contributions

pytestmark = pytest.mark.evaluation

EDITIONS = {
    "2003-2009 white paper": (
        "vix_whitepaper_2009_near",
        "vix_whitepaper_2009_next",
        (0.0038, 0.0038),
        (12_960, 53_280),
        61.217999,
    ),
    "2014-2019 white paper": (
        "vix_whitepaper_near",
        "vix_whitepaper_next",
        (0.000305, 0.000286),
        (35_924, 46_394),
        13.685821,
    ),
    "v6.0 (2026-02-26)": (
        "vix_whitepaper_near",
        "vix_whitepaper_next",
        (0.00031664, 0.00028797),
        (34_484, 44_954),
        13.927842,
    ),
}


def table(name: str) -> list[dict[str, str]]:
    with (vectors() / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def columns(name: str) -> dict[str, Floats]:
    rows = table(name)
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def expected(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((vectors() / name).read_text())
    return content


@cache
def edition_board(edition: str) -> OptionChain:
    near, following, rates, minutes, _ = EDITIONS[edition]
    rows = [np.column_stack(list(columns(name).values())) for name in (near, following)]
    return board_of(rows, [m / 525_600 for m in minutes], list(rates))


@pytest.mark.parametrize("edition", EDITIONS)
def test_vix_example(edition: str) -> None:
    chain = edition_board(edition)
    values: StripValues = value_strips(chain)
    minutes, index = EDITIONS[edition][3:]
    rows = [row for row in table("vix_expected") if row["edition"] == edition]
    assert [row["term"] for row in rows] == ["near", "next"]
    for j, row in enumerate(rows):
        strip: Contributions = strip_contributions(chain, j)
        assert values.forward[j] == pytest.approx(float(row["F"]), abs=1e-5)
        assert values.k0[j] == float(row["K0"])
        assert values.puts[j] + values.calls[j] + 1 == int(row["n_options"]) == len(strip.strike)
        assert (strip.strike[0], strip.strike[-1]) == (float(row["k_lo"]), float(row["k_hi"]))
        assert strip.contribution.sum() == pytest.approx(float(row["strip_sum"]), abs=1e-10)
        tolerance = 1e-6 if edition.startswith("2003") else 1e-8
        assert values.variance[j] == pytest.approx(float(row["sigma2"]), abs=tolerance)
        assert values.variance[j] == pytest.approx(float(row["published_sigma2"]), abs=tolerance)
    variance = interpolate_variance(
        values.variance[0], minutes[0], values.variance[1], minutes[1], 30
    )
    assert 100 * np.sqrt(variance) == pytest.approx(index, abs=1e-6)
    assert 100 * np.sqrt(variance) == pytest.approx(float(rows[0]["published_index"]), abs=5e-3)


def test_published_contributions() -> None:
    chain, checked = edition_board("v6.0 (2026-02-26)"), 0
    for j, term in enumerate(("near", "next")):
        strip = strip_contributions(chain, j)
        published = [row for row in table("vix_whitepaper_contributions") if row["term"] == term]
        assert [float(row["strike"]) for row in published] == strip.strike.tolist()
        assert [row["type"] for row in published] == list(strip.type)
        assert [float(row["dk"]) for row in published] == strip.dk.tolist()
        assert [float(row["mid"]) for row in published] == pytest.approx(strip.mid, abs=1e-9)
        assert [float(row["contribution"]) for row in published] == pytest.approx(
            strip.contribution, abs=1e-10, rel=0
        )
        checked += len(published)
    assert checked == 268


def test_edge_cases_inside_the_boards() -> None:
    near, following = (
        strip_contributions(edition_board("2014-2019 white paper"), j) for j in (0, 1)
    )
    spacing = dict(zip(near.strike.tolist(), near.dk.tolist(), strict=True))
    assert not spacing.keys() & {1405, 1415, 2120}, "lone zero bids"
    assert (spacing[1400], spacing[1410], spacing[1420], spacing[2100]) == (7.5, 10.0, 7.5, 15.0)
    assert not spacing.keys() & {1350, 1355, 1360, 1365, 2150, 2175, 2225}, (
        "live bids beyond two zero bids"
    )
    chain = edition_board("2014-2019 white paper")
    beyond = np.isin(chain.strike[: chain.offsets[1]], [1350, 1355])
    assert (chain.put_bid[: chain.offsets[1]][beyond] > 0).all()
    spacing = dict(zip(following.strike.tolist(), following.dk.tolist(), strict=True))
    assert 1300 not in spacing
    assert spacing[1325] == 37.5
    assert not spacing.keys() & {1225, 1250, 2175, 2225, 2250}


def test_realized_vol() -> None:
    want = expected("estimators_expected.json")
    returns = np.diff(np.log(columns("ohlc_synthetic")["close"]))
    assert 100 * np.sqrt(realized_variance(returns)) == pytest.approx(
        want["close_to_close_zero_mean"], abs=1e-11
    )


def test_black76_prices_and_vols() -> None:
    rows = table("black76_iv")
    f, k, t, sigma, premium = (
        np.array([float(row[c]) for row in rows])
        for c in ("F", "K", "T", "sigma", "undiscounted_price")
    )
    call = np.array([row["flag"] == "c" for row in rows])
    assert len(rows) == 252
    vol, status = implied_vol(premium, f, k, t, call)
    assert not status.any()
    assert np.abs(vol - sigma).max() <= 1e-12
    assert price(f, k, t, sigma, call) == pytest.approx(premium, rel=1e-11, abs=0)


def test_implied_correlation_toy() -> None:
    toy = expected("implied_corr_toy.json")
    w, s, index = toy["weights"], toy["sigmas"], toy["sigma_index"]
    assert basket_sums(w, s) == pytest.approx((toy["A_weighted_avg_vol"], toy["B_diag"]), abs=1e-15)
    assert implied_correlation(index, w, s) == pytest.approx(toy["rho_average"], abs=1e-14)
    assert correlation_bounds(index, w, s) == (implied_correlation(index, w, s),) * 2
    assert index_vol_at(0, w, s) == pytest.approx(
        toy["rho_lower_bound_zero_corr_index_vol"], abs=1e-14
    )
    assert index_vol_at(1, w, s) == pytest.approx(toy["rho_upper_bound_index_vol"], abs=1e-14)
    whole = basket_vol(w, np.square(s))
    assert whole**2 == pytest.approx(toy["weighted_avg_variance"], abs=1e-15)
    assert variance_ratio(index, whole) == pytest.approx(toy["rho_bossu_var_ratio"], abs=1e-14)
    assert 100 * dispersion(whole**2, index) == pytest.approx(toy["dspx_like"], abs=1e-12)
    assert 100 * whole == pytest.approx(toy["vixeq_like"], abs=1e-12)


def test_dspx_identity_on_closes() -> None:
    rows = columns_without_dates("dspx_identity")
    ours = 100 * dispersion(np.square(rows["VIXEQ"] / 100), rows["VIX"] / 100)
    assert ours == pytest.approx(rows["dspx_from_identity"], abs=5e-5)
    assert np.median(np.abs(ours - rows["DSPX"])) < 0.1


def columns_without_dates(name: str) -> dict[str, Floats]:
    rows = table(name)
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0] if key != "date"}


def test_change_point_stream() -> None:
    stream = columns("changepoint_stream")
    x = stream["x"]
    sums = cusum(x)
    assert sums.up == pytest.approx(stream["cusum_pos"], abs=6e-7)
    assert sums.down == pytest.approx(stream["cusum_neg"], abs=6e-7)
    assert int(np.argmax(np.maximum(sums.up, sums.down) > 5)) == 208
