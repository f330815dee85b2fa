"""What a daily history holds: sessions, gaps, and from when a rank is known."""

import math
from datetime import date, timedelta

import pytest

from agents.store.history_report import HistoryGap, report_of
from config.rules import load_rules
from streams.calendar.sessions import next_session, shift_session
from streams.detection.history.days import DayFacts, encode_day
from streams.records import NS
from tests.support.readings import FRIDAY
from tests.support.trading_days import sessions_in

REACH = load_rules().baseline
ALL = sessions_in(FRIDAY - timedelta(days=200), FRIDAY)


def facts(session: date, *, correlation: bool = True) -> bytes:
    moment = (session - date(1970, 1, 1)).days * 86_400 * NS
    rho = 0.2 + 0.05 * math.sin(session.day) if correlation else None
    return encode_day(
        DayFacts(
            ts=moment,
            session=session,
            basis="quotes",
            index_vol=0.15,
            basket_vol=0.4,
            implied_correlation=rho,
        )
    )


def test_nothing_is_no_history() -> None:
    assert report_of("SPY", [], REACH).sessions == 0


@pytest.mark.parametrize("closes", [1, 59, 60, 61, 100])
def test_a_rank_is_known_from_the_session_after_the_sixtieth_close(closes: int) -> None:
    sessions = ALL[-closes:]
    report = report_of("SPY", [facts(one) for one in reversed(sessions)], REACH)
    assert (report.sessions, report.first, report.last) == (closes, sessions[0], FRIDAY)
    assert (report.bases, report.gaps) == ({"quotes": closes}, [])
    rank = report.ranks["index_vol"]
    assert (rank.closes, rank.needed) == (closes, 60)
    if closes < 60:
        assert rank.since is None
        assert rank.earliest == next_session(shift_session(FRIDAY, 60 - closes))
    else:
        assert rank.since == rank.earliest == next_session(sessions[59])


def test_each_measure_has_its_own_closes() -> None:
    payloads = [facts(one, correlation=at >= 30) for at, one in enumerate(ALL[-80:])]
    ranks = report_of("SPY", payloads, REACH).ranks
    assert (ranks["index_vol"].closes, ranks["implied_correlation"].closes) == (80, 50)
    assert ranks["index_vol"].since is not None
    assert ranks["implied_correlation"].since is None


def test_gaps_are_told_and_a_long_one_cuts() -> None:
    sessions = ALL[-100:]
    kept = [*sessions[:10], *sessions[20:50], *sessions[52:]]
    report = report_of("SPY", [facts(one) for one in kept], REACH)
    assert report.gaps == [
        HistoryGap(sessions[9], sessions[20], 10, cuts=True),
        HistoryGap(sessions[49], sessions[52], 2, cuts=False),
    ]
    assert report.ranks["index_vol"].closes == 78
