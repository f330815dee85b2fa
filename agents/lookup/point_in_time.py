"""What is known of an index up to a second.

It is called back from Kafka and Redis or from the files of a backtest.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import cast

from redis import Redis

from agents.alerts.tail import tail_alerts
from agents.lookup.readings_log import ReadingsLog
from agents.lookup.run_readings import lines_of
from agents.process.exits import ActionNeededError
from agents.store.keys import stage_keys
from agents.store.shown_snapshot import UnreadableError, shown_snapshot
from agents.store.sync import connect_sync, redis_failures
from config.errors import ConfigError
from config.settings import Settings
from streams.calendar.sessions import EASTERN
from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.alerts.own_event import readable_event
from streams.detection.views.explainer import ExplainInputs, active_at
from streams.detection.views.snapshot import ActiveAlert
from streams.reading import Reading, decode_reading
from streams.topics import Topics

HOUR = timedelta(hours=1)
"""How far the rules look back within a session."""


def when_of(text: str, latest: datetime) -> datetime:
    """A time as typed: ISO 8601 with an offset, or HH:MM[:SS] in New York on the day of `latest`.

    Raises `ConfigError`.
    """
    try:
        if "-" not in text and "T" not in text:
            return datetime.combine(
                latest.astimezone(EASTERN).date(), time.fromisoformat(text), EASTERN
            ).astimezone(UTC)
        when = datetime.fromisoformat(text)
        at = when.astimezone(UTC) if when.tzinfo else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise ConfigError(
            f"{text!r} is no time",
            key="--at",
            fix="write HH:MM (New York), or 2026-07-13T10:09:00-04:00",
        )
    return at


def from_stack(settings: Settings, index: str, at: str | None) -> ExplainInputs:
    """From the topics and the daily history.

    Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
    """
    with ReadingsLog(settings, index, RULE_TENOR) as log:
        latest = log.latest()
        if latest is None:
            raise ActionNeededError(
                f"no reading of {index} on the readings topic: "
                "is a worker running and is there input?"
            )
        if at is not None:
            latest = _not_none(log.latest(when_of(at, latest.ts_event)), index, at)
        readings = [
            one
            for one in log.between(latest.ts_event - HOUR, latest.ts_event)
            if one.session == latest.session
        ]
        partition = log.partition
    topics = Topics(settings.kafka.topic_prefix)
    keys = stage_keys("detector", [topics.name("readings")], partition, [index])
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        days = cast("dict[bytes, bytes]", redis.hgetall(keys.day(index)))
        standing = _standing(redis, topics.prefix, index) if at is None else None
    alerts = (
        active_at(events_told(settings), index, latest.ts_event) if standing is None else standing
    )
    return ExplainInputs(
        {date.fromisoformat(session.decode()): facts for session, facts in days.items()},
        readings,
        alerts,
    )


def from_folder(folder: Path, index: str, at: str | None) -> ExplainInputs:
    """From `readings.jsonl` and `alerts.jsonl` of a backtest.

    Raises `ConfigError`, `ActionNeededError`.
    """
    file = folder / "readings.jsonl"
    if not file.is_file():
        raise ConfigError(
            f"no {file}",
            key="--run",
            fix="name the folder that `dispersion backtest --out` has written",
        )
    readings = [
        reading
        for reading in lines_of(file, decode_reading)
        if (reading.index, reading.tenor) == (index, RULE_TENOR)
    ]
    if not readings:
        raise ActionNeededError(f"no reading of {index} in {file}")
    until = readings[-1].ts_event if at is None else when_of(at, readings[-1].ts_event)
    readings = [reading for reading in readings if reading.ts_event <= until]
    latest = _not_none(readings[-1] if readings else None, index, at)
    alerts = active_at(events_of_run(folder), index, latest.ts_event)
    return ExplainInputs({}, readings, alerts)


def events_of_run(run: Path) -> Iterator[AlertEvent]:
    """The alert events in the folder of a run, or beside its readings. Raises `SourceError`."""
    folder = run if run.is_dir() else run.parent
    return lines_of(folder / "alerts.jsonl", decode_event)


def alert_events(settings: Settings, run: Path | None) -> Iterator[AlertEvent]:
    """Every alert event that the topic keeps, or of a backtest's folder, in order.

    Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
    """
    return events_told(settings) if run is None else events_of_run(run)


def _not_none(reading: Reading | None, index: str, at: str | None) -> Reading:
    if reading is None:
        raise ActionNeededError(
            f"no reading of {index} at or before {at}: the readings kept begin later"
        )
    return reading


def _standing(redis: Redis, prefix: str, index: str) -> list[ActiveAlert] | None:
    """Alerts of the snapshot; None without one that can be read."""
    try:
        shown = shown_snapshot(redis, prefix, index)
    except UnreadableError:
        return None
    return None if shown is None else shown.snapshot.alerts


def events_told(settings: Settings) -> Iterator[AlertEvent]:
    """Every alert event kept, heartbeats left out."""
    with closing(tail_alerts(settings, follow=False, from_beginning=True)) as events:
        for record, event in events:
            if event.data is None:
                continue
            # Of another version, or hardly ours.
            with suppress(ValueError):
                yield readable_event(record.key, record.value)
