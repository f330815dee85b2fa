"""The sample basket beside the weights of an index fund, moved to 2026-07-10 (evaluation data)."""

import gzip
from csv import DictReader
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from config.baskets import find_basket, load_basket
from streams.market import Basket, Constituent
from streams.reading import Reading
from streams.symbols import normalise
from tests.support.evaluation import evaluation_data
from tests.support.nbbo_closes import closing_reading

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]
SESSION = date(2026, 7, 10)
ACTIVE_SHARE, POINT = 0.08, 0.01
APART = {"WMT", "TMUS", "ORCL", "HCA", "PLTR", "TSLA", "AXP", "MS", "CRWD", "MU"}
"""Counts of shares more than 25 % from what the fund's weights imply; the file says why."""


def fund_weights() -> dict[str, float]:
    file = evaluation_data() / "universe" / "sp500_weights_2026_07_projected.csv.gz"
    with gzip.open(file, "rt") as lines:
        return {normalise(row["symbol"]): float(row["weight_pct"]) for row in DictReader(lines)}


def shares(reading: Reading, names: set[str]) -> dict[str, float]:
    """Shares of the weight of some names of a reading."""
    assert reading.constituents is not None
    of = dict(zip(reading.constituents.symbols, reading.constituents.weights, strict=True))
    whole = sum(of[one] for one in names)
    return {one: of[one] / whole for one in names}


def test_its_weights_are_near_those_of_the_fund_and_so_is_its_correlation() -> None:
    sample, fund = load_basket(find_basket("sample_100")), fund_weights()
    ours = tuple(one for one in sample.constituents if one.symbol in fund)
    assert len(ours) >= 105
    theirs = tuple(Constituent(one.symbol, fund[one.symbol]) for one in ours)
    mine, other = (closing_reading(SESSION, Basket("common", names)) for names in (ours, theirs))
    assert mine.constituents is not None
    valid = set(mine.constituents.symbols)
    a, b = shares(mine, valid), shares(other, valid)
    active = 0.5 * sum(abs(a[one] - b[one]) for one in valid)
    print(
        f"\nactive share {active:.4f} on {len(valid)} names; correlation "
        f"{mine.implied_correlation:.4f}, with the fund's weights {other.implied_correlation:.4f}"
    )
    assert active <= ACTIVE_SHARE
    assert mine.implied_correlation == pytest.approx(other.implied_correlation, abs=POINT)
    largest = sorted(fund, key=lambda one: -fund[one])[:40]
    assert set(largest) <= {one.symbol for one in sample.constituents}


def test_the_given_weights_are_those_of_the_closes_of_its_day() -> None:
    sample = load_basket(find_basket("sample_100"))
    assert sample.as_of == SESSION
    reading = closing_reading(SESSION, sample)
    assert reading.constituents is not None
    assert "stale_weights" not in reading.flags
    moved = dict(zip(reading.constituents.symbols, reading.constituents.weights, strict=True))
    given = {one.symbol: one.weight for one in sample.constituents if one.symbol in moved}
    relative = np.array([moved[one] / given[one] for one in given])
    np.testing.assert_allclose(relative, 1.0, rtol=0.03)


def test_a_count_is_near_what_the_weight_of_the_fund_implies() -> None:
    """At one price the shares are as the weights; the scale is that of the middle name."""
    fund = fund_weights()
    given = {one.symbol: one.weight for one in load_basket(find_basket("sample_100")).constituents}
    common = sorted(given.keys() & fund.keys())
    ratio = np.array([given[one] / fund[one] for one in common])
    off = np.abs(ratio / np.median(ratio) - 1.0)
    assert {one for one, by in zip(common, off, strict=True) if by > 0.25} == APART
    assert (off <= 0.10).mean() > 0.55
    assert (off <= 0.25).mean() > 0.90


def test_its_file_says_where_the_counts_are_from() -> None:
    text = Path(find_basket("sample_100")).read_text()
    assert all(f" {one}" in text for one in APART)
    assert "unverified to the last digit" in text
    assert "rounded" in text
    assert "SEC" in text
