"""The input topics, looked at from outside: what somebody's feed sends and what a worker takes.

A consumer without a group reads the newest records and commits nothing.
"""

from collections.abc import Iterator, Sequence
from time import time_ns
from typing import Final

import msgspec

from agents.feeds.newest_records import WINDOW_SECONDS, newest_records
from agents.monitoring.freshness import ALLOWED, stale_after
from agents.monitoring.identity import readings_due
from config.market import market_of
from config.settings import Settings
from streams.feeds.chain import UNITS_SHARE
from streams.left_out import LeftOut
from streams.market import REPLAYED, Mode
from streams.records import NS
from streams.refusals.acceptance import Account, problem
from streams.topics import Topics
from streams.valuation.input_sample import InputSample

AHEAD_SECONDS: Final = 5.0
"""By how much records may be dated ahead of this machine's clock."""
LIVE_DELAY_SECONDS: Final = 60.0
"""Quotes of a live feed that are further behind their records are delayed ones."""
FEW_BEATS: Final = 3
REPEATED_SHARE: Final = 0.1
"""Of the heartbeats of a partition: more that promise nothing new are of a second feed."""
SHOWN: Final = 10
"""Names that are listed of many."""


class TopicCheck(msgspec.Struct, frozen=True):
    """What the newest records of one input topic are. Ages are seconds of this machine's clock."""

    topic: str
    partitions: int
    records: int
    """How many were looked at."""
    record_age_seconds: float | None
    """Of the newest record, as Kafka dates it; None without one."""
    event_age_seconds: float | None
    """Of the newest row."""
    delay_seconds: float | None
    """By how much the newest row is behind its record."""
    beat_age_seconds: float | None
    """Event age of the newest heartbeat of the partition that is furthest behind."""
    without_beat: list[int]
    """Partitions without a heartbeat."""
    accepted: int
    rows: int
    left_out: dict[str, int]
    """Rows by reason; a refused record counts as one."""
    examples: list[LeftOut]
    """The first of each reason."""
    names_seen: int
    names_wanted: int
    names_missing: list[str]


class InputCheck(msgspec.Struct, frozen=True):
    """Both input topics; `problems` empty means well."""

    session_open: bool
    topics: list[TopicCheck]
    problems: list[str]


def check_topics_input(settings: Settings, now: int | None = None) -> InputCheck:
    """Look at the newest records of both input topics; `now` is the time in ns.

    Raises `UnavailableError`, `ActionNeededError`, `ConfigError`.
    """
    now = time_ns() if now is None else now
    opened = readings_due(now, settings.mode)
    topics: list[TopicCheck] = []
    problems: list[str] = []
    for role in ("quotes", "ticks"):
        name = Topics(settings.kafka.topic_prefix).name(role)
        sample = InputSample(market_of(settings), ticks=role == "ticks")
        for records in newest_records(settings, name, now, sample):
            sample.add(records)
        found = _check(name, sample, now)
        topics.append(found)
        problems += _problems(settings.mode, found, sample, now, opened=opened)
    return InputCheck(opened, topics, problems)


def _check(topic: str, sample: InputSample, now: int) -> TopicCheck:
    parts = sample.partitions
    beats = [one.beat for one in parts.values() if one.beat]
    account = _account(sample, now)
    return TopicCheck(
        topic=topic,
        partitions=len(parts),
        records=account.records,
        record_age_seconds=_age(now, max((one.record for one in parts.values()), default=0)),
        event_age_seconds=_age(now, sample.event),
        delay_seconds=round(sample.delay / NS, 1) if sample.event else None,
        beat_age_seconds=_age(now, min(beats, default=0)),
        without_beat=sorted(number for number, one in parts.items() if not one.beat),
        accepted=account.accepted,
        rows=account.total,
        left_out=account.left_out,
        examples=list(sample.examples.values()),
        names_seen=len(set(sample.wanted) & sample.names.keys()),
        names_wanted=len(sample.wanted),
        names_missing=[name for name in sample.wanted if name not in sample.names],
    )


def _account(sample: InputSample, now: int) -> Account:
    parts = sample.partitions.values()
    return Account(
        at=now / NS,
        records=sum(one.records for one in parts),
        refused=sum(one.refused for one in parts),
        rows=dict(sample.outcomes),
        examples=sample.examples,
    )


def _age(now: int, at: int) -> float | None:
    return round((now - at) / NS, 1) if at else None


def _problems(
    mode: Mode, found: TopicCheck, sample: InputSample, now: int, *, opened: bool
) -> Iterator[str]:
    """What is wrong, in words; while the market is closed nothing need come."""
    topic = found.topic
    if not found.records:
        yield f"{topic}: no records; does a feed publish to this topic?"
        return
    if words := problem(topic, _account(sample, now), session_open=opened, when="the sample"):
        yield words
    yield from _clock_problems(mode, found)
    yield from _source_problems(found, sample)
    judged = opened or mode in REPLAYED
    if judged and found.names_missing and not sample.ticks:
        count = len(found.names_missing)
        yield (
            f"{topic}: {count} of {found.names_wanted} names have no quotes: "
            f"{listed(found.names_missing)}"
        )
    if judged:
        yield from _beat_problems(found, sample)
    limit = stale_after(mode, WINDOW_SECONDS if _slow(sample) else None)
    if opened and mode in ALLOWED and (found.record_age_seconds or 0.0) > limit:
        yield (
            f"{topic}: the newest record is {found.record_age_seconds:.0f} s old: "
            "does the feed still run?"
        )


def _clock_problems(mode: Mode, found: TopicCheck) -> Iterator[str]:
    if mode not in ALLOWED:
        return
    age, delay = found.record_age_seconds or 0.0, found.delay_seconds or 0.0
    if ahead := found.left_out.get("future"):
        yield (
            f"{found.topic}: {ahead:,} of {found.rows:,} rows are ahead of their records: "
            "the feed's clock, or local time sent as if it were UTC?"
        )
    if -age > AHEAD_SECONDS:
        yield (
            f"{found.topic}: records are dated {-age:.0f} s ahead of this machine's clock: "
            "set both clocks by NTP"
        )
    if mode == "live" and delay > LIVE_DELAY_SECONDS:
        yield (
            f"{found.topic}: quotes are {delay:.0f} s behind their records: "
            'a delayed feed wants mode = "delayed"'
        )


def _source_problems(found: TopicCheck, sample: InputSample) -> Iterator[str]:
    """Two feeds at once, and prices in another unit."""
    twice = [
        str(number)
        for number, one in sorted(sample.partitions.items())
        if one.repeated_beats > max(FEW_BEATS, REPEATED_SHARE * one.beats)
    ]
    if twice:
        yield (
            f"{found.topic}: heartbeats on partitions {listed(twice)} come twice or go back: "
            "do two feeds publish at once?"
        )
    if sample.impossible_bids > UNITS_SHARE * sample.put_bids:
        yield (
            f"{found.topic}: {sample.impossible_bids:,} of {sample.put_bids:,} bids for puts are "
            "above their strikes: are prices in cents?"
        )


def _beat_problems(found: TopicCheck, sample: InputSample) -> Iterator[str]:
    """A partition that neither beats nor has rows of changes holds readings up."""
    silent = [
        number
        for number in found.without_beat
        if sample.partitions[number].slow or not sample.partitions[number].rows
    ]
    if silent:
        yield (
            f"{found.topic}: no heartbeat on {len(silent)} of {found.partitions} partitions "
            f"({listed([str(one) for one in silent])}): readings wait for each of them"
        )


def _slow(sample: InputSample) -> bool:
    return any(one.slow for one in sample.partitions.values())


def listed(names: Sequence[str]) -> str:
    """The first names of many."""
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
