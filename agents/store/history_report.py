"""What the daily history in Redis holds, and what can be compared with it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import cast

import msgspec

from agents.store.history_keys import history_keys
from agents.store.sync import connect_sync, redis_failures
from config.settings import Settings
from streams.calendar.sessions import next_session, shift_session
from streams.detection.history.days import LEVELS, DayFacts, Days, decode_day
from streams.detection.numbers import Lookback


class HistoryGap(msgspec.Struct, frozen=True):
    """Sessions without a close between two that have one."""

    after: date
    before: date
    missing: int
    cuts: bool
    """Whether it is so long that nothing before it is compared with."""


class RankHistory(msgspec.Struct, frozen=True):
    """From when a measure has a rank."""

    closes: int
    """Known closes that the next session is compared with."""
    needed: int
    since: date | None
    """The first session with a rank; None while there are too few closes."""
    earliest: date | None
    """The first session that can have one, if every session from now on has a close."""


class HistoryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The daily history of one index."""

    index: str
    sessions: int = 0
    first: date | None = None
    last: date | None = None
    bases: dict[str, int] = {}
    """Closes by where their values are from."""
    gaps: list[HistoryGap] = []
    ranks: dict[str, RankHistory] = {}


def history_reports(settings: Settings, lookback: Lookback) -> list[HistoryReport]:
    """A report for each configured index.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka or Redis may not, or cannot, be
            used; the topics are missing or unfit.
    """
    places = history_keys(settings)
    reports = []
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        for index, keys in places.items():
            days = cast("dict[bytes, bytes]", redis.hgetall(keys.day(index)))
            reports.append(report_of(index, list(days.values()), lookback))
    return reports


def report_of(index: str, payloads: Sequence[bytes], lookback: Lookback) -> HistoryReport:
    """The report of the facts of an index, in any order. Raises `ValueError` on foreign bytes."""
    facts = sorted((decode_day(payload) for payload in payloads), key=lambda one: one.session)
    if not facts:
        return HistoryReport(index=index)
    days, newest = Days(), facts[-1]
    days.restore(payloads)
    gap = timedelta(days=lookback.gap_days)
    closes = days.before(next_session(newest.session), newest.basis, gap)
    return HistoryReport(
        index=index,
        sessions=len(facts),
        first=facts[0].session,
        last=newest.session,
        bases=dict(Counter(one.basis for one in facts)),
        gaps=_gaps([one.session for one in facts], gap),
        ranks={measure: _rank(measure, closes, newest, lookback) for measure in LEVELS},
    )


def _gaps(sessions: Sequence[date], longest: timedelta) -> list[HistoryGap]:
    return [
        HistoryGap(after, before, _between(after, before), before - after > longest)
        for after, before in pairwise(sessions)
        if next_session(after) != before
    ]


def _between(after: date, before: date) -> int:
    """Sessions between two."""
    count, day = 0, next_session(after)
    while day < before:
        count, day = count + 1, next_session(day)
    return count


def _rank(
    measure: str, closes: Sequence[DayFacts], newest: DayFacts, lookback: Lookback
) -> RankHistory:
    known = [one.session for one in closes if one.level(measure) is not None]
    lacking = lookback.minimum - len(known)
    if lacking <= 0:
        since = next_session(known[lookback.minimum - 1])
        return RankHistory(min(len(known), lookback.sessions), lookback.minimum, since, since)
    earliest = shift_session(newest.session, lacking + 1)
    return RankHistory(len(known), lookback.minimum, None, earliest)
