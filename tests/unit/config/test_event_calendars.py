"""The calendar of reports of the market: which session trades on each."""

from datetime import date
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.event_calendars import load_reports
from config.market import market_of
from config.settings import load
from streams.calendar.sessions import date_of

THURSDAY, FRIDAY, MONDAY = date(2026, 7, 23), date(2026, 7, 24), date(2026, 7, 27)


def calendar(folder: Path, text: str) -> Path:
    file = folder / "reports.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("day", "when", "trades"),
    [
        (FRIDAY, "open", FRIDAY),
        (FRIDAY, "before market open", FRIDAY),
        (FRIDAY, "BMO", FRIDAY),
        (FRIDAY, "pre-market", FRIDAY),
        (FRIDAY, "06:45", FRIDAY),
        (FRIDAY, "12:30 ET", FRIDAY),
        (FRIDAY, "close", MONDAY),
        (FRIDAY, "amc", MONDAY),
        (FRIDAY, "16:05", MONDAY),
        (FRIDAY, "", MONDAY),
        (THURSDAY, "after close", FRIDAY),
        (date(2026, 7, 25), "open", MONDAY),
        (date(2026, 7, 3), "06:00", date(2026, 7, 6)),
    ],
)
def test_the_session_that_trades_on_it(tmp_path: Path, day: date, when: str, trades: date) -> None:
    file = calendar(tmp_path, f"symbol,date,when\nbrk/b,{day},{when}\n")
    (report,) = load_reports(file)
    assert (report.symbol, date_of(report.day)) == ("BRK.B", trades)


def test_a_calendar_of_all_events_gives_its_reports(tmp_path: Path) -> None:
    rows = ("2026-07-29,fomc,,14:00,", "2026-07-30,earnings,AAPL,close,", "2026-07-31,split,X,,")
    file = calendar(tmp_path, "\n".join(["date,kind,symbol,when,what", *rows]))
    assert [one.symbol for one in load_reports(file)] == ["AAPL"]


def test_the_settings_name_it_beside_themselves(tmp_path: Path) -> None:
    calendar(tmp_path, "symbol,date,when\nAAPL,2026-07-30,close\n")
    file = tmp_path / "dispersion.toml"
    file.write_text('[market]\ncalendar_file = "reports.csv"\n', encoding="utf-8")
    settings = load(file)
    assert settings.events_file == settings.market.calendar_file == tmp_path / "reports.csv"
    assert [one.symbol for one in market_of(settings).earnings or ()] == ["AAPL"]
    assert market_of(load()).earnings is None


def test_one_that_is_missing_names_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"market\.calendar_file"):
        load_reports(tmp_path / "none.csv")
