"""Write `streams/calendar/exchange_days.py` from `exchange_calendars`.

It is run by `python -m config.exchange_days_build`.
"""

import warnings
from collections.abc import Iterable
from datetime import date, time, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

from streams.calendar.sessions import EASTERN, FIRST_DAY, LAST_DAY

OUT: Final = Path(__file__).parent.parent / "streams" / "calendar" / "exchange_days.py"
CLOSE: Final = time(16)
DATES_A_LINE: Final = 8
_TEXT: Final = '''\
"""Weekdays without a session of XNYS, and its early closes, from {first} to {last}.

Made by `make calendar` from `exchange_calendars` {release}. Not to be edited.
"""

from typing import Final

CLOSED: Final = """
{closed}
"""
EARLY_CLOSES: Final = {{
{early}
}}
"""New York hour of the equity close → the sessions that end then."""
'''


def rendered() -> str:
    """The text of the module, as the installed release of `exchange_calendars` has the days."""
    # it brings pandas, which takes a second: who reads what was written does without
    from exchange_calendars import get_calendar  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own use of pandas
        found = get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())
    closes = {stamp.date(): stamp.tz_convert(EASTERN).time() for stamp in found.closes}
    hours = sorted({close.hour for close in closes.values() if close != CLOSE})
    early = (_early(hour, [day for day in closes if closes[day].hour == hour]) for hour in hours)
    return _TEXT.format(
        first=FIRST_DAY,
        last=LAST_DAY,
        release=version("exchange-calendars"),
        closed=_lines(day for day in _weekdays() if day not in closes),
        early="\n".join(early),
    )


def _weekdays() -> Iterable[date]:
    days = (FIRST_DAY + timedelta(days=at) for at in range((LAST_DAY - FIRST_DAY).days + 1))
    return (day for day in days if day.isoweekday() < 6)


def _early(hour: int, days: Iterable[date]) -> str:
    return f'    {hour}: """\n{_lines(days)}\n""",'


def _lines(days: Iterable[date]) -> str:
    texts = [day.isoformat() for day in days]
    rows = (texts[at : at + DATES_A_LINE] for at in range(0, len(texts), DATES_A_LINE))
    return "\n".join(" ".join(row) for row in rows)


if __name__ == "__main__":
    OUT.write_text(rendered())
