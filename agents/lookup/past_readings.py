"""Readings of the past, wherever they are: in a run's folder, on the topic, or in the history."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, cast

from agents.lookup.readings_log import ReadingsLog
from agents.lookup.run_readings import readings_in
from agents.store.history_keys import history_keys
from agents.store.sync import connect_sync, redis_failures
from config.settings import Settings
from streams.detection.history.days import DayFacts, decode_day
from streams.reading import Reading

BEGINNING, END = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)


class SessionRange(NamedTuple):
    """First and last session; None where there is no limit."""

    first: date | None
    last: date | None

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None) -> "SessionRange":
        """As they are typed."""
        return cls(since and since.date(), until and until.date())

    def holds(self, session: date) -> bool:
        """Whether a session is one of them."""
        return (self.first is None or session >= self.first) and (
            self.last is None or session <= self.last
        )


def of_run(run: Path, index: str | None, sessions: SessionRange) -> list[Reading]:
    """From `readings.jsonl`, or its folder. Raises `SourceError`."""
    return [
        one
        for one in readings_in(run)
        if sessions.holds(one.session) and index in {None, one.index}
    ]


def of_topic(settings: Settings, sessions: SessionRange) -> list[Reading]:
    """From the readings topic, each second once.

    Raises `UnavailableError`, `ActionNeededError`.
    """
    found: dict[tuple[str, str, datetime], Reading] = {}
    for spec in settings.market.indices:
        for tenor in spec.tenors:
            for one in _logged(settings, spec.symbol, f"{tenor}d"):
                if sessions.holds(one.session):
                    found[one.index, one.tenor, one.ts_event] = one
    return sorted(found.values(), key=lambda one: one.ts_event)


def _logged(settings: Settings, index: str, tenor: str) -> Iterator[Reading]:
    with ReadingsLog(settings, index, tenor) as log:
        yield from log.between(BEGINNING, END)


def of_history(settings: Settings, sessions: SessionRange) -> dict[str, list[DayFacts]]:
    """Closes of the daily history in Redis, by index.

    Raises `UnavailableError`, `ActionNeededError`, `ConfigError`.
    """
    places, found = history_keys(settings), {}
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        for index, keys in places.items():
            days = cast("dict[bytes, bytes]", redis.hgetall(keys.day(index)))
            closes = sorted(map(decode_day, days.values()), key=lambda one: one.session)
            found[index] = [one for one in closes if sessions.holds(one.session)]
    return found
