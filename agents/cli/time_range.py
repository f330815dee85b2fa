"""Sessions from and to, as event time; lengths of time."""

import re
from datetime import datetime, time, timedelta
from typing import NamedTuple

from config.errors import ConfigError

DAY = ["%Y-%m-%d"]
"""How a session is typed."""


class TimeRange(NamedTuple):
    """Event time of a run, nanoseconds, both ends included."""

    first: int
    last: int

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None) -> "TimeRange":
        """From the start of one New York date to the end of another. Raises `ConfigError`."""
        in_order(since, until)
        # Pandas takes a while to import.
        from streams.calendar.sessions import wall_ns

        first = wall_ns(since.date(), time.min) if since else 0
        return cls(first, wall_ns(until.date(), time(23, 59, 59)) if until else 2**63 - 1)


def in_order(since: datetime | None, until: datetime | None) -> None:
    """Raise `ConfigError` for a first session after the last."""
    if since is not None and until is not None and since > until:
        raise ConfigError(
            f"{since:%Y-%m-%d} is after --to, {until:%Y-%m-%d}", key="--from", fix="swap them"
        )


def duration(text: str) -> timedelta:
    """A length of time as people write it. Raises `ConfigError`.

    >>> duration("90s"), duration("2h")
    (datetime.timedelta(seconds=90), datetime.timedelta(seconds=7200))
    """
    match = re.fullmatch(r"(\d{1,6})([smh])", text)
    if match is None:
        raise ConfigError(f"{text!r} is no length of time", key="--for", fix="write 90s, 30m or 2h")
    return int(match[1]) * timedelta(
        **{{"s": "seconds", "m": "minutes", "h": "hours"}[match[2]]: 1}
    )
