"""The delta skew: valued once in ten seconds, for what was quoted since.

It is read as implied correlation at each delta.
"""

from datetime import date

import numpy as np
import pytest

from analytics.correlation import SKEW_DELTAS
from config.rules import load_rules
from streams.calendar.sessions import next_session, open_ns
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.pipeline import Pipeline
from streams.points import PointsFrame, SkewPoints
from streams.reading import Reading
from streams.records import NS, InputRecord, Quotes, Vols
from streams.valuation.quotes_stage import QuotesStage
from tests.support.cross_section_run import VOLS, Run
from tests.support.input_records import frame_of, frames_in, heartbeat
from tests.support.option_chains import Chain, quotes_of
from tests.support.option_vols import vols_of
from tests.support.oracles.correlation import index_vol_at
from tests.support.points_frames import SESSION, frame, quoted, second

TEN = open_ns(date(2026, 7, 8)) + 30 * 60 * NS
TERMS = (date(2026, 7, 24), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
NAMES = {"AAPL": 0.30, "MSFT": 0.40, "NVDA": 0.55}
RHO = 0.35
INDEX_VOL = index_vol_at(RHO, [1.0, 1.0, 1.0], list(NAMES.values()))
CHAINS = [
    Chain("SPY", TERMS, vol=INDEX_VOL),
    *(Chain(name, TERMS, vol=vol) for name, vol in NAMES.items()),
]
MARKET = Market(
    (IndexSpec("SPY", Basket("three", tuple(Constituent(name, 1.0) for name in NAMES))),),
    mode="replay",
)
KEYS = ["0.1", "0.3", "0.7", "0.9"]


def skews(stage: QuotesStage, *records: InputRecord) -> list[PointsFrame]:
    """The frames with a skew among what the records bring."""
    return [one for one in frames_in(stage.process(records).messages) if one.skew is not None]


def only(of: str, after: float) -> InputRecord:
    """All quotes of one name, so many seconds after ten o'clock."""
    return frame_of(
        quotes_of([chain for chain in CHAINS if chain.underlying == of], TEN + round(after * NS))
    )


def test_vols_at_each_delta_are_those_of_the_smile() -> None:
    (first,) = skews(
        QuotesStage(MARKET, "quotes:0", 1), frame_of(quotes_of(CHAINS, TEN)), heartbeat(TEN)
    )
    assert first.skew is not None
    assert first.skew.symbol == ("AAPL", "MSFT", "NVDA", "SPY")
    wanted = np.array([*NAMES.values(), INDEX_VOL])[:, None] * np.ones(len(SKEW_DELTAS))
    assert first.skew.vols == pytest.approx(wanted, abs=0.002)


def test_a_name_is_valued_in_its_first_second_with_quotes_of_each_ten() -> None:
    stage = QuotesStage(MARKET, "quotes:0", 1)
    skews(stage, frame_of(quotes_of(CHAINS, TEN)), heartbeat(TEN))
    assert not skews(stage, only("AAPL", 3), only("MSFT", 9.5), heartbeat(TEN + 9 * NS))
    frames = skews(
        stage,
        only("SPY", 21),
        only("NVDA", 22),
        heartbeat(TEN + 29 * NS),
        only("SPY", 30.5),
        heartbeat(TEN + 31 * NS),
    )
    valued = [
        ((one.boundary - TEN) // NS, one.skew.symbol) for one in frames if one.skew is not None
    ]
    assert valued == [(10, ("AAPL", "MSFT")), (21, ("SPY",)), (22, ("NVDA",)), (31, ("SPY",))]


def test_a_restart_between_two_skews_changes_nothing() -> None:
    steady = QuotesStage(MARKET, "quotes:0", 1)
    before = [frame_of(quotes_of(CHAINS, TEN)), only("AAPL", 3), heartbeat(TEN + 4 * NS)]
    after = [only("MSFT", 12), heartbeat(TEN + 12 * NS)]
    steady.process(before)
    chunks = steady.chunks()
    restarted = QuotesStage(MARKET, "quotes:0", 1)
    restarted.restore(chunks)
    assert [m.value for m in restarted.process(after).messages] == [
        m.value for m in steady.process(after).messages
    ]


@pytest.mark.parametrize(
    ("columns", "precision"), [(quotes_of(CHAINS, TEN), 0.02), (vols_of(CHAINS, TEN), 1e-9)]
)
def test_equal_smiles_of_one_correlation_read_that_correlation_at_each_delta(
    columns: Quotes | Vols, precision: float
) -> None:
    pipeline = Pipeline(MARKET, load_rules(), 1, 1)
    records = [
        frame_of(columns)._replace(topic="market.option-quotes.v1"),
        heartbeat(TEN)._replace(topic="market.option-quotes.v1"),
    ]
    (reading,) = [
        one
        for one in pipeline.process([*records, heartbeat(TEN)._replace(topic="market.ticks.v1")])
        if isinstance(one, Reading)
    ]
    assert list(reading.implied_correlation_skew) == KEYS
    assert list(reading.implied_correlation_skew.values()) == pytest.approx(
        [RHO] * 4, abs=precision
    )
    assert not [name for name in reading.reasons if "skew" in name]


def with_skew(
    vols: dict[str, float], at: int, factors: tuple[float, ...] = (0.9, 0.95, 1.05, 1.1)
) -> PointsFrame:
    """Fresh points with a skew of the same names."""
    points = SkewPoints(
        tuple(vols), np.full(len(vols), 30, np.int32), np.outer(list(vols.values()), factors)
    )
    return frame(at, surfaces=quoted(at, VOLS).surfaces, skew=points)


def test_a_skew_stays_until_the_next_session() -> None:
    run = Run()
    first, second_later = run.feed(with_skew(VOLS, second(60)), quoted(second(61), VOLS))
    assert list(first.implied_correlation_skew.values()) == pytest.approx(
        [0.1133236] * 4, abs=1e-6
    ), "all vols scaled alike"
    assert second_later.implied_correlation_skew == first.implied_correlation_skew
    *_, tomorrow = run.feed(quoted(second(60, next_session(SESSION)), VOLS))
    assert tomorrow.implied_correlation_skew == {}
    assert tomorrow.reasons["implied_correlation_skew.0.1"] == "no_quotes"


def test_what_is_missing_has_a_reason() -> None:
    index_alone = {"IDX": 0.18}
    (too_thin,) = Run().feed(with_skew(index_alone, second(60)))
    assert {too_thin.reasons[f"implied_correlation_skew.{key}"] for key in KEYS} == {"coverage"}
    (one_sided,) = Run().feed(with_skew(VOLS, second(60), (0.9, 0.95, 1.05, float("nan"))))
    assert list(one_sided.implied_correlation_skew) == KEYS[:3]
    assert one_sided.reasons["implied_correlation_skew.0.9"] == "no_quotes"
    (alone,) = Run({}).feed(quoted(second(60), VOLS))
    assert alone.reasons["implied_correlation_skew"] == "no_basket"
    (no_index,) = Run().feed(quoted(second(60), {"A": 0.3, "B": 0.25, "C": 0.4, "D": 0.2}))
    assert no_index.reasons["implied_correlation_skew"] == "no_quotes"
