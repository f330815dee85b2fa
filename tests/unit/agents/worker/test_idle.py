from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agents.worker.idle import may_declare_idle
from streams.records import NS


def eastern(text: str) -> int:
    return (
        int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp())
        * NS
    )


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        ("2026-07-13 09:29:59", False),
        ("2026-07-13 09:30:00", True),
        ("2026-07-13 16:15:59", True),
        ("2026-07-13 16:16:01", False),
        ("2026-07-11 12:00:00", False),  # Saturday
        ("2026-11-27 13:15:30", True),  # half day
        ("2026-11-27 13:17:00", False),
    ],
)
def test_only_in_the_hours_of_a_session(now: str, *, counts: bool) -> None:
    assert may_declare_idle(eastern(now), None) is counts


@pytest.mark.parametrize(
    ("spoke", "counts"),
    [
        ("2026-07-13 10:00:00", True),
        ("2026-07-10 15:00:00", True),  # the previous session
        ("2026-07-09 15:00:00", False),
        ("2026-07-12 15:00:00", False),  # no session
    ],
)
def test_a_source_that_works_off_an_old_backlog_is_not_idle(spoke: str, *, counts: bool) -> None:
    assert may_declare_idle(eastern("2026-07-13 12:00:00"), eastern(spoke)) is counts
