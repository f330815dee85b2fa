"""Surfaces of recorded closes: a whole index basket at once (evaluation data)."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from streams.calendar.sessions import close_ns
from streams.market import Basket, Constituent, IndexSpec, Market, Rates
from streams.points import PointsFrame, SurfacePoints
from streams.records import Quotes
from streams.valuation.quotes_stage import QuotesStage
from tests.support.input_records import frame_of, frames_in
from tests.support.nbbo_closes import closing_quotes, index_weights
from tests.support.option_chains import taken

pytestmark = pytest.mark.evaluation


def frame_at_close(session: date) -> tuple[PointsFrame, Counter[tuple[str, ...]], Quotes]:
    quotes, weights = closing_quotes(session), index_weights()
    basket = Basket(
        "members", tuple(Constituent(symbol, weight) for symbol, weight in weights.items())
    )
    stage = QuotesStage(
        Market((IndexSpec("SPY", basket),), rates=Rates(constant=0.0364)), "quotes:0", 1
    )
    records = [
        frame_of(taken(quotes, np.arange(at, min(at + 5000, quotes.strike.size))))
        for at in range(0, quotes.strike.size, 5000)
    ]
    outputs = [stage.process(records), stage.idle()]
    frames = frames_in([message for output in outputs for message in output.messages])
    (frame,) = [frame for frame in frames if frame.boundary == close_ns(session) and not frame.idle]
    return frame, outputs[0].counts + outputs[1].counts, quotes


def by_symbol(points: SurfacePoints | None, column: str) -> dict[str, float | str]:
    assert points is not None
    return dict(zip(points.symbol, getattr(points, column), strict=True))


def test_the_close_of_10_july_2026() -> None:
    frame, counts, quotes = frame_at_close(date(2026, 7, 10))
    assert frame.refresh_seconds == 86_400.0
    assert np.sqrt(by_symbol(frame.surfaces, "variance")["SPY"]) == pytest.approx(0.1503, abs=0.010)
    weights, reason, atm = (
        index_weights(),
        by_symbol(frame.surfaces, "reason"),
        by_symbol(frame.surfaces, "atm_reason"),
    )
    total = sum(weight for symbol, weight in weights.items() if symbol in reason)
    assert (
        sum(weight for symbol, weight in weights.items() if reason.get(symbol) == "") / total > 0.70
    )
    assert sum(weight for symbol, weight in weights.items() if atm.get(symbol) == "") / total > 0.90
    heaviest = sorted(weights, key=weights.__getitem__, reverse=True)[:50]
    assert sum(reason.get(symbol) == "" for symbol in heaviest) >= 40
    vols = np.sqrt(
        [
            v
            for symbol, v in by_symbol(frame.surfaces, "variance").items()
            if reason[symbol] == "" and symbol != "SPY"
        ]
    )
    assert 0.25 < np.median(vols) < 0.50
    assert sum(count for key, count in counts.items() if key[0] == "quotes") == quotes.strike.size
    assert counts["quotes", "accepted"] + counts["quotes", "no_bid"] == frame.accepted


def test_spy_has_no_term_beyond_thirty_days_on_8_july_2026() -> None:
    frame, _, _ = frame_at_close(date(2026, 7, 8))
    assert by_symbol(frame.surfaces, "reason")["SPY"] == "no_next_term"
    frame, _, _ = frame_at_close(date(2026, 7, 9))
    assert by_symbol(frame.surfaces, "reason")["SPY"] == ""
