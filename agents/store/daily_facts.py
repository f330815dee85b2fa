"""Writing daily facts beside those of the monitor.

The first word on a session wins, so repeating it changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from time import time
from typing import cast

import msgspec
from redis import Redis

from agents.store.history_keys import history_keys
from agents.store.keys import StageKeys
from agents.store.sync import connect_sync, redis_failures
from config.settings import Settings
from streams.calendar.sessions import next_session
from streams.detection.closed_sessions import TOO_OLD, ClosedSessions
from streams.detection.history.days import SESSIONS, DayFacts, Days, encode_day
from streams.detection.numbers import Lookback


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the facts of one index."""

    index: str
    written: int
    """Sessions added; with a dry run, that would be."""
    existing: int
    """Sessions that had a fact already, whoever wrote it."""
    skipped: dict[date, str]
    """Sessions left out, and why."""
    comparable: int
    """Closes that the session after the newest one is compared with.

    None is from before the last gap, and none is of another basis.
    """
    comparable_from: date | None
    needed: int
    """Closes below which a rank is unknown."""
    owned: bool
    """A worker holds this history in memory."""


def fill_history(
    settings: Settings, closed: ClosedSessions, lookback: Lookback, *, dry_run: bool
) -> list[Filled]:
    """Add what the files have closed to the history of every configured index.

    It is added on the partition that the readings of the index have.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka or Redis may not, or cannot, be
            used; the topics are missing or unfit.
    """
    places = history_keys(settings)
    facts = closed.facts(list(places))
    filled = []
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        for index, keys in places.items():
            filled.append(
                fill(redis, keys, facts[index], closed.skipped(index), lookback, dry_run=dry_run)
            )
    return filled


def fill(
    redis: Redis,
    keys: StageKeys,
    facts: Sequence[DayFacts],
    skipped: Mapping[date, str],
    lookback: Lookback,
    *,
    dry_run: bool,
) -> Filled:
    """Add the facts of the index of `keys` to its daily history.

    Those that would not be kept are left out. Raises what redis-py raises.
    """
    (index,) = keys.indices
    known = {
        date.fromisoformat(field.decode()): value
        for field, value in sorted(
            cast("dict[bytes, bytes]", redis.hgetall(keys.day(index))).items()
        )
    }
    fresh = {one.session: one for one in facts if one.session not in known}
    kept = set(sorted({*known, *fresh})[-SESSIONS:])
    added = {session: encode_day(one) for session, one in fresh.items() if session in kept}
    if not dry_run:
        added = {
            session: value
            for session, value in added.items()
            if redis.hsetnx(keys.day(index), session.isoformat(), value)
        }
    comparable = _comparable([*known.values(), *added.values()], lookback)
    return Filled(
        index=index,
        written=len(added),
        existing=len(facts) - len(fresh),
        skipped={**skipped, **{session: TOO_OLD for session in fresh if session not in kept}},
        comparable=len(comparable),
        comparable_from=comparable[0].session if comparable else None,
        needed=lookback.minimum,
        owned=float(redis.hget(keys.key("own"), "exp") or 0) > time(),
    )


def _comparable(payloads: Sequence[bytes], lookback: Lookback) -> Sequence[DayFacts]:
    days = Days()
    days.restore(payloads)
    newest = days.newest
    if newest is None:
        return ()
    return days.before(
        next_session(newest.session), newest.basis, timedelta(days=lookback.gap_days)
    )
