"""All members of the index that the recorded chains hold: how much of them has a value, by weight.

The weights are those of a fund, moved to 2026-07-10. Evaluation data.
"""

import gzip
from collections import Counter
from csv import DictReader
from datetime import date
from functools import cache

import pytest

from streams.market import Basket, Constituent
from streams.reading import Reading
from streams.symbols import normalise
from streams.valuation import terms
from tests.support.evaluation import evaluation_data
from tests.support.nbbo_closes import closing_quotes, closing_reading
from tests.support.vol_closes import history

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]
LAST = date(2026, 7, 10)
ENOUGH = 0.90
WITHOUT_MICROSOFT = date(2026, 7, 1)
"""The file has no chain of it on that day, nor on the day before."""


@cache
def weights() -> dict[str, float]:
    file = evaluation_data() / "universe" / "sp500_weights_2026_07_projected.csv.gz"
    with gzip.open(file, "rt") as lines:
        found = {normalise(row["symbol"]): float(row["weight_pct"]) for row in DictReader(lines)}
    return {symbol: weight for symbol, weight in found.items() if weight > 0}


def share(names: set[str], of: set[str]) -> float:
    return sum(weights()[one] for one in names) / sum(weights()[one] for one in of)


def test_every_session_of_32_is_covered_where_there_are_quotes() -> None:
    members = {one.symbol for one in history().basket.constituents} & weights().keys()
    print(f"\n{'session':<12}{'names':>7}{'coverage':>10}{'of quoted':>11}{'correlation':>13}")
    for reading in history().readings:
        missing = reading.names_missing.keys() | reading.names_carried.keys()
        unquoted = {one for one, why in reading.names_missing.items() if why == "no_quotes"}
        valued, quoted = members - missing, members - unquoted
        whole, there = share(valued, members), share(valued, quoted)
        print(
            f"{reading.session!s:<12}{len(valued):7}{whole:10.4f}{there:11.4f}"
            f"{reading.implied_correlation:13.4f}"
        )
        assert there >= ENOUGH, reading.session
        assert whole >= ENOUGH or reading.session == WITHOUT_MICROSOFT
        assert reading.implied_correlation is not None
    assert len(history().readings) == 32
    assert date(2026, 6, 16) in {reading.session for reading in history().readings}


def test_one_term_alone_keeps_names_with_monthlies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days before a monthly expiry a quarter of the names have no near term without it."""
    day = date(2026, 6, 16)
    monkeypatch.setattr(terms, "_closest", lambda *_: None)
    (before,) = history.__wrapped__(first=day, last=day).readings
    (after,) = (one for one in history().readings if one.session == day)
    lost = before.names_missing.keys() - after.names_missing.keys()
    assert {before.names_missing[name] for name in lost} == {"no_near_term"}
    assert "single_term" in after.flags
    assert (before.names, after.names) == (after.names - len(lost), after.names)
    assert before.names / len(history().basket.constituents) < 0.80
    assert after.names / len(history().basket.constituents) > 0.95


@cache
def last_close() -> tuple[Basket, Reading]:
    listed = {series.underlying for series in closing_quotes(LAST).series}
    names = tuple(Constituent(*one) for one in weights().items() if one[0] in listed)
    basket = Basket("members", names, as_of=LAST)
    return basket, closing_reading(LAST, basket)


def test_of_the_close_with_bid_and_ask_correlation_is_covered_and_strips_are_not() -> None:
    basket, reading = last_close()
    reasons = Counter(reading.names_missing.values())
    print(
        f"\n{len(basket.constituents)} names; ATM {reading.names_atm}, "
        f"{reading.coverage_atm:.4f}; strips {reading.names}, {reading.coverage:.4f}; "
        f"correlation {reading.implied_correlation:.4f}; {reasons.most_common(6)}"
    )
    assert reading.coverage_atm is not None
    assert reading.coverage_atm >= ENOUGH
    assert reading.implied_correlation is not None
    assert reading.coverage is not None
    assert 0.70 <= reading.coverage < ENOUGH
    about_quotes = sum(
        count
        for why, count in reasons.items()
        if any(words in why for words in ("quote", "two-sided", "out-of-the-money", "no_"))
    )
    assert about_quotes >= 0.9 * sum(reasons.values()), "quotes are missing, not expiries"
