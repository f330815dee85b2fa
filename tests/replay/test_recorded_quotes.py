"""The close of 2026-07-10 with bid and ask, a basket of 439 names (evaluation data).

384 names have a 50-delta vol and 162 a strip: each counts for the pair that it has a value for.
"""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest

from analytics.correlation import implied_correlation
from streams.basket_columns import basket_columns
from streams.market import Basket, Constituent
from streams.reading import Reading
from tests.support.nbbo_closes import closing_quotes, closing_reading, index_weights

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]
SESSION = date(2026, 7, 10)


@cache
def close() -> tuple[Basket, Reading]:
    quotes = closing_quotes(SESSION)
    listed = {series.underlying for series in quotes.series}
    names = [Constituent(*one) for one in index_weights().items() if one[0] in listed]
    # One weight of the file is rounded to nothing.
    basket = Basket("members", tuple(replace(one, weight=one.weight or 1e-4) for one in names))
    return basket, closing_reading(SESSION, basket)


def test_each_name_counts_for_the_pair_that_it_has_a_value_for() -> None:
    basket, reading = close()
    print(
        f"\nstrips {reading.names} of {len(basket.constituents)}, {reading.coverage:.4f}; "
        f"ATM {reading.names_atm}, {reading.coverage_atm:.4f}; correlation "
        f"{reading.implied_correlation:.4f} in [{reading.implied_correlation_lower:.4f}, "
        f"{reading.implied_correlation_upper:.4f}]"
    )
    assert len(basket.constituents) == 439
    assert reading.names_atm == pytest.approx(384, abs=3), "placeholders cost one"
    assert reading.names == pytest.approx(162, abs=4)
    assert reading.coverage_atm == pytest.approx(0.97, abs=0.01)
    assert reading.coverage == pytest.approx(0.74, abs=0.02)
    assert len(reading.names_missing) == 439 - reading.names
    assert len(reading.names_missing_atm) == 439 - reading.names_atm


def test_correlation_rests_on_all_names_with_an_atm_vol() -> None:
    basket, reading = close()
    assert reading.implied_correlation == pytest.approx(0.061, abs=0.001)
    names, columns = reading.constituents, basket_columns(basket)
    assert names is not None
    vol = dict(zip(names.symbols, names.atm_vols, strict=True))
    strip = dict(zip(names.symbols, names.variances, strict=True))
    largest = columns.largest_symbols
    vols = np.array([vol.get(one) or np.nan for one in largest])
    weights = columns.weights[columns.largest]
    assert reading.index_atm_vol is not None
    value = implied_correlation(reading.index_atm_vol, weights, vols)
    assert reading.implied_correlation == pytest.approx(value, abs=1e-12)
    gated = np.where([strip.get(one) is None for one in largest], np.nan, vols)
    before = implied_correlation(reading.index_atm_vol, weights, gated)
    assert before == pytest.approx(0.053, abs=0.001), "as the strips gated it"
    assert reading.implied_correlation_lower is not None
    assert reading.implied_correlation_upper is not None
    assert reading.implied_correlation_lower <= value <= reading.implied_correlation_upper


def test_the_heaviest_without_a_strip_are_named_with_their_reason() -> None:
    basket, reading = close()
    lacking = {one.symbol: one for one in reading.names_lacking}
    weights = {one.symbol: one.weight for one in basket.constituents}
    assert len(lacking) == 20
    heaviest = sorted(reading.names_missing, key=lambda one: -weights[one])[:15]
    assert set(heaviest) <= set(lacking)
    for one in lacking.values():
        assert one.strip_reason == reading.names_missing.get(one.symbol, "")
        assert one.weight == pytest.approx(weights[one.symbol] / sum(weights.values()))
        assert one.age_seconds == 0.0
