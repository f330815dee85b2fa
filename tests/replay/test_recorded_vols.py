"""A month and a half of closes known by vols alone: levels and composition.

One session alone was an unwind. The closes are evaluation data.
"""

import math
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from streams.basket_columns import basket_columns
from streams.detection.history.change import change
from streams.detection.history.instant import Instant, instant_of
from streams.detection.history.panels import Panels
from streams.reading import Reading, encode_reading
from streams.records import NS
from tests.support.vol_closes import history

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]

WITHOUT_MSFT = ("2026-06-30", "2026-07-01")
"""Its chains are missing in the file."""
PARTITIONED = (date(2026, 6, 5), date(2026, 6, 8))
LARGEST_COMPOSITION_EFFECT = 0.009
"""Of implied correlation, at the sessions around the two without MSFT."""


def closes() -> dict[str, Reading]:
    return {reading.session.isoformat(): reading for reading in history().readings}


def instants() -> list[Instant]:
    return [
        instant_of(reading, int(reading.ts_event.timestamp()) * NS)
        for reading in history().readings
    ]


def core() -> frozenset[str]:
    return frozenset(basket_columns(history().basket).largest_symbols)


def moves(start: Instant, end: Instant) -> tuple[float, float]:
    """Change of implied correlation as published and on the common set."""
    assert start.implied_correlation is not None
    assert end.implied_correlation is not None
    common = change(start, end, Panels(), core())
    assert common is not None
    assert common.correlation_move is not None
    return end.implied_correlation - start.implied_correlation, common.correlation_move


def test_every_session_has_a_reading_of_the_atm_pair_alone() -> None:
    assert len(closes()) == len(history().readings) == 32
    print(f"\n{'session':<12}{'index':>8}{'basket':>8}{'rho':>8}{'coverage':>10}{'names':>7}")
    for session, one in closes().items():
        print(
            f"{session:<12}{one.index_atm_vol:8.4f}{one.basket_atm_vol:8.4f}"
            f"{one.implied_correlation:8.4f}{one.coverage:10.4f}{one.names:7}"
        )
        assert (one.basis, one.index_vol, one.basket_vol, one.dispersion) == (
            "atm",
            None,
            None,
            None,
        )
        assert one.reasons["index_vol"] == one.reasons["basket_vol"] == "basis_atm"
        assert "stated_vols" in one.flags
        assert one.coverage is not None
        assert one.coverage_names is not None
        assert one.coverage >= (0.85 if session in WITHOUT_MSFT else 0.90)
        assert one.coverage_names >= 0.90


def test_names_with_monthlies_only_are_there_two_days_before_a_monthly_expiry() -> None:
    dark = closes()["2026-06-16"]
    assert "single_term" in dark.flags
    assert set(dark.names_missing.values()) == {"no_quotes"}
    assert dark.constituents is not None
    assert {"AEP", "FAST", "KLAC", "ZTS"} <= set(dark.constituents.symbols)


@pytest.mark.parametrize(
    ("session", "rho"), [("2026-06-04", 0.11), ("2026-06-05", 0.19), ("2026-06-10", 0.24)]
)
def test_implied_correlation_of_the_vol_spike(session: str, rho: float) -> None:
    assert closes()[session].implied_correlation == pytest.approx(rho, abs=0.03)


def test_composition_is_a_small_part_of_each_change() -> None:
    effects = {}
    for start, end in pairwise(instants()):
        raw, common = moves(start, end)
        effects[end.session.isoformat()] = raw - common
        print(
            f"{end.session}  raw {raw:+.4f}  common set {common:+.4f}  "
            f"composition {raw - common:+.4f}"
        )
    assert max(map(abs, effects.values())) <= LARGEST_COMPOSITION_EFFECT
    worst = max(effects, key=lambda session: abs(effects[session]))
    position = sorted(closes()).index(worst)
    around = [
        closes()[session].constituents for session in sorted(closes())[position - 1 : position + 1]
    ]
    assert ["MSFT" in names.symbols for names in around if names is not None].count(False) == 1


def test_only_the_fifth_of_june_is_an_unwind() -> None:
    fired = [
        event.data for event in history().events if event.data.transition in {"firing", "updated"}
    ]
    assert [(one.session.isoformat(), one.rule, one.confidence, one.basis) for one in fired] == [
        ("2026-06-05", "vix_spike_unwind", "low", "atm")
    ]
    (unwind,) = fired
    assert unwind.unknown == ("correlation_change_rank",)
    assert unwind.severity == "warning", "what is unknown caps the severity"


def test_alerts_use_differences_on_the_common_set() -> None:
    by_time = {instant.ts: instant for instant in instants()}
    checked = 0
    for event in history().events:
        values, since = event.data.values, event.data.compared_with
        if since is None:
            continue
        end = by_time[int(event.time.timestamp()) * NS]
        start = by_time[int(since.timestamp()) * NS]
        low, high, names = _by_hand(start, end)
        assert values["implied_correlation_change"] == pytest.approx(
            high["rho"] - low["rho"], rel=0, abs=1e-12
        )
        assert values["basket_vol_change"] == pytest.approx(
            high["basket"] - low["basket"], rel=0, abs=1e-12
        )
        assert values["index_vol_change"] == pytest.approx(
            high["index"] - low["index"], rel=0, abs=1e-12
        )
        assert values["common_names"] == names
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize("partitions", [1, 3])
def test_partitions_change_nothing(partitions: int) -> None:
    """Byte by byte, over a session after which the terms of 97 names roll.

    The first session is not compared: the other run has a close before it.
    """
    some = history(partitions, date(2026, 6, 4), date(2026, 6, 8))
    same = [one for one in history().readings if PARTITIONED[0] <= one.session <= PARTITIONED[1]]
    assert [encode_reading(one) for one in some.readings[1:]] == [
        encode_reading(one) for one in same
    ]
    last = same[-1].constituents
    assert last is not None
    assert len(last.next_terms) == 97
    assert [event.id for event in some.events] == [
        event.id for event in history().events if event.data.session <= PARTITIONED[1]
    ]


def _by_hand(start: Instant, end: Instant) -> tuple[dict[str, float], dict[str, float], int]:
    """ATM levels of both instants on the largest names that both have.

    The weights are those of today.
    """
    assert start.constituents is not None
    assert end.constituents is not None
    vols = [
        dict(zip(one.constituents.symbols, one.constituents.atm_vols, strict=True))
        for one in (start, end)
        if one.constituents
    ]
    common = [
        (weight, vols[0][symbol], vols[1][symbol])
        for symbol, weight in zip(end.constituents.symbols, end.constituents.weights, strict=True)
        if symbol in core() and vols[0].get(symbol) is not None and vols[1].get(symbol) is not None
    ]
    share = [weight / math.fsum(row[0] for row in common) for weight, _, _ in common]
    levels = []
    for column, instant in ((1, start), (2, end)):
        own = np.array([row[column] for row in common], np.float64)
        weighted = np.array(share) * own
        average, diagonal = math.fsum(weighted), math.fsum(weighted**2)
        assert instant.index_atm_vol is not None
        levels.append(
            {
                "index": instant.index_atm_vol,
                "basket": average,
                "rho": (instant.index_atm_vol**2 - diagonal) / (average**2 - diagonal),
            }
        )
    return levels[0], levels[1], len(common)
