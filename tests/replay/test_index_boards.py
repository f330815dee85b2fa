"""End-of-day SPX boards against the published VIX closes of their days.

They are market data that may not be shipped.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agents.replay.inputs import open_feed
from analytics.strip import StripReason
from config.rates import load_rates
from config.rules import load_rules
from streams.calendar.expiries import minutes_to
from streams.calendar.sessions import date_of
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE
from streams.market import IndexSpec, Market
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.topics import Topics
from streams.valuation.book import NEVER
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.strips import INDEX_RULES, value_judged
from streams.valuation.terms import FURTHEST, NEAREST
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation

HEARTBEAT = (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),)
BOARDS_2011 = {"2011-01-03": 17.61, "2011-01-04": 17.38, "2011-01-05": 17.02}
BOARDS_2023 = {
    "2022-02-04": 23.22,
    "2023-04-10": 18.97,
    "2023-04-14": 17.07,
    "2023-04-17": 16.95,
    "2023-05-05": 17.19,
    "2023-09-14": 12.82,
}
MORNING = "2022-03-23"
"""Quotes of 10:11; the published range of that day is 22.64 to 24.03."""


class Term(NamedTuple):
    """One expiry of one board."""

    session: str
    expiry: str
    reason: str
    left_out: int
    """Quotes that the judge of strips has left out."""
    doubted: bool


@cache
def market() -> Market:
    return Market(
        (IndexSpec("SPX"),),
        rates=load_rates(evaluation_data() / "rates" / "usd_rates_daily.csv.gz"),
        mode="replay",
    )


def board(name: str) -> Path:
    return evaluation_data() / "chains_index" / f"{name}.parquet"


@cache
def index_vols(name: str) -> dict[str, float]:
    """Index vol in points by session, where quotes arrived."""
    topics = Topics("")
    feed = open_feed([board(name)], [], None, market(), (1, 1), topics)
    made = Pipeline(market(), load_rules(), 1, 1, topics).run(feed.records())
    readings = [one for one in made if isinstance(one, Reading) and "no_input" not in one.flags]
    return {
        reading.session.isoformat(): 100 * (reading.index_vol or np.nan) for reading in readings
    }


def terms(name: str) -> Iterator[Term]:
    """Every expiry of every board, and why no 30-day value can be made of it, if so.

    The reason is its strip, or else the rule.
    """
    topics = Topics("")
    stage = QuotesStage(market(), "quotes:0", 1)
    seen = set()
    for record in open_feed([board(name)], [], None, market(), (1, 1), topics).records():
        if record.topic == topics.name("quotes"):
            stage.process([record])
            if record.headers == HEARTBEAT and record.timestamp not in seen:
                seen.add(record.timestamp)
                yield from _terms(stage, record.timestamp * 1_000_000)


def _terms(stage: QuotesStage, now: int) -> Iterator[Term]:
    chosen = stage._listings.of("SPX")
    expiries = sorted(stage._listings._all["SPX"].values(), key=lambda one: (one.day, one.root))
    segment = np.array([one.segment for one in expiries])
    minutes = minutes_to(np.array([one.settles for one in expiries]), now)
    board = stage._surfaces._chains.assemble(
        segment, np.full(segment.size, NEVER), minutes / 525_600, np.zeros(segment.size)
    )
    judged = value_judged(board.chain, INDEX_RULES)
    gone = np.searchsorted(board.chain.offsets, judged.found[0].row, side="right") - 1
    strips = zip(
        judged.values.reason.tolist(),
        np.bincount(gone, minlength=segment.size).tolist(),
        (judged.doubts != 0).tolist(),
        strict=True,
    )
    for one, left, (strip, left_out, doubted) in zip(
        expiries, minutes.tolist(), strips, strict=True
    ):
        rule = "" if one in chosen else "the AM series of its date counts"
        rule = (
            rule
            or ("" if one.friday else "not a Friday")
            or ("" if NEAREST <= left <= FURTHEST else "not within 7 to 60 days")
        )
        yield Term(
            str(date_of(stage._day)),
            f"{date_of(one.day)} {one.root}",
            StripReason(strip).label or rule,
            left_out,
            doubted,
        )


def errors(name: str, published: dict[str, float]) -> list[float]:
    """Signed errors in points, printed with every refused term."""
    vols, refused = index_vols(name), [term for term in terms(name) if term.reason]
    print(f"\n{'session':<12}{'published':>10}{'computed':>10}{'error':>8}")
    for session, close in published.items():
        print(f"{session:<12}{close:10.2f}{vols[session]:10.2f}{vols[session] - close:+8.3f}")
    for term in refused:
        print(f"{term.session:<12}refused {term.expiry}: {term.reason}")
    return [vols[session] - close for session, close in published.items()]


def test_boards_of_2011() -> None:
    assert max(map(abs, errors("ivol_spx_2011", BOARDS_2011))) <= 0.03


def test_boards_of_2022_and_2023() -> None:
    found = np.abs(errors("cboe_index_chains", BOARDS_2023))
    assert found.max() <= 0.10
    assert np.median(found) <= 0.02


def test_a_board_of_the_morning_lies_in_the_range_of_its_day() -> None:
    computed = index_vols("cboe_index_chains")[MORNING]
    assert 22.64 <= computed <= 24.03
    assert computed == pytest.approx(23.72, abs=0.005)


@pytest.mark.parametrize("name", ["ivol_spx_2011", "cboe_index_chains"])
def test_refusals_are_told_apart(name: str) -> None:
    found = list(terms(name))
    assert len(found) > 20
    by_session = {
        term.session: [one.reason for one in found if one.session == term.session] for term in found
    }
    for session, reasons in by_session.items():
        assert reasons.count("") >= 2, f"{session} has no two terms to interpolate between"


@pytest.mark.parametrize("name", ["ivol_spx_2011", "cboe_index_chains"])
def test_no_quote_of_the_terms_of_vix_is_left_out_or_doubted(name: str) -> None:
    used = [term for term in terms(name) if not term.reason]
    print(f"\n{name}: {len(used)} terms, {sum(term.left_out for term in used)} quotes left out")
    assert sum(term.left_out for term in used) == 0
    assert [term for term in used if term.doubted] == []
