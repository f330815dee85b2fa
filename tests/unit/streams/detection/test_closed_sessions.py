"""What a run over files leaves for the daily history."""

from datetime import timedelta

import pytest

from config.rules import load_rules
from streams.detection.closed_sessions import NO_CLOSE, NO_LEVEL, TOO_OLD, ClosedSessions, closed_by
from streams.detection.history.days import SESSIONS
from tests.support.readings import (
    FRIDAY,
    INDEX,
    MARKET,
    MONDAY,
    TUESDAY,
    Run,
    closing,
    eastern,
    published,
    toy,
)
from tests.support.trading_days import sessions_in

CALM = (0.148, 0.44, 0.10)


def test_facts_and_what_is_missing() -> None:
    run, closed = Run(), ClosedSessions()
    readings = [
        closing(FRIDAY, *CALM, index_vol_bid=None),
        closing(MONDAY, *CALM, index_vol=None, index_atm_vol=None),
        toy(eastern(TUESDAY, "11:00:00"), *CALM),
    ]
    run.play(readings)
    for reading in readings:
        closed.saw(reading)
    closed.take(run.stage.chunks())
    facts = closed.facts([INDEX, "NDX"])
    assert [one.session for one in facts[INDEX]] == [FRIDAY]
    assert facts[INDEX][0].index_vol == pytest.approx(0.148)
    assert facts["NDX"] == []
    assert closed.skipped(INDEX) == {MONDAY: NO_LEVEL, TUESDAY: NO_CLOSE}
    assert closed.skipped("NDX") == {}


def test_sessions_beyond_those_kept_are_said_to_be_old() -> None:
    days = sessions_in(FRIDAY - timedelta(days=3 * SESSIONS), FRIDAY)[-SESSIONS - 3 :]
    closed = closed_by(
        [published(day, 15.0, 35.0, 30.0, 10.0) for day in days], MARKET, load_rules()
    )
    assert [one.session for one in closed.facts([INDEX])[INDEX]] == list(days[3:])
    assert closed.skipped(INDEX) == dict.fromkeys(days[:3], TOO_OLD)
