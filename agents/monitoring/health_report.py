"""How the monitor is, from outside.

It is what Redis shows of each index, and how far the stages are behind Kafka.
"""

from collections.abc import Callable, Iterator, Sequence
from time import time
from typing import cast

import msgspec

from agents.alerts.orphaned_alerts import orphan_warnings
from agents.monitoring.freshness import (
    STALE_SECONDS,
    age_seconds,
    event_time,
    fresh,
    fresh_from,
    stale_after,
)
from agents.monitoring.identity import readings_due
from agents.monitoring.lag import Lag, PartitionLag, lag_of
from agents.monitoring.prometheus_server import PrometheusServer
from agents.monitoring.refused_partitions import reasons
from agents.monitoring.service_view import ServiceView, service_view
from agents.plans import flow_plans
from agents.process.call_timeout import Questions, ask, call_within
from agents.process.exits import ActionNeededError, UnavailableError
from agents.store.clock_check import NEXT, NOTED_SECONDS, ahead
from agents.store.feed_place import FeedAccount, read_account
from agents.store.keys import feed_place, input_outcomes
from agents.store.refused import NEXT as DECIDE
from agents.store.shown_snapshot import UnreadableError, shown_snapshot
from agents.store.sync import connect_sync, redis_failures
from agents.topics.admin import check_topics
from config.connections import kafka_place
from config.market import market_of
from config.redis_connection import redis_place
from config.rules import load_rules
from config.settings import Settings
from streams.catalogue.measures import COLUMNS, HEADLINES, RULE_TENOR
from streams.detection.rules.doubt_wording import leg_in_words
from streams.detection.views.snapshot import ActiveAlert
from streams.left_out import LeftOut
from streams.reading import SilentLeg
from streams.records import NS
from streams.refusals.acceptance import Account, cause, problem, together
from streams.safe_text import safe
from streams.topics import Topics

LAG = 10_000
FEED_SECONDS = 60.0
"""What a feed has told longer ago says nothing of now."""
TOLD_SECONDS = 600.0
"""How long what a worker told of the input counts: after a worker's end nobody tells more."""
COVERAGE = 0.90
COVERED = {"coverage": "coverage", "coverage_atm": "coverage of ATM vols"}
"""The shares that a gate looks at, in words."""
VALUES = tuple(dict.fromkeys((*(one.field for one in (*HEADLINES, *COLUMNS)), *COVERED)))


class IndexHealth(msgspec.Struct, frozen=True):
    """One index as the wall shows it."""

    index: str
    mode: str
    event_time: str
    age_seconds: float
    """Since the newest reading's event or its publication, whichever is longer.

    In replay and scenario mode it is since the latter.
    """
    regime: str
    values: dict[str, float | None]
    alerts: list[ActiveAlert]
    stale_seconds: float = 0.0
    """The age, less what a delayed feed may be behind."""
    legs_silent: tuple[SilentLeg, ...] = ()
    """Of the newest reading of 30 days."""
    stale_after: float = STALE_SECONDS
    """Seconds of it that are too many, by how often the source repeats itself."""
    event_age_seconds: float | None = None
    """Wall time less event time; of another day in replays."""
    changes: dict[str, dict[str, float]] = {}
    """Measure → window → move; `1d` is since the prior close."""
    percentiles: dict[str, dict[str, float]] = {}
    """Measure → window of closes → rank from 0 to 1."""
    distances: dict[str, float] = {}
    """Rule → how far it is from firing: 0 fires, 1 is calm."""
    inhibited: list[str] = []
    """Rules that do not fire because another tells the same story."""

    def fresh(self, later: float = 0.0) -> bool:
        """Whether its numbers may still be shown so many seconds after the look."""
        return fresh(self.stale_seconds + later, self.stale_after)


class InputHealth(msgspec.Struct, frozen=True):
    """One input topic: what became of the rows of the latest minute that a worker has told of."""

    topic: str
    age_seconds: float
    """Since then."""
    accepted: int
    rows: int
    left_out: dict[str, int]
    """Rows by reason, the most first; a refused record counts as one."""
    examples: list[LeftOut]
    """One of each reason, also of earlier minutes."""
    likely: str = ""
    """Where nothing was accepted: the likeliest cause."""


class Health(msgspec.Struct, frozen=True):
    """The whole; `problems` empty means well."""

    session_open: bool
    indices: list[IndexHealth]
    lag: dict[str, int]
    """Topic → records not yet applied."""
    problems: list[str]
    inputs: list[InputHealth] = []
    service: ServiceView | None = None
    """What Prometheus says, where it was asked."""
    partitions: list[PartitionLag] = []
    """The same lag by partition."""
    feed: FeedAccount | None = None
    """What a feed of `feed run` has told last."""


def health(settings: Settings, prometheus: PrometheusServer | None = None) -> Health:
    """Look at Redis and Kafka once; what a part of Kafka does not tell is a problem of the report.

    Raises `UnavailableError` when Redis does not answer, or Kafka not one question,
    `ActionNeededError`, `ConfigError`.
    """
    opened = readings_due(int(time() * NS), settings.mode)
    plans = flow_plans(
        settings, market_of(settings), load_rules(settings.rules.file, settings.rules.cap_unknown)
    )
    consumed = [(plan, topic) for plan in plans for topic in plan.inputs]
    redis_at, kafka_at = f"Redis at {redis_place(settings.redis)}", kafka_place(settings.kafka)
    kafka = Questions(kafka_at)
    none: list[str] = []
    view = None if prometheus is None else _asked(prometheus)
    lag = kafka.ask("how many records wait", lambda: lag_of(settings, consumed), Lag({}, [], []))
    left = kafka.ask("which alerts nobody will end", lambda: _left_over(settings), none)
    standing = kafka.ask("which partitions stand refused", lambda: _standing(settings), none)
    short = kafka.ask("whether writes wait", lambda: list(check_topics(settings).short), none)
    indices, missing = call_within(redis_at, lambda: _indices(settings))
    inputs, unaccepted = call_within(redis_at, lambda: input_health(settings, opened=opened))
    clock = call_within(redis_at, lambda: list(_clock(settings)))
    feed = call_within(redis_at, lambda: _feed(settings))
    behind = _problems(indices, lag(), opened=opened)
    service, unseen = (None, none) if view is None else view()
    problems = [
        *standing(),
        *missing,
        *behind,
        *unaccepted,
        *(_feed_problems(feed, opened=opened) if feed else ()),
        *clock,
        *short(),
        *left(),
        *kafka.unanswered(),
        *unseen,
        *(service.problems if service else ()),
    ]
    told = lag()
    known = opened, indices, told.waiting, problems, inputs, service
    return Health(*known, partitions=told.partitions, feed=feed)


def _asked(server: PrometheusServer) -> Callable[[], tuple[ServiceView | None, list[str]]]:
    """Begin to ask Prometheus; that it does not answer is a problem of the report."""
    answer = ask(server.place, lambda: service_view(server))

    def answered() -> tuple[ServiceView | None, list[str]]:
        try:
            return answer(), []
        except UnavailableError as down:
            return None, [f"not known, workers and service alerts: {down}"]

    return answered


def input_health(settings: Settings, *, opened: bool) -> tuple[list[InputHealth], list[str]]:
    """What became of the input of late, and what is wrong about it.

    Raises `UnavailableError`, `ActionNeededError`.
    """
    topics, found, problems = Topics(settings.kafka.topic_prefix), [], []
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        for topic in (topics.name("quotes"), topics.name("ticks")):
            written = cast(
                "dict[bytes, bytes]",
                redis.hgetall(input_outcomes(settings.kafka.topic_prefix, topic)),
            )
            account = together(_decoded(value) for value in written.values())
            if not account.at:
                continue
            age = max(0.0, time() - account.at)
            likely = (
                cause(account.rows, account.examples)
                if account.rows and not account.accepted
                else ""
            )
            examples = [account.examples[reason] for reason in sorted(account.examples)]
            counts = account.accepted, account.total, account.left_out
            found.append(InputHealth(topic, round(age, 1), *counts, examples, likely))
            wrong = problem(topic, account, session_open=opened) if age < TOLD_SECONDS else None
            problems += [wrong] if wrong else []
    return found, problems


def _decoded(value: bytes | str) -> Account:
    """An account; an empty one where another version wrote it."""
    try:
        return msgspec.json.decode(value, type=Account)
    except msgspec.ValidationError:
        return Account()


def _standing(settings: Settings) -> list[str]:
    """Partitions that stand refused, or why that cannot be known."""
    try:
        return [f"{reason}; workers refuse it: {DECIDE}" for reason in reasons(settings)]
    except ActionNeededError as refusal:
        return [str(refusal)]


def _left_over(settings: Settings) -> list[str]:
    """Alerts that nobody will end, or why that cannot be known."""
    try:
        return orphan_warnings(settings)
    except ActionNeededError as refusal:
        return [str(refusal)]


def _indices(settings: Settings) -> tuple[list[IndexHealth], list[str]]:
    found, missing = [], []
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        for index in settings.market.indices:
            try:
                found_there = shown_snapshot(redis, settings.kafka.topic_prefix, index.symbol)
            except UnreadableError as problem:
                missing.append(
                    f"{index.symbol}: {safe(str(problem))}; "
                    "a worker writes it anew with the next reading"
                )
                continue
            if found_there is None:
                missing.append(
                    f"{index.symbol}: no reading yet; is a worker running and is there input?"
                )
                continue
            shown, published = found_there
            reading = next(iter(shown.readings.values()))
            values = {name: getattr(reading, name) for name in VALUES}
            when, event, now = reading.ts_event.isoformat(), event_time(shown.readings), time()
            age = round(age_seconds(shown.mode, event, published, now), 1)
            stale = round(now - fresh_from(shown.mode, event, published), 1)
            rule_reading = shown.readings.get(RULE_TENOR)
            silent = rule_reading.legs_silent if rule_reading else ()
            found.append(
                IndexHealth(
                    index.symbol,
                    shown.mode,
                    when,
                    age,
                    shown.regime,
                    values,
                    shown.alerts,
                    stale,
                    silent,
                    stale_after=stale_after(shown.mode, reading.refresh_seconds),
                    event_age_seconds=(
                        None if event is None else round(now - event.timestamp(), 1)
                    ),
                    changes=shown.changes,
                    percentiles=shown.percentiles,
                    distances=shown.distances,
                    inhibited=shown.inhibited,
                )
            )
    return found, missing


def _feed(settings: Settings) -> FeedAccount | None:
    """What the feed that publishes has told last; None where none has, or has ended in order."""
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        (value,) = cast(
            "list[bytes | None]", redis.hmget(feed_place(settings.kafka.topic_prefix), ["value"])
        )
    return None if value is None else read_account(value)


def _feed_problems(feed: FeedAccount, *, opened: bool) -> Iterator[str]:
    silent = time() - feed.at
    if silent > FEED_SECONDS:
        if opened:
            yield f"the feed {feed.who} has told nothing for {silent:.0f} s: does it still run?"
        return
    for kind, words in feed.troubles.items():
        if kind != "documents":
            yield f"the feed {feed.who}: {kind}: {words}"


def _clock(settings: Settings) -> Iterator[str]:
    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        before = time()
        whole, micros = redis.time()
        skew = ahead(before, whole + micros / 1e6, time())
    if abs(skew) >= NOTED_SECONDS:
        yield (
            f"this machine's clock is {skew:+.1f} s against that of Redis, "
            f"and ages are counted by it: {NEXT}"
        )


def _problems(indices: Sequence[IndexHealth], lag: Lag, *, opened: bool) -> Iterator[str]:
    for one in indices:
        if opened and one.mode in {"live", "delayed"} and not one.fresh():
            yield (
                f"{one.index}: the newest reading is {one.age_seconds:.0f} s old; "
                "see the runbook, DispersionStale"
            )
        for leg in one.legs_silent:
            yield f"{one.index}: {leg_in_words(leg)}; see the runbook, data_quality"
        for field, words in COVERED.items():
            share = one.values.get(field)
            if share is not None and share < COVERAGE:
                yield f"{one.index}: {words} is {share:.0%}; see the runbook, data_quality"
    for topic in lag.untold:
        yield (
            f"{topic}: Kafka does not tell where its log ends, "
            "so what waits there is not known; bring the brokers back"
        )
    for topic, waiting in lag.waiting.items():
        if waiting > LAG:
            yield f"{topic}: {waiting:,} records wait; add workers, or see what holds them"
