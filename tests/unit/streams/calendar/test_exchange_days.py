"""The written calendar is the library's.

The hours that follow from it are those of the library.
"""

import warnings
from datetime import timedelta
from functools import cache
from typing import Any

import pandas as pd
from exchange_calendars import get_calendar

from config.exchange_days_build import OUT, rendered
from streams.calendar.sessions import EASTERN, FIRST_DAY, LAST_DAY, hours


@cache
def library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own use of pandas
        return get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())


def stamps(times: Any) -> list[int]:
    return pd.DatetimeIndex(times).as_unit("ns").asi8.tolist()


def test_the_written_days_are_those_of_the_installed_release() -> None:
    """After an upgrade of `exchange_calendars`: `make calendar`."""
    assert OUT.read_text() == rendered()


def test_every_hour_is_that_of_the_library() -> None:
    days = library().sessions
    assert hours().day.tolist() == days.to_numpy().astype("datetime64[D]").astype(int).tolist()
    assert hours().open.tolist() == stamps(library().opens)
    assert hours().equity_close.tolist() == stamps(library().closes)


def test_a_date_begins_and_ends_at_midnight_in_new_york() -> None:
    days = library().sessions
    assert hours().midnight.tolist() == stamps(days.tz_localize(EASTERN))
    following = (days + timedelta(days=1)).tz_localize(EASTERN)
    assert hours().next_midnight.tolist() == stamps(following)
