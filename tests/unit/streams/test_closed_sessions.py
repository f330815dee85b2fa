"""What a run over files leaves for the daily history."""

import pytest

from streams.detection.closed_sessions import NO_CLOSE, NO_LEVEL, ClosedSessions
from tests.support.readings import FRIDAY, INDEX, MONDAY, TUESDAY, Run, closing, eastern, toy

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
