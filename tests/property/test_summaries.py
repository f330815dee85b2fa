"""Whatever happens, each claim of each sentence is proved by the numbers of its own event."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detection.alerts.alert_event import AlertEvent
from streams.reading import Book, BookMark, BookWindow, Reading
from tests.support.claims import unproved
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path
from tests.support.trading_days import sessions_in

Level = tuple[float, float, float]
LEVELS = st.tuples(st.floats(0.10, 0.60), st.floats(0.15, 0.80), st.floats(0.0, 1.4))
DAYS = sessions_in(FRIDAY - timedelta(days=110), FRIDAY)
STEP = 90


def with_book(reading: Reading, known: Sequence[bool], legs: Sequence[float]) -> Reading:
    """The reading with a mark of these legs, or without one."""
    if not known[0]:
        return msgspec.structs.replace(reading, reasons={"book": "doubted"})
    index, singles, gamma = legs
    mark = BookMark(
        total=index + singles + (gamma if known[1] else 0.0),
        index=index,
        singles=singles,
        gamma=gamma if known[1] else None,
    )
    window = BookWindow(
        since=reading.ts_event - timedelta(days=1),
        session=FRIDAY if known[2] else DAYS[-3],
        names=12,
        coverage=1.0,
        vega=mark,
        theta=mark,
        gamma=mark,
    )
    return msgspec.structs.replace(reading, book=Book(close=window))


@cache
def past() -> dict[str, bytes]:
    """What the detector stores after eighty quiet closes."""
    run = Run()
    run.play(
        closing(day, 0.15 + 0.0005 * (at % 7), 0.35 + 0.001 * (at % 5), 0.30 + 0.002 * (at % 9))
        for at, day in enumerate(DAYS)
    )
    return run.stage.chunks()


def events_of(
    levels: Sequence[Level], known: Sequence[bool], legs: Sequence[float]
) -> list[AlertEvent]:
    run = Run()
    run.stage.restore(past())
    moving = path(MONDAY, "09:45:00", 3600, levels, STEP, refresh_seconds=float(STEP))
    return run.play(with_book(reading, known, legs) for reading in moving)


@settings(max_examples=6, deadline=None)
@given(
    st.lists(LEVELS, min_size=2, max_size=5),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.1, 0.1)),
)
def test_every_claim_is_proved(
    levels: list[Level], known: tuple[bool, bool, bool], legs: tuple[float, float, float]
) -> None:
    for event in events_of(levels, known, legs):
        assert unproved(event.data) == [], event.data.summary
        assert "vega-weighted book" in event.data.summary


def test_a_false_sentence_is_found() -> None:
    jump = [(0.15, 0.35, 0.30), (0.30, 0.42, 0.55), (0.30, 0.42, 0.55)]
    events = events_of(jump, (True, True, True), (-0.15, 0.07, 0.004))
    told = [event.data for event in events if event.data.label == "unwind"]
    assert told
    for event in told:
        assert unproved(event) == []
        for true, false in (
            ("vega-weighted book -7.6", "vega-weighted book +7.6"),
            ("singles +7.0", "singles -7.0"),
            ("Dispersion unwind.", "Broad repricing, not a dispersion unwind."),
            ("Dispersion unwind.", "Dispersion unwind: loses on both legs."),
            ("index vol 15.", "index vol 16."),
        ):
            if true in event.summary:
                said = event.summary.replace(true, false)
                assert unproved(msgspec.structs.replace(event, summary=said)) != [], said
