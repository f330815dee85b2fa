"""What comes next: by rule, and from a file."""

from datetime import date
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.event_calendars import load_events
from streams.report.calendar_section import Event, next_events


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (date(2026, 7, 10), [(date(2026, 7, 17), "expiry"), (date(2026, 7, 22), "vix_expiry")]),
        (date(2026, 9, 14), [(date(2026, 9, 16), "vix_expiry"), (date(2026, 9, 18), "expiry")]),
        (date(2026, 11, 25), [(date(2026, 11, 27), "half_day")]),
        # Good Friday: the monthly of April 2025 was Thursday the 17th, VIX the Wednesday before.
        (date(2025, 4, 11), [(date(2025, 4, 16), "vix_expiry"), (date(2025, 4, 17), "expiry")]),
    ],
)
def test_events_by_rule(session: date, expected: list[tuple[date, str]]) -> None:
    found = [(one.day, one.kind) for one in next_events(session, ())]
    assert found[: len(expected)] == expected


def test_events_of_a_file_within_ten_sessions(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(
        "Date,kind,symbol,when,what\n"
        "2026-07-29,fomc,,14:00,decision\n"
        "2026-07-14,CPI,,08:30,June\n"
        "2026-07-23,,googl,close,second quarter\n"
        "2026-07-10,payrolls,,,of the day itself\n",
        encoding="utf-8",
    )
    found = [one for one in next_events(date(2026, 7, 10), load_events(file)) if one.when]
    assert found == [
        Event(date(2026, 7, 14), "cpi", when="08:30", what="June"),
        Event(date(2026, 7, 23), "earnings", "GOOGL", "close", "second quarter"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,kind\n2026-07-14,cpi\n", "date: column missing; it has day, kind"),
        ("date,kind\n07/14/2026,cpi\n", "line 2.date: '07/14/2026' is no date"),
    ],
)
def test_a_bad_calendar_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "events.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        load_events(file)


def test_text_of_a_calendar_cannot_paint_over_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("date,kind,what\n2026-07-14,cpi,\x1b[2Jgone\n", encoding="utf-8")
    (event,) = load_events(file)
    assert "\x1b" not in event.what
