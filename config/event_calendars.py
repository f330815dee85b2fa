"""Calendars of events: a CSV file with `date,kind,symbol,when,what`; all but the date may lack."""

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from config.errors import ConfigError
from streams.calendar.sessions import day_number, is_session, next_session
from streams.market import EarningsReport
from streams.report.calendar_section import Event
from streams.safe_text import safe
from streams.symbols import normalise

KEY: Final = "report.calendar_file"
MARKET_KEY: Final = "market.calendar_file"
_BEFORE: Final = ("open", "before", "bmo", "pre", "during", "intraday")
_CLOCK: Final = re.compile(r"(\d{1,2}):\d{2}")
"""A time of New York, of 24 hours."""
_CLOSE_HOUR: Final = 16
LONGEST: Final = 200
"""Characters of a text."""


def load_events(path: Path, key: str = KEY) -> tuple[Event, ...]:
    """The events of a file, in order of date. Raises `ConfigError` that names file, line and fix.

    A row without a kind is `earnings` where it has a symbol, else `event`. `key` is the setting
    that names the file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return tuple(sorted(_parse(path, lines)))
    except FileNotFoundError:
        raise ConfigError(
            "no such file", file=path, key=key, fix="check the path, or leave the key out"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"cannot be read ({error})", file=path, key=key, fix="give a UTF-8 CSV file"
        ) from None


def load_reports(path: Path) -> tuple[EarningsReport, ...]:
    """The reports among the events of a file, with the session that trades on each.

    It is the day itself where `when` is before or within the session, else the next session.

    Raises `ConfigError`.
    """
    return tuple(
        EarningsReport(one.symbol, day_number(_traded(one)))
        for one in load_events(path, MARKET_KEY)
        if one.kind == "earnings" and one.symbol
    )


def _traded(event: Event) -> date:
    text = event.when.lower()
    clock = _CLOCK.match(text)
    early = text.startswith(_BEFORE) if clock is None else int(clock[1]) < _CLOSE_HOUR
    return event.day if early and is_session(event.day) else next_session(event.day)


def _parse(path: Path, lines: Iterable[str]) -> list[Event]:
    reader = csv.DictReader(lines)
    has = [name.strip().lower() for name in reader.fieldnames or ()]
    if "date" not in has:
        raise ConfigError(
            f"column missing; it has {', '.join(has) or 'none'}",
            file=path,
            key="date",
            fix="expected: date,kind,symbol,when,what",
        )
    rows = ({(key or "").strip().lower(): value for key, value in row.items()} for row in reader)
    return [_event(path, f"line {reader.line_num}", row) for row in rows]


def _event(path: Path, place: str, row: Mapping[str, str | None]) -> Event:
    text = {
        name: safe((row.get(name) or "").strip(), LONGEST)
        for name in ("date", "kind", "symbol", "when", "what")
    }
    try:
        day = date.fromisoformat(text["date"])
    except ValueError:
        raise ConfigError(
            f"{text['date']!r} is no date",
            file=path,
            key=f"{place}.date",
            fix="write an ISO date: 2026-08-07",
        ) from None
    kind = text["kind"].lower() or ("earnings" if text["symbol"] else "event")
    return Event(day, kind, normalise(text["symbol"]), text["when"], text["what"])
