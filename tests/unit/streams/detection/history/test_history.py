"""Daily facts, intraday window and the session's close."""

from datetime import date, timedelta

import msgspec
import pytest

from streams.detection.history.baseline import Baseline
from streams.detection.history.days import SESSIONS, DayFacts, Days, decode_day, encode_day
from streams.detection.history.history import History
from streams.detection.history.instant import Instant, instant_of
from streams.detection.history.window import Window
from streams.detection.numbers import Lookback
from streams.detection.state_codec import pack
from streams.reading import Reading
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, TUESDAY, closing, eastern, toy

GAP = timedelta(days=10)
MORNING = int(eastern(MONDAY, "10:00:00").timestamp()) * NS


def facts(
    session: date, rho: float = 0.3, *, basis: str = "quotes", rise: float | None = None
) -> DayFacts:
    reading = closing(session, 0.15, 0.40, rho)
    ts = int(reading.ts_event.timestamp()) * NS
    return DayFacts(
        ts=ts,
        session=session,
        basis="atm" if basis == "atm" else "quotes",
        index_vol=0.15,
        implied_correlation=rho,
        constituents=reading.constituents,
        correlation_rises={} if rise is None else {"middle": rise},
    )


def days(*sessions: DayFacts) -> Days:
    out = Days()
    for one in sessions:
        out.add(one)
    return out


def run_of(count: int, first: date = date(2025, 1, 6)) -> list[date]:
    return [first + timedelta(days=at) for at in range(count)]


def base(known: Days, session: date, basis: str = "quotes", minimum: int = 60) -> Baseline:
    return Baseline(known.before(session, basis, GAP), minimum=minimum)


def test_the_baseline_ends_before_the_session() -> None:
    known = days(*(facts(session) for session in run_of(5)))
    assert [close.session for close in base(known, date(2025, 1, 9)).closes] == run_of(3)
    assert base(known, date(2025, 1, 11)).close(5) is not None
    assert base(known, date(2025, 1, 11)).close(6) is None


def test_a_gap_of_more_than_ten_days_forgets() -> None:
    known = days(facts(date(2025, 1, 6)), facts(date(2025, 1, 17)), facts(date(2025, 1, 20)))
    assert [close.session for close in base(known, date(2025, 1, 21)).closes] == [
        date(2025, 1, 17),
        date(2025, 1, 20),
    ]
    assert base(known, date(2025, 1, 30)).close(1) is not None
    assert base(known, date(2025, 1, 31)).close(1) is None


def test_a_doubted_close_is_left_out_and_older_ones_are_not() -> None:
    doubted = msgspec.structs.replace(facts(date(2025, 1, 8)), doubts=("strip_gap",))
    known = days(facts(date(2025, 1, 7)), doubted, facts(date(2025, 1, 9)))
    assert [close.session.day for close in base(known, date(2025, 1, 10)).closes] == [7, 9]
    assert decode_day(encode_day(doubted)).doubts == ("strip_gap",)


def test_doubted_closes_fill_no_gap() -> None:
    doubted = [msgspec.structs.replace(facts(day), doubts=("wide",)) for day in run_of(12)[1:]]
    paired = msgspec.structs.replace(facts(date(2025, 1, 6)), basket_vol=0.4)
    known = days(paired, *doubted)
    assert base(known, date(2025, 1, 18)).closes == ()


def test_facts_of_an_earlier_release_are_believed() -> None:
    plain = msgspec.to_builtins(facts(date(2025, 1, 7)))
    del plain["doubts"]
    assert decode_day(pack(plain)).doubts == ()


def test_pairs_are_not_mixed() -> None:
    known = days(facts(date(2025, 1, 6), basis="atm"), facts(date(2025, 1, 7)))
    assert [close.basis for close in base(known, date(2025, 1, 8)).closes] == ["quotes"]
    assert [close.basis for close in base(known, date(2025, 1, 8), "atm").closes] == ["atm"]


def test_a_rank_needs_sixty_observations() -> None:
    short = days(*(facts(session, 0.3 + 0.001 * at) for at, session in enumerate(run_of(60))))
    later = run_of(61)[-1]
    assert base(short, later).rank_of_change(0.05) is None, "60 closes make 59 changes"
    assert base(short, later).rank("implied_correlation", 0.5) == 1.0
    long = days(*(facts(session, 0.3 + 0.001 * at) for at, session in enumerate(run_of(61))))
    assert base(long, run_of(62)[-1]).rank_of_change(0.05) == 1.0
    assert base(long, run_of(62)[-1]).rank_of_rise(0.05, "middle") is None, (
        "no session has stored a rise"
    )
    risen = days(*(facts(session, rise=0.001 * at) for at, session in enumerate(run_of(60))))
    assert base(risen, later).rank_of_rise(0.0295, "middle") == pytest.approx(31 / 61)
    assert base(risen, later).rank_of_rise(0.0295, "opening") is None, (
        "each part of the session has its own history"
    )


def test_ranks_look_back_252_sessions_only() -> None:
    known = days(
        *(facts(session, 0.9 if at < 10 else 0.3) for at, session in enumerate(run_of(262)))
    )
    assert base(known, run_of(263)[-1]).rank("implied_correlation", 0.5) == 1.0


def test_the_first_word_on_a_session_stands_and_504_are_kept() -> None:
    known = days(*(facts(session) for session in run_of(SESSIONS)))
    known.changed()
    known.add(facts(run_of(1)[0], 0.9))
    assert known.changed() == {}
    known.add(facts(run_of(SESSIONS + 1)[-1]))
    changed = known.changed()
    assert changed.pop("2025-01-06") == b""
    assert [decode_day(payload).session for payload in changed.values()] == [
        run_of(SESSIONS + 1)[-1]
    ]


def test_memory_keeps_the_names_of_the_latest_closes_only() -> None:
    known = days(*(facts(session) for session in run_of(8)))
    kept = [close.constituents is not None for close in base(known, date(2025, 2, 1)).closes]
    assert kept == []
    kept = [close.constituents is not None for close in base(known, date(2025, 1, 14)).closes]
    assert kept == [False, False, True, True, True, True, True, True]
    assert all(decode_day(payload).constituents is not None for payload in known.changed().values())


def test_foreign_bytes_are_refused() -> None:
    for payload in (b"", b"nonsense", pack({"a": 1}), encode_day(facts(FRIDAY))[:-3]):
        with pytest.raises(ValueError, match=r".+"):
            decode_day(payload)


def instant(second: int, level: float) -> Instant:
    return Instant(ts=MORNING + second * NS, session=MONDAY, basis="quotes", index_vol=level)


def test_the_low_is_that_of_the_last_hour() -> None:
    window = Window()
    for second, level in ((0, 0.14), (1, 0.13), (2, 0.13), (600, 0.15), (3500, 0.16)):
        window.add(instant(second, level), 0.01)
    at = MORNING + 3600 * NS
    assert window.low(at, "quotes") == instant(1, 0.13), "the earlier of two equal lows"
    assert window.low(at + NS, "quotes") == instant(600, 0.15)
    assert window.low(at, "atm") is None
    window.changed()
    window.add(instant(3700, 0.17), 0.01)
    assert b"" in window.changed().values(), "the bucket of the first minute has gone"


def test_a_bucket_is_written_when_its_low_falls() -> None:
    window = Window()
    window.add(instant(0, 0.14), None)
    assert len(window.changed()) == 1
    window.add(instant(1, 0.15), None)
    assert window.changed() == {}
    window.add(instant(2, 0.13), None)
    assert len(window.changed()) == 1


def test_the_width_median_wants_five_minutes_and_leaves_out_the_present_one() -> None:
    window = Window()
    for minute in range(5):
        window.add(instant(60 * minute, 0.15), 0.01 * (minute + 1))
    assert window.width_median(MORNING + 299 * NS) is None
    assert window.width_median(MORNING + 300 * NS) == pytest.approx(0.03)
    assert window.index_level(MORNING + 61 * NS) == 0.15


def history_of(*readings: Reading) -> History:
    history = History(Lookback(252, 60, 10, 4))
    for reading in readings:
        history.begin(reading.session)
        history.note(reading, instant_of(reading, int(reading.ts_event.timestamp()) * NS))
        if "session_close" in reading.flags:
            history.close()
    return history


def test_the_closing_reading_is_the_fact() -> None:
    history = history_of(
        toy(eastern(FRIDAY, "15:59:00"), 0.2, 0.4, 0.2), closing(FRIDAY, 0.15, 0.44, 0.10)
    )
    close = history.baseline(MONDAY, "quotes").close(1)
    assert close is not None
    assert (close.index_vol, close.session) == (0.15, FRIDAY)
    assert close.vol_spread == pytest.approx(0.29)


def test_without_a_closing_reading_the_last_one_is_the_fact() -> None:
    history = history_of(toy(eastern(FRIDAY, "14:00:00"), 0.2, 0.4, 0.2))
    assert history.baseline(MONDAY, "quotes").close(1) is None
    assert history.begin(MONDAY)
    close = history.baseline(MONDAY, "quotes").close(1)
    assert close is not None
    assert close.index_vol == 0.2


def test_each_part_of_the_session_keeps_its_greatest_rise() -> None:
    history = history_of()
    history.begin(MONDAY)
    for wall, rise in (
        ("09:50:00", 0.03),
        ("10:14:59", 0.02),
        ("10:15:00", 0.01),
        ("12:00:00", 0.04),
        ("15:30:00", 0.05),
        ("16:00:00", -0.01),
    ):
        reading = toy(eastern(MONDAY, wall), 0.15, 0.44, 0.10)
        now = instant_of(reading, int(reading.ts_event.timestamp()) * NS)
        history.evaluated(now, None, rise)
        history.note(reading, now)
    history.close()
    close = history.baseline(TUESDAY, "quotes").close(1)
    assert close is not None
    assert close.correlation_rises == {"opening": 0.03, "middle": 0.04, "closing": 0.05}


def test_chunks_from_before_the_parts_of_the_session_still_load() -> None:
    """They have one greatest rise of the whole session, which belongs to no part."""
    known = msgspec.to_builtins(facts(FRIDAY)) | {"correlation_rise": 0.04}
    del known["correlation_rises"]
    assert decode_day(pack(known)).correlation_rises == {}
    history = history_of()
    progress = pack({"session": MONDAY, "closed": False, "rise": 0.04, "samples": [], "spike": {}})
    history.restore(
        {("session", ""): progress, ("last", ""): pack(known), ("day", "2026-07-10"): pack(known)}
    )
    assert history.progress.rises == {}
    assert history.baseline(MONDAY, "quotes").close(1) is not None
